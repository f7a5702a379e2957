"""Passphrases of private keys: from the keyring, or prompted for at a terminal."""

import threading
from collections.abc import Mapping
from pathlib import Path

from dockless.credentials.prompting import Prompter
from dockless.credentials.user_keyrings import every_keyring_logins
from dockless.errors import DocklessError
from dockless.model.secret import Secret

_ASKING = threading.Lock()
_SCOPE = "ssh-key"


def ask(prompter: Prompter, environment: Mapping[str, str], key: Path) -> Secret | None:
    """Return the passphrase of a key file, or None when it is not available.

    Args:
        prompter: Asks for it where no keyring has it.
        environment: Names the keyring.
        key: The key file.
    """
    with _ASKING:
        return _kept(environment, key) or (
            prompter.hidden(f"Passphrase for {key}") if prompter.at_terminal() else None
        )


def _kept(environment: Mapping[str, str], key: Path) -> Secret | None:
    for keyring_logins in every_keyring_logins(environment):
        try:
            kept = keyring_logins.get(_SCOPE, str(key))
        except DocklessError:
            continue
        if kept:
            return kept.password
    return None
