"""Lists that a registry returns page by page: tags of a repository, referrers of a manifest.

As the distribution-spec has them under 'Listing Tags', 'Listing Referrers' and 'Unavailable
Referrers API'. A list that cannot be read to its end is an error, never a shorter list.
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from dockless.errors import PushError
from dockless.model.blotting import blotted
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, parse_descriptor
from dockless.oci.reference import Reference, Repository
from dockless.oci.untrusted_json import parse_json
from dockless.registry.links import next_page
from dockless.transport.http import Response

if TYPE_CHECKING:
    from dockless.registry.client import RegistryClient

MOST_PAGES = 10_000
_LONGEST_SHOWN = 200
_TAG_ENDINGS = (".sig", ".att", ".sbom")
_NO_API = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_ACCEPTABLE, 501}
)


def tags(client: "RegistryClient", repository: Repository) -> tuple[str, ...]:
    """Return every tag of a repository once; none when there is no such repository.

    Raises:
        PushError: The list cannot be read to its end.
    """
    what = f"the tags of {repository}"
    first = client.request("GET", repository, "tags/list")
    if first.status == HTTPStatus.NOT_FOUND:
        return ()
    found: dict[str, None] = {}
    for page in _pages(client, repository, "tags/list", first, what):
        listed = _list(page, "tags", repository, what)
        if not all(isinstance(each, str) for each in listed):
            raise _unreadable(repository, what, "a tag is not text")
        found |= dict.fromkeys(map(str, listed))
    return tuple(found)


def referrers(
    client: "RegistryClient",
    repository: Repository,
    subject: Digest,
    note: Callable[[str], None],
) -> tuple[Descriptor, ...]:
    """Return the referrers of a manifest: signatures, attestations, SBOMs.

    Args:
        client: The registry.
        repository: The repository.
        subject: The manifest.
        note: Called with what the list leaves out, and with a list that the registry refuses.

    Raises:
        PushError: The list cannot be read to its end.
    """
    what = f"the referrers of {subject}"
    path = f"referrers/{subject}"
    response = client.request("GET", repository, path)
    page = _is_page(response)
    if response.status == HTTPStatus.OK and not page:
        bodies: Iterator[Response] = _pages(client, repository, path, response, what)
    else:
        odd = page or response.status == HTTPStatus.BAD_REQUEST
        if not odd and response.status not in _NO_API:
            raise _unreadable(repository, what, f"it responds with {response.status}")
        body = client.at_tag(repository, subject.referrers_tag())
        if body is None and odd:
            said = "with a web page" if page else f"with status {response.status}"
            note(
                f"{repository.host} responds {said} when asked for {what} in {repository}: any "
                "signatures or SBOMs are left out."
            )
        bodies = iter(
            () if body is None else (Response(status=HTTPStatus.OK, headers={}, body=body),)
        )
    found: list[Descriptor] = []
    for each in bodies:
        for entry in _list(each, "manifests", repository, what):
            try:
                found.append(parse_descriptor(entry))
            except ValueError as error:
                note(
                    f"{repository.host} lists, among {what} in {repository}, something that is not "
                    f"a descriptor; it is left out: "
                    f"{blotted(f'{error}: {str(entry)!r}')[:_LONGEST_SHOWN]}."
                )
    return tuple(found)


def attached(
    client: "RegistryClient",
    repository: Repository,
    digest: Digest,
    note: Callable[[str], None],
) -> tuple[Reference, ...]:
    """Return the signatures, attestations and SBOMs that a registry has of a manifest.

    cosign tags them after the image's digest; the OCI's referrers name it as their subject. The
    arguments are those of `referrers`.
    """
    tags = (f"{digest.algorithm}-{digest.hex}{ending}" for ending in _TAG_ENDINGS)
    tagged = [Reference(repository, tag) for tag in tags if client.tag(repository, tag)]
    found = referrers(client, repository, digest, note)
    return (*tagged, *(Reference(repository, digest=each.digest) for each in found))


def _pages(
    client: "RegistryClient", repository: Repository, path: str, first: Response, what: str
) -> Iterator[Response]:
    """Yield every page of a list, the first, which came from `path`, included."""
    seen = {first.url or path}
    response = first
    while True:
        if response.status != HTTPStatus.OK or _is_page(response):
            number = f"page {len(seen)}: " if len(seen) > 1 else ""
            raise _unreadable(repository, what, f"{number}it responds with {response.status}")
        yield response
        link = next_page(response.headers)
        if not link:
            return
        try:
            path = urljoin(response.url or path, link)
        except ValueError:
            shown = repr(blotted(link)[:_LONGEST_SHOWN])
            raise _unreadable(repository, what, f"the next page is {shown}") from None
        if path in seen or len(seen) >= MOST_PAGES:
            raise PushError(
                f"{repository.host} returns an endless list of {what}.",
                "Name the tags instead of using a rule, or skip referrers: --no-referrers.",
            )
        seen.add(path)
        response = client.request("GET", repository, path)


def _list(page: Response, key: str, repository: Repository, what: str) -> list[object]:
    try:
        members = parse_json(page.body)
        listed = members[key] or []
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _unreadable(
            repository, what, "it returns something else, or only a part of it"
        ) from None
    if not isinstance(listed, list):
        raise _unreadable(repository, what, "it returns something else")
    return listed


def _is_page(response: Response) -> bool:
    return "text/html" in response.headers.get("Content-Type", "").lower()


def _unreadable(repository: Repository, what: str, why: str) -> PushError:
    return PushError(
        f"{repository.host} does not return the whole list of {what}: {why}.",
        "Check the host and port, and that no proxy or login page intercepts the request.",
    )
