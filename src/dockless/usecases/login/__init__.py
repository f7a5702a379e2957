"""Logging in to a registry, and out of it."""
