"""The options for hosts, checked for contradictions."""

from typing import Literal

from msgspec import Struct

from dockless.errors import UsageError
from dockless.model.options import CommandOptions


class HostOptions(Struct, frozen=True, kw_only=True):
    """The options for hosts, named like those of the command line."""

    hosts: tuple[str, ...]
    via: Literal["auto", "invoke", "copy", "relay", "tunnel"]
    there: str | None
    parallel: int | None
    fail_fast: bool
    max_failures: int | None
    allow_different: bool
    accept_new_host_keys: bool
    keep_engine: bool
    audit: bool
    allow_ssh_commands: bool = False
    sudo: bool = False

    def check(self, options: CommandOptions) -> None:
        """Raise UsageError when an option does not go with the others."""
        if not options.remote:
            given = {
                "--host": self.hosts,
                "--via": self.via != "auto",
                "--source": self.there is not None,
                "--sudo": self.sudo,
                "--parallel": self.parallel is not None,
                "--fail-fast": self.fail_fast,
                "--max-failures": self.max_failures is not None,
                "--allow-different": self.allow_different,
                "--accept-new-host-keys": self.accept_new_host_keys,
                "--keep-engine": self.keep_engine,
                "--audit": self.audit,
            }
            for option, is_given in given.items():
                if is_given:
                    raise UsageError(f"{option} needs --remote.", f"Add it, or leave {option} out.")
            return
        pairs = (
            (options.all_images, "--remote and --all"),
            (bool(self.hosts) and options.servers is not None, "--host and --servers"),
            (options.build and self.there is not None, "--build and --source"),
            (self.fail_fast and self.max_failures is not None, "--fail-fast and --max-failures"),
        )
        for wrong, what in pairs:
            if wrong:
                raise UsageError(f"{what} do not go together.", "Remove one of them.")
        if options.receipt is not None:
            raise UsageError(
                "--receipt is not for --remote: hosts write no receipts.",
                "Leave it out; --format json says what became of each host.",
            )
        if options.source is not None:
            raise UsageError(
                "SOURCE is on this machine, but --remote pushes images of the hosts.",
                f"Use --source {options.source} for an image on the hosts.",
            )

    @property
    def most_failures(self) -> int | None:
        """How many hosts may fail before no other is started; None for any number."""
        return 0 if self.fail_fast else self.max_failures


class CheckOptions(Struct, frozen=True, kw_only=True):
    """The arguments of `dockless hosts`, named like the options."""

    hosts: tuple[str, ...]
    servers: str | None
    check: bool
    there: str | None
    image: str | None
    registry: str | None
    namespace: str | None
    tags: tuple[str, ...]
    insecure: bool
    parallel: int | None
    timeout: float | None
    stall_timeout: float
    accept_new_host_keys: bool
    output: Literal["text", "json"]
    destination: str | None
    allow_ssh_commands: bool
    sudo: bool
