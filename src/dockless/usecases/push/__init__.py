"""Pushing one image: plan, send by digest, read back, and only then tag."""
