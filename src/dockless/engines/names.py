"""Whether an engine accepts the name of a repository at all.

crane below 0.22 wants two characters or more in a repository's path, the distribution-spec one.
Debian's crane does not know its own version, so the program is asked: a copy whose destination
cannot be parsed ends before anything is opened, and says which of both names it stumbled over.
"""

from collections.abc import Mapping
from pathlib import Path

from dockless.engines.failures import last_words
from dockless.errors import EngineError
from dockless.oci.reference import Repository
from dockless.processes.run import run

_NO_NAME = "!"
_ARGUMENTS = {
    "crane": ("copy", "{source}", _NO_NAME),
    "skopeo": ("--insecure-policy", "copy", "docker://{source}", f"docker://{_NO_NAME}"),
}
_STUMBLED = {"crane": f'"{_NO_NAME}"', "skopeo": f"docker://{_NO_NAME}"}
_SURE_LENGTH = 2
_SECONDS = 20.0


def refuses_repository(
    name: str, path: Path, repository: Repository, environment: Mapping[str, str]
) -> str:
    """Return why an engine refuses a repository by its name; empty when it does not.

    It takes one child process for a path of one character, none for others, and no network.

    Args:
        name: `crane` or `skopeo`.
        path: The program.
        repository: The repository.
        environment: The caller's, with its PATH.
    """
    if len(repository.path) >= _SURE_LENGTH:
        return ""
    arguments = (each.format(source=repository) for each in _ARGUMENTS[name])
    harmless = {key: environment[key] for key in ("PATH", "HOME") if key in environment}
    try:
        ended = run((str(path), *arguments), harmless, timeout=_SECONDS, alone=True)
    except EngineError:
        return ""  # that it cannot be started is reported when it is to push
    if not ended.code or _STUMBLED[name] in ended.stderr or str(repository) not in ended.stderr:
        return ""
    return f"{name} accepts no repository path of one character: {last_words(ended.stderr)}"
