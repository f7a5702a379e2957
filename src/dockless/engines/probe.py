"""What an engine can do, by its own help pages."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dockless.engines.find import candidates, distrust
from dockless.errors import EngineError
from dockless.processes.programs import Programs, ProgramsHere

_SECONDS = 20.0

_PAGES = {
    "crane": (("--help",), ("push", "--help")),
    "skopeo": (("copy", "--help"),),
}
_NEEDED = {
    "crane": ("tag", "--index", "--insecure"),
    "skopeo": (
        "--dest-authfile",
        "--dest-cert-dir",
        "--dest-no-creds",
        "--dest-tls-verify",
        "--digestfile",
        "--multi-arch",
        "--preserve-digests",
        "--src-authfile",
    ),
}
_WELCOME = {
    "crane": ("digest", "registry"),
    "skopeo": ("--retry-times",),
}
_VERSION = {"crane": "version", "skopeo": "--version"}

# A command or a long option as cobra, the library behind both engines, lists it.
_ENTRY = re.compile(r"^ +(?:-\w, )?(--[a-z][a-z-]*|[a-z][a-z-]*)\b", re.MULTILINE)

_SYSTEM_POLICY = Path("/etc/containers/policy.json")


class Abilities(Struct, frozen=True, kw_only=True):
    """The abilities of one engine.

    Attributes:
        name: `crane` or `skopeo`.
        path: The program.
        features: The commands and options, of those that matter here, in its help pages.
        unusable: Why it cannot push for us, as one sentence; empty when it can.
        policy: The trust policy that skopeo must be given; None when there is none, and only
            then is `--insecure-policy` right. Always None for crane, which knows no policies.
        fault: What its last push probe found wrong with it, as a sentence; empty for nothing.
    """

    name: str
    path: Path
    features: frozenset[str]
    unusable: str = ""
    policy: Path | None = None
    fault: str = ""


def probe(name: str, path: Path, environment: Mapping[str, str]) -> Abilities:
    """Read the help pages of an engine of this machine, and return its abilities.

    Args:
        name: `crane` or `skopeo`.
        path: The program.
        environment: The caller's.
    """
    found = look(name, path, ProgramsHere(_harmless(environment), alone=True))
    if name != "skopeo" or found.unusable:
        return found
    return replace(found, policy=trust_policy(environment))


def trusted_probe(name: str, path: Path, own: Path, environment: Mapping[str, str]) -> Abilities:
    """Return what `probe` does; one of dockless's own that others may have written is not run."""
    if why := distrust(path, own):
        return Abilities(name=name, path=path, features=frozenset(), unusable=why)
    return probe(name, path, environment)


def look(name: str, path: Path, programs: Programs) -> Abilities:
    """Ask an engine of any machine for its help. It takes two child processes at most.

    Args:
        name: `crane` or `skopeo`.
        path: The program.
        programs: Runs it; its signature policy is not looked for.
    """
    shown: set[str] = set()
    for arguments in _PAGES[name]:
        try:
            page = programs.run((str(path), *arguments), timeout=_SECONDS)
        except EngineError as error:
            return Abilities(name=name, path=path, features=frozenset(), unusable=error.what)
        if page.code != 0:
            why = f"{path} {' '.join(arguments)} failed with exit status {page.code}."
            return Abilities(name=name, path=path, features=frozenset(), unusable=why)
        shown.update(_ENTRY.findall(page.stdout.decode(errors="replace")))
    missing = [feature for feature in _NEEDED[name] if feature not in shown]
    return Abilities(
        name=name,
        path=path,
        features=frozenset(shown.intersection(_NEEDED[name] + _WELCOME[name])),
        unusable=f"{path} is too old: it lacks {', '.join(missing)}." if missing else "",
    )


def version(name: str, path: Path, environment: Mapping[str, str]) -> str:
    """Return an engine's version, or an empty text: Debian's crane does not know its own.

    This takes a child process, and no push needs it.
    """
    return version_by(name, path, ProgramsHere(_harmless(environment), alone=True))


def version_by(name: str, path: Path, programs: Programs) -> str:
    """Return an engine's version as `version` does, asked for by these programs."""
    try:
        answer = programs.run((str(path), _VERSION[name]), timeout=_SECONDS)
    except EngineError:
        return ""
    found = re.search(r"\d+\.\d+\S*", answer.stdout.decode(errors="replace"))
    return found[0] if found else ""


def _harmless(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a program needs to tell of itself; whatever else there is may be a secret."""
    return {key: environment[key] for key in ("PATH", "HOME") if key in environment}


def trust_policy(environment: Mapping[str, str], system: Path = _SYSTEM_POLICY) -> Path | None:
    """Return the policy file that skopeo obeys when this user runs it, or None.

    skopeo itself must be told, since the engines run with an empty HOME
    (containers-policy.json(5): the user's file stands in for the system's).
    """
    home = environment.get("HOME")
    users = [Path(home, ".config/containers/policy.json")] if home else []
    return next((path for path in (*users, system) if _is_there(path)), None)


def _is_there(path: Path) -> bool:
    """Whether a file is there; one in a home that this user may not enter is not."""
    try:
        return path.exists()
    except OSError:
        return False


def _nothing(abilities: Abilities) -> str:
    """Find no fault in a program."""
    del abilities
    return ""


def select(
    name: str,
    own: Path,
    environment: Mapping[str, str],
    fault: Callable[[Abilities], str] = _nothing,
) -> Abilities:
    """Return the first engine of this name that can push.

    Args:
        name: `crane` or `skopeo`.
        own: The folder of dockless's own engines.
        environment: The caller's, with its PATH.
        fault: Returns what is known to be wrong with one that looks as if it could, as a sentence;
            empty for nothing. Such a one is returned only where there is no other.

    Raises:
        EngineError: There is none, or none that can push.
    """
    reasons = []
    doubtful = None
    for path in candidates(name, environment.get("PATH", ""), own):
        abilities = trusted_probe(name, path, own, environment)
        if abilities.unusable:
            reasons.append(abilities.unusable)
        elif why := fault(abilities):
            doubtful = doubtful or replace(abilities, fault=why)
        else:
            return abilities
    if doubtful:
        return doubtful
    remedy = {
        "crane": "Run `dockless tools install`, or push without --engine.",
        "skopeo": "Install your system's skopeo package, 1.9 or newer, or push without --engine.",
    }[name]
    what = " ".join(reasons) or f"{name} is neither on PATH nor in {own}."
    raise EngineError(what, remedy)
