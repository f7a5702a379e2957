"""The keyrings of this machine, by the environment."""

import contextlib
import os
import pwd
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from dockless.credentials import keyrings
from dockless.credentials.keyring_logins import SERVICE, KeyringLogins
from dockless.errors import AuthError, UsageError
from dockless.model.login import Login
from dockless.model.secret import Secret
from dockless.storage.user_folders import cache_folder

CHOSEN = "DOCKLESS_KEYRING"
Prompt = Callable[[str], Secret]


def open_keyring_logins(
    choice: str,
    environment: Mapping[str, str],
    prompt: Prompt | None = None,
    ttl: int | None = None,
) -> KeyringLogins:
    """Return the logins in one keyring.

    Args:
        choice: The keyring, as `keyrings.backend` takes it; empty for the preferred one.
        environment: For the keyring, and the folder of the lock.
        prompt: Prompts for the password of an encrypted file; None without a terminal.
        ttl: Seconds after which the keyring forgets what is put there.

    Raises:
        AuthError: No keyring was chosen, and there is none.
    """
    choice = choice or environment.get(CHOSEN, "") or keyrings.preferred(environment)
    opened = partial(keyrings.backend, choice, environment, ttl, prompt, SERVICE)
    # an encrypted file asks nobody, and deriving its key takes long on a busy machine
    is_file = choice == keyrings.FILE
    patience = keyrings.FILE_SECONDS if is_file else keyrings.PATIENCE_SECONDS
    return KeyringLogins(choice, opened, _lock(environment), patience)


def keyring_for_login(
    choice: str,
    environment: Mapping[str, str],
    prompt: Prompt | None,
    ttl: float | None,
) -> KeyringLogins:
    """Return the keyring that a login will be stored in, which can be read.

    The arguments are those of `open_keyring_logins`, but that `ttl` may have a fraction.

    Raises:
        AuthError: There is none, or it is locked.
    """
    seconds = None if ttl is None else max(1, int(ttl))
    found = open_keyring_logins(choice, environment, prompt, seconds)
    found.logins()
    return found


def _lock(environment: Mapping[str, str]) -> Path:
    """Return what all logins of this user lock, whatever their HOME is: the keyring is the same."""
    with contextlib.suppress(KeyError):  # a user without a name has no home of that kind
        home = Path(os.path.realpath(pwd.getpwuid(os.getuid()).pw_dir))
        if os.access(home, os.R_OK | os.W_OK):
            return home
    try:
        return cache_folder(environment) / f"logins-{os.geteuid()}" / "keyring.lock"
    except UsageError:  # a folder that everybody can open serves, too: it is only locked
        return Path("/")


def every_keyring_logins(
    environment: Mapping[str, str], prompt: Prompt | None = None
) -> tuple[KeyringLogins, ...]:
    """Return the keyrings to look into: the chosen one, or all that are available."""
    chosen = environment.get(CHOSEN, "")
    choices = (chosen,) if chosen else keyrings.available(environment)
    return tuple(open_keyring_logins(choice, environment, prompt) for choice in choices)


def every_login(
    environment: Mapping[str, str], prompt: Prompt | None, closed: list[AuthError]
) -> Iterator[Login]:
    """Yield the logins in every keyring; `closed` gets the error of each that cannot be opened."""
    for keyring_logins in every_keyring_logins(environment, prompt):
        try:
            yield from keyring_logins.logins()
        except AuthError as error:
            what = (
                f"The {keyring_logins.name} could not be opened, so its logins are not known. "
                f"{error.what}"
            )
            closed.append(AuthError(what, error.remedy))
