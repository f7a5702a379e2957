"""The registry: the authentication it requires, our credential, and supported APIs."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

from dockless.credentials.resolve import OPEN, FoundCredential
from dockless.errors import AuthError, DocklessError
from dockless.model.blotting import blotted
from dockless.model.finding import Fact, Finding, State
from dockless.model.printable import bounded
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.oci.untrusted_json import parse_json
from dockless.registry.challenges import Challenge
from dockless.registry.client import RegistryClient
from dockless.transport.http import Response

AREA = "registry"
_OK, _NOT_FOUND = 200, 404


def check_challenge(client: RegistryClient) -> Iterator[Finding]:
    """Check that a registry responds, and which authentication it requires."""
    yield judge_challenge(client.challenge, plain_http=client.http.endpoint.plain_http)


def judge_challenge(challenge: Challenge | None, *, plain_http: bool) -> Finding:
    """Report which authentication a registry requires."""
    if challenge is None:
        return _line("/v2/", "ok", "responds, and requires no login", facts={"scheme": None})
    realm = bounded(blotted(without_user(challenge.parameters.get("realm", ""))))
    service = bounded(blotted(challenge.parameters.get("service", "")))
    facts: dict[str, Fact] = {
        "scheme": bounded(challenge.scheme),
        "realm": realm or None,
        "service": service or None,
    }
    if challenge.scheme != "bearer":
        what = f"asks for a username and password (realm {realm!r})"
        return _line("/v2/", "ok", what, facts=facts)
    what = f"asks for a token of {realm or '(none)'}"
    if not realm.startswith(("https://", "http://")):
        remedy = "The registry's operator has to configure the URL of the token service as realm."
        return _line("/v2/", "problem", f"{what}, which is not a URL.", remedy, facts)
    if realm.startswith("http://") and not plain_http:
        remedy = "The registry's operator has to configure an https URL as realm."
        return _line(
            "/v2/", "problem", f"{what}, without TLS: no credential is sent there.", remedy, facts
        )
    return _line("/v2/", "ok", f"{what}{f' (service {service!r})' if service else ''}", facts=facts)


def check_login(
    client: RegistryClient, found: FoundCredential, repository: Repository
) -> Iterator[Finding]:
    """Check whether the credential that a push would use is accepted.

    Args:
        client: The registry, spoken to with that credential.
        found: Its source, and the other places that were searched.
        repository: The repository to use it for.
    """
    for trouble in found.troubles:
        yield _line("login", "note", trouble)
    waiting = [place for place in found.asked if place.endswith(OPEN)]
    try:
        asked = client.check()
        allowed = _reads(client, repository) if asked else True
    except AuthError as error:
        more = f" Not queried: {'; '.join(waiting)}." if waiting else ""
        yield _line("login", "problem", f"{error.what}{more}", error.remedy, _who(found))
        return
    yield judge_login(found, asked=asked, allowed=allowed, repository=repository)


def _reads(client: RegistryClient, repository: Repository) -> bool:
    """Whether a token for the repository is issued, and allows reading it."""
    try:
        client.request("GET", repository, "tags/list?n=1")
    except AuthError:
        return False
    return True


def judge_login(
    found: FoundCredential, *, asked: bool, allowed: bool, repository: Repository
) -> Finding:
    """Judge whether a push would be accepted.

    Args:
        found: The credential.
        asked: Whether the registry asks for one.
        allowed: Whether it then lets the repository be read.
        repository: Which one.
    """
    credential, facts = found.credential, _who(found)
    if credential is None:
        if not asked:
            return _line("login", "ok", "none is needed", facts=facts)
        what = "there is no credential; anonymous reads are allowed, but a push will require one"
        remedy = f"Log in: dockless login {repository.host}"
        return _line("login", "note", what, remedy, facts)
    who = f"{credential.username or 'an identity token'} from {credential.source or 'somewhere'}"
    if not asked:
        return _line("login", "ok", f"{who} is available, and not required", facts=facts)
    if not allowed:
        what = f"{who} is accepted, but may not use {repository}"
        remedy = "Request permission to push there, or give another HOST/REPOSITORY."
        return _line("login", "note", what, remedy, facts)
    ends = "" if credential.expires is None else f", until {_moment(credential.expires)}"
    return _line("login", "ok", f"{who} is accepted{ends}", facts=facts)


def check_referrers(client: RegistryClient, repository: Repository) -> Iterator[Finding]:
    """Check whether the registry has the referrers API."""
    try:
        answer = client.request("GET", repository, f"referrers/{Digest.of(b'')}")
    except DocklessError as error:
        yield _referrers(has=None, why=error.what.rstrip("."))
    else:
        yield judge_referrers(answer)


def judge_referrers(answer: Response) -> Finding:
    """Judge whether a response is that of a registry with the referrers API."""
    kind = answer.headers.get("Content-Type", "").lower()
    if answer.status == _OK and "html" not in kind:
        return _referrers(has=True)
    if answer.status == _NOT_FOUND and "NAME_UNKNOWN" not in _codes(answer.body):
        return _referrers(has=False)
    why = f"it responds with {answer.status} for a repository that may not exist"
    return _referrers(has=None, why=why)


def _referrers(*, has: bool | None, why: str = "") -> Finding:
    facts: dict[str, Fact] = {"referrersApi": has}
    if has is None:
        what = f"unknown: {why}"
        return _line("referrers", "note", what, facts=facts)
    if has:
        return _line("referrers", "ok", "yes: signatures and SBOMs are listed", facts=facts)
    what = "no: signatures and SBOMs are listed under tags such as sha256-HEX"
    return _line("referrers", "ok", what, facts=facts)


def without_user(url: str) -> str:
    """Return a URL without the user and password, and without the query, that may be in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if not parts.scheme or not parts.netloc:
        return url
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _codes(body: bytes) -> frozenset[str]:
    """Return the codes of a registry's errors; none for what is not such a document."""
    try:
        return frozenset(str(error["code"]) for error in parse_json(body)["errors"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return frozenset()


def _who(found: FoundCredential) -> dict[str, Fact]:
    credential = found.credential
    return {
        "username": credential.username or None if credential else None,
        "origin": credential.origin or None if credential else None,
        "asked": found.asked,
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _line(
    subject: str, state: State, what: str, remedy: str = "", facts: Mapping[str, Fact] | None = None
) -> Finding:
    return Finding(
        area=AREA, subject=subject, state=state, what=what, remedy=remedy, facts=facts or {}
    )
