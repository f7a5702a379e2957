"""From a parsed SOURCE to its images."""

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from msgspec.structs import replace

from dockless.errors import SourceError, UsageError
from dockless.model.printable import bounded
from dockless.oci.manifest import Descriptor
from dockless.oci.platform import Platform
from dockless.oci.reference import Reference
from dockless.ports import Image, Progress
from dockless.processes.programs import Programs
from dockless.sources.archive import Candidate, agreed, candidates, select, with_tag
from dockless.sources.files import Files
from dockless.sources.oci_layout import PackedImage
from dockless.sources.source_file import SourceFile
from dockless.sources.source_paths import PARTS_ENDING, is_layout, whole_archive
from dockless.sources.spec import SourceSpec
from dockless.storage.blocks import ReadableStream
from dockless.storage.decompression import MAGIC_BYTES, sniff
from dockless.storage.staging import Staging

if TYPE_CHECKING:
    from dockless.sources.container_tools import ContainerTool
    from dockless.sources.local_images import LocalImage
    from dockless.sources.on_host import HostImage
    from dockless.sources.spec_there import SourceThere
    from dockless.sources.streamed_tar import Layers
    from dockless.sources.streams import OpenStream


_HEAD = 512


def standard_input(warn: Callable[[str], object]) -> io.FileIO:
    """Return standard input, from which an archive is read; say so where that is a terminal."""
    if os.isatty(0):
        warn(
            "An image archive is read from standard input, and that is a terminal: pipe one in, as "
            "in `docker save shop:v2 | dockless push -`, or stop with Ctrl-C."
        )
    # unbuffered: a thread may wait for it to the end, and must hold no lock then
    return io.FileIO(0, closefd=False)


class Opener:
    """Opens sources for one push.

    Attributes:
        warn: Called with what a user must see.
    """

    def __init__(
        self,
        staging: Staging,
        progress: Progress,
        stdin: Callable[[], ReadableStream],
        tools: "Callable[[], tuple[ContainerTool, ...]]",
        pull: Callable[[Reference], Path],
    ) -> None:
        self._staging = staging
        self._progress = progress
        self._stdin = stdin
        self._tools = tools
        self._pull = pull
        self.warn: Callable[[str], None] = progress.note

    def local(
        self,
        names: tuple[str, ...],
        platform: Platform | None,
        only: str = "",
        *,
        typed: bool = False,
    ) -> Candidate:
        """Return the first of the named images that a container tool has.

        Args:
            names: What to look for, in order.
            platform: Which platform's image, of several.
            only: The one tool to ask; empty for all.
            typed: Whether the only name is what the user typed as the source, and may be an ID.
        """
        from dockless.sources.local import find_local  # noqa: PLC0415 - local images only

        tools = tuple(tool for tool in self._tools() if only in ("", tool.name))
        tool, found = find_local(names, tools, self.warn, typed=typed)
        self._progress.note(f"Source: {tool.name} image {found.shown}")
        image = self.known(tool, found, platform)
        root = found.image_id if found.as_stored else None
        names = () if found.by_id else (found.recorded,)
        return Candidate(names=names, open=lambda: image, root=root)

    def known(self, tool: "ContainerTool", found: "LocalImage", platform: Platform | None) -> Image:
        """Return an image that a container tool was found to have."""
        from dockless.sources.local import ToolImage  # noqa: PLC0415 - local images only

        return ToolImage(tool, found, self._staging, self._progress, platform)

    def there(self, found: "HostImage", programs: Programs, platform: Platform | None) -> Image:
        """Return the image of another host, which comes as a stream.

        Args:
            found: The image.
            programs: The host.
            platform: The one platform of an index that is asked for; None for all.

        Raises:
            SourceError: It is damaged, dangerous or none, or one of several.
        """
        if found.tool and found.local:
            return self.known(found.tool, found.local, platform)
        if found.source is None:
            raise SourceError("The host has no image.")
        listed = self._listed_there(found.source, programs, platform)
        source = found.source
        chosen = select(listed, source.selector, source.path, platform)
        return agreed(chosen, source.path).open()

    def _listed_there(
        self, source: "SourceThere", programs: Programs, platform: Platform | None
    ) -> list[Candidate]:
        """Return every image of an archive or layout on another host."""
        argv: tuple[str, ...] = ("cat", source.path)
        if source.kind == "layout":
            argv = ("tar", "-C", source.path, "-cf", "-", ".")
        files = self._streamed(lambda: _output(programs, argv, source.path), source.path)
        return candidates(files, self._staging, platform)

    def images(
        self,
        spec: SourceSpec,
        platform: Platform | None,
        packed: type[PackedImage] = PackedImage,
        several: tuple[Platform, ...] = (),
    ) -> list[Candidate]:
        """Return every image of a source; the arguments are those of `candidates`.

        Raises:
            SourceError: It is missing, damaged or dangerous.
        """
        if spec.kind == "local":
            return [self._typed(spec, platform)]
        if spec.here:
            which = f"image {spec.selector} of " if spec.selector else ""
            self._progress.note(f"Source: {which}the {_shown_kind(spec)} {spec.here}")
        if spec.kind == "registry":
            return [self._pulled(spec, platform, packed, several)]
        return candidates(self.files(spec), self._staging, platform, packed, several)

    def chosen(self, spec: SourceSpec, platform: Platform | None) -> Candidate:
        """Return the one image of a source that is meant.

        Raises:
            SourceError: The source is missing or damaged, has none or several that could be
                meant, or its name pins a digest that it does not have.
        """
        found = select(self.images(spec, platform), spec.selector, spec.label, platform)
        # what a container tool has is compared while it is read
        return found if spec.kind == "local" else agreed(found, spec.label)

    def files(self, spec: SourceSpec) -> Files:
        """Return the files of an archive or layout; those of a stream are staged."""
        if spec.kind == "stdin":
            from dockless.sources.ahead import read_to_the_end  # noqa: PLC0415 - for streams only

            return self._streamed(lambda: read_to_the_end(self._stdin()), spec.label, "packed")
        with _reading(spec.path), whole_archive(spec.path):
            if spec.path.name.endswith(PARTS_ENDING):
                return self._joined(spec)
            if spec.kind == "layout":
                from dockless.sources.dir_transport import folder_files  # noqa: PLC0415 - for folders only

                return folder_files(spec.path, spec.label, self._progress, self._offer)
            file = partial(SourceFile, spec.path)
            if spec.path.is_file() and _is_plain(spec.path):
                return self._plain(file, spec.label)
            layers: Layers = "guessed" if spec.path.is_file() else "packed"
            return self._streamed(file, spec.label, layers)

    def kept(self, spec: SourceSpec) -> SourceSpec:
        """Return a source that can be read more than once: a stream is read into a file."""
        if spec.kind == "stdin":
            from dockless.sources.ahead import read_to_the_end  # noqa: PLC0415 - for streams only

            opener: OpenStream = partial(read_to_the_end, self._stdin())
        elif spec.kind == "archive" and spec.path.is_fifo():
            opener = partial(SourceFile, spec.path)
        else:
            return spec
        task = self._progress.start(f"reading {spec.label}", None)
        try:
            with opener() as stream:
                path = self._staging.spool(stream)
        finally:
            task.finish()
        return SourceSpec(kind="archive", path=path, name=spec.label)

    def _typed(self, spec: SourceSpec, platform: Platform | None) -> Candidate:
        try:
            return self.local((spec.name,), platform, spec.tool, typed=True)
        except SourceError as error:
            if not spec.here:
                raise
            if known := _other_kind(spec):
                if spec.path.suffix or spec.path.is_dir():  # else it may be meant as a name
                    raise known from None
                raise SourceError(f"{known.what} {error.what}", known.remedy) from None
            raise error.with_context(
                f"{spec.here} is neither an image archive nor an OCI layout. {error.what}",
                f"Give an archive of 'docker save', 'podman save' or skopeo. {error.remedy}",
            ) from None

    def _pulled(
        self,
        spec: SourceSpec,
        platform: Platform | None,
        packed: type[PackedImage],
        several: tuple[Platform, ...],
    ) -> Candidate:
        try:
            reference = with_tag(Reference.parse(spec.name))
        except ValueError as error:
            raise UsageError(
                f"docker://{spec.name} is not an image name: {error}.",
                "Write it as docker://HOST/NAME:TAG. Several tags are chosen by a list of `skopeo "
                "sync` for `dockless mirror`, see docs/mirror.md.",
            ) from None
        from dockless.sources.directory import Pulled  # noqa: PLC0415 - for registries only

        pull = partial(self._pull, reference)
        files = Pulled(pull, str(reference), self._progress, self._offer)
        (found,) = candidates(files, self._staging, platform, packed, several)
        return replace(found, names=(str(reference),))

    def _offer(self, blob: Descriptor, path: Path) -> None:
        self._staging.on_layer(blob, path)

    def _streamed(self, opener: "OpenStream", label: str, layers: "Layers" = "guessed") -> Files:
        from dockless.sources.streams import read_stream  # noqa: PLC0415 - most are plain files

        return read_stream(opener, label, self._staging, self._progress, layers)

    def _plain(self, opened: Callable[[], IO[bytes]], label: str) -> Files:
        from dockless.sources.tarball import PlainTar  # noqa: PLC0415 - for plain archives only

        return PlainTar(opened, label, self._staging, self._progress)

    def _joined(self, spec: SourceSpec) -> Files:
        from dockless.sources.parts import joined, problems, read_parts  # noqa: PLC0415 - parts only

        parts = read_parts(spec.path)
        try:
            return self._plain(partial(joined, parts), spec.label)
        except SourceError:
            for problem in problems(parts):  # says which of them it is
                raise problem from None
            raise


def _shown_kind(spec: SourceSpec) -> str:
    """Return what a path is, for messages, before it is read."""
    return spec.kind if spec.kind != "layout" or is_layout(spec.path) else "folder"


def _other_kind(spec: SourceSpec) -> SourceError | None:
    """Return what the file of an image's name is that is no archive, where it is known."""
    from dockless.sources.not_images import empty, recipe, refused_kind  # noqa: PLC0415 - rare

    if error := recipe(spec.here, spec.path):
        return error
    try:
        with SourceFile(spec.path) as file:
            head = file.read(_HEAD)
            return refused_kind(spec.here, head) if head else empty(spec.here)
    except (SourceError, OSError):
        return None


def _is_plain(path: Path) -> bool:
    with SourceFile(path) as file:
        return sniff(file.read(MAGIC_BYTES)) == "none"


@contextlib.contextmanager
def _output(programs: Programs, argv: tuple[str, ...], label: str) -> Iterator[ReadableStream]:
    from dockless.sources.ahead import read_to_the_end  # noqa: PLC0415 - for streams only

    with programs.stream(argv) as running:
        with read_to_the_end(running.stdout) as stream:
            yield stream
        done = running.finish()
    if done.code:
        raise SourceError(f"{label} cannot be read there: {bounded(done.stderr)}")


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError:
        raise SourceError(f"This user has no permission to read {path}.") from None
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from None
