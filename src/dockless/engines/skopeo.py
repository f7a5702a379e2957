"""skopeo's command line, as pure functions.

skopeo reads the image from its `dir:` form: its `oci:` refuses Docker's media types, and neither
takes an index inside an index. Documents are therefore pushed one by one, children first, and an
index with `--multi-arch=index-only` once all that it lists is there.
"""

from pathlib import Path

from msgspec import Struct

from dockless.model.endpoint import Endpoint
from dockless.oci.reference import Reference

LOGINS_PATH = ".config/containers/registries.conf.d/dockless.conf"
"""Where skopeo finds `LOGINS`, below its HOME."""

LOGINS = 'credential-helpers = ["containers-auth.json"]\n'
"""A drop-in for registries.conf: logins come from the authfile alone.

A machine's registries.conf may name credential helpers that are asked before the authfile, or in
place of it (containers-registries.conf(5)); everything else in it still holds.
"""


def logins_environment(home: str) -> dict[str, str]:
    """Return what makes `LOGINS` the last of the settings, whatever the others are called.

    Newer releases of the library sort the user's drop-ins among the system's; there the file in
    this variable comes last, and a file may be read twice.

    Args:
        home: The HOME that skopeo is given.
    """
    return {"CONTAINERS_REGISTRIES_CONF_OVERRIDE": f"{home}/{LOGINS_PATH}"}


class SkopeoFiles(Struct, frozen=True, kw_only=True):
    """Files that a skopeo command names.

    Attributes:
        authfile: Where the credential is read from; None to be anonymous.
        certificates: A folder with `*.crt`, `*.cert` and `*.key`; None for none.
        policy: A signature policy; None when this machine has none, which accepts everything.
        digest: Where skopeo writes the digest of what it pushed.
    """

    authfile: str | None
    certificates: Path | None
    policy: Path | None
    digest: Path


def push_argv(
    folder: Path,
    target: Reference,
    endpoint: Endpoint,
    files: SkopeoFiles,
    *,
    is_index: bool,
) -> tuple[str, ...]:
    """Return the arguments that push the manifest or index of a `dir:` folder."""
    return (
        *_policy(files),
        "copy",
        "--quiet",
        "--preserve-digests",
        *(("--multi-arch=index-only",) if is_index else ()),
        *_access("dest", endpoint, files),
        "--digestfile",
        str(files.digest),
        f"dir:{folder}",
        f"docker://{target}",
    )


def pull_argv(
    source: Reference, layout: Path, endpoint: Endpoint, files: SkopeoFiles
) -> tuple[str, ...]:
    """Return the arguments that pull an image or index into a layout, unchanged."""
    return (
        *_policy(files),
        *("copy", "--quiet", "--preserve-digests", "--all"),
        *_access("src", endpoint, files),
        f"docker://{source}",
        f"oci:{layout}:pulled",
    )


def tag_argv(
    source: Reference, target: Reference, endpoint: Endpoint, files: SkopeoFiles, *, is_index: bool
) -> tuple[str, ...]:
    """Return the arguments that make the tag of `target` name what `source` names by digest."""
    return (
        *_policy(files),
        "copy",
        "--quiet",
        "--preserve-digests",
        *(("--multi-arch=index-only",) if is_index else ()),
        *_access("src", endpoint, files),
        *_access("dest", endpoint, files),
        f"docker://{source}",
        f"docker://{target}",
    )


def _policy(files: SkopeoFiles) -> tuple[str, ...]:
    return ("--policy", str(files.policy)) if files.policy else ("--insecure-policy",)


def _access(side: str, endpoint: Endpoint, files: SkopeoFiles) -> tuple[str, ...]:
    authfile = (f"--{side}-authfile", files.authfile) if files.authfile else (f"--{side}-no-creds",)
    plain = (f"--{side}-tls-verify=false",) if endpoint.plain_http else ()
    certificates = (f"--{side}-cert-dir", str(files.certificates)) if files.certificates else ()
    return (*authfile, *plain, *certificates)
