"""Logins in memory, as what the chain and the credential-helper protocol ask."""

from pathlib import Path

from dockless.credentials.keyring_logins import Vault
from fakes.keyring import MemoryKeyring


def memory_vault(folder: Path, choice: str = "memory") -> Vault:
    """Return an empty vault of its own; its lock lies in the folder."""
    keyring = MemoryKeyring()
    return Vault(choice, lambda: keyring, folder / "lock")
