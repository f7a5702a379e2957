"""Tokens of the cloud registries, from the programs and files that their users have."""
