"""The options of a login, checked for contradictions."""

from pathlib import Path

from msgspec import Struct

from dockless.errors import UsageError


class LoginOptions(Struct, frozen=True, kw_only=True):
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
    insecure: bool
    ca_file: Path | None
    cert_dir: Path | None
    insecure_realms: tuple[str, ...] = ()
    remember: bool = False
    timeout: float | None = None

    def check(self) -> None:
        """Raise UsageError when two options contradict each other."""
        if self.key_file and (self.password_stdin or self.username):
            raise UsageError(
                "--key-file does not go with --username or --password-stdin.",
                "Remove one of them.",
            )
