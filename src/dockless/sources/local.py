"""An image that a container tool has: saved on a pipe, and only if it is not known already."""

import contextlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from dockless.errors import EngineError, LostCopyError, SourceError
from dockless.model.counts import listed
from dockless.model.pins import refuse_wrong_pins
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, parse_config
from dockless.oci.platform import Platform
from dockless.oci.reference import REGISTRY, Name
from dockless.ports import Image, Progress
from dockless.sources.archive import candidates, select
from dockless.sources.container_tools import ContainerTool
from dockless.sources.docker_archive import (
    assemble,
    known_layers,
    staged_paths,
)
from dockless.sources.files import Files
from dockless.sources.local_images import LocalImage, the_one_id
from dockless.sources.source_names import id_digits, is_surely_id
from dockless.sources.stored_image import StoredImage, remembered, stored_root
from dockless.storage.staging import Staging


class ToolImage:
    """An image of docker, podman or nerdctl."""

    def __init__(
        self,
        tool: ContainerTool,
        found: LocalImage,
        staging: Staging,
        progress: Progress,
        platform: Platform | None,
    ) -> None:
        self._tool = tool
        self._found = found
        self._staging = staging
        self._progress = progress
        self._platform = platform
        self._content: Content | None = None
        self._saved: Image | None = None
        self._digest_is_new = not found.as_stored
        self._is_as_stored = False

    @property
    def digest_is_new(self) -> bool:
        """Whether its manifest is made here."""
        return self._saved.digest_is_new if self._saved else self._digest_is_new

    @property
    def known_digest(self) -> Digest | None:
        """Its digest, where its tool's store is containerd's and it was not saved before."""
        if not self._found.as_stored or self._platform or self._content or self._remembered():
            return None
        return self._found.image_id

    def content(self) -> Content:
        """Return the image as it will be pushed; one that was seen before is not saved again."""
        if self._content is None:
            content = self._remembered() or self._save().content()
            if not self._is_as_stored:  # whose digest, the ID, was compared when it was found
                agreed(self._found, content.root.digest)
            self._content = content
        return self._content

    def paths(self, digests: Collection[Digest]) -> Mapping[Digest, Path]:
        """Return a file for each of these blobs."""
        staged = staged_paths(self.content(), digests, self._staging)
        if len(staged) == len(set(digests)):
            return staged
        try:
            return self._save().paths(digests)
        except LostCopyError:
            self._content = self._saved = None
            raise

    def _remembered(self) -> Content | None:
        data = self._staging.read(self._found.image_id)
        if data is None:
            return None
        try:
            config = parse_config(data)
        except ValueError:
            self._digest_is_new = False
            self._is_as_stored = True
            return remembered(self._found.image_id, self._staging, self._platform)
        known = known_layers(config, self._staging)
        if not all(diff_id in known for diff_id in config.diff_ids):
            return None
        if self._platform and not config.platform.serves(self._platform):
            return None
        layers = tuple(known[diff_id] for diff_id in config.diff_ids)
        return assemble(data, layers, self._staging)

    def _save(self) -> Image:
        if self._saved is None:
            from dockless.sources.streams import read_stream  # noqa: PLC0415 - most are known already

            label = f"{self._tool.name} image {self._found.name}"
            files = read_stream(
                lambda: self._tool.save(self._found),
                label,
                self._staging,
                self._progress,
                layers="kept" if self._found.as_stored or self._found.is_list else "guessed",
            )
            root = stored_root(files, self._found.image_id)
            self._is_as_stored = root is not None
            if root:
                self._saved = self._as_stored(files, root)
                return self._saved
            found = candidates(files, self._staging, self._platform)
            chosen = select(found, "", label, self._platform)
            self._saved = chosen.open()
            saved = self._saved.content()
            known_as = {saved.image_id, saved.root.digest, *saved.documents}
            known = self._found.image_id in known_as or self._found.is_list
            if not known and not self._platform:
                self._progress.note(
                    f"{label} has the ID {saved.image_id} after saving, not "
                    f"{self._found.image_id}: {self._tool.name} rewrote its config."
                )
        return self._saved

    def _as_stored(self, files: Files, root: Descriptor) -> Image:
        image = StoredImage(files, self._found, root, self._platform)
        image.remember(self._staging)
        if image.has_plain_layers:
            self._progress.note(
                f"{self._tool.name} has uncompressed layers of {self._found.name}; they are "
                "pushed as they are, so that the digest is kept."
            )
        return image


def agreed(found: LocalImage, digest: Digest) -> None:
    """Raise WrongPinError where the name that was asked for pins another digest.

    Docker's classic store, podman and buildah know by which digest they pulled an image, but keep
    its layers uncompressed, so that its manifest cannot be had from them.

    Args:
        found: The image, with the name that it was found under.
        digest: That of its manifest or index, as it is pushed.
    """
    name = found.name
    remedy = (
        f"To push the image with the digest in its name, copy it from its registry with {REGISTRY}"
        f"{name}. To push what {found.tool} has, give its ID, {found.image_id}."
    )
    refuse_wrong_pins((name,), digest, found.tool, remedy)


_MOST_LISTED = 10
_log = logging.getLogger("dockless.programs")


def find_local(
    names: tuple[str, ...],
    tools: tuple[ContainerTool, ...],
    warn: Callable[[str], None],
    *,
    typed: bool = False,
    there: bool = False,
) -> tuple[ContainerTool, LocalImage]:
    """Return the first of the named images that any of the tools has.

    The order of names takes precedence over that of tools: another tool is asked as long as
    it may have an image of a better name.

    Args:
        names: What to look for, in order.
        tools: The tools, in the order in which they are asked.
        warn: Called with a sentence where a tool that should have been asked did not respond, and
            the image of another one is taken.
        typed: Whether the only name is what the user typed as the source, and may be an ID where
            no image has this name.
        there: Whether they are those of another host.

    Raises:
        SourceError: None has any; the error lists what was searched for, and what exists. Or what
            was typed is the beginning of several IDs, or pins another digest than the image has.
    """
    present = [tool for tool in tools if tool.available()]
    asked = _AskedTools(present)
    digits = id_digits(names[0]) if typed else ""
    best = None if digits and is_surely_id(names[0]) else asked.named(names)
    if best is None and digits:
        best = asked.with_id(digits)
    if best:
        if best[1].as_stored:
            agreed(best[1], best[1].image_id)
        for name, why in asked.silent.items():
            _log.debug(why)
            meant = any(tool.name == name and tool.is_meant for tool in present)
            said = why if meant else f"{name} does not respond."
            warn(f"{said} The image of {best[0].name} is taken: {best[1].shown}.")
        return best
    raise _absent(names, asked, tools, _remedy(names[0], typed=typed, there=there), there=there)


def _absent(
    names: tuple[str, ...],
    asked: "_AskedTools",
    known: Sequence[ContainerTool],
    remedy: str,
    *,
    there: bool,
) -> SourceError:
    """Return the error for an image that no tool has; where none responds, nobody knows that."""
    silent = asked.silent
    if there and any("no permission" in why for why in silent.values()):
        remedy = f"Where a tool there needs root, use --sudo. {remedy}"
    if silent and len(silent) == len(asked.tools):
        if len(known) == 1 and "docker" in silent:
            remedy = f"name podman's image with containers-storage:{names[0]}."
            return SourceError(silent["docker"], f"Start it, or {remedy}")
        return SourceError(" ".join(silent.values()), f"Correct that first. {remedy}")
    what = f"{'The host has no' if there else 'There is no local'} image {listed(names, 'or')}."
    said = [_listed([tool for tool in asked.tools if tool.name not in silent]), remedy]
    if not asked.tools:
        said = [f"None of {', '.join(tool.name for tool in known)} is on PATH.", remedy]
    if silent:  # last, and short: as a rule it is one that nobody uses here
        check = "dockless hosts --check" if there else "dockless doctor"
        respond = "does not respond" if len(silent) == 1 else "do not respond"
        said.append(f"{listed([*silent], 'and')} {respond}; `{check}` says why.")
    return SourceError(what, " ".join(said))


def _remedy(name: str, *, typed: bool, there: bool) -> str:
    """Return what to do where a tool has no image of a name, which may be one of a registry."""
    if there:
        return "Check the name, and name the image there with --source."
    if not typed:
        return "Check the name, or build the image with `dockless push --build`."
    with contextlib.suppress(ValueError):
        if Name.parse(name).host not in ("", "localhost"):
            return f"Check the name; the image of that registry is {REGISTRY}{name}."
    return f"Check the name; an image of a registry is {REGISTRY}HOST/NAME:TAG."


class _AskedTools:
    """Tools that are asked for an image.

    Attributes:
        tools: Those that are here.
        silent: Why a tool cannot tell, by its name.
    """

    def __init__(self, tools: Sequence[ContainerTool]) -> None:
        self.silent: dict[str, str] = {}
        self.tools = tools

    def named(self, names: tuple[str, ...]) -> tuple[ContainerTool, LocalImage] | None:
        """Return the image with the best of these names."""
        best: tuple[ContainerTool, LocalImage] | None = None
        better = names
        for tool in self.tools:
            with self._answering(tool):
                if found := tool.find(better):
                    best, better = (tool, found), names[: names.index(found.name)]
            if not better:
                break
        return best

    def with_id(self, digits: str) -> tuple[ContainerTool, LocalImage] | None:
        """Return the image with this ID, or whose ID begins so.

        Raises:
            SourceError: There are several.
        """
        best: tuple[ContainerTool, LocalImage] | None = None
        for tool in self.tools:
            if tool.name in self.silent:
                continue
            with self._answering(tool):
                found = tool.find_id(digits)
                if best and found:
                    the_one_id("these tools", digits, (best[1].image_id.hex, found.image_id.hex))
                elif found:
                    best = (tool, found)
            if best and best[1].image_id.hex == digits:
                break
        return best

    @contextlib.contextmanager
    def _answering(self, tool: ContainerTool) -> Iterator[None]:
        try:
            yield
        except EngineError as error:
            self.silent[tool.name] = error.what


def _listed(tools: Sequence[ContainerTool]) -> str:
    """Return which images there are, those of tools with one store once."""
    stores: dict[frozenset[str], tuple[str, list[str]]] = {}
    for tool in tools:
        images = tool.names()
        shown = ", ".join(images[:_MOST_LISTED])
        stores.setdefault(frozenset(images), (shown, []))[1].append(tool.name)
    some = [each for images, each in stores.items() if images] or [*stores.values()]
    return f"{'; '.join(_having(names, shown) for shown, names in some)}."


def _having(tools: Sequence[str], images: str) -> str:
    has = "has" if len(tools) == 1 else "have"
    return f"{listed(tools, 'and')} {has}{f': {images}' if images else ' no images'}"
