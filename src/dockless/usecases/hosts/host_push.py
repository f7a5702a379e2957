"""The work on one host: log in, find the image, choose the method, deliver, clean up."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

from msgspec import Struct

from dockless.errors import (
    DocklessError,
    EngineError,
    HostLostError,
    NetworkError,
    PushError,
    UnexplainedError,
)
from dockless.model.builder import BuildPlan
from dockless.model.host import TransferMethod
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.ports import Registry, Steps
from dockless.retry import RetryPolicy, SharedBackoff
from dockless.threads import DaemonThread
from dockless.usecases.hosts.remote_push import (
    EngineThere,
    RemotePushContext,
    already_there,
    deliver_there,
)
from dockless.usecases.hosts.run import Delivered
from dockless.usecases.hosts.transfer_method import ORDER, Via, choose
from dockless.usecases.hosts.turns import Turns
from dockless.usecases.push.context import PushRequest
from dockless.usecases.push.delivery import Delivery


class ImageThere(Protocol):
    """The image on a host, and what there is to push it with."""

    @property
    def image_id(self) -> Digest | None:
        """The digest that a container tool there knows it by; None for one in a file or folder."""

    @property
    def build(self) -> BuildPlan | None:
        """How it would be built, in a dry run; None where it is there."""

    def obstacle(self, method: TransferMethod) -> str:
        """Return why a method cannot be used, as part of a sentence; empty when it can."""

    def engine(self, method: TransferMethod) -> AbstractContextManager[EngineThere]:
        """Yield an engine on the host with the image before it."""

    def relay(self) -> Delivery:
        """Push the image through this machine by digest; change no tag."""


class Host(Protocol):
    """A host that is logged in to. Its methods raise HostLostError when the connection breaks."""

    @property
    def name(self) -> str:
        """What it is called in messages."""

    @property
    def progress(self) -> Steps:
        """Where the work on it is shown."""

    def open(self) -> ImageThere:
        """Log in, make our folder, and find the image."""

    def watched(self) -> AbstractContextManager[None]:
        """Turn every error of a broken connection into HostLostError while the block lasts."""

    def drop(self) -> None:
        """Close what a broken connection has left, so that it can be opened again."""

    def leave(self) -> tuple[str, ...] | None:
        """Remove what dockless made there; return what could not be removed, None if unknown."""

    def end(self) -> None:
        """Close the connection, from another thread."""


class HostJob(Struct, frozen=True, kw_only=True):
    """What every host is to do.

    Attributes:
        request: What is asked for.
        registry: Reads the registry, from here.
        via: The method that is asked for, or `auto`.
        attempts: How often each step is tried.
        until: The moment, on the clock of `time.monotonic`, to stop at; None for none.
        shared_backoff: The pause that the registry asked for, for all hosts.
        turns: Lets one host at a time relay the same image.
    """

    request: PushRequest
    registry: Registry
    via: Via
    attempts: int
    until: float | None
    shared_backoff: SharedBackoff
    turns: Turns


class HostPush:
    """The push from one host, as a `run.Visit`."""

    def __init__(self, job: HostJob, host: Host) -> None:
        self._job = job
        self._host = host
        self._aborted = threading.Event()
        self._late = False
        self._left = threading.Event()
        if job.until is not None:
            DaemonThread(self._expire)
        self._retry_policy = RetryPolicy(
            attempts=job.attempts,
            deadline=None,
            note=self._note,
            sleep=self._sleep,
            shared_backoff=job.shared_backoff,
        )

    def deliver(self) -> Delivered:
        """Push the host's image to the repository by digest, and verify it."""
        try:
            return self._retry_policy.call(self._watched, only=HostLostError)
        except DocklessError:
            if self._late:
                raise NetworkError(
                    f"The push from {self._host.name} did not finish within --timeout.",
                    "Run it again: what has been uploaded is kept.",
                    passing=False,
                ) from None
            raise

    def leave(self) -> tuple[str, ...] | None:
        """Remove what dockless made there; return what could not be removed, None if unknown."""
        self._left.set()
        return self._host.leave()

    def abort(self) -> None:
        """Abort, from another thread."""
        self._aborted.set()
        self._host.end()

    def _expire(self) -> None:
        """Abort when the time is over, in a thread."""
        until = self._job.until
        if until is not None and not self._left.wait(max(0.0, until - time.monotonic())):
            self._late = True
            self.abort()

    def _note(self, text: str) -> None:
        if not self._aborted.is_set():  # what breaks then is not tried again
            self._host.progress.note(text)

    def _sleep(self, seconds: float) -> None:
        if self._aborted.wait(seconds):
            raise PushError("The push was interrupted.")

    def _watched(self) -> Delivered:
        with self._host.watched():
            try:
                return self._push(self._host.open())
            except HostLostError:
                self._host.drop()
                raise

    def _push(self, image: ImageThere) -> Delivered:
        job, step = self._job, self._host.progress.step
        if image.image_id and (there := self._unchanged(image.image_id)):
            step("The registry has this image already.")
            return Delivered(
                way="none",
                why="already there",
                digest=there.root.digest,
                identity=_identity(there),
                image_id=image.image_id,
            )
        failed: dict[TransferMethod, str] = {}
        while True:
            obstacles = {
                method: partial(_obstacle, failed.get(method, ""), partial(image.obstacle, method))
                for method in ORDER
            }
            method, why = choose(job.via, self._host.name, obstacles)
            if job.request.dry_run:
                return Delivered(
                    way=method,
                    why=why,
                    digest=None,
                    identity=image.image_id or Digest.of(b""),
                    image_id=image.image_id,
                    build=image.build,
                )
            step(f"Transfer: {method} ({why})")
            try:
                return _delivered(method, why, self._transfer(method, image))
            except (EngineError, NetworkError, UnexplainedError) as error:
                lost = isinstance(error, HostLostError)
                if job.via != "auto" or method == "relay" or lost:
                    raise
                failed[method] = error.what.rstrip(".")

    def _unchanged(self, image_id: Digest) -> Content | None:
        return already_there(self._job.request, image_id, self._job.registry, self._retry_policy)

    def _transfer(self, method: TransferMethod, image: ImageThere) -> Delivery:
        job = self._job
        if method == "relay":
            with job.turns.of(image.image_id or self._host.name, self._aborted):
                return image.relay()
        with image.engine(method) as engine:
            context = RemotePushContext(
                registry=job.registry,
                engine=engine,
                retry_policy=self._retry_policy,
                clock=time.monotonic,
            )
            return deliver_there(job.request, image.image_id, context)


def _delivered(method: TransferMethod, why: str, delivery: Delivery) -> Delivered:
    content = delivery.plan.content
    return Delivered(
        way=method,
        why=why,
        digest=content.root.digest,
        identity=_identity(content),
        sent=sum(blob.size for blob in delivery.plan.missing) if delivery.attempts else 0,
        plan=delivery.plan if delivery.moving else None,
    )


def _identity(content: Content) -> Digest:
    return content.image_id or content.root.digest


def _obstacle(failed: str, ask: Callable[[], str]) -> str:
    return failed or ask()
