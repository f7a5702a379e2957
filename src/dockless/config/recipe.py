"""What `--build` builds in a project, and what the image may be called then."""

from dockless.config import compose
from dockless.config.cascade import Settings
from dockless.config.local_names import project_name
from dockless.config.naming import Target
from dockless.config.project import Project
from dockless.errors import UsageError
from dockless.model.builder import HostRecipe, Recipe


def recipe_of(settings: Settings, target: Target, files: Project) -> tuple[tuple[str, ...], Recipe]:
    """Return the names to find the image under once it is built, and how it is built.

    Raises:
        UsageError: The Compose file builds several images, or none.
    """
    composed = compose.find(files.folder)
    names: tuple[str, ...] = (f"{project_name(settings, target)}:{target.tags[0].value}",)
    if composed:
        names = tuple(name.value for name in settings.compose_images())
        if not names:
            raise UsageError(
                f"{composed.name} builds several images, or none.",
                "Build them with compose, and give the image to push as SOURCE.",
            )
    return names, Recipe(
        folder=files.folder, image=names[0], compose=composed, builder=files.deploy.builder
    )


def host_recipe_of(settings: Settings, target: Target, files: Project) -> HostRecipe:
    """Return what `--build` builds on hosts."""
    project = project_name(settings, target)
    return HostRecipe(
        project=project,
        image=f"{project}:{target.tags[0].value}",
        composed=tuple(name.value for name in settings.compose_images()),
        compose_files=compose.FILES,
        builder=files.deploy.builder,
    )
