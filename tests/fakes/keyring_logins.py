"""Logins in memory, as what the chain and the credential-helper protocol ask."""

from pathlib import Path

from dockless.credentials.keyring_logins import KeyringLogins
from fakes.keyring import MemoryKeyring


def memory_vault(folder: Path, choice: str = "memory") -> KeyringLogins:
    """Return an empty vault of its own; its lock lies in the folder."""
    keyring = MemoryKeyring()
    return KeyringLogins(choice, lambda: keyring, folder / "lock")
