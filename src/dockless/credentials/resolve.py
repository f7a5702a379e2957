"""The search for a credential: the first place that has one is used.

The places, in order: the command line or a prompt; `DOCKLESS_PASSWORD`; the keyring;
`config/deploy.yml`; the kind's own source of tokens; `DOCKER_AUTH_CONFIG`; Docker's file;
containers' files, each with the credential helpers that it names. A place is searched only when
every place before it had nothing. Without a credential, the push is anonymous.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from dockless.credentials.credential_sources import CredentialSource, Given, Sources, places
from dockless.errors import DocklessError
from dockless.model.secret import Credential
from dockless.oci.reference import Repository

OPEN = " would be queried"
"""How the result of a place ends whose program was not to be queried."""


class FoundCredential(Struct, frozen=True, kw_only=True):
    """The result of the search for a credential.

    Attributes:
        credential: The credential, or None for anonymous.
        asked: Every place that was searched, in order, each with its result.
        troubles: Warnings about places that failed, one sentence each.
        failed: The names of these places.
        remedy: What to do about the first of them; empty for nothing.
        wanted: The one username that may be used; empty for any.
        others: The users whose logins were found and may not be used.
        account: Whose password is asked for where the registry requires one; empty to ask for the
            username, too.
    """

    credential: Credential | None
    asked: tuple[str, ...]
    troubles: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    remedy: str = ""
    wanted: str = ""
    others: tuple[str, ...] = ()
    account: str = ""


FindCredential = Callable[[Repository], FoundCredential]
"""Finds the credential for the registry of a repository."""


def no_login(hosts: Iterable[str]) -> FindCredential:
    """Return what finds no credential for any registry, whichever are named."""
    del hosts
    return lambda _: FoundCredential(credential=None, asked=())


def given_first(
    credential: Credential | None,
    hosts: Iterable[str],
    credentials: Mapping[str, Credential],
    elsewhere: FindCredential,
) -> FindCredential:
    """Return what finds what callers of the library give, and else searches elsewhere.

    Args:
        credential: What is given for one call; it is for these hosts alone. None for nothing.
        hosts: The hosts.
        credentials: What is given for each registry.
        elsewhere: Finds the others.
    """
    only = frozenset(hosts)

    def find(repository: Repository) -> FoundCredential:
        given = credential if repository.host in only else None
        known = given or credentials.get(repository.host)
        return FoundCredential(credential=known, asked=()) if known else elsewhere(repository)

    return find


def shared_account(account: Callable[[], Credential | None]) -> FindCredential:
    """Return what finds the one credential, which several pushes share."""
    return lambda _: FoundCredential(credential=account(), asked=())


def find(
    repository: Repository,
    given: Given,
    sources: Sources,
    may_ask: Callable[[str], bool] = lambda _: True,
) -> FoundCredential:
    """Return the first credential found for a repository, running helpers as needed.

    A helper for every registry (`credsStore`) is skipped when it is not installed: Docker
    Desktop leaves that setting behind, and it must not prevent a push that does not need it. A
    keyring that is locked or hangs is skipped too, with a sentence in `troubles`.

    Args:
        repository: Where the push goes.
        given: The credential options of this push.
        sources: Where else to look.
        may_ask: Whether a program or service of this name may be queried; others count as
            empty.

    Raises:
        UsageError: A password is empty or has no username, or a file cannot be read.
        AuthError: A helper is missing, fails or hangs.
    """
    found = _search(places(repository, given, sources), given.username, may_ask)
    return replace(found, account=given.username or given.account) if given.asks else found


def explain(repository: Repository, given: Given, sources: Sources) -> FoundCredential:
    """Return the result of `find` as if every program had nothing; reads files and the keyring.

    Raises:
        UsageError: A password is empty or has no username, or a file cannot be read.
    """
    return _search(places(repository, given, sources), given.username, lambda _: False)


def _search(
    places: Iterator[CredentialSource], username: str, may_ask: Callable[[str], bool]
) -> FoundCredential:
    asked: list[str] = []
    troubles: dict[str, DocklessError] = {}
    others: dict[str, None] = {}
    credential = None
    for place in places:
        credential, what = _look(place, troubles, may_ask)
        if credential and username and credential.username != username:
            others[credential.username or "an identity token"] = None
            credential, what = None, f"{what}, not {username}"
        asked.append(f"{place.name}: {what}")
        if credential:
            break
    return FoundCredential(
        credential=credential,
        asked=tuple(asked),
        troubles=tuple(map(str, troubles.values())),
        failed=tuple(troubles),
        remedy=next((each.remedy for each in troubles.values()), ""),
        wanted=username,
        others=tuple(others),
    )


def _look(
    place: CredentialSource, troubles: dict[str, DocklessError], may_ask: Callable[[str], bool]
) -> tuple[Credential | None, str]:
    run = bool(place.program) and may_ask(place.program)
    if place.missing and not (run and place.required):
        return None, place.missing
    if place.program and not run:
        return None, f"{place.program}{OPEN}"
    try:
        found = place.look()
    except DocklessError as error:
        if place.essential:
            raise
        troubles[place.name] = error
        return None, error.what
    if isinstance(found, str):
        return None, found
    title = found.username or "an identity token"
    return found, f"{place.program} has {title}" if place.program else title
