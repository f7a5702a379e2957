"""What `versions.toml` lists: which programs the matrix runs, and where each comes from."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

ELSEWHERE = "DOCKLESS_MATRIX_VERSIONS"
"""Names another file than `versions.toml`; `make newest` uses it."""

FILE = Path(__file__).with_name("versions.toml")

Kind = Literal["engine", "registry", "container", "other"]
Origin = Literal["system", "tools", "go", "source", "debian"]
KINDS: tuple[Kind, ...] = ("engine", "registry", "container", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One program of the matrix; the members are those that `versions.toml` explains.

    Attributes:
        kind: What it is in the matrix.
        module: The Go module, for `go` and `source`.
        command: The command's folder in the module, for `go`.
        suite: The Debian suite, for `debian`.
        packages: The packages, for `debian`.
        program: The program's path in the packages, for `debian`.
        containerd: Whether Docker keeps its images in containerd's store.
    """

    kind: Kind
    name: str
    version: str
    origin: Origin
    label: str
    quick: bool = False
    module: str = ""
    command: str = ""
    suite: str = ""
    packages: tuple[str, ...] = ()
    program: str = ""
    containerd: bool = False

    @property
    def folder(self) -> str:
        """The name of the folder that it is fetched into."""
        return f"{self.name}-{self.version}"


def listed() -> tuple[Listed, ...]:
    """Return everything in the file, by kind.

    Raises:
        TypeError: An entry has a member that does not exist, or lacks one.
    """
    content = tomllib.loads(Path(os.environ.get(ELSEWHERE, FILE)).read_text())
    return tuple(_entry(kind, entry) for kind in KINDS for entry in content.get(kind, ()))


def of_kind(kind: Kind) -> tuple[Listed, ...]:
    """Return what the file has of one kind."""
    return tuple(each for each in listed() if each.kind == kind)


def _entry(kind: Kind, entry: Mapping[str, Any]) -> Listed:
    values: dict[str, Any] = {"label": f"{entry['name']} {entry['version']}", **entry}
    values["packages"] = tuple(values.get("packages", ()))
    return Listed(kind=kind, **values)
