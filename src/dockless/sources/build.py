"""`--build`: the image is built first, with the first tool that works on the machine."""

from collections.abc import Callable
from pathlib import Path

from dockless.errors import EngineError, PushError, UsageError
from dockless.model.builder import BuildPlan, Recipe
from dockless.processes.programs import Programs

_FILES = ("Dockerfile", "Containerfile")
# each with the tool that has the image afterwards
_COMPOSERS = (
    (("docker", "compose"), "docker"),
    (("docker-compose",), "docker"),
    (("podman-compose",), "podman"),
)
_ANSWER_SECONDS = 30


def build(recipe: Recipe, programs: Programs, note: Callable[[str], None]) -> str:
    """Build the image, and return the name of the tool that has it now.

    Raises:
        UsageError: There is nothing to build from, or a build argument is not known.
        EngineError: No tool that can build works here.
        PushError: The build failed; the tool's own output is above.
    """
    plan, argv = _planned(recipe, programs)
    if unused := ", ".join(f"`builder.{key}`" for key in recipe.builder.unused):
        note(f"Not used for this build: {unused} of deploy.yml.")
    note(f"Building {plan.image} with {plan.program}")
    if programs.run_visibly(argv, str(recipe.folder)):
        raise PushError(
            f"{plan.program} could not build {plan.image}.",
            "See its output above. Nothing was sent.",
        )
    return plan.tool


def build_plan(recipe: Recipe, programs: Programs) -> BuildPlan:
    """Return what `build` would do, and build nothing.

    Raises:
        UsageError, EngineError: As `build` does.
    """
    return _planned(recipe, programs)[0]


def _planned(recipe: Recipe, programs: Programs) -> tuple[BuildPlan, tuple[str, ...]]:
    """Return what is to be built, and the command that does it; its arguments may be secrets."""
    for error in recipe.builder.unanswered:
        raise error
    if recipe.compose:
        file, (tool, argv) = recipe.compose, _composer(recipe.compose, programs)
    else:
        file = _dockerfile(recipe, programs)
        tool, argv = _builder(recipe, file, programs)
    program = " ".join(argv[:2]) if argv[1] == "compose" else argv[0]
    return BuildPlan(image=recipe.image, tool=tool, program=program, file=str(file)), argv


def _composer(compose: Path, programs: Programs) -> tuple[str, tuple[str, ...]]:
    for command, tool in _COMPOSERS:
        if _works((*command, "version"), programs):
            return tool, (*command, "-f", str(compose), "build")
    raise EngineError(
        f"{compose.name} exists, but none of docker compose, docker-compose and podman-compose "
        "works here.",
        "Install one of them, or build the image yourself and give it as SOURCE.",
    )


def _builder(recipe: Recipe, dockerfile: Path, programs: Programs) -> tuple[str, tuple[str, ...]]:
    options = (
        *("-t", recipe.image, "-f", str(dockerfile)),
        *(part for key, value in recipe.builder.args for part in ("--build-arg", f"{key}={value}")),
        *(("--target", recipe.builder.target) if recipe.builder.target else ()),
        str(recipe.folder / recipe.builder.context),
    )
    # a client answers without its daemon: what tells is a question that needs the daemon
    for tool, question, verb in (
        ("docker", ("docker", "version", "--format", "{{.Server.Version}}"), "build"),
        ("podman", ("podman", "info"), "build"),
        ("buildah", ("buildah", "info"), "bud"),
    ):
        if _works(question, programs):
            return tool, (tool, verb, *options)
    raise EngineError(
        "None of docker, podman and buildah works here, so nothing can be built.",
        "Start the daemon or install one of them, or give a SOURCE that is already built.",
    )


def _dockerfile(recipe: Recipe, programs: Programs) -> Path:
    context = recipe.folder / recipe.builder.context
    if recipe.builder.dockerfile:
        candidates = [recipe.folder / recipe.builder.dockerfile]
    else:
        candidates = [context / name for name in _FILES]
    for candidate in candidates:
        if programs.is_file(str(candidate)):
            return candidate
    raise UsageError(
        f"There is nothing to build from: no {' or '.join(map(str, candidates))}.",
        "Create one, or leave --build out.",
    )


def _works(argv: tuple[str, ...], programs: Programs) -> bool:
    if not programs.has(argv[0]):
        return False
    try:
        return programs.run(argv, timeout=_ANSWER_SECONDS).code == 0
    except EngineError:
        return False
