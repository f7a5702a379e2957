"""A head start: layers on their way to the registry while the next ones are still compressed.

The engine pushes the image; what it finds at the registry it does not send again. So a layer that
is ready can go ahead of it. Its bytes wait in an upload session, which is nothing yet: only when
the whole image has been read and found good is the session committed, and otherwise cancelled.
Whatever goes wrong here is left to the engine.

The requests are those of the distribution-spec, 'Pushing a blob in chunks', with one chunk.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self
from urllib.parse import quote

from dockless.model.digest import Digest
from dockless.model.errors import DocklessError
from dockless.model.manifest import Descriptor
from dockless.model.reference import Repository
from dockless.ports import Task
from dockless.registry.client import RegistryClient

_AT_ONCE = 3
_CHUNK = 256 * 1024
_LOOK_SECONDS = 0.05
_ACCEPTED, _CREATED = 202, 201


@dataclass(frozen=True, slots=True)
class _Session:
    """A blob that the registry has received, but not yet accepted."""

    digest: Digest
    size: int
    location: str


class HeadStart:
    """The early uploads of one push, as a `ports.EarlyUploads`.

    Args:
        client: The registry.
        repository: Where to.
        until: The moment, on the clock of `time.monotonic`, to stop at; None for none.
    """

    def __init__(self, client: RegistryClient, repository: Repository, until: float | None) -> None:
        self._client = client
        self._repository = repository
        self._until = until
        self._stopped = threading.Event()
        self._sent = 0
        self._pool = ThreadPoolExecutor(_AT_ONCE, "head-start")
        self._uploads: list[Future[_Session | None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)
        for session in self._finished():
            with contextlib.suppress(DocklessError):
                self._client.request("DELETE", self._repository, session.location)

    def offer(self, blob: Descriptor, path: Path) -> None:
        """Begin to send a staged blob, unless the registry has it."""
        self._uploads.append(self._pool.submit(self._send, blob, path))

    def commit(self, sending: Task) -> None:
        """Wait for what is on its way, and make the registry accept it.

        Args:
            sending: Told of the bytes that went, those before this call included.
        """
        told = 0
        waiting = set(self._uploads)
        while waiting:
            waiting = wait(waiting, _LOOK_SECONDS).not_done
            sending.advance(self._sent - told)
            told = self._sent
        for session in self._finished():
            joint = "&" if "?" in session.location else "?"
            url = f"{session.location}{joint}digest={quote(str(session.digest))}"
            with contextlib.suppress(DocklessError):
                self._client.request("PUT", self._repository, url)
        self._uploads.clear()

    def _finished(self) -> Iterator[_Session]:
        for upload in self._uploads:
            if upload.done() and not upload.cancelled() and (session := upload.result()):
                yield session

    def _send(self, blob: Descriptor, path: Path) -> _Session | None:
        with contextlib.suppress(DocklessError, OSError, _StoppedError):
            if self._client.present(self._repository, [blob.digest]):
                return None
            begun = self._client.request("POST", self._repository, "blobs/uploads/")
            if begun.status != _ACCEPTED:
                return None
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Length": str(blob.size),
            }
            with path.open("rb", buffering=0) as file:
                received = self._client.request(
                    "PATCH",
                    self._repository,
                    begun.headers.get("Location", ""),
                    headers,
                    self._chunks(file),
                )
            location = received.headers.get("Location", "")
            if received.status == _ACCEPTED and location:
                return _Session(blob.digest, blob.size, location)
        return None

    def _chunks(self, file: BinaryIO) -> Iterator[bytes]:
        while chunk := file.read(_CHUNK):
            if self._stopped.is_set() or (self._until and time.monotonic() > self._until):
                raise _StoppedError
            yield chunk
            self._sent += len(chunk)


class _StoppedError(Exception):
    """The push has ended."""
