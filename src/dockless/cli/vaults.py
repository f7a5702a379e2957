"""The keyrings of this machine, by the environment."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import platformdirs

from dockless.credentials import keyrings
from dockless.credentials.vault import Vault
from dockless.model.secret import Secret

CHOSEN = "DOCKLESS_KEYRING"
Prompt = Callable[[str], Secret]


def vault(
    choice: str,
    environment: Mapping[str, str],
    prompt: Prompt | None = None,
    ttl: int | None = None,
) -> Vault:
    """Return the logins in one keyring.

    Args:
        choice: The keyring, as `keyrings.backend` takes it; empty for the preferred one.
        environment: For the keyring, and the folder of the lock.
        prompt: Asks for the password of an encrypted file; None where nobody can be asked.
        ttl: Seconds after which the keyring forgets what is put there.

    Raises:
        AuthError: No keyring was chosen, and there is none.
    """
    choice = choice or environment.get(CHOSEN, "") or keyrings.preferred(environment)
    moved = environment.get("DOCKLESS_CACHE_DIR", "")
    folder = Path(moved) if moved else platformdirs.user_cache_path("dockless")
    opened = partial(keyrings.backend, choice, environment, ttl, prompt)
    return Vault(choice, opened, folder / "keyring.lock")


def vaults(environment: Mapping[str, str], prompt: Prompt | None = None) -> tuple[Vault, ...]:
    """Return the keyrings to look into: the chosen one, or all that can be had."""
    chosen = environment.get(CHOSEN, "")
    choices = (chosen,) if chosen else keyrings.available(environment)
    return tuple(vault(choice, environment, prompt) for choice in choices)
