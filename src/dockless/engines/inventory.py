"""Every engine of a user: listing them, probing them now, and installing crane."""

import contextlib
import platform
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from dockless.engines import install, push_probe
from dockless.engines.find import candidates, distrust
from dockless.engines.probe import Abilities, probe, version
from dockless.engines.probe_records import ProbeRecords
from dockless.engines.probe_result import ProbeResult
from dockless.engines.releases import CRANE_SOURCE, crane_release, quirks
from dockless.errors import EngineError
from dockless.model.listed_engine import ListedEngine, ListedProbe
from dockless.processes.scratch import scratch

NAMES = ("crane", "skopeo")


class EngineFolders(Struct, frozen=True, kw_only=True):
    """Where the engines of a user are, and what is known of them.

    Attributes:
        environment: The user's.
        own: The folder that dockless installs engines into.
        records: Returns what the last push probes found.
        temporary: Where a push probe works.
        select: Returns the engine of a name that a push uses; raises EngineError for none.
        note: Called with a line for each step.
    """

    environment: Mapping[str, str]
    own: Path
    records: Callable[[], ProbeRecords]
    temporary: Path
    select: Callable[[str], Abilities]
    note: Callable[[str], None]


def listed_engines(here: EngineFolders, *, check: bool) -> Iterator[ListedEngine]:
    """Yield every engine, the one that is used first of its name.

    Args:
        here: Where they are.
        check: Whether each is probed now.
    """
    for name in NAMES:
        paths = candidates(name, here.environment.get("PATH", ""), here.own)
        if not paths:
            hint = "get it with `dockless tools install`" if name == "crane" else "optional"
            yield ListedEngine(engine=name, state="missing", notes=(hint,))
        for found in paths:
            if why := distrust(found, here.own):
                yield ListedEngine(engine=name, state="unusable", path=str(found), notes=(why,))
            else:
                yield _listed(here, probe(name, found, here.environment), check=check)


def _listed(here: EngineFolders, found: Abilities, *, check: bool) -> ListedEngine:
    number = version(found.name, found.path, here.environment)
    result = None
    if not found.unusable:
        known = here.records().of(found.path, time.time(), found.policy)
        result = probe_now(here, found) if check else known
    reason = result.reason if result else found.unusable
    state = "faulty" if result and not result.passed else "usable"
    if found.unusable:
        state = "unusable"
    shown = ListedProbe(result.passed, result.reason, _date(result.moment)) if result else None
    return ListedEngine(
        engine=found.name,
        version=number,
        state=state,
        path=str(found.path),
        features=tuple(sorted(found.features)),
        notes=(*((reason,) if reason else ()), *quirks(found.name, number)),
        probe=shown,
    )


def _date(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def probe_now(here: EngineFolders, found: Abilities) -> ProbeResult:
    """Run a push probe of an engine, and store the result.

    Raises:
        EngineError: The probe cannot be made on this machine, which says nothing of the program.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch(here.temporary, "dockless-probe-"))
        except OSError as error:
            raise EngineError(
                f"Whether {found.path} can push cannot be tried: {here.temporary} cannot be "
                f"written to ({error.strerror}).",
                "Set TMPDIR or DOCKLESS_CACHE_DIR to the absolute path of a folder that is "
                "writable.",
            ) from None
        result = push_probe.probe_push(
            found.name, found.path, found.policy, here.environment, folder
        )
    here.records().keep(found.path, result, found.policy)
    return result


def pushing_crane(here: EngineFolders) -> Path | None:
    """Return the crane that is used, if it passes a push probe now."""
    tried: set[Path] = set()
    # one that fails is remembered, and the next one selected in its place
    while (found := _usable(here, "crane")) and found.path not in tried:
        tried.add(found.path)
        result = probe_now(here, found)
        if result.passed:
            return found.path
        here.note(f"{found.path} cannot push: {result.reason}")
    return None


def checksum_fault(sha256: str | None, *, file: bool, build: bool) -> str:
    """Return what is wrong with a given checksum, or the lack of one; empty where it is right.

    Args:
        sha256: The checksum; None for none.
        file: Whether something is given to install.
        build: Whether that is not a file, but the word for a build from source.
    """
    if build:
        with_file = "--from go verifies a pinned checksum; --sha256 is for a file."
        return "" if sha256 is None else with_file
    if file != (sha256 is not None):
        return "--from FILE needs --sha256 HEX." if file else "--sha256 HEX needs --from FILE."
    right = sha256 is None or re.fullmatch("[0-9a-fA-F]{64}", sha256)
    return "" if right else "--sha256 takes 64 hexadecimal digits."


def install_crane(
    here: EngineFolders, file: Path | None, checksum: str, *, build: bool = False
) -> Path:
    """Install crane, and return its path.

    Args:
        here: Where to.
        file: The program, or the release's archive; None for what is found on the network.
        checksum: The SHA-256 of the file, in lower-case hexadecimal; empty without one.
        build: Whether it is built from source with this machine's Go.

    Raises:
        EngineError: It cannot be installed.
    """
    wanted = install.Installation(
        folder=here.own,
        environment=here.environment,
        note=here.note,
        check=push_probe.probe_push,
    )
    if build:
        done = install.install_from_go(wanted, CRANE_SOURCE)
    elif file is None:
        done = install.install(wanted, crane_release(platform.system(), platform.machine()))
    else:
        done = install.install_file(wanted, file, checksum)
    here.records().keep(done.path, done.probe)
    used = _usable(here, "crane")
    if used and used.path != done.path:
        here.note(f"Another crane comes first on PATH and is used instead: {used.path}.")
    return done.path


def _usable(here: EngineFolders, name: str) -> Abilities | None:
    try:
        return here.select(name)
    except EngineError:
        return None


def usable_engines(select: Callable[[str], Abilities]) -> tuple[Abilities, ...]:
    """Return the engine of each name that a push uses.

    Args:
        select: Returns that of a name; raises EngineError for none.

    Raises:
        EngineError: There is none of any name.
    """
    found: list[Abilities] = []
    errors: list[EngineError] = []
    for name in NAMES:
        try:
            found.append(select(name))
        except EngineError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    return tuple(found)
