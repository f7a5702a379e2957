"""How a project's image is built, as its files say."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from dockless.errors import UsageError
from dockless.model.server import Server


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


class HostRecipe(Struct, frozen=True, kw_only=True):
    """What to build on hosts, each in its own folder of the project.

    Attributes:
        project: The project's name: of its folder there, too, unless the server has another.
        image: What to call the image that a Dockerfile makes.
        composed: What the image that Compose makes may be called.
        compose_files: The names that a Compose file may have, the preferred one first.
        builder: What the project's files say of the build.
    """

    project: str
    image: str
    composed: tuple[str, ...]
    compose_files: tuple[str, ...]
    builder: Builder

    def at(
        self, home: str, server: Server, is_file: Callable[[str], bool]
    ) -> tuple[tuple[str, ...], Recipe]:
        """Return what the image may be called on a host, and how it is built there.

        Args:
            home: The home folder there, in which the project's folder is.
            server: What the project says of the host.
            is_file: Whether there is a file of this path there.
        """
        folder = Path(home, server.remote_dir or self.project)
        paths = (folder / name for name in self.compose_files)
        file = next((path for path in paths if is_file(str(path))), None)
        names = self.composed if file and self.composed else (self.image,)
        return names, Recipe(folder=folder, image=names[0], compose=file, builder=self.builder)


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
