"""The work on one host: connect, find the image, choose the method, deliver, clean up."""

import contextlib
import shlex
import threading
import time
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from dockless.client.host_job import HostJob
from dockless.client.remote_engine import EngineTask, RemoteEngineSetup
from dockless.client.remote_export import HostImage
from dockless.client.session import Session
from dockless.config.naming import called_otherwise
from dockless.errors import (
    DocklessError,
    EngineError,
    HostLostError,
    NetworkError,
    PushError,
    SourceError,
    UnexplainedError,
)
from dockless.model.host import TransferMethod
from dockless.model.server import SSH_PORT, Server
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.ports import Image
from dockless.report.named import NamedProgress
from dockless.retry import RetryPolicy
from dockless.sources.archive import select
from dockless.sources.container_tools import container_tools
from dockless.sources.local import find_local
from dockless.sources.spec import parse_there
from dockless.ssh import audit
from dockless.ssh.connection import connect
from dockless.ssh.executor import BROKEN, RemoteShell
from dockless.ssh.workdir import Workplace, workplace
from dockless.usecases.hosts.remote_push import RemotePushContext, already_there, deliver_there
from dockless.usecases.hosts.run import Delivered
from dockless.usecases.hosts.transfer_method import ORDER, choose
from dockless.usecases.push.delivery import Delivery, deliver


def label(server: Server) -> str:
    """Return what a host is called in messages."""
    return server.address if server.port == SSH_PORT else f"{server.address}:{server.port}"


class HostPush:
    """One host, as a `fleet.Visit`."""

    def __init__(self, job: HostJob, number: int, server: Server) -> None:
        self._job = job
        self._number = number
        self._server = server
        self._name = label(server)
        self._progress = NamedProgress(self._name, job.progress)
        self._connection = contextlib.ExitStack()
        self._work = contextlib.ExitStack()
        self._shell: RemoteShell | None = None
        self._before: audit.Sight | None = None
        self._folder = ""
        self._kept = ""
        self._aborted = threading.Event()
        self._late = False
        self._timer = self._started_timer()
        attempts = job.options.retries + 1
        self._retry_policy = RetryPolicy(
            attempts, None, self._progress.note, self._sleep, job.shared_backoff
        )

    def deliver(self) -> Delivered:
        """Push the host's image to the repository by digest, and verify it."""
        try:
            return self._retry_policy.call(self._unless_lost, only=HostLostError)
        except DocklessError:
            if self._late:
                raise NetworkError(
                    f"The push from {self._name} did not finish within --timeout.",
                    "Run it again: what has been uploaded is kept.",
                    passing=False,
                ) from None
            raise

    def _unless_lost(self) -> Delivered:
        try:
            return self._attempt()
        except BROKEN:
            raise HostLostError(f"The connection to {self._name} broke.") from None

    def _started_timer(self) -> threading.Timer | None:
        until = self._job.until
        if until is None:
            return None
        timer = threading.Timer(max(0.0, until - time.monotonic()), self._expire)
        timer.daemon = True
        timer.start()
        return timer

    def _expire(self) -> None:
        self._late = True
        self.abort()

    def leave(self) -> tuple[str, ...] | None:
        """Remove everything of ours; return what is left nevertheless, None if unknown."""
        if self._timer:
            self._timer.cancel()
        try:
            self._work.close()
            if self._shell is None or self._before is None:
                return None
            return audit.residue(self._shell, self._before, self._folder, self._kept)
        finally:
            self._connection.close()

    def abort(self) -> None:
        """Abort, from another thread."""
        self._aborted.set()
        if self._shell:
            self._shell.end()

    def _sleep(self, seconds: float) -> None:
        if self._aborted.wait(seconds):
            raise PushError("The push was interrupted.")

    def _attempt(self) -> Delivered:
        try:
            job = self._job
            transport = self._connection.enter_context(connect(self._server, job.ssh))
            self._shell = RemoteShell(transport, self._name, job.options.stall_timeout)
            self._before = audit.look(self._shell)
            place = self._work.enter_context(workplace(self._shell))
            self._folder = place.facts.folder
            return self._push_from(place)
        except HostLostError:
            self._work.close()
            self._connection.close()
            self._shell = None
            raise

    def _push_from(self, place: Workplace) -> Delivered:
        job = self._job
        found = self._find(place)
        if found.local and (there := self._unchanged(found.local.image_id)):
            self._progress.note("The registry has this image already.")
            return Delivered("none", "already there", there.root.digest, _identity(there))
        task = EngineTask(
            job.options,
            job.hosts,
            job.registry.client,
            job.request.repository,
            job.engines(),
        )
        setup = RemoteEngineSetup(task, place, found)
        failed: dict[TransferMethod, str] = {}
        while True:
            obstacles = {
                way: partial(_obstacle, failed.get(way, ""), partial(setup.obstacle, way))
                for way in ORDER
            }
            way, why = choose(job.hosts.via, self._name, obstacles)
            self._progress.note(f"Transfer: {way} ({why})")
            if job.options.dry_run:
                identity = found.local.image_id if found.local else Digest.of(b"")
                return Delivered(way, why, None, identity)
            try:
                if way == "relay":
                    return self._relay(why, found)
                return self._invoke(way, why, found, setup)
            except (EngineError, NetworkError, UnexplainedError) as error:
                lost = isinstance(error, HostLostError)
                if job.hosts.via != "auto" or way == "relay" or lost:
                    raise
                failed[way] = error.what.rstrip(".")

    def _find(self, place: Workplace) -> HostImage:
        job, names, tool = self._job, self._job.names, ""
        if self._server.image_name:
            names = (self._server.image_name,)
        if job.options.build:
            names, tool = job.build(place, self._server, self._progress)
        elif job.hosts.there is not None:
            source = parse_there(_at_home(job.hosts.there, place), partial(_look, place.shell))
            if source.kind != "local":
                return HostImage(source=source)
            names, tool = (source.name,), source.tool
        tools = [each for each in container_tools(place.shell) if tool in ("", each.name)]
        has, image = find_local(names, tuple(tools))
        self._progress.note(f"Source: {has.name} image {image.name}")
        if job.hosts.there is None and (otherwise := called_otherwise(image.name, job.target)):
            self._progress.note(otherwise)
        return HostImage(has, image)

    def _unchanged(self, image_id: Digest) -> Content | None:
        return already_there(
            self._job.request, image_id, self._job.registry.client, self._retry_policy
        )

    def _relay(self, why: str, found: HostImage) -> Delivered:
        job = self._job
        shell = self._shell
        if shell is None:
            raise HostLostError(f"The connection to {self._name} was lost.")
        own = self._work.enter_context(job.space(f"host-{self._number}"))
        around = replace(own.surroundings, progress=self._progress)
        space = replace(own, progress=self._progress, surroundings=around)
        session = self._work.enter_context(Session(job.options, job.find, space, shell))
        image_id = found.local.image_id if found.local else self._number
        with job.turns.of(image_id, self._aborted):
            session.expect(job.request)
            image = self._image(session, shell, found)
            context = session.context(job.request.repository)
            delivery = deliver(job.request, image, context)
            own.staging.settle()
        return _delivered("relay", why, delivery)

    def _image(self, session: Session, shell: RemoteShell, found: HostImage) -> Image:
        platform = self._job.options.platform
        if found.tool and found.local:
            return session.opener.known(found.tool, found.local, platform)
        if found.source is None:
            raise SourceError(f"{self._name} has no image.")
        listed = session.opener.there(found.source, shell, platform)
        return select(listed, found.source.selector, found.source.path).open()

    def _invoke(
        self, way: TransferMethod, why: str, found: HostImage, setup: RemoteEngineSetup
    ) -> Delivered:
        job = self._job
        engine = self._work.enter_context(setup.engine(way, self._progress))
        self._kept = setup.kept
        context = RemotePushContext(job.registry.client, engine, self._retry_policy, time.monotonic)
        image_id = found.local.image_id if found.local else None
        delivery = deliver_there(job.request, image_id, context)
        return _delivered(way, why, delivery)


def _delivered(way: TransferMethod, why: str, delivery: Delivery) -> Delivered:
    content = delivery.plan.content
    return Delivered(
        way,
        why,
        content.root.digest,
        _identity(content),
        sum(blob.size for blob in delivery.plan.missing) if delivery.attempts else 0,
        delivery.plan if delivery.moving else None,
    )


def _identity(content: Content) -> Digest:
    return content.image_id or content.root.digest


def _at_home(text: str, place: Workplace) -> str:
    return f"{place.facts.home}/{text.removeprefix('~/')}" if text.startswith("~/") else text


def _look(shell: RemoteShell, path: str) -> str:
    quoted = shlex.quote(path)
    return (
        shell.script(
            f"if [ -d {quoted} ]; then echo folder; elif [ -e {quoted} ]; then echo file; fi"
        )
        .stdout.decode()
        .strip()
    )


def _obstacle(failed: str, ask: Callable[[], str]) -> str:
    return failed or ask()
