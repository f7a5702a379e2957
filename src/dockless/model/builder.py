"""How a project's image is built, as its files say."""

from pathlib import Path

from msgspec import Struct

from dockless.errors import UsageError


class Builder(Struct, frozen=True, kw_only=True):
    """How an image is built from a Dockerfile; empty for the usual.

    Attributes:
        context: The build context, relative to the project's folder; empty for that folder.
        dockerfile: The file to build from, relative to the folder; empty for the usual ones.
        args: Build arguments.
        target: The stage to build; empty for the last.
        unanswered: The errors of arguments that only Ruby could tell.
        unused: What else the file says of the build, which is not heeded here.
    """

    context: str = ""
    dockerfile: str = ""
    args: tuple[tuple[str, str], ...] = ()
    target: str = ""
    unanswered: tuple[UsageError, ...] = ()
    unused: tuple[str, ...] = ()


class Recipe(Struct, frozen=True, kw_only=True):
    """What to build, and how.

    Attributes:
        folder: The project's folder.
        image: The name of the image that is made.
        compose: The Compose file; None to build from a Dockerfile or Containerfile.
        builder: How to build from that.
    """

    folder: Path
    image: str
    compose: Path | None = None
    builder: Builder = Builder()


class BuildPlan(Struct, frozen=True, kw_only=True):
    """What would be built, and with what.

    Attributes:
        image: The name of the image.
        tool: The tool that would have it: `docker`, `podman` or `buildah`.
        program: What builds it, such as `docker compose` or `buildah`.
        file: The Compose file, Dockerfile or Containerfile.
    """

    image: str
    tool: str
    program: str
    file: str

    def __str__(self) -> str:
        return f"{self.image} with {self.program}, from {self.file}"
