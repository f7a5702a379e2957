"""What is asked of a push, checked for contradictions, with every default."""

from pathlib import Path
from typing import Literal

from msgspec import Struct

from dockless.errors import UsageError
from dockless.model.secret import Secret
from dockless.oci.platform import Platform

PROGRAMS = ("crane", "skopeo")
"""The engines that are programs; one that is asked for by name writes everything itself."""


class PushOptions(Struct, frozen=True, kw_only=True):
    """What is asked of a push; the names are those of the command line's options.

    `timeout` and `stall_timeout` are in seconds; None means no limit. `check_blobs` is None where
    nothing was said.
    """

    source: str | None = None
    remote: bool = False
    local: bool = False
    servers: str | None = None
    registry: str | None = None
    image: str | None = None
    tags: tuple[str, ...] = ()
    namespace: str | None = None
    username: str | None = None
    password: Secret | None = None
    password_stdin: bool = False
    build: bool = False
    create_repository: bool = False
    scan_on_push: bool = False
    immutable_tags: bool = False
    all_images: bool = False
    platform: Platform | None = None
    compression: Literal["auto", "gzip", "zstd", "none"] = "gzip"
    engine: Literal["auto", "crane", "skopeo", "direct"] = "auto"
    manifest_format: Literal["auto", "oci", "docker"] = "auto"
    insecure: bool = False
    ca_file: Path | None = None
    cert_dir: Path | None = None
    immutable: bool = False
    verify: bool = True
    timeout: float | None = None
    stall_timeout: float = 120.0
    retries: int = 5
    check_blobs: bool | None = None
    dry_run: bool = False
    timings: bool = False
    explain: bool = False
    output: Literal["text", "json"] = "text"
    digest_file: Path | None = None
    quiet: bool = False
    destination: str | None = None
    allow_secret_commands: bool = False
    insecure_realms: tuple[str, ...] = ()
    recheck_cache: bool = False

    def check(self) -> None:
        """Raise UsageError when two options contradict each other."""
        pairs = (
            (self.local and self.remote, "--local and --remote"),
            (self.password is not None and self.password_stdin, "--password and --password-stdin"),
            (self.all_images and bool(self.tags or self.image), "--all and --image or --tag"),
            (self.build and self.source is not None, "--build and a SOURCE"),
            (self.insecure and bool(self.ca_file or self.cert_dir), "--insecure and certificates"),
            (self.explain and self.output == "json", "--explain and --format json"),
            (self.source == "-" and self.password_stdin, "SOURCE - and --password-stdin"),
            (
                self.manifest_format == "docker" and self.compression == "zstd",
                "--manifest-format docker and --compression zstd",
            ),
        )
        for wrong, what in pairs:
            if wrong:
                raise UsageError(f"{what} do not go together.", "Leave one of them out.")
        if (self.scan_on_push or self.immutable_tags) and not self.create_repository:
            raise UsageError(
                "--scan-on-push and --immutable-tags are settings of a new repository.",
                "Add --create-repository, or leave them out.",
            )
        if self.all_images and self.source is None:
            raise UsageError("--all needs a SOURCE.", "Give the archive or layout that has them.")
        if self.digest_file and not self.digest_file.parent.is_dir():
            raise UsageError(
                f"There is no folder {self.digest_file.parent} for --digest-file.", "Make it first."
            )
        if self.servers is not None and not self.remote:
            raise UsageError("--servers needs --remote.", "Add it, or leave --servers out.")
