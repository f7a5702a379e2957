"""GitHub's registry: the token of a workflow, or of the `gh` CLI."""

from collections.abc import Mapping
from functools import partial

from dockless.credentials import programs
from dockless.credentials.token_source import TokenSource
from dockless.model.secret import Credential, Secret

# ghcr.io checks the token only, but requires some user name
_ANYBODY = "token"


def token_sources(environment: Mapping[str, str]) -> tuple[TokenSource, ...]:
    """Return the sources of tokens, the preferred one first."""
    named = next((name for name in ("GITHUB_TOKEN", "GH_TOKEN") if environment.get(name)), "")
    return (
        TokenSource(
            named or "GITHUB_TOKEN",
            "" if named else "GITHUB_TOKEN is not set",
            partial(_from_environment, environment, named),
        ),
        TokenSource("gh", programs.missing("gh", environment), partial(_from_gh, environment)),
    )


def _from_environment(environment: Mapping[str, str], named: str) -> Credential | str:
    user = environment.get("GITHUB_ACTOR") or _ANYBODY
    return Credential(username=user, password=Secret(environment[named].strip()), origin=named)


def _from_gh(environment: Mapping[str, str]) -> Credential | str:
    answer = programs.ask(("gh", "auth", "token"), environment)
    if isinstance(answer, str):
        return answer
    if not programs.is_token(answer):
        return "gh printed something that is not a token"
    return Credential(
        username=environment.get("GITHUB_ACTOR") or _ANYBODY, password=answer, origin="gh"
    )
