"""docker, podman, nerdctl and buildah: which images they have, and each as a stream."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dockless.layout.blocks import Readable
from dockless.model.digest import Digest
from dockless.model.errors import EngineError, SourceError
from dockless.model.reference import Reference
from dockless.processes.programs import Programs
from dockless.sources.ahead import read_to_the_end
from dockless.sources.archive import with_tag

ANSWER_SECONDS = 30


@dataclass(frozen=True, slots=True)
class LocalImage:
    """An image that a container tool has.

    Attributes:
        tool: Which tool.
        name: The name that it was found under.
        image_id: The digest that the tool knows it by: of its config, as a rule.
    """

    tool: str
    name: str
    image_id: Digest


class ContainerTool:
    """One of the tools, as it is on some machine.

    Attributes:
        name: The program: `docker`, `podman` or `nerdctl`.
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
            listed = json.loads(done.stdout or b"[]")
            found = [
                (image_digest(item["Id"]), [str(name) for name in item.get("RepoTags") or ()])
                for item in listed
            ]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise EngineError(f"{self.name} image inspect answered with something else.") from None
        if done.code and not found and not _means_absent(done.stderr):
            raise EngineError(f"{self.name} gives no answer: {_why(self.name, done.stderr)}")
        for name in names:
            for image_id, tags in found:
                if _names(name, image_id, tags):
                    return LocalImage(self.name, name, image_id)
        return LocalImage(self.name, names[0], found[0][0]) if found and len(names) == 1 else None

    def names(self) -> list[str]:
        """Return the names of the images that the tool has."""
        return self._listed("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")

    def _listed(self, *arguments: str) -> list[str]:
        done = self._programs.run((self.name, *arguments), timeout=ANSWER_SECONDS)
        listed = done.stdout.decode(errors="replace").split()
        return [name for name in listed if "<none>" not in name]

    @contextlib.contextmanager
    def save(self, image: LocalImage) -> Iterator[Readable]:
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
        # by ID: the name may have moved to another image since it was looked up
        return (self.name, "save", image.image_id.hex)


class Buildah(ContainerTool):
    """buildah, which has no `save`: it pushes to its own stdout instead."""

    def find(self, names: Sequence[str]) -> LocalImage | None:
        """Return the first of the named images that buildah has."""
        for name in names:
            argv = (self.name, "inspect", "--type", "image", "--format", "{{.FromImageID}}", name)
            done = self._programs.run(argv, timeout=ANSWER_SECONDS)
            if done.code == 0:
                return LocalImage(self.name, name, image_digest(done.stdout.decode().strip()))
        return None

    def names(self) -> list[str]:
        """Return the names of the images that buildah has."""
        return self._listed("images", "--noheading", "--format", "{{.Name}}:{{.Tag}}")

    def save_argv(self, image: LocalImage) -> tuple[str, ...]:
        """Return what writes the image as a docker-archive to its stdout."""
        return (self.name, "push", "--quiet", image.image_id.hex, "docker-archive:/dev/stdout")


def container_tools(programs: Programs) -> tuple[ContainerTool, ...]:
    """Return every tool that may have images there, in the order in which they are asked."""
    tools = (ContainerTool(name, programs) for name in ("docker", "podman", "nerdctl"))
    return (*tools, Buildah("buildah", programs))


def save_failed(tool: str, image: LocalImage, stderr: str) -> SourceError:
    """Return the error for an image that its tool does not write to the end."""
    return SourceError(f"'{tool} save' of {image.name} failed: {_last_line(stderr)}")


def _names(wanted: str, image_id: Digest, tags: Sequence[str]) -> bool:
    bare = wanted.removeprefix("sha256:")
    if len(bare) >= 12 and image_id.hex.startswith(bare):  # noqa: PLR2004 - the usual short ID
        return True
    # podman keeps what has no registry under localhost/
    meant = _tagged(wanted) | _tagged(f"localhost/{wanted}")
    return any(_tagged(tag) & meant for tag in tags)


def _tagged(name: str) -> set[Reference]:
    """Return the reference that a name is, none if it is no reference."""
    try:
        return {with_tag(Reference.parse(name))}
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
            f"this account may not use {tool}. Add it to the group `{tool}`, or use a rootless one."
        )
    return _last_line(stderr)


def _last_line(text: str) -> str:
    return text.splitlines()[-1].strip() if text else "it gave no reason."
