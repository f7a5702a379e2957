"""Pushing one target from many hosts."""
