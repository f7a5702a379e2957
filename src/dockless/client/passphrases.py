"""Passphrases of private keys: from the keyring, or prompted for at a terminal."""

import os
import threading
from pathlib import Path

from dockless.client.prompter import Prompter
from dockless.credentials.user_keyrings import every_keyring_logins
from dockless.errors import DocklessError
from dockless.model.secret import Secret

_ASKING = threading.Lock()
_SCOPE = "ssh-key"


def ask(prompter: Prompter, key: Path) -> Secret | None:
    """Return the passphrase of a key file, or None when it is not available."""
    with _ASKING:
        return _kept(key) or (
            prompter.hidden(f"Passphrase for {key}") if prompter.at_terminal() else None
        )


def _kept(key: Path) -> Secret | None:
    for keyring_logins in every_keyring_logins(os.environ):
        try:
            kept = keyring_logins.get(_SCOPE, str(key))
        except DocklessError:
            continue
        if kept:
            return kept.password
    return None
