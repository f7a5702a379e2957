import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bed.hostile import LAYER, file, image, tar
from dockless.errors import EngineError, SourceError
from dockless.model.pins import WrongPinError
from dockless.oci.digest import Digest
from dockless.oci.packing import asked
from dockless.oci.platform import Platform
from dockless.processes.programs import ProgramsHere
from dockless.sources.container_tools import ContainerTool
from dockless.sources.local import ToolImage, find_local
from dockless.sources.local_images import LocalImage
from dockless.storage.blob_store import BlobStore
from dockless.storage.blocks import ReadableStream
from dockless.storage.staging import Staging
from fakes.progress import FakeProgress

MEMBERS = image(file("1/layer.tar", LAYER))
IMAGE_ID = Digest.of(MEMBERS[-2][1])


class Tool(ContainerTool):
    """A container tool that has one image, `shop`, and counts how often it saves it."""

    def __init__(
        self, name: str = "docker", *, has: bool = True, here: bool = True, error: str = ""
    ) -> None:
        super().__init__(name, ProgramsHere({}))
        self.saved = 0
        self._has = has
        self._here = here
        self._error = error

    def available(self) -> bool:
        return self._here

    def find(self, names: Sequence[str]) -> LocalImage | None:
        if self._error:
            raise EngineError(self._error)
        return (
            LocalImage(tool=self.name, name="shop", image_id=IMAGE_ID)
            if self._has and "shop" in names
            else None
        )

    def names(self) -> list[str]:
        return ["other:1"]

    @contextlib.contextmanager
    def save(self, image: LocalImage) -> Iterator[ReadableStream]:
        assert image.tool == self.name
        self.saved += 1
        yield io.BytesIO(tar(*MEMBERS))


def tool_image(
    tool: Tool,
    staging: Staging,
    *,
    image_id: Digest = IMAGE_ID,
    platform: str = "",
    name: str = "shop",
    as_stored: bool = False,
) -> tuple[ToolImage, FakeProgress]:
    progress = FakeProgress()
    found = LocalImage(tool=tool.name, name=name, image_id=image_id, as_stored=as_stored)
    wanted = Platform.parse(platform) if platform else None
    return ToolImage(tool, found, staging, progress, wanted), progress


def test_an_image_is_saved_once_for_its_content_and_its_files(staging: Staging) -> None:
    tool = Tool()
    saved, _ = tool_image(tool, staging)
    content = saved.content()
    assert content.image_id == IMAGE_ID
    assert len(saved.paths([blob.digest for blob in content.blobs])) == 2
    assert tool.saved == 1


def test_an_image_that_was_pushed_before_is_not_saved_at_all(
    staging: Staging, store: BlobStore, tmp_path: Path
) -> None:
    with Staging(store, tmp_path / "before", asked("gzip"), 1) as before:
        content = tool_image(Tool(), before)[0].content()
    tool = Tool()
    known, _ = tool_image(tool, staging)
    assert known.content() == content
    assert len(known.paths([blob.digest for blob in content.blobs])) == 2
    assert tool.saved == 0


def test_an_image_whose_layers_were_pruned_is_saved_when_they_are_needed(
    staging: Staging, store: BlobStore, tmp_path: Path
) -> None:
    with Staging(store, tmp_path / "before", asked("gzip"), 1) as before:
        content = tool_image(Tool(), before)[0].content()
    layer = content.blobs[1].digest
    path = store.blob(layer)
    assert path
    path.unlink()
    tool = Tool()
    known, _ = tool_image(tool, staging)
    assert known.content() == content
    assert tool.saved == 0
    assert known.paths([layer])[layer].exists()
    assert tool.saved == 1


def test_a_config_that_the_tool_rewrites_is_remarked_on(staging: Staging) -> None:
    other = Digest.of(b"another")
    saved, progress = tool_image(Tool(), staging, image_id=other)
    saved.content()
    (said,) = progress.notes
    assert said.startswith(f"docker image shop has the ID {IMAGE_ID} after saving, not {other}")


def test_a_platform_that_the_image_is_not_for_is_an_error(staging: Staging) -> None:
    saved, _ = tool_image(Tool(), staging, platform="linux/s390x")
    with pytest.raises(SourceError, match="no image for linux/s390x"):
        saved.content()


PINNED = ["shop:1@{}", "ghcr.io/acme/shop@{}", "localhost:5000/a/b:x@{}"]


@pytest.mark.parametrize("name", PINNED)
@pytest.mark.parametrize("pinned", [Digest.of(b"other"), IMAGE_ID])
def test_a_name_that_pins_another_digest_than_the_image_gets_is_refused(
    staging: Staging, store: BlobStore, tmp_path: Path, name: str, pinned: Digest
) -> None:
    own = tool_image(Tool(), staging)[0].content().root.digest
    for area in (Staging(store, tmp_path / "cold", asked("gzip"), 1), staging):
        with pytest.raises(WrongPinError, match=f"docker has .* whose digest is {own}") as caught:
            tool_image(Tool(), area, name=name.format(pinned))[0].content()
        assert f"docker://{name.format(pinned)}" in caught.value.remedy
        assert str(IMAGE_ID) in caught.value.remedy
    assert tool_image(Tool(), staging, name=name.format(own))[0].content().root.digest == own


@pytest.mark.parametrize("name", PINNED)
def test_an_image_that_is_not_what_its_tool_promised_is_refused_by_its_pin(
    staging: Staging, name: str
) -> None:
    promised = Digest.of(b"promised")
    saved, _ = tool_image(
        Tool(), staging, image_id=promised, name=name.format(promised), as_stored=True
    )
    with pytest.raises(WrongPinError):
        saved.content()


class Stored(Tool):
    """A container tool whose one image has any name, and is kept as it came."""

    def find(self, names: Sequence[str]) -> LocalImage | None:
        return LocalImage(tool=self.name, name=names[0], image_id=IMAGE_ID, as_stored=True)


@pytest.mark.parametrize("name", PINNED)
def test_what_is_kept_as_it_came_is_compared_when_it_is_found(name: str) -> None:
    wrong = name.format(Digest.of(b"other"))
    with pytest.raises(WrongPinError, match=f"docker has an image named {wrong} whose digest"):
        find_local((wrong,), (Stored(),), print)
    assert find_local((name.format(IMAGE_ID),), (Stored(),), print)[1].image_id == IMAGE_ID


def test_the_first_tool_that_has_the_image_is_used() -> None:
    docker, podman = Tool("docker", has=False), Tool("podman")
    assert find_local(("absent", "shop"), (docker, podman), print)[0] is podman


@pytest.mark.parametrize("name", ["docker", "nerdctl", "buildah"])
def test_a_tool_that_cannot_tell_does_not_stop_the_others_and_is_warned_of(name: str) -> None:
    podman = Tool("podman")
    warnings: list[str] = []
    down = Tool(name, error=f"{name} does not respond: It is down.")
    assert find_local(("shop",), (down, podman), warnings.append)[0] is podman
    assert warnings == [f"{name} does not respond: It is down. The image of podman is taken: shop."]


def test_a_tool_that_is_not_needed_is_not_warned_of() -> None:
    warnings: list[str] = []
    tools = (Tool("docker"), Tool("podman", error="It is down."), Tool("nerdctl", here=False))
    find_local(("shop",), tools, warnings.append)
    assert warnings == []


class WithId(Tool):
    """A container tool that has one image, without a name."""

    def __init__(self, name: str, image_id: Digest) -> None:
        super().__init__(name, has=False)
        self._id = image_id
        self.digits: list[str] = []

    def find_id(self, digits: str) -> LocalImage | None:
        self.digits.append(digits)
        if not self._id.hex.startswith(digits):
            return None
        return LocalImage(tool=self.name, name=digits, image_id=self._id, by_id=True)


FULL = Digest.of(b"image")


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        (FULL.hex[:12], FULL.hex[:12]),
        (FULL.hex, FULL.hex),
        (str(FULL), FULL.hex),
        (f"sha256:{FULL.hex[:7]}", FULL.hex[:7]),
    ],
)
def test_what_was_typed_may_be_an_id(typed: str, digits: str) -> None:
    tool = WithId("docker", FULL)
    assert find_local((typed,), (tool,), print, typed=True)[1].image_id == FULL
    assert tool.digits == [digits]


@pytest.mark.parametrize("text", ["a", "fea", FULL.hex[:11], f"{FULL.hex[:12]}:1", "sha256:xyz"])
def test_a_short_word_is_no_id(text: str) -> None:
    tool = WithId("docker", FULL)
    with pytest.raises(SourceError, match="no local image"):
        find_local((text,), (tool,), print, typed=True)
    assert tool.digits == []


@pytest.mark.parametrize("text", [FULL.hex[:12], FULL.hex, str(FULL)])
def test_what_was_not_typed_is_no_id(text: str) -> None:
    tool = WithId("docker", FULL)
    with pytest.raises(SourceError, match="no local image"):
        find_local((text,), (tool,), print)
    assert tool.digits == []


def test_a_name_comes_before_an_id_whichever_tool_has_it() -> None:
    word = FULL.hex[:12]
    tools = (WithId("docker", FULL), Named("podman", word))
    assert find_local((word,), tools, print, typed=True)[0].name == "podman"


def test_an_id_that_means_other_images_of_two_tools_is_an_error() -> None:
    other = Digest.parse(f"sha256:{FULL.hex[:-1]}{'0' if FULL.hex[-1] != '0' else '1'}")
    tools = (WithId("docker", FULL), WithId("podman", other))
    with pytest.raises(SourceError, match="the IDs of 2 images"):
        find_local((FULL.hex[:12],), tools, print, typed=True)
    assert find_local((str(FULL),), tools, print, typed=True)[0].name == "docker"


def test_an_image_that_nobody_has_is_an_error_that_says_who_was_asked_and_what_is_there() -> None:
    tools = (Tool(error="docker is down."), Tool("podman", has=False), Tool("nerdctl", here=False))
    with pytest.raises(SourceError, match="no local image a or b") as caught:
        find_local(("a", "b"), tools, print)
    assert "podman has: other:1." in caught.value.remedy
    assert "nerdctl" not in caught.value.remedy


def test_no_tool_at_all_is_said() -> None:
    with pytest.raises(SourceError, match="None of docker is on PATH"):
        find_local(("shop",), (Tool(here=False),), print)


class Named(Tool):
    """A container tool that has one image, of any name."""

    def __init__(self, tool: str, image: str) -> None:
        super().__init__(tool)
        self._image = image
        self.asked: list[tuple[str, ...]] = []

    def find(self, names: Sequence[str]) -> LocalImage | None:
        self.asked.append(tuple(names))
        return (
            LocalImage(tool=self.name, name=self._image, image_id=IMAGE_ID)
            if self._image in names
            else None
        )


@pytest.mark.parametrize(
    ("docker", "podman", "expected"),
    [
        ("shop:latest", "ghcr.io/a/shop:2", ("podman", "ghcr.io/a/shop:2")),
        ("shop:latest", "shop:2", ("podman", "shop:2")),
        ("shop:2", "shop:2", ("docker", "shop:2")),
        ("shop:2", "shop:latest", ("docker", "shop:2")),
        ("other:1", "shop:latest", ("podman", "shop:latest")),
    ],
)
def test_the_better_name_decides_and_not_the_tool(
    docker: str, podman: str, expected: tuple[str, str]
) -> None:
    names = ("ghcr.io/a/shop:2", "shop:2", "shop:latest")
    tool, found = find_local(names, (Named("docker", docker), Named("podman", podman)), print)
    assert (tool.name, found.name) == expected


def test_where_the_best_name_is_found_no_other_tool_is_asked() -> None:
    other = Named("podman", "shop:1")
    find_local(("shop:1", "shop:2"), (Named("docker", "shop:1"), other), print)
    assert other.asked == []


def test_another_tool_is_asked_for_better_names_only() -> None:
    other = Named("podman", "none:1")
    find_local(("shop:1", "shop:2"), (Named("docker", "shop:2"), other), print)
    assert other.asked == [("shop:1",)]


def test_of_a_silent_tool_that_nothing_selects_no_reason_is_shown() -> None:
    down, warnings = Tool(error="docker does not respond: It is down."), list[str]()
    down.is_meant = False
    assert find_local(("shop",), (down, Tool("podman")), warnings.append)[0].name == "podman"
    assert warnings == ["docker does not respond. The image of podman is taken: shop."]


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        (("podman", "buildah"), "podman and buildah have: other:1."),
        (("docker", "podman", "buildah"), "docker, podman and buildah have: other:1."),
        (("nerdctl",), "nerdctl has: other:1."),
    ],
)
def test_what_tools_share_is_listed_once_and_what_is_silent_comes_last(
    tools: tuple[str, ...], said: str
) -> None:
    down = Tool("quiet", error="quiet does not respond: It is down.")
    with pytest.raises(SourceError, match=r"no local image a, b or c\.") as caught:
        find_local(("a", "b", "c"), (down, *(Tool(name, has=False) for name in tools)), print)
    assert said in caught.value.remedy
    assert caught.value.remedy.index(said) < caught.value.remedy.index("quiet does not respond;")
    assert "It is down" not in str(caught.value)


@pytest.mark.parametrize("name", ["shop:dev", "ghcr.io/acme/shop", "localhost/a:1"])
def test_where_no_tool_responds_no_image_is_said_to_be_absent(name: str) -> None:
    down = Tool(error="docker does not respond: It is down.")
    with pytest.raises(SourceError, match=r"^docker does not respond: It is down") as caught:
        find_local((name,), (down,), print, typed=True)
    assert "no local image" not in str(caught.value)
    assert f"containers-storage:{name}." in caught.value.remedy


def test_what_a_host_lacks_is_not_called_local() -> None:
    with pytest.raises(SourceError, match="The host has no image a") as caught:
        find_local(("a",), (Tool(has=False),), print, there=True)
    assert "--build" not in str(caught.value)


def test_tools_without_any_image_are_listed_only_where_no_tool_has_one() -> None:
    bare = Tool("podman", has=False)
    bare.names = list  # type: ignore[method-assign] # a tool with an empty store
    with pytest.raises(SourceError, match=r"docker has: other:1\. Check") as caught:
        find_local(("a",), (Tool(has=False), bare), print)
    assert "podman" not in caught.value.remedy
    with pytest.raises(SourceError, match="podman has no images"):
        find_local(("a",), (bare,), print)


def test_a_store_that_tools_list_in_another_order_is_listed_once() -> None:
    class Ordered(Tool):
        def __init__(self, name: str, *images: str) -> None:
            super().__init__(name, has=False)
            self._images = images

        def names(self) -> list[str]:
            return list(self._images)

    shared = (Ordered("podman", "a:1", "b:1"), Ordered("buildah", "b:1", "a:1"))
    with pytest.raises(SourceError) as caught:
        find_local(("c",), (*shared, Ordered("nerdctl", "a:1")), print)
    assert "podman and buildah have: a:1, b:1; nerdctl has: a:1." in caught.value.remedy


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("silent", [("podman",), ("docker", "nerdctl")])
def test_what_says_why_a_tool_is_silent_looks_at_its_machine(
    silent: tuple[str, ...], *, there: bool
) -> None:
    tools = (*(Tool(name, error="It is down.") for name in silent), Tool("buildah", has=False))
    with pytest.raises(SourceError) as caught:
        find_local(("shop",), tools, print, there=there)
    said = "`dockless hosts --check` says why" if there else "`dockless doctor` says why"
    assert said in caught.value.remedy
