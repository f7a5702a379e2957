"""The options of a login, checked for contradictions."""

from pathlib import Path

from dockless.errors import UsageError
from dockless.model.registry_access import RegistryAccess
from dockless.model.usernames import check_username


class LoginOptions(RegistryAccess, frozen=True, kw_only=True):
    """The options of `dockless login`, named like those of the command line."""

    host: str | None
    registry: str | None
    username: str | None
    password_stdin: bool
    key_file: Path | None
    namespace: str | None
    image: str | None
    keyring: str
    ttl: float | None
    configure_docker: bool
    configure_containers: bool
    remember: bool = False
    timeout: float | None = None

    def check(self) -> None:
        """Raise UsageError when two options contradict each other."""
        check_username(self.username)
        if self.key_file and (self.password_stdin or self.username):
            raise UsageError(
                "--key-file does not go with --username or --password-stdin.",
                "Remove one of them.",
            )
