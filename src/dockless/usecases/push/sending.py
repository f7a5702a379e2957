"""Sending one image by digest, with retries."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct

from dockless.errors import (
    DocklessError,
    NetworkError,
    PushError,
    ServerError,
    UnclearAnswerError,
)
from dockless.model.ended import SENDING_AGAIN, UPLOADING
from dockless.model.plan import Plan, Writers, written_by
from dockless.oci.content import StagedImage
from dockless.oci.digest import Digest
from dockless.ports import Image, Task, Written
from dockless.usecases.push.context import Copy, PushContext


class Sent(Struct, frozen=True, kw_only=True):
    """What was sent.

    Attributes:
        engine: The name of the writer that wrote the manifests; empty where nothing was sent.
        attempts: How many times it was started.
        writers: Which programs wrote blobs and manifests.
    """

    engine: str = ""
    attempts: int = 0
    writers: Writers = Writers()


def send(plan: Plan, image: Image, context: PushContext) -> Sent:
    """Push the content by digest, unless it is there.

    Raises:
        LostCopyError: What is to be sent is missing or damaged on this machine; `Image.paths` makes
            it again.
        DocklessError: With the exit code of what went wrong.
    """
    root = plan.content.root.digest
    reader = context.reader(plan.repository)
    if not plan.missing and reader.readable_manifest(root) is not None:
        return Sent()
    # a program reads the config even where the registry has it
    configs = plan.content.configs()
    with context.timings.of("source"):
        blobs = image.paths(configs | {blob.digest for blob in plan.missing})
    copies = [(blob, blobs[blob.digest]) for blob in plan.content.blobs if blob.digest in blobs]
    sending = _Sending(plan, image, blobs, context)
    _warn_of_labels(plan, sending.missing, context)
    with context.timings.of("upload"):
        _tried(sending.attempt, copies, context)
    return Sent(engine=sending.writer, attempts=sending.attempts, writers=sending.writers())


def _warn_of_labels(plan: Plan, missing: Mapping[Digest, Path], context: PushContext) -> None:
    """Warn of each layer that is not compressed as its media type says."""
    for blob in plan.content.blobs:
        if blob.digest in missing and (actual := context.mislabelled(missing[blob.digest], blob)):
            what = "not compressed" if actual == "none" else f"{actual} data"
            context.progress.note(
                f"Warning: layer {blob.digest} is {what}, but its media type is "
                f"{blob.media_type}. It is pushed unchanged, as its digest is right."
            )


def _tried(attempt: Callable[[], None], copies: Sequence[Copy], context: PushContext) -> None:
    """Retry it, unless the content on this machine is itself missing or damaged."""

    def once() -> None:
        try:
            attempt()
        except (FileNotFoundError, DocklessError):
            # a cut body looks like trouble with the network, and trying again does not mend it
            context.prove(copies, read=False)
            raise

    try:
        context.retry_policy.call(once)
    except DocklessError as error:
        if _may_be_our_copy(error):
            context.prove(copies, read=True)
        raise


def _may_be_our_copy(error: DocklessError) -> bool:
    """Whether a registry or a writer may have failed at bytes that are wrong here already."""
    if isinstance(error, NetworkError):
        return isinstance(error, ServerError)
    return isinstance(error, PushError)


class _Sending:
    """The attempts to send one image: their progress, and the layout that all of them use.

    Args:
        plan: What is to be sent.
        image: The image.
        blobs: The files of the blobs that the registry lacks, and of the configs.
        context: What to work with.

    Attributes:
        missing: The files of the blobs that the registry lacks.
        attempts: How many there were.
        writer: The name of what wrote the manifests.
    """

    def __init__(
        self, plan: Plan, image: Image, blobs: Mapping[Digest, Path], context: PushContext
    ) -> None:
        self.missing = {blob.digest: blobs[blob.digest] for blob in plan.missing}
        self.attempts = 0
        self.writer = ""
        self._plan = plan
        self._image = image
        self._blobs = blobs
        self._context = context
        self._layout: Path | None = None
        self._task: Task | None = None
        self._blob_writers: set[str] = set()
        self._manifest_writers: set[str] = set()

    def attempt(self) -> None:
        """Send what is missing, and the manifests."""
        with self as task:
            early = self._context.early.upload(self.missing, task)
            if self.attempts == 1:
                self._context.retry_policy.pause(f"{self._plan.repository.host} is busy.")
            arrived = early or frozenset()
            staged = self._staged(early)
            try:
                written = self._context.writer().write(staged, self._plan.repository, task)
            except ServerError as error:
                # a program writes nothing that the registry fails to read
                if not _unreadable(self._plan, self._context):
                    raise
                written, arrived = self._resent(error), frozenset()
            except UnclearAnswerError as error:
                # only dockless sees the status, which says whether this is a refusal
                written, arrived = self._resent(error), frozenset()
            except NetworkError as error:
                raise _with_pause(error, self._plan, self._context) from None
            self._note(written.writer, arrived)

    def writers(self) -> Writers:
        """Return which programs wrote what."""
        return Writers(
            blobs=written_by(*self._blob_writers), manifests=written_by(*self._manifest_writers)
        )

    def _resent(self, error: DocklessError) -> Written:
        return resend(self._plan, self._image, self._context, error)

    def _note(self, writer: str, arrived: frozenset[Digest]) -> None:
        """Note what a writer wrote; the blobs that had arrived before were sent by dockless."""
        self.writer = writer
        self._manifest_writers.add(writer)
        if arrived:
            self._blob_writers.add("direct")
        if self.missing.keys() - arrived:
            self._blob_writers.add(writer)

    def _staged(self, early: frozenset[Digest] | None) -> StagedImage:
        """Return the image for the writer; a layout of it is written once for all attempts.

        Args:
            early: What `EarlyUploads.upload` returned.
        """
        lacking = self.missing.keys() - (early or frozenset())
        needed = self._plan.content.configs() | lacking
        blobs = {digest: path for digest, path in self._blobs.items() if digest in needed}
        # what failed before may have arrived nevertheless
        known = self.attempts == 1 and (early is None or not lacking)
        return StagedImage(
            content=self._plan.content,
            blobs=blobs,
            layout=partial(self._written, blobs),
            missing=frozenset(lacking) if known else None,
        )

    def _written(self, blobs: Mapping[Digest, Path]) -> Path:
        self._layout = self._layout or self._context.lay_out(self._plan.content, blobs)
        return self._layout

    def __enter__(self) -> Task:
        self.attempts += 1
        size = sum(blob.size for blob in self._plan.missing)
        what = UPLOADING if size else "sending the manifest"
        # what was sent while layers were compressed took no time of this task
        ahead = self._context.early.sent_ahead() if self.attempts == 1 else 0
        self._task = self._context.progress.start(what, max(0, size - ahead) or None)
        return self._task

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._task and kind is None:
            self._task.complete()
        if self._task:
            self._task.finish()


def _unreadable(plan: Plan, context: PushContext) -> bool:
    """Whether the registry fails at reading what it has of an image."""
    try:
        context.registry.manifest(plan.repository, plan.content.root.digest)
        context.registry.existing_blobs(plan.repository, plan.missing)
    except ServerError:
        return True
    return False


def _with_pause(error: NetworkError, plan: Plan, context: PushContext) -> NetworkError:
    """Return the error of a registry that asks for a pause, with its length.

    Programs do not print Retry-After, so the registry is asked again, by a request that shows
    what it says.
    """
    if not error.busy or error.retry_after is not None:
        return error
    try:
        context.registry.manifest(plan.repository, plan.content.root.digest)
    except NetworkError as told:
        return NetworkError(error.what, error.remedy, retry_after=told.retry_after, busy=True)
    return error


def resend(plan: Plan, image: Image, context: PushContext, error: DocklessError) -> Written:
    """Send what the repository still lacks, cannot read, or has cut, without a program.

    Raises:
        DocklessError: `error`, where nothing but a program may write, or this fails as well; the
            latter's error where a program did not see what the registry responded with.
    """
    if context.direct is None:
        raise error
    missing = {blob.digest: blob.size for blob in plan.missing}
    found = context.reader(plan.repository).readable_blobs(plan.missing)
    lost = [digest for digest in missing if digest not in found.there]
    task = context.progress.start(SENDING_AGAIN, sum(missing[digest] for digest in lost) or None)
    try:
        blobs = image.paths(lost)
        layout = partial(context.lay_out, plan.content, blobs)
        again = StagedImage(
            content=plan.content, blobs=blobs, layout=layout, missing=frozenset(lost)
        )
        return context.direct.write(again, plan.repository, task)
    except DocklessError as second:
        if isinstance(error, UnclearAnswerError):
            raise
        raise error from second
    finally:
        task.finish()
