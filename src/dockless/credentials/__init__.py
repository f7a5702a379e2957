"""Credentials for registries: where they are found, and how an engine gets one in memory."""
