"""The library: pushing, mirroring, comparing and opening images, as docs/api.md describes it."""

import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from msgspec.structs import replace

from dockless.client.session import Session
from dockless.client.verification import verify
from dockless.client.workspace import Spaces, Surroundings, workspaces
from dockless.credentials.resolve import FindCredential, given_first, no_login
from dockless.model.destination import destination
from dockless.model.mirrored import MirrorResult
from dockless.model.option_values import check_arguments, checked_options, paths, texts
from dockless.model.options import MirrorOptions, PushOptions
from dockless.model.plan import PushResult
from dockless.model.secret import Credential
from dockless.model.verified import VerifyResult
from dockless.oci.reference import registry_host
from dockless.ports import Image
from dockless.registry.pool import RegistryPool
from dockless.report.callback import Shown, shown_progress
from dockless.sources.spec import Source, parse_source, source_text
from dockless.storage.machine import Machine, bare_machine, this_machine
from dockless.storage.receipt_reading import hosts, read_receipts
from dockless.storage.user_folders import source_folder, temporary_folder


class Client:
    """Pushes, mirrors, compares and opens images; threads may share one.

    Use it in `with`, or `close` it. It reads no environment variable, no configuration file and no
    keyring, and asks nobody: what it needs is given here; `from_environment` returns one that does
    as the command line does. It prints nothing, handles no signal, and raises `DocklessError`.

    Args:
        credentials: The credential for each registry, by its `host[:port]`.
        options: How images are pushed, where a call gives no options of its own.
        progress: Shows long work and remarks: a `Progress`, or a function that gets every
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
        check_arguments(credentials=credentials, cache=cache)
        self._credentials = {
            registry_host(host): each for host, each in (credentials or {}).items()
        }
        self._options = checked_options(options) or PushOptions()
        self._progress = shown_progress(progress)
        self._closed = False
        self._guard = threading.Lock()
        self._registries = RegistryPool()
        self._stack = contextlib.ExitStack()
        self._elsewhere: Callable[[Iterable[str]], FindCredential] = no_login
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
        from dockless.config.cascade import project_settings  # noqa: PLC0415 - no other needs it
        from dockless.credentials.credential_finder import CredentialFinder  # noqa: PLC0415 - same
        from dockless.credentials.prompting import NOBODY  # noqa: PLC0415 - the same

        made = cls(credentials=credentials, options=options, progress=progress)
        made._machine = this_machine()
        settings = project_settings(None, os.environ)
        for warning in settings.warnings:
            made._progress.note(f"Warning: {warning}")
        finder = CredentialFinder.of_user(NOBODY, settings.login)
        made._elsewhere = lambda hosts: finder.for_hosts(hosts, "The receipts name")
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
        self._registries.close()
        self._stack.close()

    def push(  # noqa: PLR0913 - each is documented, and all but two go by keyword
        self,
        source: Source,
        target: str,
        *,
        tags: Sequence[str] = (),
        receipt: str | os.PathLike[str] | None = None,
        credential: Credential | None = None,
        options: PushOptions | None = None,
    ) -> PushResult:
        """Push one image.

        Args:
            source: An archive, a layout, or a local image, as the command line takes it; relative
                paths begin at the current folder. A path object is always a file or folder.
            target: `host/path[:tag]`; without a tag it is `latest`.
            tags: Further tags that are to name the image.
            receipt: The file of the receipt, for `verify`; None for none. A dry run writes none.
            credential: For the target's registry; else the client's.
            options: In place of the client's.

        Raises:
            UsageError: The target, a tag or the options are wrong.
            SourceError: The source is missing, damaged or dangerous.
            AuthError: The registry does not accept the credential, or wants one.
            ConflictError: A tag names another digest, and `immutable` was asked for.
            NetworkError: The registry cannot be reached, or kept failing.
            PushError: It failed in another way, or the receipt could not be written in the end.
        """
        from dockless.client.receipts import receipt_at  # noqa: PLC0415 - few clients write any

        check_arguments(source=source, target=target, receipt=receipt, credential=credential)
        options = checked_options(options) or self._options
        repository, names = destination(target, texts("tags", tags))
        text, path = source_text(source), None if receipt is None else Path(receipt)
        spec = parse_source(text, Path.cwd())
        find = self._find([repository.host], credential)
        if path and options.check_blobs is None:  # a receipt claims what was seen
            options = replace(options, check_blobs=True)
        note = self._progress.note
        with receipt_at(path, text, options, self._own_machine, note) as kept:
            kept.begin_one(spec.label, spec.name, repository, names)
            with self._session(options, find) as work:

                def choose() -> Image:
                    found = work.opener.chosen(spec, options.platform)
                    name = next(iter(found.names), spec.name)
                    kept.begin_one(spec.label or name, name, repository, names, found.listing)
                    return found.open()

                done = work.deliver(repository, names, choose)
            kept.ended(done)
        if kept.error:
            raise kept.error
        return done

    def mirror(  # noqa: PLR0913 - each is documented, and all but two go by keyword
        self,
        sources: Source | Sequence[Source],
        target: str,
        *,
        lists: Sequence[str | os.PathLike[str]] = (),
        receipt: str | os.PathLike[str] | None = None,
        credential: Credential | None = None,
        options: PushOptions | None = None,
    ) -> MirrorResult:
        """Push every image of many sources to one registry.

        Images that fail are in the result, and so is a registry that cannot be reached, as the
        error of each; `raise_for_failures` of the result raises what the command line reports.

        Args:
            sources: What `dockless mirror` takes as SOURCE, one or several. A path object is always
                a file or folder.
            target: `host` or `host/prefix`.
            lists: Files that list further sources, one per line, or in the form of `skopeo sync`.
            receipt: The file of the receipt, which is updated during the run; None for none. A dry
                run writes none.
            credential: For the target's registry; else the client's.
            options: In place of the client's: `MirrorOptions`, or `PushOptions` with the defaults
                of the others.

        Raises:
            UsageError: The target, the options, a list or the receipt cannot be used.
            DocklessError: With `shard`: a source cannot be reached, and the other parts of the
                mirror might see others.
        """
        from dockless.client import mirroring  # noqa: PLC0415 - a push needs nothing of it
        from dockless.usecases.mirror.request import MirrorRequest  # noqa: PLC0415 - the same

        check_arguments(target=target, receipt=receipt, credential=credential)
        request = MirrorRequest(
            sources=tuple(map(source_text, paths("sources", sources))),
            files=tuple(map(Path, paths("lists", lists))),
            to=target,
            receipt=None if receipt is None else Path(receipt),
            folder=source_folder(),
            options=MirrorOptions.of(checked_options(options) or self._options),
        )
        spaces = self._spaces(request.options)
        rules = request.rules(self._own_machine().environment)
        find = self._find([registry_host(rules.renaming.host)], credential)
        return mirroring.mirror(request, rules, mirroring.MirrorLogins(find, find), spaces)

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
            UsageError: A file is not a receipt.
        """
        options = checked_options(options) or self._options
        said = read_receipts(map(Path, paths("receipts", receipts)))
        with self._session(options, self._find(hosts(said), None)) as work:
            return verify(work, said, work.note, deep=deep)

    @contextlib.contextmanager
    def open_image(self, source: Source, *, options: PushOptions | None = None) -> Iterator[Image]:
        """Yield an image of a source, to be looked at while the block lasts.

        Layers that are not compressed are compressed as `options` say when the content is asked
        for, since the digest depends on it.

        Args:
            source: As for `push`.
            options: In place of the client's.

        Raises:
            SourceError: The source is missing, damaged or dangerous.
        """
        check_arguments(source=source)
        options = checked_options(options) or self._options
        spec = parse_source(source_text(source), Path.cwd())
        with self._session(options, self._find([spec.registry], None)) as work:
            yield work.opener.chosen(spec, options.platform).open()

    @contextlib.contextmanager
    def _session(self, options: PushOptions, find: FindCredential) -> Iterator[Session]:
        with (
            self._spaces(options) as spaces,
            spaces("") as space,
            self._registries.lent(options, keep=options.timeout is None) as known,
            Session(options, find, replace(space, known=known)) as work,
        ):
            yield work

    def _spaces(self, options: PushOptions) -> contextlib.AbstractContextManager[Spaces]:
        """Return what makes the workspaces of one call; raise UsageError for wrong options."""
        if self._closed:
            raise RuntimeError("the client is closed")
        options.check()
        until = None if options.timeout is None else time.monotonic() + options.timeout
        around = Surroundings(machine=self._own_machine(), progress=self._progress)
        return workspaces(options, around, until)

    def _find(self, hosts: Iterable[str], credential: Credential | None) -> FindCredential:
        """Return what finds credentials; one that is given is for the only one of these hosts."""
        return given_first(credential, hosts, self._credentials, self._elsewhere(hosts))

    def _own_machine(self) -> Machine:
        with self._guard:
            if self._machine is None:
                cache = self._cache
                if cache is None:
                    folder = temporary_folder({})
                    made = tempfile.TemporaryDirectory(prefix="dockless-", dir=folder)
                    cache = Path(self._stack.enter_context(made))
                self._machine = bare_machine(cache)
            return self._machine
