"""Writing blobs and manifests to a registry, each by the requests of the distribution-spec.

The sections are 'POST then PUT', 'Pushing a blob in chunks' (with one chunk), 'Mounting a blob from
another repository', 'Cancel a blob upload' and 'Pushing Manifests'.
"""

import contextlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from dockless.errors import DocklessError, PushError, out_of_time
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.ports import Task, UploadSession
from dockless.registry.client import RegistryClient
from dockless.registry.manifests import put_manifest
from dockless.registry.throughput import ThroughputMeter
from dockless.transport.bodies import RepeatableBody
from dockless.transport.deadline import committing
from dockless.transport.http import Response
from dockless.transport.rate_limit import RateLimiter

_CHUNK = 256 * 1024
_CREATED, _ACCEPTED = 201, 202
_RECEIVED = (_ACCEPTED, 204)  # the specification's answer to PATCH, and crane's registry's
_CANCELLED = (200, _ACCEPTED, 204, 404)  # 204 by the specification; 404 for one that has ended
_BYTES = "application/octet-stream"


class HttpUploader:
    """Uploads to one registry by HTTP, as a `ports.RegistryUploader`; threads may share it.

    Args:
        client: The registry.
        rate_limiter: How fast bytes may be sent.
        meter: Measures how fast they are sent.
        until: The moment, on the clock of `time.monotonic`, when sending ends; None for none.
    """

    def __init__(
        self,
        client: RegistryClient,
        rate_limiter: RateLimiter,
        meter: ThroughputMeter,
        until: float | None = None,
    ) -> None:
        self._client = client
        self._rate_limiter = rate_limiter
        self._meter = meter
        self._until = until

    def mount(self, repository: Repository, digest: Digest, source: Repository) -> bool:
        """Mount a blob of another repository; a registry may begin an upload instead."""
        query = f"mount={quote(str(digest))}&from={quote(source.path)}"
        response = self._client.request("POST", repository, f"blobs/uploads/?{query}")
        if response.status == _CREATED:
            return True
        self.cancel(self._session(repository, response, digest))
        return False

    def upload(self, repository: Repository, digest: Digest, path: Path, sending: Task) -> None:
        """Upload a file as a blob, in two requests."""
        begun = self._begin(repository, digest)
        size = path.stat().st_size
        with path.open("rb", buffering=0) as file:
            headers = {"Content-Type": _BYTES, "Content-Length": str(size)}
            body = RepeatableBody(lambda: self._metered(repository, _read(file, sending)))
            url = _with_digest(begun.location, digest)
            done = self._client.request("PUT", repository, url, headers, body)
        self._expect_blob(done, repository, digest)

    def stream(
        self, repository: Repository, chunks: Iterable[bytes], size: int | None = None
    ) -> UploadSession:
        """Send bytes to an upload session, which is cancelled if that fails."""
        begun = self._begin(repository)
        length = {} if size is None else {"Content-Length": str(size)}
        headers = {"Content-Type": _BYTES, **length}
        counted = _CountedChunks(chunks)
        try:
            body = self._metered(repository, counted)
            received = self._client.request("PATCH", repository, begun.location, headers, body)
            return self._session(repository, received, size=counted.size, accepted=_RECEIVED)
        except BaseException:
            # the first error is the one that counts
            with contextlib.suppress(DocklessError):
                self.cancel(begun)
            raise

    def commit(self, session: UploadSession, digest: Digest) -> None:
        """Make a blob of what a session has received."""
        url = _with_digest(session.location, digest)
        with committing(session.size):
            response = self._client.request("PUT", session.repository, url)
        self._expect_blob(response, session.repository, digest)

    def cancel(self, session: UploadSession) -> None:
        """Discard what a session has received."""
        response = self._client.request("DELETE", session.repository, session.location)
        if response.status not in _CANCELLED:
            raise PushError(
                f"{session.repository.host} does not cancel an upload to {session.repository} "
                f"(status {response.status}).",
                "It expires by itself.",
            )

    def put_manifest(self, repository: Repository, name: str, data: bytes, media_type: str) -> bool:
        """Put a manifest under its digest or a tag; OCI-Subject says that it lists a referrer."""
        response = put_manifest(self._client, repository, name, data, media_type)
        return bool(response.headers.get("OCI-Subject"))

    def _begin(self, repository: Repository, digest: Digest | None = None) -> UploadSession:
        response = self._client.request("POST", repository, "blobs/uploads/")
        return self._session(repository, response, digest)

    def _session(
        self,
        repository: Repository,
        response: Response,
        digest: Digest | None = None,
        *,
        size: int = 0,
        accepted: tuple[int, ...] = (_ACCEPTED,),
    ) -> UploadSession:
        """Return the session that a registry's answer names; raise what else it says."""
        if response.status not in accepted:
            raise _refused(response, repository, digest)
        location = response.location
        if not location:
            raise PushError(
                f"{repository.host} begins the upload of {digest or 'a layer'} to {repository} and "
                "does not say where it goes: its answer has no Location.",
                "Ask the operator of the registry, or of a proxy in front of it, to correct it.",
            )
        if self._client.leads_elsewhere(repository, location):
            from dockless.registry.upload_locations import corrected  # noqa: PLC0415 - rare

            location = corrected(self._client, repository, location)
        return UploadSession(repository=repository, location=location, size=size)

    def _expect_blob(self, response: Response, repository: Repository, digest: Digest) -> None:
        if response.status != _CREATED:
            raise _refused(response, repository, digest)

    def _metered(self, repository: Repository, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the chunks at the rate that is allowed, and measure it; empty ones are skipped."""
        for chunk in chunks:
            if not chunk:
                continue
            self._rate_limiter.take(len(chunk), self._until)
            if self._until is not None and time.monotonic() > self._until:
                raise out_of_time(repository.host)
            with self._meter.sending():
                yield chunk
            self._meter.count(len(chunk))


class _CountedChunks:
    """Chunks, and how many bytes they have had so far."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            yield chunk


def _read(file: BinaryIO, sending: Task) -> Iterator[bytes]:
    """Yield what is in a file; each chunk is counted when the next one is asked for."""
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk
        sending.advance(len(chunk))


def _with_digest(location: str, digest: Digest) -> str:
    joint = "&" if "?" in location else "?"
    return f"{location}{joint}digest={quote(str(digest))}"


def _refused(response: Response, repository: Repository, digest: Digest | None) -> DocklessError:
    from dockless.registry.refusals import blob_error  # noqa: PLC0415 - rare

    return blob_error(response, repository, digest)
