"""`--build` with `--remote`: the image is built on the host, in its folder of the project."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from dockless.model.builder import Builder, BuildPlan, Recipe
from dockless.model.server import Server
from dockless.processes.programs import Programs
from dockless.sources.build import build, build_plan


class HostBuild(Struct, frozen=True, kw_only=True):
    """How an image is built on hosts.

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

    def build(
        self, programs: Programs, home: str, server: Server, note: Callable[[str], None]
    ) -> tuple[tuple[str, ...], str]:
        """Build the image; return what it may be called there, and the tool that has it.

        Args:
            programs: The host.
            home: The home folder there, in which the project's folder is.
            server: What the project says of the host.
            note: Shows one line.
        """
        names, recipe = self._recipe(programs, home, server)
        return names, build(recipe, programs, note)

    def plan(self, programs: Programs, home: str, server: Server) -> BuildPlan:
        """Return what `build` would do there, and build nothing."""
        return build_plan(self._recipe(programs, home, server)[1], programs)

    def _recipe(
        self, programs: Programs, home: str, server: Server
    ) -> tuple[tuple[str, ...], Recipe]:
        folder = Path(home, server.remote_dir or self.project)
        paths = (folder / name for name in self.compose_files)
        file = next((path for path in paths if programs.is_file(str(path))), None)
        names = self.composed if file and self.composed else (self.image,)
        return names, Recipe(folder=folder, image=names[0], compose=file, builder=self.builder)
