"""`--build` with `--remote`: the image is built on the host, in its folder of the project."""

from collections.abc import Callable

from dockless.model.builder import BuildPlan, HostRecipe
from dockless.model.server import Server
from dockless.processes.programs import Programs
from dockless.sources.build import build, build_plan


def build_there(
    recipe: HostRecipe,
    programs: Programs,
    home: str,
    server: Server,
    note: Callable[[str], None],
) -> tuple[tuple[str, ...], str]:
    """Build the image; return what it may be called there, and the tool that has it.

    Args:
        recipe: What to build.
        programs: The host.
        home: The home folder there, in which the project's folder is.
        server: What the project says of the host.
        note: Shows one line.
    """
    names, known = recipe.at(home, server, programs.is_file)
    return names, build(known, programs, note)


def plan_there(recipe: HostRecipe, programs: Programs, home: str, server: Server) -> BuildPlan:
    """Return what `build_there` would do, and build nothing."""
    return build_plan(recipe.at(home, server, programs.is_file)[1], programs)
