"""The library: pushing, comparing and opening images from Python, as docs/api.md describes it."""

import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self

from msgspec.structs import replace

from dockless.client.connections import Find
from dockless.client.delivery import chosen, deliver, target_of
from dockless.client.options import PushOptions
from dockless.client.session import Session
from dockless.client.verification import VerifyResult, compare, read_receipts
from dockless.client.workspace import Machine, Surroundings, this_machine, workspaces
from dockless.credentials.resolve import FoundCredential
from dockless.errors import UsageError
from dockless.model.plan import PushResult
from dockless.model.secret import Credential
from dockless.oci.reference import (
    DOCKER_HUB,
    DOCKER_HUB_HOSTS,
    Name,
    Reference,
    Repository,
    is_tag,
)
from dockless.ports import Image, Progress
from dockless.registry.client import RegistryClient
from dockless.report.callback import CallbackProgress, ProgressEvent
from dockless.report.progress import QuietProgress
from dockless.sources.spec import SourceSpec, parse_source
from dockless.storage.user_folders import temporary_folder

Shown = Progress | Callable[[ProgressEvent], object] | None
"""Where progress goes: to an object, to a function, or nowhere."""

_NOWHERE = Path("/nonexistent")
_FORM = "Write it as HOST/PATH:TAG."


class Client:
    """Pushes, compares and opens images. Threads may share one; `close` it, or use it in `with`.

    It reads no environment variable, no configuration file and no keyring, and never asks anybody:
    what it needs is given here. `from_environment` returns one that does as the command line does.
    It prints nothing, handles no signal, and raises `DocklessError` for all that it understands.

    Args:
        credentials: The credential for each registry, by its `host[:port]`.
        options: How images are pushed, where a call gives no options of its own.
        progress: Told of long work and of remarks: a `Progress`, or a function that gets every
            `ProgressEvent`. Either is called from several threads.
        cache: The folder that keeps compressed layers for later clients. Without one they are kept
            in a temporary folder, until the client is closed.
    """

    def __init__(
        self,
        *,
        credentials: Mapping[str, Credential] | None = None,
        options: PushOptions | None = None,
        progress: Shown = None,
        cache: str | os.PathLike[str] | None = None,
    ) -> None:
        self._credentials = {_host(host): each for host, each in (credentials or {}).items()}
        self._options = options or PushOptions()
        self._progress = _progress(progress)
        self._closed = False
        self._guard = threading.Lock()
        self._reached: list[tuple[PushOptions, dict[str, RegistryClient]]] = []
        self._stack = contextlib.ExitStack()
        self._elsewhere: Callable[[str], Find] = _no_login
        self._cache = None if cache is None else Path(cache)
        self._machine: Machine | None = None

    @classmethod
    def from_environment(
        cls,
        *,
        credentials: Mapping[str, Credential] | None = None,
        options: PushOptions | None = None,
        progress: Shown = None,
    ) -> Self:
        """Return a client that uses what the command line uses, but asks nobody.

        These are: proxies, PATH, container tools and engines, the user's store of layers; and for
        registries that `credentials` does not name, `DOCKLESS_PASSWORD`, the keyring, the login of
        the project in the current folder, the registry's own tools, and the files of docker and
        podman, each with its helpers.

        Raises:
            UsageError: A file of the project is wrong.
        """
        from dockless.client import accounts  # noqa: PLC0415 - no other client needs them
        from dockless.credentials.credential_sources import Given  # noqa: PLC0415 - the same
        from dockless.credentials.prompting import NOBODY  # noqa: PLC0415 - the same

        made = cls(credentials=credentials, options=options, progress=progress)
        made._machine = this_machine()
        settings = accounts.project_settings(None)
        for warning in settings.warnings:
            made._progress.note(f"Warning: {warning}")
        made._elsewhere = lambda host: (
            partial(accounts.find_for, NOBODY, host, settings, Given())
            if host
            else partial(accounts.find, NOBODY, settings, Given())
        )
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, and delete what was kept for this client; once is enough.

        No other call may be going on.
        """
        self._closed = True
        with self._guard:
            reached, self._reached = self._reached, []
        for _, clients in reached:
            for each in clients.values():
                each.http.close()
        self._stack.close()

    def push(
        self,
        source: str | os.PathLike[str],
        target: str,
        *,
        tags: Sequence[str] = (),
        credential: Credential | None = None,
        options: PushOptions | None = None,
    ) -> PushResult:
        """Push one image.

        Args:
            source: An archive, a layout, or a local image, as the command line takes it; relative
                paths begin at the current folder. A path object is always a file or folder.
            target: `host/path[:tag]`; without a tag it is `latest`.
            tags: Further tags that are to name the image.
            credential: For the target's registry; else the client's.
            options: In place of the client's.

        Raises:
            UsageError: The target, a tag or the options are wrong.
            SourceError: The source is missing, damaged or dangerous.
            AuthError: The registry does not accept the credential, or wants one.
            ConflictError: A tag names another digest, and `immutable` was asked for.
            NetworkError: The registry cannot be reached, or kept failing.
            PushError: It failed in another way.
        """
        repository, names = _destination(target, tags)
        spec = _source(source)
        options = options or self._options
        with self._session(options, self._find(repository.host, credential)) as work:
            where = target_of(repository, names, "the target")
            return deliver(work, where, lambda opener: chosen(opener, spec, options.platform))

    def verify(
        self,
        *receipts: str | os.PathLike[str],
        deep: bool = False,
        options: PushOptions | None = None,
    ) -> VerifyResult:
        """Compare registries with what receipts of `dockless mirror` say of them.

        Args:
            receipts: The files.
            deep: Whether every blob is read, and compared with its digest.
            options: In place of the client's.

        Raises:
            UsageError: A file is no receipt.
        """
        said = read_receipts(map(Path, receipts))
        options = options or self._options
        with self._session(options, self._find("", None)) as work:
            return compare(work, said, work.retry_policy(work.note), work.note, deep=deep)

    @contextlib.contextmanager
    def open_image(
        self, source: str | os.PathLike[str], *, options: PushOptions | None = None
    ) -> Iterator[Image]:
        """Yield an image of a source, to be looked at while the block lasts.

        Layers that are not compressed are compressed as `options` say when the content is asked
        for, since the digest depends on it.

        Args:
            source: As for `push`.
            options: In place of the client's.

        Raises:
            SourceError: The source is missing, damaged or dangerous.
        """
        spec = _source(source)
        options = options or self._options
        with self._session(options, self._find("", None)) as work:
            yield chosen(work.opener, spec, options.platform).open()

    @contextlib.contextmanager
    def _session(self, options: PushOptions, find: Find) -> Iterator[Session]:
        if self._closed:
            raise RuntimeError("the client is closed")
        options.check()
        until = None if options.timeout is None else time.monotonic() + options.timeout
        around = Surroundings(machine=self._own_machine(), progress=self._progress)
        with (
            workspaces(options, around, until) as spaces,
            spaces("") as space,
            self._known(options) as known,
            Session(options, find, replace(space, known=known)) as work,
        ):
            yield work

    @contextlib.contextmanager
    def _known(self, options: PushOptions) -> Iterator[dict[str, RegistryClient]]:
        """Yield the registries that an earlier call has reached, which no other call uses now."""
        clients: dict[str, RegistryClient] = {}
        with self._guard:
            for each in self._reached:
                if each[0] == options:
                    self._reached.remove(each)
                    clients = each[1]
                    break
        yield clients
        if options.timeout is None:  # else they end with the call
            with self._guard:
                self._reached.append((options, clients))

    def _find(self, target: str, credential: Credential | None) -> Find:
        elsewhere = self._elsewhere(target)

        def find(repository: Repository) -> FoundCredential:
            given = credential if repository.host == target else None
            known = given or self._credentials.get(repository.host)
            return FoundCredential(known, ()) if known else elsewhere(repository)

        return find

    def _own_machine(self) -> Machine:
        with self._guard:
            if self._machine is None:
                cache = self._cache
                if cache is None:
                    folder = temporary_folder({})
                    made = tempfile.TemporaryDirectory(prefix="dockless-", dir=folder)
                    cache = Path(self._stack.enter_context(made))
                self._machine = Machine(environment={}, home=_NOWHERE, data=_NOWHERE, cache=cache)
            return self._machine


def _no_login(host: str) -> Find:
    del host
    return lambda _: FoundCredential(None, ())


def _progress(shown: Shown) -> Progress:
    if shown is None:
        return QuietProgress()
    return CallbackProgress(shown, time.monotonic) if callable(shown) else shown


def _host(text: str) -> str:
    return DOCKER_HUB if text in DOCKER_HUB_HOSTS else text


def _source(source: str | os.PathLike[str]) -> SourceSpec:
    text = source if isinstance(source, str) else os.fspath(Path(source).absolute())
    return parse_source(text, Path.cwd())


def _destination(target: str, tags: Sequence[str]) -> tuple[Repository, tuple[str, ...]]:
    """Return the repository and the tags, each once."""
    try:
        reference, name = Reference.parse(target), Name.parse(target)
    except ValueError as error:  # the target is not shown, as a password may be in it
        raise UsageError(f"The target is no image name: {error}.", _FORM) from None
    if not name.host:
        raise UsageError(f"The target {target} names no registry.", _FORM)
    if reference.digest:
        raise UsageError(f"The target {target} has a digest, and only a tag can be set.", _FORM)
    for tag in tags:
        if not is_tag(tag):
            raise UsageError(f"{tag!r} is no tag.", "Give letters, digits, '_', '.' and '-'.")
    first = (reference.tag,) if reference.tag or tags else ("latest",)
    return reference.repository, tuple(dict.fromkeys(filter(None, (*first, *tags))))
