"""Every container tool's image is pushed by name and by ID, and read back over plain HTTP."""

import contextlib
import gzip
import json
from collections.abc import Callable, Iterator

import pytest

from bed.dockless import Dockless
from bed.images import digest
from bed.pushes import Identity
from matrix.containers import NAME, Source, source
from matrix.reader import Reader, Tree
from matrix.records import RECORD, Record
from matrix.servers import Access, Server
from matrix.versions import Listed, of_kind

TOOLS = of_kind("container")
_GZIP = b"\x1f\x8b"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Listed], Source]]:
    """Return a container tool; each is started once."""
    known: dict[str, Source] = {}
    with contextlib.ExitStack() as stack:

        def start(tool: Listed) -> Source:
            if tool.label not in known:
                folder = tmp_path_factory.mktemp("container")
                known[tool.label] = stack.enter_context(source(tool, folder))
            return known[tool.label]

        yield start


@pytest.mark.parametrize("by", ["name", "ID"])
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.label.replace(" ", "_"))
def test_an_image_of_a_container_tool_is_pushed(
    tool: Listed,
    by: str,
    sources: Callable[[Listed], Source],
    servers: Callable[[Listed, Access], Server],
    only: Callable[..., Dockless],
    request: pytest.FixtureRequest,
) -> None:
    request.node.stash[RECORD] = record = Record(
        kind="container", key=(tool.label, by), passed=False, did=""
    )
    made, server = sources(tool), servers(of_kind("registry")[0], "open")
    newest = {engine.name: engine for engine in of_kind("engine")}
    program = only(*newest.values(), **made.environment)
    for name, path in made.programs.items():
        (program.folder.parent / "bin" / name).symlink_to(path)
    image = NAME if by == "name" else made.image_id.removeprefix("sha256:")[:12]
    repository = f"matrix/{tool.folder}-{'containerd-' if tool.containerd else ''}{by.lower()}"
    result = program.run("push", image, "--image", f"{server.host}/{repository}:latest")
    assert result.code == 0, result.stderr
    tree = Reader(server, repository).whole("latest")
    if made.digest:
        assert tree.root == made.digest
    else:
        assert _identity(tree) == made.identity
    kept = "digest kept" if made.digest else "image ID kept"
    request.node.stash[RECORD] = Record(
        kind=record.kind, key=record.key, passed=True, did=f"pushed, {kept}"
    )


def _identity(tree: Tree) -> Identity:
    manifest = json.loads(tree.contents[tree.root])
    layers = [tree.contents[layer["digest"]] for layer in manifest["layers"]]
    unpacked = [gzip.decompress(each) if each[:2] == _GZIP else each for each in layers]
    return Identity(manifest["config"]["digest"], tuple(map(digest, unpacked)))
