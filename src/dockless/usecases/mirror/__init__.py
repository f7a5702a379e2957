"""Pushing many images to one registry."""
