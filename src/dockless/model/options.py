"""The options of a push, checked for contradictions, with every default."""

import os
from pathlib import Path
from typing import Literal, Self

from msgspec.structs import replace

from dockless.errors import UsageError
from dockless.model.output_path import check_folder_of
from dockless.model.registry_access import RegistryAccess
from dockless.model.secret import Secret
from dockless.model.usernames import check_username
from dockless.oci.platform import Platform

PROGRAMS = ("crane", "skopeo")
"""The engines that are programs; one that is asked for by name writes everything itself."""

MAX_PARALLEL = 64
"""The most images that a mirror pushes at once."""


class PushOptions(RegistryAccess, frozen=True, kw_only=True):
    """How images are pushed, and how a registry is reached.

    The names are those of the command line's options, which `dockless push --help` explains.

    Attributes:
        platform: Push only this one of an index; None for all of it.
        compression: What layers that are not compressed become.
        engine: What writes to the registry.
        manifest_format: The media types of manifests.
        immutable: Whether a tag that names another digest is an error (ConflictError).
        verify: Whether the registry's copy is read back and compared.
        check_blobs: Whether every blob is asked for where the tags are right already; None means
            no.
        dry_run: Whether the registry is only read.
        create_repository: Whether a repository that ECR lacks is made.
        scan_on_push: Whether ECR scans what comes to the one that is made.
        immutable_tags: Whether no tag can be moved in the one that is made.
        insecure: Whether plain HTTP is used; for loopback addresses it always is.
        ca_file: A PEM file of one more certificate authority.
        cert_dir: A folder with *.crt, and *.cert with *.key for a client certificate.
        insecure_realms: Token services, HOST[:PORT], that get passwords without TLS.
        timeout: Seconds after which it is given up; None for no limit.
        stall_timeout: Seconds without a byte moved after which an upload is begun again.
        retries: How often a step that failed on the network is tried again.
        max_connections: The most connections to the registry, over all images; None for no limit.
        rate: The most bytes per second to the registry, over all images; None for no limit.
        recheck_cache: Whether staged layers are compared with their digests before they are used.
    """

    platform: Platform | None = None
    compression: Literal["auto", "gzip", "zstd", "none"] = "gzip"
    engine: Literal["auto", "crane", "skopeo", "direct"] = "auto"
    manifest_format: Literal["auto", "oci", "docker"] = "auto"
    immutable: bool = False
    verify: bool = True
    check_blobs: bool | None = None
    dry_run: bool = False
    create_repository: bool = False
    scan_on_push: bool = False
    immutable_tags: bool = False
    timeout: float | None = None
    stall_timeout: float = 120.0
    retries: int = 5
    max_connections: int | None = None
    rate: int | None = None
    recheck_cache: bool = False

    def check(self) -> None:
        """Raise UsageError when two options contradict each other."""
        _exclude(
            (self.insecure and self.ca_file is not None, "--insecure and --ca-file"),
            (self.insecure and self.cert_dir is not None, "--insecure and --cert-dir"),
            (
                self.manifest_format == "docker" and self.compression == "zstd",
                "--manifest-format docker and --compression zstd",
            ),
        )
        given = (
            *(["--scan-on-push"] if self.scan_on_push else []),
            *(["--immutable-tags"] if self.immutable_tags else []),
        )
        if given and not self.create_repository:
            what = " and ".join(given)
            needs = "needs" if len(given) == 1 else "need"
            remedy = f"Add it, or leave {what} out."
            raise UsageError(f"{what} {needs} --create-repository.", remedy)
        least, most = self.connection_limits()
        connections = least if self.max_connections is None else self.max_connections
        _bound(least <= connections <= most, f"max_connections must be from {least} to {most}")
        _bound(self.rate is None or self.rate > 0, "rate must be more than 0 bytes per second")

    @classmethod
    def connection_limits(cls) -> tuple[int, int]:
        """Return the least and the most connections that can be given as a limit."""
        return 1, 1024


class MirrorOptions(PushOptions, frozen=True, kw_only=True):
    """How many images are mirrored: their names, the limits, and how each is pushed.

    The names are those of the command line's options, which `dockless mirror --help` explains.

    Attributes:
        named: The name for images without a full name, NAME or NAME:TAG, as `--as`; None for none.
        strip: Prefixes that are removed from names, as `--strip-prefix`.
        maps: Rules `A/*=B/*` that rename repositories, as `--map`; the first match applies.
        flatten: Whether the components of each path are joined with `-`.
        referrers: Whether signatures, attestations and other referrers are included.
        parallel: How many images are pushed at once.
        shard: The part that is pushed, `INDEX/COUNT`; None for all of it.
        resume: Whether the resume log of an interrupted run is continued.
        platforms: Take only these platforms of each index, which then is another one; in place of
            `platform`, which takes the image of one.
    """

    named: str | None = None
    strip: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    flatten: bool = False
    referrers: bool = True
    parallel: int = 4
    shard: str | None = None
    resume: bool = True
    platforms: tuple[Platform, ...] = ()

    @property
    def chosen(self) -> tuple[Platform, ...]:
        """The platforms of an index that are asked for, each once; none for all."""
        one = (self.platform,) if self.platform else ()
        return tuple(dict.fromkeys((*one, *self.platforms)))

    @classmethod
    def of(cls, options: PushOptions) -> "MirrorOptions":
        """Return the options of a mirror whose images are pushed so."""
        if isinstance(options, cls):
            return options
        return cls(**{name: getattr(options, name) for name in PushOptions.__struct_fields__})

    def for_sources(self) -> Self:
        """Return how the source registries are reached: options for the target do not apply."""
        return replace(self, insecure=False, ca_file=None, cert_dir=None)

    def check(self) -> None:
        """Raise UsageError when two options contradict each other, or a limit is out of range."""
        super().check()
        _bound(1 <= self.parallel <= MAX_PARALLEL, f"parallel must be from 1 to {MAX_PARALLEL}")


class CommandOptions(PushOptions, frozen=True, kw_only=True):
    """What a command line asks for: what is pushed, where to, by whom, and what is printed."""

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
    all_images: bool = False
    timings: bool = False
    explain: bool = False
    output: Literal["text", "json"] = "text"
    digest_file: Path | None = None
    receipt: Path | None = None
    quiet: bool = False
    destination: str | None = None
    allow_secret_commands: bool = False
    to: str | None = None

    def check(self) -> None:
        """Raise UsageError when two options contradict each other."""
        check_username(self.username)
        _exclude(
            (self.local and self.remote, "--local and --remote"),
            (self.password is not None and self.password_stdin, "--password and --password-stdin"),
            (self.all_images and self.image is not None, "--all and --image"),
            (self.all_images and bool(self.tags), "--all and --tag"),
            (self.to is not None and self.namespace is not None, "--to and --namespace"),
        )
        if self.source == "-" and self.password_stdin:
            raise UsageError(
                "SOURCE - and --password-stdin would both read standard input.",
                "Store the password with `dockless login` before, or give the image as a file.",
            )
        if self.build and self.source is not None:
            raise UsageError(
                f"--build pushes what it builds from this folder, and not {self.source}.",
                "Leave out one of the two.",
            )
        if _are_one_file(self.receipt, self.digest_file):
            raise UsageError(
                f"--receipt and --digest-file would both write {self.receipt}.",
                "Give one of them another path.",
            )
        super().check()
        if self.all_images and self.source is None:
            raise UsageError(
                "--all needs a SOURCE.", "Give the archive or layout that contains them."
            )
        if self.to is not None and not self.all_images:
            raise UsageError(
                "--to is where every image of a source goes, with --all.",
                "Add --all, or name the one image's target with --image HOST/NAME:TAG.",
            )
        if self.digest_file:
            check_folder_of(self.digest_file, "--digest-file")
        if self.servers is not None and not self.remote:
            raise UsageError("--servers needs --remote.", "Add it, or leave --servers out.")


def _are_one_file(one: Path | None, other: Path | None) -> bool:
    """Whether two paths that are given lead to one file, other than to one that keeps nothing."""
    if one is None or other is None:
        return False
    real = os.path.realpath(one)
    return real == os.path.realpath(other) != os.devnull


def _exclude(*pairs: tuple[bool, str]) -> None:
    for wrong, what in pairs:
        if wrong:
            raise UsageError(f"{what} do not go together.", "Remove one of them.")


def _bound(right: bool, what: str) -> None:  # noqa: FBT001 - one word says what it is
    if not right:
        raise UsageError(f"The option {what}.", "Change it, or leave it out.")


def one_platform(given: tuple[Platform, ...]) -> Platform | None:
    """Return the platform that a push is to take, None for all; raise UsageError for several."""
    several = tuple(dict.fromkeys(given))
    if len(several) > 1:
        raise UsageError(
            f"A push takes one --platform, or all, and {len(several)} are given.",
            "`dockless mirror` takes several.",
        )
    return several[0] if several else None
