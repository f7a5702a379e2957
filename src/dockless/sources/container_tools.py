"""Container tools: which images they have, and each as a stream."""

import contextlib
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from dockless.errors import EngineError, SourceError
from dockless.model.printable import bounded
from dockless.oci.digest import Digest
from dockless.oci.untrusted_json import parse_as
from dockless.processes.programs import Programs
from dockless.sources.ahead import read_to_the_end
from dockless.sources.local_images import (
    Inspected,
    LocalImage,
    image_digest,
    is_named,
    tagged_name,
    the_one_id,
)
from dockless.storage.blocks import ReadableStream

ANSWER_SECONDS = 30

_WHOLE_ID = 64
_ABSENT = ("no such image", "no such object", "image not known", "no image found")
"""What tools say of an image that they do not have: `not found` alone may be of a program or a
context that they need."""


class ContainerTool:
    """One of the tools, as it is on some machine.

    Attributes:
        name: The program: `docker` or `podman`.
        is_meant: Whether a warning says why it does not respond: not where it is only installed,
            and nothing selects its daemon.
        has_store: Whether its images are the account's own files, not a daemon's.
    """

    is_meant = True
    has_store = False

    def __init__(self, name: str, programs: Programs) -> None:
        self.name = name
        self._programs = programs

    def available(self) -> bool:
        """Whether the tool is on PATH."""
        return self._programs.has(self.name)

    def find(self, names: Sequence[str]) -> LocalImage | None:
        """Return the first of the named images that the tool has; no name is taken for an ID.

        Raises:
            EngineError: The tool cannot tell, such as docker without its daemon.
        """
        # with its tag no tool takes a name for the beginning of an ID
        images, said = self._inspected([tagged_name(name) for name in names])
        found = {name: each for name in names for each in images if is_named(name, each.names)}
        others = len(images) > len(found) or "no image found in" in said
        for name in names:
            # podman finds an image of any registry by the end of its name
            if name in found:
                return self._local(name, found[name])
            if others and (listed := self._listed_image(name)):
                return listed
        return None

    def find_id(self, digits: str) -> LocalImage | None:
        """Return the image with this ID.

        Args:
            digits: The ID in hexadecimal, or how it begins.

        Raises:
            EngineError: The tool cannot tell.
            SourceError: Several of its IDs begin so.
        """
        whole = digits if len(digits) == _WHOLE_ID else the_one_id(self.name, digits, self._ids())
        if not whole:
            return None
        for each in self._inspected([f"sha256:{whole}"])[0]:
            known_as = {image_digest(each.id), self.identity(each)[0]}
            if any(known.hex == whole for known in known_as):
                return replace(self._local(f"sha256:{whole}", each), by_id=True)
        return None

    def _inspected(self, names: Sequence[str]) -> tuple[list[Inspected], str]:
        """Return the images of these names that there are, and what is said of the others."""
        argv = (self.name, "image", "inspect", *names)
        done = self._programs.run(argv, timeout=ANSWER_SECONDS)
        try:
            images = parse_as(done.stdout or b"[]", list[Inspected])
            for image in images:
                self.identity(image)
        except ValueError:
            raise EngineError(f"{self.name} image inspect printed unexpected output.") from None
        if done.code and not images and not _means_absent(done.stderr):
            raise EngineError(f"{self.name} does not respond: {_why(self.name, done.stderr)}")
        return images, done.stderr.lower()

    def _local(self, name: str, inspected: Inspected) -> LocalImage:
        image_id, as_stored = self.identity(inspected)
        called = tuple(inspected.names)
        return LocalImage(
            tool=self.name,
            name=name,
            image_id=image_id,
            as_stored=as_stored,
            called=called,
            size=inspected.size,
        )

    def _listed_image(self, name: str) -> LocalImage | None:
        """Return the list of images of this name, of a tool that inspects one of its images."""
        del name
        return None

    def _ids(self) -> Iterator[str]:
        """Yield every image's ID in hexadecimal."""
        argv = (self.name, "image", "ls", "--all", "--no-trunc", "--quiet")
        for line in self._told(argv).split():
            yield line.removeprefix("sha256:")

    def _told(self, argv: Sequence[str]) -> str:
        done = self._programs.run(argv, timeout=ANSWER_SECONDS)
        if done.code:
            raise EngineError(f"{self.name} does not respond: {_why(self.name, done.stderr)}")
        return done.stdout.decode(errors="replace")

    def identity(self, inspected: Inspected) -> tuple[Digest, bool]:
        """Return the ID of an image that was inspected, and whether it is known to be as stored.

        Raises:
            ValueError: Its ID is not a digest.
        """
        image_id = image_digest(inspected.id)
        root = inspected.descriptor.digest if inspected.descriptor else ""
        return image_id, str(image_id) == root or image_id in inspected.digests

    def names(self) -> list[str]:
        """Return the names of the images that the tool has."""
        return self._listed("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")

    def _listed(self, *arguments: str) -> list[str]:
        done = self._programs.run((self.name, *arguments), timeout=ANSWER_SECONDS)
        listed = done.stdout.decode(errors="replace").split()
        return [name for name in listed if "<none>" not in name]

    @contextlib.contextmanager
    def save(self, image: LocalImage) -> Iterator[ReadableStream]:
        """Yield the image as the stream that `save` writes.

        Raises:
            SourceError: The tool failed on the way.
        """
        with self._programs.stream(self.save_argv(image)) as running:
            try:
                with read_to_the_end(running.stdout) as stream:
                    yield stream
            except SourceError:
                done = running.finish()
                if done.code > 0:
                    raise save_failed(self.name, image, done.stderr) from None
                raise
            done = running.finish()
            if done.code:
                raise save_failed(self.name, image, done.stderr)

    def save_argv(self, image: LocalImage) -> tuple[str, ...]:
        """Return what writes the image as a docker-archive to its stdout."""
        # by ID: the name may have moved to another image since it was looked up; with its
        # algorithm, without which Docker with containerd's store takes it for a name
        return (self.name, "save", str(image.image_id))


def save_failed(tool: str, image: LocalImage, stderr: str) -> SourceError:
    """Return the error for an image that its tool does not write to the end."""
    return SourceError(f"'{tool} save' of {image.name} failed: {_last_line(stderr)}")


def _means_absent(stderr: str) -> bool:
    said = stderr.lower()
    return any(word in said for word in _ABSENT)


def _why(tool: str, stderr: str) -> str:
    if "permission denied" in stderr.lower():
        return (
            f"this account has no permission to use {tool}. Add it to the group `{tool}`, or use "
            "a rootless one."
        )
    return _last_line(stderr)


def _last_line(text: str) -> str:
    last = bounded(text.splitlines()[-1].strip()) if text else "no reason given"
    return last if last.endswith((".", "!", "?")) else f"{last}."
