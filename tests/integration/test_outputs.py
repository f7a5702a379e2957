"""What a command writes never takes the place of what it reads, nor of what is not its own."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless, dockless
from bed.failures import complaint
from bed.images import Layer
from bed.registry import Registry

pytestmark = pytest.mark.sampled(7)


@pytest.fixture
def folder(program: Dockless, layers: tuple[Layer, ...]) -> Path:
    """The project's folder, with a layout, an archive, a bundle, a split bundle and a list."""
    project = program.project
    layout = images.Layout(project / "in" / "web")
    layout.top(layout.image(layers[:1], "amd64", **images.named("ghcr.io/acme/web:v1")))
    images.archive(layout.folder, project / "a.tar")
    argv = ("bundle", "create", "in/web", "-o")
    assert program.run(*argv, "old.tar").code == 0
    assert program.run(*argv, "disk").code == 0
    assert program.run(*argv, "split.tar", "--split", "1M").code == 0
    (project / "list.txt").write_text("a.tar\n")
    (project / "empty.txt").write_text("")
    (project / "link.tar").symlink_to("a.tar")
    (project / "other").symlink_to(".")
    os.link(project / "a.tar", project / "same.tar")
    return project


def state(folder: Path) -> dict[str, bytes | str]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else "folder"
        for path in folder.rglob("*")
        if not path.is_fifo()
    }


@pytest.mark.parametrize(
    "argv",
    [
        "-o a.tar a.tar",
        "-o a.tar link.tar",
        "-o link.tar a.tar",
        "-o same.tar a.tar",
        "-o other/a.tar a.tar",
        "-o a.tar oci-archive:a.tar",
        "-o a.tar a.tar:ghcr.io/acme/web:v1",
        "-o a.tar -f list.txt",
        "-o old.tar in/web --since old.tar",
        "-o disk in/web --since disk --force",
        "-o other/disk disk --force",
        "-o in/disk.tar in",
        "-o in/disk in",
        "-o other/in/disk.tar in",
        "-o in/web/disk.tar in/web",
        "-o all.tar .",
        "-o split.tar split.tar.parts.json --split 2M",
        "-o other/split.tar split.tar.parts.json --split 2M",
        "-o split.tar split.tar.000 --split 2M",
        "-o split.tar a.tar --since split.tar.parts.json --split 2M",
    ],
)
def test_a_bundle_is_none_of_its_sources(program: Dockless, folder: Path, argv: str) -> None:
    before = state(folder)
    said = complaint(program.run("bundle", "create", *argv.split()), 2)
    assert "-o would write" in said
    assert state(folder) == before


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("-o a.tar in/web", "a.tar exists and is not a bundle"),
        ("-o link.tar in/web", "link.tar exists and is not a bundle"),
        ("-o text.tar in/web", "text.tar exists and is not a bundle"),
        ("-o folder.tar in/web", "folder.tar exists and is not a bundle"),
        ("-o pipe.tar in/web", "pipe.tar exists and is not a bundle"),
        ("-o list.txt in/web", "list.txt exists and is not a folder"),
        ("-o empty.txt in/web", "empty.txt exists and is not a folder"),
        ("-o pipe.tar/x in/web", "pipe.tar is not a folder"),
        ("-o in in/web", "-o would write in"),
        ("-o other in/web", "would write"),
        ("-o new.tar a.tar --split 1M", "new.tar.parts.json exists and is not the list"),
        ("-o next.tar a.tar --split 1M", "next.tar.000 exists and is not a part"),
    ],
)
def test_a_bundle_replaces_only_a_bundle(
    program: Dockless, folder: Path, argv: str, said: str
) -> None:
    (folder / "text.tar").write_text("my notes\n")
    (folder / "folder.tar").mkdir()
    os.mkfifo(folder / "pipe.tar")
    (folder / "new.tar.parts.json").write_text("{}")
    (folder / "next.tar.000").write_text("my notes\n")
    before = state(folder)
    if "would write" in said:
        said = "-o would write in" if argv.endswith("in in/web") else "is not empty"
    told = complaint(program.run("bundle", "create", *argv.split()), 2)
    assert said in told or "is not empty" in told
    assert state(folder) == before


def test_an_older_bundle_is_replaced_by_force_only(program: Dockless, folder: Path) -> None:
    before = state(folder)
    for out in ("old.tar", "disk"):
        told = complaint(program.run("bundle", "create", "-o", out, "a.tar"), 2)
        assert "--force" in told
        assert state(folder) == before


@pytest.mark.parametrize("argv", ["-o old.tar a.tar --force", "-o zero.tar a.tar",
                                  "-o split.tar a.tar --split 2M --force",
                                  "-o disk a.tar --force",
                                  "-o bare a.tar"])  # fmt: skip
def test_an_older_bundle_and_an_empty_file_are_replaced(
    program: Dockless, folder: Path, argv: str
) -> None:
    (folder / "zero.tar").touch()
    (folder / "bare").mkdir()
    done = program.run("bundle", "create", *argv.split())
    assert done.code == 0, done.stderr
    made = done.stdout.split()[-1]
    assert program.run("bundle", "verify", made).code == 0


@pytest.mark.parametrize(
    "argv",
    [
        "empty.txt --receipt empty.txt",
        "-f empty.txt --receipt empty.txt",
        "-f empty.txt --receipt other/empty.txt",
        "r.json --receipt r.json",
        "-f r.json --receipt linked.json",
        "split.tar.parts.json --receipt split.tar.000",
    ],
)
def test_a_receipt_is_none_of_what_is_mirrored(
    program: Dockless, own_registry: Registry, folder: Path, argv: str
) -> None:
    (folder / "r.json").write_text('{"receiptVersion": 1}')
    (folder / "linked.json").symlink_to("r.json")
    (folder / "split.tar.000").write_bytes(b"")
    before = state(folder)
    done = program.run("mirror", *argv.split(), "--to", own_registry.host)
    told = complaint(done, 2)
    # a list without a source is refused before
    assert "--receipt would write" in told or "-f empty.txt" in argv
    assert state(folder) == before
    assert not own_registry.requests()


@pytest.mark.parametrize(
    "text", ["my notes", '["receiptVersion"]', '{"a": "\\"receiptVersion\\": 1"}',
             '{"receiptVersion": "none"', '{"notes": {"receiptVersion": 1}}']
)  # fmt: skip
def test_a_receipt_replaces_only_a_receipt(
    program: Dockless, own_registry: Registry, folder: Path, text: str
) -> None:
    (folder / "r.json").write_text(f" {text}")
    if text.startswith('{"receiptVersion"'):
        (folder / "r.json").write_text(f"x{text}")
    before = state(folder)
    done = program.run("mirror", "a.tar", "--to", own_registry.host, "--receipt", "r.json")
    assert "is not a receipt" in complaint(done, 2)
    assert state(folder) == before


@pytest.mark.parametrize("order", ["reversed", "as it was", "cut"])
def test_a_receipt_is_replaced_whatever_the_order_of_its_members(
    program: Dockless, own_registry: Registry, folder: Path, order: str
) -> None:
    argv = ("mirror", "a.tar", "--to", own_registry.host, "--receipt", "r.json")
    assert program.run(*argv).code == 0
    path = folder / "r.json"
    if order == "reversed":
        found = json.loads(path.read_text())
        path.write_text(json.dumps(dict(reversed(found.items()))))
    elif order == "cut":
        path.write_text(path.read_text()[:100])
    done = program.run(*argv)
    assert done.code == 0, done.stderr
    assert program.run("verify", "r.json").code == 0


@pytest.mark.parametrize("merge", ["one.json", "other/two.json", "linked.json", "same.json"])
def test_a_merged_receipt_is_none_of_its_parts(
    program: Dockless, own_registry: Registry, folder: Path, merge: str
) -> None:
    argv = ("mirror", "a.tar", "--to", own_registry.host, "--receipt", "one.json")
    assert program.run(*argv).code == 0
    shutil.copy(folder / "one.json", folder / "two.json")
    (folder / "linked.json").symlink_to("one.json")
    os.link(folder / "two.json", folder / "same.json")
    before = state(folder)
    done = program.run("verify", "one.json", "two.json", "--merge", merge)
    assert "--merge would write" in complaint(done, 2)
    assert state(folder) == before
    assert program.run("verify", "one.json", "two.json", "--merge", "whole.json").code == 0


_NOBODY = 47_110  # a user id that has no name


@pytest.fixture
def nobody(layers: tuple[Layer, ...]) -> Iterator[Dockless]:
    """Dockless as another user, whose standard streams are pipes of this one; with an archive."""
    with tempfile.TemporaryDirectory(prefix="nobody-") as folder:
        made = dockless(Path(folder) / "all")
        layout = images.Layout(Path(folder) / "web")
        layout.top(layout.image(layers[:1], "amd64", **images.named("ghcr.io/acme/web:v1")))
        images.archive(layout.folder, made.project / "a.tar")
        for path in (Path(folder), *Path(folder).rglob("*")):
            os.chown(path, _NOBODY, _NOBODY)
        user = (f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
        yield replace(made, before=("setpriv", *user))


@pytest.mark.parametrize("path", ["/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"])
def test_a_stream_of_another_user_takes_receipts_and_digests(
    nobody: Dockless, registry: Registry, path: str
) -> None:
    to = f"{registry.host}/outputs"
    done = nobody.run("mirror", "a.tar", "--to", to, "--quiet", "--receipt", path)
    assert done.code == 0, done.stderr
    assert '"receiptVersion"' in done.stderr
    done = nobody.run("push", "a.tar", "--image", f"{to}/app:1", "--quiet", "--digest-file", path)
    assert done.code == 0, done.stderr
    assert done.stderr.startswith("sha256:")


@pytest.mark.parametrize("option", ["--receipt", "--merge"])
def test_a_pipe_that_another_user_closed_is_said_before_any_work(
    nobody: Dockless, registry: Registry, option: str
) -> None:
    pipe = nobody.project / "pipe"
    os.mkfifo(pipe, 0o600)  # of root
    to = f"{registry.host}/outputs/closed"
    if option == "--receipt":
        done = nobody.run("mirror", "a.tar", "--to", to, option, "pipe")
    else:
        receipt = ("mirror", "a.tar", "--to", to, "--receipt", "receipt.json")
        assert nobody.run(*receipt).code == 0
        done = nobody.run("verify", "receipt.json", option, "pipe")
    assert "pipe cannot be written: Permission denied" in complaint(done, 2)
