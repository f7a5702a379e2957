"""docker, podman, nerdctl and buildah: which images they have, and each as a stream."""

import contextlib
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dockless.errors import EngineError, SourceError
from dockless.model.printable import bounded
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference
from dockless.oci.untrusted_json import parse_as
from dockless.processes.programs import Programs
from dockless.sources.ahead import read_to_the_end
from dockless.sources.archive import with_tag
from dockless.storage.blocks import ReadableStream

ANSWER_SECONDS = 30


class LocalImage(Struct, frozen=True, kw_only=True):
    """An image that a container tool has.

    Attributes:
        tool: Which tool.
        name: The name that it was found under.
        image_id: The digest that the tool knows it by: of its config as a rule, of its manifest or
            index where the tool's store is containerd's.
        as_stored: Whether it is known to be the latter. What `save` writes then is what the store
            has, byte for byte.
    """

    tool: str
    name: str
    image_id: Digest
    as_stored: bool = False


class _Root(Struct, frozen=True):
    """The descriptor of an image's manifest or index."""

    digest: str = ""


class Inspected(Struct, frozen=True, kw_only=True, rename="pascal"):
    """An image as `image inspect` and Docker's API describe it, as far as it matters here.

    Attributes:
        id: Its ID, with or without the algorithm.
        descriptor: Its manifest or index; a client of Docker older than 28 leaves it out.
        repo_tags: Its names with a tag; Go writes an empty list as null.
        repo_digests: Its names with a digest.
    """

    id: str
    descriptor: _Root | None = None
    repo_tags: tuple[str, ...] | None = None
    repo_digests: tuple[str, ...] | None = None

    @property
    def digests(self) -> list[Digest]:
        """The digests in its names."""
        found = []
        for name in self.repo_digests or ():
            with contextlib.suppress(ValueError):  # Docker knows `<none>@<none>`
                found.append(Digest.parse(name.rpartition("@")[2]))
        return found

    @property
    def names(self) -> list[str]:
        """Every name, with a tag or a digest."""
        return [*(self.repo_tags or ()), *(self.repo_digests or ())]


class ContainerTool:
    """One of the tools, as it is on some machine.

    Attributes:
        name: The program: `docker` or `podman`.
    """

    def __init__(self, name: str, programs: Programs) -> None:
        self.name = name
        self._programs = programs

    def available(self) -> bool:
        """Whether the tool is on PATH."""
        return self._programs.has(self.name)

    def find(self, names: Sequence[str]) -> LocalImage | None:
        """Return the first of the named images that the tool has.

        Raises:
            EngineError: The tool cannot tell, such as docker without its daemon.
        """
        argv = (self.name, "image", "inspect", *names)
        done = self._programs.run(argv, timeout=ANSWER_SECONDS)
        try:
            images = parse_as(done.stdout or b"[]", list[Inspected])
            found = [(self.identity(image), image.names) for image in images]
        except ValueError:
            raise EngineError(f"{self.name} image inspect printed unexpected output.") from None
        if done.code and not found and not _means_absent(done.stderr):
            raise EngineError(f"{self.name} does not respond: {_why(self.name, done.stderr)}")
        for name in names:
            for (image_id, as_stored), called in found:
                # podman finds an image of any registry by the end of its name
                if is_called(name, image_id, called):
                    return LocalImage(
                        tool=self.name, name=name, image_id=image_id, as_stored=as_stored
                    )
        return None

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


class Nerdctl(ContainerTool):
    """nerdctl, which inspects by the config's digest, and saves by the manifest's or index's only.

    That is what `pkg/inspecttypes/dockercompat` and `pkg/idutil/imagewalker` of its source do.
    """

    def identity(self, inspected: Inspected) -> tuple[Digest, bool]:
        """Return the digest of the image's manifest or index, by which it can be saved."""
        return next(((each, True) for each in inspected.digests), super().identity(inspected))


class Buildah(ContainerTool):
    """buildah, which has no `save`: it pushes to its own stdout instead."""

    def find(self, names: Sequence[str]) -> LocalImage | None:
        """Return the first of the named images that buildah has."""
        # inspect finds an image of any registry by the end of its name, and tells one name only
        shown = "{{.ID}} {{.Name}}:{{.Tag}} {{.Name}}@{{.Digest}}"
        argv = (self.name, "images", "--noheading", "--no-trunc", "--format", shown)
        done = self._programs.run(argv, timeout=ANSWER_SECONDS)
        images: list[tuple[Digest, list[str]]] = []
        for line in done.stdout.decode(errors="replace").splitlines():
            with contextlib.suppress(ValueError, IndexError):  # not such a line
                image_id, *called = line.split()
                images.append((image_digest(image_id), called))
        for name in names:
            ids = [each for each, called in images if is_named(name, called)]
            ids = ids or list({each for each, _ in images if has_id(name, each)})
            if len(set(ids)) > 1:
                raise EngineError(f"{self.name} has several images that {name} may mean.")
            if ids:
                return LocalImage(tool=self.name, name=name, image_id=ids[0])
        return None

    def names(self) -> list[str]:
        """Return the names of the images that buildah has."""
        return self._listed("images", "--noheading", "--format", "{{.Name}}:{{.Tag}}")

    def save_argv(self, image: LocalImage) -> tuple[str, ...]:
        """Return what writes the image as a docker-archive to its stdout."""
        return (self.name, "push", "--quiet", image.image_id.hex, "docker-archive:/dev/stdout")


def container_tools(programs: Programs) -> tuple[ContainerTool, ...]:
    """Return every tool that may have images there, in the order in which they are asked."""
    docker, podman = (ContainerTool(name, programs) for name in ("docker", "podman"))
    return (docker, podman, Nerdctl("nerdctl", programs), Buildah("buildah", programs))


def save_failed(tool: str, image: LocalImage, stderr: str) -> SourceError:
    """Return the error for an image that its tool does not write to the end."""
    return SourceError(f"'{tool} save' of {image.name} failed: {_last_line(stderr)}")


def is_called(wanted: str, image_id: Digest, called: Sequence[str]) -> bool:
    """Whether an image that a tool found has this name, or this as its ID or the ID's beginning.

    Args:
        wanted: What was asked for.
        image_id: Its ID.
        called: Its names, with a tag or a digest.
    """
    return has_id(wanted, image_id) or is_named(wanted, called)


def has_id(wanted: str, image_id: Digest) -> bool:
    """Whether this is the ID of an image, or how the ID begins."""
    bare = wanted.removeprefix("sha256:")
    return bool(bare) and image_id.hex.startswith(bare)


def is_named(wanted: str, called: Sequence[str]) -> bool:
    """Whether this is one of an image's names, each with a tag or a digest."""
    # podman keeps what has no registry under localhost/
    meant = _tagged(wanted) | _tagged(f"localhost/{wanted}")
    return any(_tagged(name) & meant for name in called)


def _tagged(name: str) -> set[Reference]:
    """Return the reference of a name; None if it is not a reference."""
    try:
        reference = Reference.parse(name)
        # the names with a digest, by which tools call an image, have no tag
        return {replace(reference, tag="") if reference.digest else with_tag(reference)}
    except ValueError:
        return set()


def image_digest(text: str) -> Digest:
    """Return the digest that an image ID is, with its algorithm or without."""
    return Digest.parse(text if ":" in text else f"sha256:{text}")


def _means_absent(stderr: str) -> bool:
    said = stderr.lower()
    return any(word in said for word in ("no such image", "not known", "not found", "no image"))


def _why(tool: str, stderr: str) -> str:
    if "permission denied" in stderr.lower():
        return (
            f"this account has no permission to use {tool}. Add it to the group `{tool}`, or use "
            "a rootless one."
        )
    return _last_line(stderr)


def _last_line(text: str) -> str:
    return bounded(text.splitlines()[-1].strip()) if text else "no reason given."
