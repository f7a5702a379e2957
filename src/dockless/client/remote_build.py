"""`--build` with `--remote`: the image is built on the host, in its folder of the project."""

from pathlib import Path

from msgspec import Struct

from dockless.config import compose
from dockless.config.deploy import Builder
from dockless.model.server import Server
from dockless.ports import Progress
from dockless.sources.build import Recipe, build
from dockless.ssh.workdir import Workdir


class BuildThere(Struct, frozen=True, kw_only=True):
    """How an image is built on hosts.

    Attributes:
        project: The project's name: of its folder there, too, unless the server has another.
        image: What to call the image that a Dockerfile makes.
        composed: What the image that Compose makes may be called.
        builder: What deploy.yml says of the build.
    """

    project: str
    image: str
    composed: tuple[str, ...]
    builder: Builder

    def __call__(
        self, place: Workdir, server: Server, progress: Progress
    ) -> tuple[tuple[str, ...], str]:
        """Build the image; return what it may be called there, and the tool that has it."""
        folder = Path(place.facts.home, server.remote_dir or self.project)
        paths = (folder / name for name in compose.FILES)
        file = next((path for path in paths if place.shell.is_file(str(path))), None)
        names = self.composed if file and self.composed else (self.image,)
        recipe = Recipe(
            folder=folder,
            image=names[0],
            compose=file,
            context=self.builder.context or ".",
            dockerfile=self.builder.dockerfile or "",
            args=self.builder.args,
            target=self.builder.target or "",
        )
        return names, build(recipe, place.shell, progress.note)
