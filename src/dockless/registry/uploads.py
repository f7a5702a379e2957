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
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Self
from urllib.parse import quote

from dockless.model.content import Content
from dockless.model.digest import Digest
from dockless.model.errors import DocklessError
from dockless.model.manifest import Descriptor
from dockless.model.reference import Repository
from dockless.ports import Task
from dockless.registry.client import RegistryClient

_AT_ONCE = 2
_CHUNK = 256 * 1024
_LOOK_SECONDS = 0.05
_LAST_WORDS_SECONDS = 1.0
_THERE, _ACCEPTED = 200, 202
_RECEIVED = (_ACCEPTED, 204)  # the specification's answer to PATCH, and crane's registry's


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
        self._decided = threading.Event()
        self._wanted: frozenset[Digest] = frozenset()
        self._turns = threading.Semaphore(_AT_ONCE)
        self._uploads: list[_Upload] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._decided.set()
        end = time.monotonic() + _LAST_WORDS_SECONDS
        for upload in self._uploads:
            upload.join(max(0.0, end - time.monotonic()))
            if upload.location and not upload.is_alive():
                with contextlib.suppress(DocklessError):
                    self._client.request("DELETE", self._repository, upload.location)

    def offer(self, blob: Descriptor, path: Path) -> None:
        """Begin to send a staged blob, unless the registry has it."""
        upload = _Upload(lambda upload: self._send(upload, blob, path), blob)
        self._uploads.append(upload)
        upload.start()

    def borrow(self, blobs: Collection[Digest]) -> frozenset[Digest]:
        """Borrow nothing: one push knows of no other repository."""
        del blobs
        return frozenset()

    def bring(self, content: Content, missing: Mapping[Digest, Path], sending: Task) -> bool:
        """Wait for what is on its way, and make the registry accept it; the engine does the rest.

        Args:
            content: The image.
            missing: The blobs that it lacks; whatever else was sent is cancelled later.
            sending: Told of the bytes that went, those before this call included.
        """
        del content
        self._wanted = frozenset(missing)
        self._decided.set()
        told = 0
        for upload in self._uploads:
            while upload.is_alive() and not self._over():
                upload.join(_LOOK_SECONDS)
                told = self._tell(sending, told)
        self._tell(sending, told)
        return False

    def _tell(self, sending: Task, told: int) -> int:
        sent = sum(upload.sent for upload in self._uploads)
        sending.advance(sent - told)
        return sent

    def _over(self) -> bool:
        late = self._until is not None and time.monotonic() > self._until
        return late or self._stopped.is_set()

    def _send(self, upload: "_Upload", blob: Descriptor, path: Path) -> None:
        with contextlib.suppress(DocklessError, OSError, _StoppedError):
            with self._turns:
                self._fill(upload, blob, path)
            if upload.complete:
                self._decided.wait()
                if blob.digest in self._wanted:
                    self._accept(upload)

    def _fill(self, upload: "_Upload", blob: Descriptor, path: Path) -> None:
        known = self._client.request("HEAD", self._repository, f"blobs/{blob.digest}")
        if self._over() or known.status == _THERE:
            return
        begun = self._client.request("POST", self._repository, "blobs/uploads/")
        if begun.status != _ACCEPTED:
            return
        upload.location = begun.headers.get("Location", "")
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        with path.open("rb", buffering=0) as file:
            received = self._client.request(
                "PATCH", self._repository, upload.location, headers, self._chunks(upload, file)
            )
        if received.status in _RECEIVED:
            upload.location = received.headers.get("Location", "")
            upload.complete = bool(upload.location)

    def _accept(self, upload: "_Upload") -> None:
        joint = "&" if "?" in upload.location else "?"
        url = f"{upload.location}{joint}digest={quote(str(upload.blob.digest))}"
        # even an answer that got lost may have committed it
        upload.location = ""
        self._client.request("PUT", self._repository, url)

    def _chunks(self, upload: "_Upload", file: BinaryIO) -> Iterator[bytes]:
        while chunk := file.read(_CHUNK):
            if self._over():
                raise _StoppedError
            yield chunk
            upload.sent += len(chunk)


class _Upload(threading.Thread):
    """One blob on its way.

    A daemon: a registry that hangs must not keep an interrupted push from ending.

    Attributes:
        blob: The blob.
        sent: Bytes sent so far.
        location: The session that holds what was sent, not yet committed; empty for none.
        complete: Whether all of it was sent, so that the session can be committed.
    """

    def __init__(self, send: "Callable[[_Upload], None]", blob: Descriptor) -> None:
        super().__init__(name=f"head-start-{blob.digest.hex[:12]}", daemon=True)
        self._send = send
        self.blob = blob
        self.sent = 0
        self.location = ""
        self.complete = False

    def run(self) -> None:
        self._send(self)


class _StoppedError(Exception):
    """The push has ended."""
