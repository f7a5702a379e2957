"""Early uploads: layers are sent to the registry while they are compressed.

What the writer of an image finds at the registry it does not send again. So layers can go before
it starts: small ones as soon as they are ready, large ones while they grow. Their bytes wait in an
upload session, which is nothing yet: only when the whole image has been read and found good is the
session committed, and otherwise cancelled. Whatever goes wrong here is left to the writer.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Self

from msgspec import Struct

from dockless.errors import (
    DocklessError,
    NetworkError,
    NoSlotError,
    PushError,
    ServerError,
    StrayError,
    out_of_time,
)
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from dockless.ports import Registry, RegistryUploader, Task, UnfinishedBlob, UploadSession
from dockless.threads import NO_THREAD, DaemonThread
from dockless.transport.deadline import answer_seconds
from dockless.usecases.push.early_uploads import EarlyUploads

_AT_ONCE = 4
_CHUNK = 256 * 1024
_LOOK_SECONDS = 0.05
_BUSY_SECONDS = 1.0  # where a registry that is busy does not say for how long
_LAST_WORDS_SECONDS = 2.0


class EarlyLimits(Struct, frozen=True, kw_only=True):
    """The time limits of early uploads.

    Attributes:
        until: The moment, on the clock of `time.monotonic`, to stop at; None for none.
        stall: Seconds without a byte after which the rest is left to the writer.
        note: Called with one line about that.
        hold: Called with the seconds of the pause that the registry asks for.
    """

    until: float | None = None
    stall: float = 60.0
    note: Callable[[str], None] = lambda _: None
    hold: Callable[[float], None] = lambda _: None


def _nothing() -> None:
    """Do nothing."""


class StreamedUploads(EarlyUploads):
    """The early uploads of the pushes to one repository.

    Args:
        repository: Where to.
        registry: Tells which blobs it has.
        uploader: Sends the others.
        limits: How long it is waited.
        begun: Called whenever an upload starts.
    """

    def __init__(
        self,
        repository: Repository,
        registry: Registry,
        uploader: RegistryUploader,
        limits: EarlyLimits,
        begun: Callable[[], None] = _nothing,
    ) -> None:
        self._repository = repository
        self._registry = registry
        self._uploader = uploader
        self._limits = limits
        self._begun = begun
        self._stopped = threading.Event()
        self._decided = threading.Event()
        self._wanted: frozenset[Digest] = frozenset()
        self._turns = threading.Semaphore(_AT_ONCE)
        self._uploads: list[_Upload] = []
        self._there: dict[Digest, bool] = {}
        self._moved = 0.0
        self._told = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._decided.set()
        # a registry that hangs must not keep an interrupted push from ending
        end = time.monotonic() + _LAST_WORDS_SECONDS
        for upload in self._uploads:
            upload.thread.join(max(0.0, end - time.monotonic()))

    def offer(self, blob: Descriptor, path: Path) -> None:
        """Start to upload a staged blob, unless the registry has it."""
        self._begin(lambda upload: self._send_file(upload, blob, path), lambda: blob)

    def follow(self, growing: UnfinishedBlob) -> None:
        """Start to upload a layer that is still being written; stop if the registry has it."""
        self._begin(lambda upload: self._send_growing(upload, growing), lambda: growing.blob)

    def _begin(
        self,
        send: "Callable[[_Upload], UploadSession | None]",
        what: Callable[[], Descriptor | None],
    ) -> None:
        try:
            upload = _Upload(lambda upload: self._run(upload, send), what)
        except NO_THREAD:  # the writer sends it
            return
        self._uploads.append(upload)
        self._begun()

    def mount(self, blobs: Collection[Digest]) -> Mapping[Digest, bool]:
        """Mount nothing, as one push knows of no other repository; return the known state."""
        return {digest: self._there[digest] for digest in blobs if digest in self._there}

    def mark_present(self, there: Mapping[Digest, bool]) -> None:
        """Record which blobs are there, so that the registry is not asked again."""
        self._there |= there

    def upload(self, missing: Mapping[Digest, Path], sending: Task) -> frozenset[Digest]:
        """Send what is not being sent yet, wait for it, and make the registry accept it.

        Raises:
            StrayError: The registry leads to where nothing may be sent, so no other writer may
                be tried: it might follow.
            NetworkError: The command's time is over, so that no other writer can be tried.
        """
        self._wanted = frozenset(missing)
        begun = {blob.digest for upload in self._uploads if (blob := upload.what())}
        for digest in self._wanted - begun:  # staged before this push
            path = missing[digest]
            self.offer(Descriptor(media_type="", digest=digest, size=path.stat().st_size), path)
        self._decided.set()
        self._moved = time.monotonic()
        told = self._told
        for upload in self._uploads:
            while upload.thread.is_alive() and not self._over():
                upload.thread.join(_LOOK_SECONDS)
                told = self._tell(sending, told)
                self._end_stall()
        self._told = self._tell(sending, told)
        for upload in self._uploads:
            if isinstance(upload.failure, StrayError):
                raise upload.failure
        if self._late():
            raise out_of_time(self._repository.host)
        for digest in self._wanted:  # the next push to this repository asks for them again
            self._there.pop(digest, None)
        return self._wanted & {upload.digest for upload in self._uploads if upload.accepted}

    @property
    def sent(self) -> int:
        """Bytes that went so far."""
        return sum(upload.sent for upload in self._uploads)

    def sent_ahead(self) -> int:
        """Return how many bytes were sent so far; `upload` counts those that follow."""
        self._told = self.sent
        return self._told

    def _tell(self, sending: Task, told: int) -> int:
        sent = self.sent
        if sent > told:
            self._moved = time.monotonic()
        sending.advance(sent - told)
        return sent

    def _end_stall(self) -> None:
        stall, now = self._limits.stall, time.monotonic()
        if any(upload.answer_by > now for upload in self._uploads):
            self._moved = now  # the registry has all of it, and may be long at work
        if now - self._moved > stall:
            self._limits.note(f"An early upload transferred no byte for {stall:g} seconds.")
            self._stopped.set()

    def _over(self) -> bool:
        return self._late() or self._stopped.is_set()

    def _late(self) -> bool:
        until = self._limits.until
        return until is not None and time.monotonic() > until

    def _run(self, upload: "_Upload", send: "Callable[[_Upload], UploadSession | None]") -> None:
        """Send a blob, and commit it once the image is known to be good.

        This is the one place where a failure of an early upload is left to the writer, which sends
        the blob itself; if that fails as well, its error is the one that counts.
        """
        try:
            with self._turns:
                session = send(upload)
            if session:
                self._decided.wait()
                self._end(upload, session)
        except _StoppedError:
            pass
        except (DocklessError, OSError, ImportError, *NO_THREAD) as error:
            upload.failure = error
            if isinstance(error, NetworkError) and error.busy:
                pause = error.retry_after
                self._limits.hold(_BUSY_SECONDS if pause is None else pause)
        finally:
            upload.answer_by = 0.0

    def _end(self, upload: "_Upload", session: UploadSession) -> None:
        """Commit what was sent, if it belongs to the image; else cancel it."""
        if upload.digest is None or upload.digest not in self._wanted:
            self._uploader.cancel(session)
            return
        upload.answer_by = time.monotonic() + answer_seconds(upload.sent)
        self._uploader.commit(session, upload.digest)
        upload.accepted = True

    def _send_file(self, upload: "_Upload", blob: Descriptor, path: Path) -> UploadSession | None:
        upload.digest = blob.digest
        if self._over() or self._has(blob):
            return None
        with path.open("rb", buffering=0) as file:
            chunks = iter(lambda: file.read(_CHUNK), b"")
            return self._uploader.stream(self._repository, self._sent(upload, chunks), blob.size)

    def _send_growing(self, upload: "_Upload", growing: UnfinishedBlob) -> UploadSession:
        with contextlib.closing(growing):
            chunks = self._needed(upload, growing)
            return self._uploader.stream(self._repository, self._sent(upload, chunks))

    def _needed(self, upload: "_Upload", growing: UnfinishedBlob) -> Iterator[bytes]:
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
        """Whether the repository has a blob; one that it fails to say, or to read, is sent."""
        digest = blob.digest
        if digest not in self._there:
            try:
                found = self._registry.existing_blobs(self._repository, [blob])
            except (NoSlotError, ServerError, PushError):
                return False
            except NetworkError as error:
                if error.busy:  # a proxy may allow no question during an upload
                    return False
                raise
            self._there[digest] = digest in found.there
        return self._there[digest]

    def _sent(self, upload: "_Upload", chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass on the chunks, each counted when it was sent; empty ones only mark time."""
        for chunk in chunks:
            if self._over():
                raise _StoppedError
            yield chunk
            upload.sent += len(chunk)


class _Upload:
    """One upload, in a thread of its own.

    A daemon: a registry that hangs must not keep an interrupted push from ending.

    Attributes:
        what: Returns the blob, once it is known; None before.
        digest: The blob's digest, once the upload has come to know it.
        sent: Bytes sent so far.
        accepted: Whether the registry has it as a blob.
        failure: Why it does not; None for no error.
        answer_by: The moment until which its last answer may take; 0 while none is waited for.
    """

    def __init__(
        self, run: "Callable[[_Upload], None]", what: Callable[[], Descriptor | None]
    ) -> None:
        self.what = what
        self.digest: Digest | None = None
        self.sent = 0
        self.accepted = False
        self.failure: Exception | None = None
        self.answer_by = 0.0
        self.thread = DaemonThread(lambda: run(self))


class _StoppedError(Exception):
    """The rest need not be sent: the registry has the blob, or the push is over."""
