"""The kernel keyring as a backend of the `keyring` library, so that its other users have it too.

dockless itself talks to `keyctl` directly, which spares a push the loading of `keyring`.
"""

from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.errors import InitError, PasswordDeleteError, PasswordSetError

from dockless.credentials.keyctl import Keyctl, usable
from dockless.errors import AuthError

# below every desktop's own, which have 5 and more, and above the plain ones
_PRIORITY = 4.0


class KernelKeyring(KeyringBackend):
    """The persistent keyring of this user (persistent-keyring(7))."""

    @properties.classproperty
    def priority(cls) -> float:  # noqa: N805 - keyring's own form of a class property
        """Its priority.

        Raises:
            RuntimeError: The kernel has none, or denies access.
        """
        if not usable("persistent"):
            raise RuntimeError("the kernel keyring cannot be used here")
        return _PRIORITY

    def get_password(self, service: str, username: str) -> str | None:
        """Return a password, or None."""
        try:
            return Keyctl("persistent").get_password(service, username)
        except AuthError as error:
            raise InitError(error.what) from None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a password."""
        try:
            Keyctl("persistent").set_password(service, username, password)
        except AuthError as error:
            raise PasswordSetError(error.what) from None

    def delete_password(self, service: str, username: str) -> None:
        """Delete a password."""
        if self.get_password(service, username) is None:
            raise PasswordDeleteError("There is no such password.")
        Keyctl("persistent").delete_password(service, username)
