"""Every engine pushes to every registry, and what arrives is read back over plain HTTP."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bed.dockless import Dockless, Result
from bed.images import digest
from bed.process import output
from matrix.cells import Cell, Expected, cells, expected
from matrix.content import ARTIFACT_TYPE, TAGS, Contents
from matrix.fetch import path
from matrix.front import Logged
from matrix.reader import Reader
from matrix.records import RECORD, Record
from matrix.servers import Access, Server
from matrix.versions import Listed, of_kind

Servers = Callable[[Listed, Access], Server]

ALL = tuple(cells())


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(cell, marks=[pytest.mark.quick] if cell.quick else [], id=str(cell))
        for cell in ALL
    ],
)
def test_a_push_does_what_is_expected(
    cell: Cell,
    servers: Servers,
    only: Callable[..., Dockless],
    made: Contents,
    request: pytest.FixtureRequest,
) -> None:
    request.node.stash[RECORD] = Record(kind="push", key=cell.key, passed=False, did="")
    wanted, server = expected(cell), servers(cell.registry, cell.access)
    repository = f"matrix/cell-{ALL.index(cell)}"
    program = only(*((cell.engine,) if cell.engine else ()))
    push = _Push(
        program,
        server,
        repository,
        cell.engine.name if cell.mode == "named" and cell.engine else "auto",
    )
    reader = Reader(server, repository)

    if not wanted.succeeds:
        result = push.refused(cell, made)
        assert re.search(wanted.says, result.stderr), result.stderr
        assert all(reader.missing(tag) for tag in ("latest", "sbom", *TAGS))
        did = f"fails ({result.code})"
    else:
        result, seen = _CHECKS[cell.what](push, reader, made)
        assert re.search(wanted.says, result.stderr), result.stderr
        assert seen in {wanted.listed, ""}
        did = f"by {wanted.writer}"
        if seen:
            did += f", found {'nowhere' if seen == 'nowhere' else f'by {seen}'}"
    writes = server.writes(repository)
    _check_writers(writes, cell, wanted, made.roots["sbom"] if cell.what == "artifact" else "")
    if cell.what == "artifact" and wanted.succeeds and cell.access == "open":
        _discovered(server, repository, made, found=wanted.typed)
    request.node.stash[RECORD] = Record(kind="push", key=cell.key, passed=True, did=did)


class _Push:
    """dockless, one repository, and the engine that it is given."""

    def __init__(self, program: Dockless, server: Server, repository: str, engine: str) -> None:
        self._program = program
        self._server = server
        self._options = ("--image", f"{server.host}/{repository}", "--engine", engine)

    def run(self, source: str | Path, *tags: str) -> Result:
        named = [option for tag in tags for option in ("--tag", tag)]
        login: tuple[str, ...] = ()
        password = b""
        if self._server.login:
            login = ("--username", self._server.login.username, "--password-stdin")
            password = self._server.login.password.encode()
        return self._program.run("push", source, *self._options, *named, *login, stdin=password)

    def done(self, source: str | Path, *tags: str) -> Result:
        """Push, which has to end well."""
        result = self.run(source, *tags)
        assert result.code == 0, result.stderr.strip().splitlines()[-1] + result.stderr
        return result

    def refused(self, cell: Cell, made: Contents) -> Result:
        """Push what the cell pushes, which has to fail."""
        sources: dict[str, tuple[str | Path, tuple[str, ...]]] = {
            "image": (made.archive, ("latest",)),
            "index": (f"{made.index}:index", ("latest",)),
            "artifact": (f"{made.artifact}:sbom", ("sbom",)),
            "tags": (f"{made.artifact}:image", TAGS),
        }
        source, tags = sources[cell.what]
        result = self.run(source, *tags)
        assert result.code not in {0, 70}, result.stderr
        return result


def _image(push: _Push, reader: Reader, made: Contents) -> tuple[Result, str]:
    result = push.done(made.archive, "latest")
    tree = reader.whole("latest")
    manifest = json.loads(tree.contents[tree.root])
    unpacked = [gzip.decompress(tree.contents[each["digest"]]) for each in manifest["layers"]]
    assert result.stdout.strip().endswith(f"@{tree.root}")
    assert manifest["config"]["digest"] == made.config
    assert tuple(map(digest, unpacked)) == made.diff_ids
    return result, ""


def _index(push: _Push, reader: Reader, made: Contents) -> tuple[Result, str]:
    result = push.done(f"{made.index}:index", "latest")
    tree = reader.whole("latest")
    assert tree.root == made.roots["index"]
    documents = [json.loads(data) for data in tree.contents.values() if data[:1] == b"{"]
    assert sum("manifests" in document for document in documents) == 1
    assert sum("layers" in document for document in documents) == 4
    return result, ""


def _artifact(push: _Push, reader: Reader, made: Contents) -> tuple[Result, str]:
    push.done(f"{made.artifact}:image", "image")
    result = push.done(f"{made.artifact}:sbom", "sbom")
    assert reader.whole("image").root == made.roots["image"]
    assert reader.whole("sbom").root == made.roots["sbom"]
    how, found = reader.referrers(made.roots["image"])
    if made.roots["sbom"] not in {each["digest"] for each in found}:
        how = "nowhere"
    return result, how


def _tags(push: _Push, reader: Reader, made: Contents) -> tuple[Result, str]:
    result = push.done(f"{made.artifact}:image", *TAGS)
    assert reader.whole(TAGS[0]).root == made.roots["image"]
    assert {digest(reader.manifest(tag)) for tag in TAGS} == {made.roots["image"]}
    return result, ""


_CHECKS = {"image": _image, "index": _index, "artifact": _artifact, "tags": _tags}


def _check_writers(writes: tuple[Logged, ...], cell: Cell, wanted: Expected, only: str) -> None:
    """Check who wrote to a repository: by name the program alone, and the manifests as expected."""
    if cell.mode == "named":
        ours = [each for each in writes if _writer(each.agent) == "dockless"]
        assert not ours, f"dockless itself wrote: {ours}"
    if wanted.succeeds:
        manifests = {_writer(each.agent) for each in writes if _by_digest(each, only)}
        assert manifests == {wanted.writer}, f"manifests were written by {manifests}"


def _by_digest(logged: Logged, only: str) -> bool:
    """Whether a request puts a manifest by its digest, or this one if one is given."""
    last = logged.path.rpartition("/")[2]
    puts = logged.method == "PUT" and "/manifests/" in logged.path
    return puts and (last == only if only else last.startswith("sha256:"))


def _writer(agent: str) -> str:
    if agent.startswith("dockless/"):
        return "dockless"
    if "go-containerregistry" in agent:
        return "crane"
    return "skopeo" if agent.startswith(("skopeo/", "containers/")) else agent


def _discovered(server: Server, repository: str, made: Contents, *, found: bool) -> None:
    """Check that oras finds the artifact by its subject and type, or does not."""
    (oras,) = (each for each in of_kind("other") if each.name == "oras")
    subject = f"{server.host}/{repository}@{made.roots['image']}"
    options = ("--plain-http", "--format", "json", "--artifact-type", ARTIFACT_TYPE)
    argv = (path(oras), "discover", *options, subject)
    said = output(argv, environment={"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"})
    assert (made.roots["sbom"] in said) == found, said
