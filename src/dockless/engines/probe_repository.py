"""The one repository of a push probe: what a registry says to each request, without a network.

It has what the distribution-spec (1.1, 'Pull' and 'Push') asks for a push by digest, a tag, and
reading both back. Every digest and every length is checked, and what is larger than a probe's
image is refused.
"""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct, field

from dockless.oci.digest import Digest
from dockless.oci.manifest import Manifest, parse_document
from dockless.oci.reference import is_tag

LARGEST = 64 * 1024
"""Bytes of a blob or manifest; a probe's image is far smaller."""

_MOST_BLOBS = 32
_MOST_UPLOADS = 32
_PATH = re.compile(
    r"/v2/(?P<repository>.+?)/(?P<kind>blobs/uploads|blobs|manifests)/(?P<name>[^/]*)"
)


class ProbeRequest(Struct, frozen=True, kw_only=True):
    """What a client asks.

    Attributes:
        method: The HTTP method.
        target: The path and query.
        body: All of the body.
        content_type: The body's type, as the client says it; empty when it does not.
        content_range: Where the body belongs in an upload; None when the client does not say.
    """

    method: str
    target: str
    body: bytes = b""
    content_type: str = ""
    content_range: str | None = None


class ProbeAnswer(Struct, frozen=True):
    """The error that the registry responds with.

    Attributes:
        status: The HTTP status.
        headers: The headers, but for the length.
        body: The body.
    """

    status: HTTPStatus
    headers: Mapping[str, str]
    body: bytes = b""


class ProbeRefusal(Exception):  # noqa: N818 - it is an answer, too
    """An answer that is an error, as the distribution-spec writes it.

    Args:
        status: The HTTP status.
        code: The spec's code of the error.
        message: What is wrong, in words that the client repeats.
    """

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        error = {"code": code, "message": message}
        body = json.dumps({"errors": [error]}).encode()
        self.answer = ProbeAnswer(status, {"Content-Type": "application/json"}, body)


class ProbeRepository(Struct, kw_only=True):
    """The repository; one request at a time.

    Attributes:
        path: Its path; every other one is unknown.
        blobs: The blobs that came, by digest.
        manifests: The manifests that came, by digest.
        tags: What each tag names.
    """

    path: str
    blobs: dict[Digest, bytes] = field(default_factory=dict)
    manifests: dict[Digest, bytes] = field(default_factory=dict)
    tags: dict[str, Digest] = field(default_factory=dict)
    _uploads: dict[str, bytes] = field(default_factory=dict)

    def answer(self, request: ProbeRequest) -> ProbeAnswer:
        """Do what a request asks, and return the answer."""
        try:
            return self._route(request)
        except ProbeRefusal as refusal:
            return refusal.answer

    def _route(self, request: ProbeRequest) -> ProbeAnswer:
        url = urlsplit(request.target)
        if url.path in {"/v2", "/v2/"} and request.method in {"GET", "HEAD"}:
            return ProbeAnswer(HTTPStatus.OK, {"Content-Type": "application/json"}, b"{}")
        found = _PATH.fullmatch(url.path)
        if found is None or found["repository"] != self.path:
            raise ProbeRefusal(HTTPStatus.NOT_FOUND, "NAME_UNKNOWN", f"{url.path} does not exist")
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        name = found["name"]
        if found["kind"] == "blobs/uploads":
            begins = request.method == "POST" and not name
            return self._begin(request, query) if begins else self._go_on(name, request, query)
        serve: Mapping[tuple[str, str], Callable[[str, ProbeRequest], ProbeAnswer]] = {
            ("GET", "blobs"): self._blob,
            ("HEAD", "blobs"): self._blob,
            ("GET", "manifests"): self._manifest,
            ("HEAD", "manifests"): self._manifest,
            ("PUT", "manifests"): self._take_manifest,
        }
        return serve.get((request.method, found["kind"]), _not_served)(name, request)

    def _blob(self, name: str, _: ProbeRequest) -> ProbeAnswer:
        digest = _wanted(name)
        if digest not in self.blobs:
            raise ProbeRefusal(HTTPStatus.NOT_FOUND, "BLOB_UNKNOWN", f"{digest} does not exist")
        return _content(self.blobs[digest], "application/octet-stream")

    def _manifest(self, name: str, _: ProbeRequest) -> ProbeAnswer:
        digest = self.tags[name] if name in self.tags else _digest(name)
        if digest is None or digest not in self.manifests:
            raise ProbeRefusal(HTTPStatus.NOT_FOUND, "MANIFEST_UNKNOWN", f"{name} does not exist")
        data = self.manifests[digest]
        return _content(data, parse_document(data).media_type)

    def _take_manifest(self, name: str, request: ProbeRequest) -> ProbeAnswer:
        actual, said = Digest.of(request.body), _digest(name)
        if said is None and not is_tag(name):
            raise _bad("TAG_INVALID", f"{name!r} is not a tag")
        if said is not None and said != actual:
            raise _bad("DIGEST_INVALID", f"the manifest has the digest {actual}, not {said}")
        self._check(request)
        self.manifests[actual] = request.body
        if said is None:
            self.tags[name] = actual
        return self._created(f"manifests/{actual}", actual)

    def _check(self, request: ProbeRequest) -> None:
        """Reject anything but a manifest whose content is here in the right size."""
        try:
            document = parse_document(request.body)
        except ValueError as error:
            raise _bad("MANIFEST_INVALID", str(error)) from None
        if document.media_type != request.content_type:
            raise _bad(
                "MANIFEST_INVALID", f"{document.media_type} was sent as {request.content_type!r}"
            )
        if not isinstance(document, Manifest):
            raise _bad("MANIFEST_INVALID", "the image of a probe is not an index")
        for child in (document.config, *document.layers):
            if len(self.blobs.get(child.digest, b"")) != child.size:
                raise _bad(
                    "MANIFEST_BLOB_UNKNOWN", f"{child.digest} of {child.size} bytes does not exist"
                )

    def _begin(self, request: ProbeRequest, query: Mapping[str, str]) -> ProbeAnswer:
        mounted = _digest(query.get("mount", ""))
        if mounted is not None and mounted in self.blobs:
            return self._created(f"blobs/{mounted}", mounted)
        if "digest" in query:
            return self._keep(query["digest"], request.body)
        if len(self._uploads) >= _MOST_UPLOADS:
            raise too_large()
        session = secrets.token_hex(16)
        self._uploads[session] = b""
        return self._session(HTTPStatus.ACCEPTED, session)

    def _go_on(self, session: str, request: ProbeRequest, query: Mapping[str, str]) -> ProbeAnswer:
        if session not in self._uploads:
            raise ProbeRefusal(
                HTTPStatus.NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", "no such upload is open"
            )
        before = self._uploads[session]
        if request.method == "GET":
            return self._session(HTTPStatus.NO_CONTENT, session)
        if request.method == "DELETE":
            del self._uploads[session]
            return ProbeAnswer(HTTPStatus.NO_CONTENT, {})
        if request.method not in {"PATCH", "PUT"}:
            return _not_served(session, request)
        _check_range(len(before), request)
        if len(before) + len(request.body) > LARGEST:
            raise too_large()
        if request.method == "PATCH":
            self._uploads[session] = before + request.body
            return self._session(HTTPStatus.ACCEPTED, session)
        del self._uploads[session]
        return self._keep(query.get("digest", ""), before + request.body)

    def _keep(self, name: str, data: bytes) -> ProbeAnswer:
        digest = _wanted(name)
        if not digest.matches(data):
            raise _bad("DIGEST_INVALID", f"the blob has the digest {Digest.of(data)}, not {digest}")
        if len(self.blobs) >= _MOST_BLOBS:
            raise too_large()
        self.blobs[digest] = data
        return self._created(f"blobs/{digest}", digest)

    def _created(self, what: str, digest: Digest) -> ProbeAnswer:
        location = {"Location": f"/v2/{self.path}/{what}"}
        return ProbeAnswer(HTTPStatus.CREATED, location | {"Docker-Content-Digest": str(digest)})

    def _session(self, status: HTTPStatus, session: str) -> ProbeAnswer:
        headers = {
            "Location": f"/v2/{self.path}/blobs/uploads/{session}",
            "Range": f"0-{max(0, len(self._uploads[session]) - 1)}",
        }
        return ProbeAnswer(status, headers)


def too_large() -> ProbeRefusal:
    """Return the response to more data than a probe sends."""
    return ProbeRefusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "SIZE_INVALID", f"more than {LARGEST} bytes were sent"
    )


def _bad(code: str, message: str) -> ProbeRefusal:
    return ProbeRefusal(HTTPStatus.BAD_REQUEST, code, message)


def _not_served(_: str, request: ProbeRequest) -> ProbeAnswer:
    message = f"{request.method} is not served here"
    raise ProbeRefusal(HTTPStatus.METHOD_NOT_ALLOWED, "UNSUPPORTED", message)


def _content(data: bytes, media_type: str) -> ProbeAnswer:
    headers = {"Content-Type": media_type, "Docker-Content-Digest": str(Digest.of(data))}
    return ProbeAnswer(HTTPStatus.OK, headers, data)


def _check_range(before: int, request: ProbeRequest) -> None:
    said, length = request.content_range, len(request.body)
    if said is not None and length and said != f"{before}-{before + length - 1}":
        raise ProbeRefusal(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            "BLOB_UPLOAD_INVALID",
            f"{length} bytes after {before} were sent as {said!r}",
        )


def _wanted(text: str) -> Digest:
    digest = _digest(text)
    if digest is None:
        raise _bad("DIGEST_INVALID", f"{text!r} is not a digest")
    return digest


def _digest(text: str) -> Digest | None:
    try:
        return Digest.parse(text)
    except ValueError:
        return None
