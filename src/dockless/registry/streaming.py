"""Early uploads: layers are sent to the registry while they are compressed.

What the writer of an image finds at the registry it does not send again. So layers can go before
it starts: small ones as soon as they are ready, large ones while they grow. Their bytes wait in an
upload session, which is nothing yet: only when the whole image has been read and found good is the
session committed, and otherwise cancelled. Whatever goes wrong here is left to the writer.

The requests are those of the distribution-spec, 'Pushing a blob in chunks', with one chunk.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import wait
from functools import partial
from pathlib import Path
from typing import Self
from urllib.parse import quote

from msgspec import Struct

from dockless.concurrency import alone
from dockless.errors import DocklessError, NetworkError, ServerError, StrayError
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from dockless.ports import Task
from dockless.registry.client import RegistryClient, presence
from dockless.registry.throughput import ThroughputMeter
from dockless.storage.growing import GivenUpError, GrowingBlob
from dockless.transport.deadline import answer_seconds, committing

_AT_ONCE = 4
_CHUNK = 256 * 1024
_LOOK_SECONDS = 0.05
_BUSY_SECONDS = 1.0  # where a registry that is busy does not say for how long
_LAST_WORDS_SECONDS = 1.0
_THERE, _CREATED, _ACCEPTED, _MISSING = 200, 201, 202, 404
_RECEIVED = (_ACCEPTED, 204)  # the specification's answer to PATCH, and crane's registry's


class Watch(Struct, frozen=True):
    """The time limits of early uploads.

    Attributes:
        until: The moment, on the clock of `time.monotonic`, to stop at; None for none.
        stall: Seconds without a byte after which the rest is left to the engine.
        note: Called with one line about that.
        hold: Called with the seconds of the pause that the registry asks for.
    """

    until: float | None = None
    stall: float = 60.0
    note: Callable[[str], None] = lambda _: None
    hold: Callable[[float], None] = lambda _: None


def _nothing() -> None:
    """Do nothing."""


class HeadStart:
    """The early uploads of one push, as a `ports.EarlyUploads`.

    Args:
        client: The registry.
        repository: Where to.
        meter: Measures the throughput.
        watch: How long it is waited.
        begun: Called whenever an upload starts.
    """

    def __init__(
        self,
        client: RegistryClient,
        repository: Repository,
        meter: ThroughputMeter,
        watch: Watch,
        begun: Callable[[], None] = _nothing,
    ) -> None:
        self._client = client
        self._repository = repository
        self._meter = meter
        self._watch = watch
        self._begun = begun
        self._stopped = threading.Event()
        self._decided = threading.Event()
        self._wanted: frozenset[Digest] = frozenset()
        self._turns = threading.Semaphore(_AT_ONCE)
        self._uploads: list[_Upload] = []
        self._there: dict[Digest, bool] = {}
        self._moved = 0.0
        self._stray: StrayError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._decided.set()
        end = time.monotonic() + _LAST_WORDS_SECONDS
        for upload in self._uploads:
            upload.join(max(0.0, end - time.monotonic()))
        kept = [each for each in self._uploads if each.location and not each.is_alive()]
        # a registry that hangs must not keep an interrupted push from ending
        wait([alone(partial(self._cancel, upload)) for upload in kept], _LAST_WORDS_SECONDS)

    def _cancel(self, upload: "_Upload") -> None:
        with contextlib.suppress(DocklessError):
            self._client.request("DELETE", self._repository, upload.location)

    def offer(self, blob: Descriptor, path: Path) -> None:
        """Start to upload a staged blob, unless the registry has it."""
        self._begin(lambda upload: self._fill(upload, blob, path), lambda: blob)

    def follow(self, growing: GrowingBlob) -> None:
        """Start to upload a layer that is still being written; stop if the registry has it."""
        self._begin(lambda upload: self._fill_growing(upload, growing), lambda: growing.blob)

    def _begin(
        self, fill: "Callable[[_Upload], None]", what: Callable[[], Descriptor | None]
    ) -> None:
        upload = _Upload(lambda upload: self._send(upload, fill), what)
        self._uploads.append(upload)
        upload.start()
        self._begun()

    def mount(self, blobs: Collection[Digest]) -> Mapping[Digest, bool]:
        """Mount nothing, as one push knows of no other repository; return the known state."""
        return {digest: self._there[digest] for digest in blobs if digest in self._there}

    def mark_present(self, there: Mapping[Digest, bool]) -> None:
        """Record which blobs are there, so that the registry is not asked again."""
        self._there |= there

    def upload(self, missing: Mapping[Digest, Path], sending: Task) -> frozenset[Digest]:
        """Send what is not being sent yet, wait for it, and make the registry accept it.

        Args:
            missing: A file for each blob that the repository lacks; whatever else was sent is
                cancelled later.
            sending: Gets the count of the bytes that were sent, those before this call included.

        Returns:
            Those of the blobs that the registry has accepted.

        Raises:
            StrayError: The registry leads to where nothing may be sent, so no other writer may
                be tried: it might follow.
        """
        self._wanted = frozenset(missing)
        begun = {blob.digest for upload in self._uploads if (blob := upload.what())}
        for digest in self._wanted - begun:  # staged before this push
            path = missing[digest]
            self.offer(Descriptor("", digest, path.stat().st_size), path)
        self._decided.set()
        self._moved = time.monotonic()
        told = 0
        for upload in self._uploads:
            while upload.is_alive() and not self._over():
                upload.join(_LOOK_SECONDS)
                told = self._tell(sending, told)
                self._end_stall()
        self._tell(sending, told)
        if self._stray:
            raise self._stray
        return self._wanted & {upload.digest for upload in self._uploads if upload.accepted}

    @property
    def sent(self) -> int:
        """Bytes that went so far."""
        return sum(upload.sent for upload in self._uploads)

    def _tell(self, sending: Task, told: int) -> int:
        sent = self.sent
        if sent > told:
            self._moved = time.monotonic()
        sending.advance(sent - told)
        return sent

    def _end_stall(self) -> None:
        stall, now = self._watch.stall, time.monotonic()
        if any(upload.answer_by > now for upload in self._uploads):
            self._moved = now  # the registry has all of it, and may be long at work
        if now - self._moved > stall:
            self._watch.note(f"An early upload transferred no byte for {stall:g} seconds.")
            self._stopped.set()

    def _over(self) -> bool:
        until = self._watch.until
        late = until is not None and time.monotonic() > until
        return late or self._stopped.is_set()

    def _send(self, upload: "_Upload", fill: "Callable[[_Upload], None]") -> None:
        with contextlib.suppress(DocklessError, OSError, _StoppedError, GivenUpError):
            try:
                with self._turns:
                    fill(upload)
                if upload.complete:
                    self._decided.wait()
                    if upload.digest in self._wanted:
                        self._accept(upload, upload.digest)
            except StrayError as error:
                self._stray = error
                raise
            except NetworkError as error:
                if error.busy:
                    self._watch.hold(
                        _BUSY_SECONDS if error.retry_after is None else error.retry_after
                    )
                raise
            finally:
                upload.answer_by = 0.0

    def _fill(self, upload: "_Upload", blob: Descriptor, path: Path) -> None:
        upload.digest = blob.digest
        if not self._over() and not self._has(blob):
            headers = {"Content-Length": str(blob.size)}
            with path.open("rb", buffering=0) as file:
                chunks = iter(lambda: file.read(_CHUNK), b"")
                self._patch(upload, headers, self._sent(upload, chunks))

    def _fill_growing(self, upload: "_Upload", growing: GrowingBlob) -> None:
        with contextlib.closing(growing):
            self._patch(upload, {}, self._sent(upload, self._needed(upload, growing)))

    def _needed(self, upload: "_Upload", growing: GrowingBlob) -> Iterator[bytes]:
        """Yield the chunks of a layer while it grows, and the rest if the registry lacks it."""
        for chunk in growing.chunks(_CHUNK):
            if growing.blob and upload.digest is None:
                upload.digest = growing.blob.digest
                if self._has(growing.blob):
                    raise _StoppedError
            yield chunk
        if growing.blob:
            upload.digest = growing.blob.digest

    def _has(self, blob: Descriptor) -> bool:
        digest = blob.digest
        if digest not in self._there:
            try:
                response = self._client.request("HEAD", self._repository, f"blobs/{digest}")
            except ServerError:  # it may have the blob, and cannot read it
                return False
            if response.status not in (_THERE, _MISSING):
                return False
            self._there[digest] = digest in presence(blob, response).there
        return self._there[digest]

    def _patch(
        self, upload: "_Upload", headers: Mapping[str, str], chunks: Iterator[bytes]
    ) -> None:
        begun = self._client.request("POST", self._repository, "blobs/uploads/")
        if begun.status != _ACCEPTED:
            return
        upload.location = begun.headers.get("Location", "")
        headers = {"Content-Type": "application/octet-stream", **headers}
        received = self._client.request("PATCH", self._repository, upload.location, headers, chunks)
        if received.status in _RECEIVED:
            upload.location = received.headers.get("Location", "")
            upload.complete = bool(upload.location)

    def _accept(self, upload: "_Upload", digest: Digest) -> None:
        joint = "&" if "?" in upload.location else "?"
        url = f"{upload.location}{joint}digest={quote(str(digest))}"
        # even an answer that got lost may have committed it
        upload.location = ""
        upload.answer_by = time.monotonic() + answer_seconds(upload.sent)
        with committing(upload.sent):
            response = self._client.request("PUT", self._repository, url)
        upload.accepted = response.status == _CREATED

    def _sent(self, upload: "_Upload", chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Pass on the chunks, each counted when it was sent; empty ones only mark time."""
        for chunk in chunks:
            if self._over():
                raise _StoppedError
            if chunk:
                with self._meter.sending():
                    yield chunk
                upload.sent += len(chunk)
                self._meter.count(len(chunk))


class NoUploads:
    """No early uploads, as a `ports.EarlyUploads`: a program of --engine writes everything."""

    def mount(self, blobs: Collection[Digest]) -> Mapping[Digest, bool]:
        """Return nothing."""
        del blobs
        return {}

    def mark_present(self, there: Mapping[Digest, bool]) -> None:
        """Do nothing."""

    def upload(self, missing: Mapping[Digest, Path], sending: Task) -> frozenset[Digest]:
        """Send nothing."""
        del missing, sending
        return frozenset()


class _Upload(threading.Thread):
    """One upload.

    A daemon: a registry that hangs must not keep an interrupted push from ending.

    Attributes:
        what: Returns the blob, once it is known; None before.
        digest: The blob's digest, once the upload has come to know it.
        sent: Bytes sent so far.
        location: The session that holds what was sent, not yet committed; empty for none.
        complete: Whether all of it was sent, so that the session can be committed.
        accepted: Whether the registry has it as a blob.
        answer_by: The moment until which its last answer may take; 0 while none is waited for.
    """

    def __init__(
        self, send: "Callable[[_Upload], None]", what: Callable[[], Descriptor | None]
    ) -> None:
        super().__init__(name="head-start", daemon=True)
        self._send = send
        self.what = what
        self.digest: Digest | None = None
        self.sent = 0
        self.location = ""
        self.complete = False
        self.accepted = False
        self.answer_by = 0.0

    def run(self) -> None:
        self._send(self)


class _StoppedError(Exception):
    """The push has ended."""
