"""The engines: which are found, and whether each can push."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from dockless.concurrency import map_concurrently
from dockless.diagnosis.programs import BriefPrograms
from dockless.engines.find import candidates, distrust
from dockless.engines.probe import look, version_by
from dockless.engines.probe_result import ProbeResult
from dockless.model.finding import Fact, Finding
from dockless.model.moments import moment

AREA = "engines"
NAMES = ("crane", "skopeo")
_SECONDS = 8.0
_REMEDIES = {
    "crane": "Run `dockless tools install`, or remove this one from PATH.",
    "skopeo": "Install your system's skopeo package, 1.9 or newer, or remove this one from PATH.",
}


LastProbe = Callable[[str, Path], ProbeResult | None]
"""Returns the last push probe of an engine of this name and path; None for none."""


def never_probed(name: str, path: Path) -> None:
    """Return no probe."""
    del name, path


class EngineState(Struct, frozen=True, kw_only=True):
    """An engine that was found.

    Attributes:
        name: `crane` or `skopeo`.
        path: The program.
        version: Its version; empty when unknown.
        unusable: Why it cannot push; empty when it can.
        probed: Its last probe.
    """

    name: str
    path: Path
    version: str = ""
    unusable: str = ""
    probed: ProbeResult | None = None

    @property
    def can_push(self) -> bool:
        """Whether it can push."""
        return not self.unusable and (self.probed is None or self.probed.passed)


def check(
    environment: Mapping[str, str], own: Path, last_probe: LastProbe = never_probed
) -> Iterator[Finding]:
    """Check every engine.

    Args:
        environment: The caller's, with its PATH.
        own: The folder of dockless's own engines.
        last_probe: Tells of the last probe of a program.
    """
    search_path = environment.get("PATH", "")
    paths = [(name, path) for name in NAMES for path in candidates(name, search_path, own)]
    # each with its own time: one that hangs does not hide the others
    yield from judge(
        map_concurrently(
            lambda each: _engine(*each, own, environment, last_probe), paths, len(paths)
        )
    )


def _engine(
    name: str, path: Path, own: Path, environment: Mapping[str, str], last_probe: LastProbe
) -> EngineState:
    if why := distrust(path, own):
        return EngineState(name=name, path=path, unusable=why)
    known = {key: environment[key] for key in ("PATH", "HOME") if key in environment}
    programs = BriefPrograms(known, _SECONDS)
    return EngineState(
        name=name,
        path=path,
        version=version_by(name, path, programs),
        unusable=look(name, path, programs).unusable,
        probed=last_probe(name, path),
    )


def judge(engines: Iterable[EngineState]) -> Iterator[Finding]:
    """Judge whether each engine can push.

    None of it is a problem: `--engine auto` takes another one, and writes itself where none can.
    """
    found = tuple(engines)
    enough = any(engine.can_push for engine in found)
    for engine in found:
        yield _finding(engine)
    for name in NAMES:
        if not any(engine.name == name for engine in found):
            yield Finding(
                area=AREA,
                subject=name,
                state="note",
                what="not installed; the other one is enough" if enough else "not here",
                facts={"usable": False},
            )
    if not enough:
        yield Finding(
            area=AREA,
            subject="crane, skopeo",
            state="note",
            what="neither can push: dockless writes to the registry itself, which "
            "`--engine crane` and `--engine skopeo` do not allow",
            remedy="Run `dockless tools install`, which needs no root.",
        )


def _finding(engine: EngineState) -> Finding:
    title = f"{engine.version or 'unknown version'}, {engine.path}"
    when = moment(engine.probed.moment) if engine.probed else None
    facts: dict[str, Fact] = {
        "path": str(engine.path),
        "version": engine.version or None,
        "usable": engine.can_push,
        "lastProbe": None if engine.probed is None else engine.probed.passed,
        "lastProbeAt": when,
    }
    what, remedy = f"{title}: can push", ""
    if engine.unusable:
        what, remedy = f"{title}: cannot push. {engine.unusable}", _REMEDIES[engine.name]
    elif engine.probed and not engine.probed.passed:
        what = f"{title}: failed its push probe of {when}: {engine.probed.reason}"
        remedy = "Run `dockless tools list --check` to try it again."
    elif engine.probed:
        what = f"{title}: can push; passed its push probe of {when}"
    return Finding(
        area=AREA,
        subject=engine.name,
        state="note" if remedy else "ok",
        what=what,
        remedy=remedy,
        facts=facts,
    )
