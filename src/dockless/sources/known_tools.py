"""podman, nerdctl and buildah as far as they differ from docker, and the order of all."""

import contextlib
from collections.abc import Sequence

from msgspec.structs import replace

from dockless.errors import EngineError
from dockless.oci.digest import Digest
from dockless.processes.programs import Programs
from dockless.sources.container_tools import ANSWER_SECONDS, ContainerTool
from dockless.sources.local_images import (
    Inspected,
    LocalImage,
    image_digest,
    is_named,
    the_one_id,
)

_SAVE_LIST = """\
folder=$(mktemp -d) || exit
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
"$0" manifest push --quiet --all "$1" "oci-archive:$folder/list.tar" >&2 || exit
exec 3<"$folder/list.tar"
rm -rf "$folder"
cat <&3
"""
"""Neither tool writes a list to a pipe. The file is removed before it is read, so that nothing
stays of it, however this ends."""


class _WithLists(ContainerTool):
    """A tool that keeps lists of images, which it has no stream for: they go through a file."""

    has_store = True

    def save_argv(self, image: LocalImage) -> tuple[str, ...]:
        """Return what writes the image, or all images of a list, as an archive to its stdout."""
        if image.is_list:
            return ("sh", "-c", _SAVE_LIST, self.name, image.called[0])
        return super().save_argv(image)

    def _is_list(self, name: str) -> bool:
        argv = (self.name, "manifest", "exists", name)
        return not self._programs.run(argv, timeout=ANSWER_SECONDS).code


class Podman(_WithLists):
    """podman, which inspects and saves one image of a list as if it were the list."""

    def _listed_image(self, name: str) -> LocalImage | None:
        shown = "{{.Digest}} {{.Repository}}:{{.Tag}}"
        argv = (self.name, "image", "ls", "--no-trunc", "--format", shown)
        for line in self._told(argv).splitlines():
            digest, _, called = line.partition(" ")
            if is_named(name, (called,)) and self._is_list(called):
                with contextlib.suppress(ValueError):  # not such a line
                    return LocalImage(
                        tool=self.name,
                        name=name,
                        image_id=Digest.parse(digest),
                        called=(called,),
                        is_list=True,
                    )
        return None


class Nerdctl(ContainerTool):
    """nerdctl, which inspects by the config's digest, and saves by the manifest's or index's only.

    That is what `pkg/inspecttypes/dockercompat` and `pkg/idutil/imagewalker` of its source do.
    """

    def identity(self, inspected: Inspected) -> tuple[Digest, bool]:
        """Return the digest of the image's manifest or index, by which it can be saved."""
        return next(((each, True) for each in inspected.digests), super().identity(inspected))


class Buildah(_WithLists):
    """buildah, which has no `save`: it pushes to its own stdout instead."""

    def find(self, names: Sequence[str]) -> LocalImage | None:
        """Return the first of the named images that buildah has.

        Raises:
            EngineError: It cannot tell, or has several images of one name.
        """
        images = self._images()
        for name in names:
            ids = {each: called for each, called in images.items() if is_named(name, called)}
            if len(ids) > 1:
                raise EngineError(f"{self.name} has several images that {name} may mean.")
            for image_id, called in ids.items():
                return self._found(name, image_id, called)
        return None

    def find_id(self, digits: str) -> LocalImage | None:
        """Return the image with this ID, or whose ID begins so."""
        images = self._images()
        whole = the_one_id(self.name, digits, (each.hex for each in images))
        if not whole:
            return None
        image_id = image_digest(whole)
        return replace(self._found(str(image_id), image_id, images[image_id]), by_id=True)

    def _images(self) -> dict[Digest, list[str]]:
        """Return the names of each image by its ID."""
        # inspect finds an image of any registry by the end of its name, and tells one name only
        shown = "{{.ID}} {{.Name}}:{{.Tag}} {{.Name}}@{{.Digest}}"
        argv = (self.name, "images", "--noheading", "--no-trunc", "--format", shown)
        images: dict[Digest, list[str]] = {}
        for line in self._told(argv).splitlines():
            with contextlib.suppress(ValueError, IndexError):  # not such a line
                image_id, *called = line.split()
                images.setdefault(image_digest(image_id), []).extend(called)
        return images

    def _found(self, name: str, image_id: Digest, called: Sequence[str]) -> LocalImage:
        found = LocalImage(tool=self.name, name=name, image_id=image_id, called=tuple(called))
        own = next((each for each in called if "@" not in each and "<none>" not in each), "")
        if not own or not self._is_list(own):
            return found
        # a list's ID stays when the list changes
        digests = [each.rpartition("@")[2] for each in called if "@" in each]
        return replace(found, image_id=Digest.parse(digests[0]), called=(own,), is_list=True)

    def names(self) -> list[str]:
        """Return the names of the images that buildah has."""
        return self._listed("images", "--noheading", "--format", "{{.Name}}:{{.Tag}}")

    def save_argv(self, image: LocalImage) -> tuple[str, ...]:
        """Return what writes the image as a docker-archive to its stdout."""
        if image.is_list:
            return super().save_argv(image)
        return (self.name, "push", "--quiet", image.image_id.hex, "docker-archive:/dev/stdout")


class Storeless(ContainerTool):
    """A tool whose account has no store, and so no images: it would make one to say so."""

    def find(self, names: Sequence[str]) -> None:
        """Return None."""

    def find_id(self, digits: str) -> None:
        """Return None."""

    def names(self) -> list[str]:
        """Return no name."""
        return []


def container_tools(programs: Programs) -> tuple[ContainerTool, ...]:
    """Return every tool that may have images there, in the order in which they are asked."""
    return (
        ContainerTool("docker", programs),
        Podman("podman", programs),
        Nerdctl("nerdctl", programs),
        Buildah("buildah", programs),
    )
