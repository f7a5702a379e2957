"""Nothing waits for a FIFO, or reads a device, that stands where a small file is expected."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from dockless.config import files, source_lists
from dockless.credentials import auth_files
from dockless.credentials.configure import HelperFile
from dockless.errors import DocklessError, SourceError, UsageError
from dockless.model.listed import Listed
from dockless.model.server import Server
from dockless.oci.reference import Repository
from dockless.processes.regular import open_regular, read_regular
from dockless.sources.daemons import docker_address
from dockless.sources.docker_daemon import current_context
from dockless.sources.parts import Part, joined, problems, read_parts
from dockless.ssh import project_config, ssh_program
from dockless.transport import trust


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _fifo_by_link(path: Path) -> None:
    other = path.with_name("other")
    os.mkfifo(other)
    path.symlink_to(other)


pytestmark = pytest.mark.timeout(30)  # what waits for a FIFO ends none of these

ODD = pytest.mark.parametrize(
    "make", [os.mkfifo, _fifo_by_link, _device, Path.mkdir], ids=["fifo", "link", "device", "dir"]
)
Make = Callable[[Path], None]


@ODD
def test_what_is_no_regular_file_is_refused(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "file"
    make(path)
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - its own descriptor vanishes while it is read
    with pytest.raises(OSError, match=r"not a regular file|Is a directory") as caught:
        open_regular(path)
    assert caught.value.strerror
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208 - the same


def test_a_file_is_read_through_links_too(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link") == b"content"
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none")


def _reads_json(path: Path) -> None:
    files.read_json(path, path.name)


def _reads_yaml(path: Path) -> None:
    files.read_yaml(path, path.name)


def _reads_logins(path: Path) -> None:
    auth_files.read(path, Repository.of("registry.example.com", "team/shop"))


def _sets_helper(path: Path) -> None:
    HelperFile(path, str).add("registry.example.com")


def _reads_list(path: Path) -> None:
    source_lists.listed((), (path,))


def _reads_part(path: Path) -> None:
    joined([Part(path, 4, "")])


def _reads_all_parts(path: Path) -> None:
    for error in problems([Part(path, 0, "")]):
        raise error


def _reads_own_ssh_config(path: Path) -> None:
    ssh_program._without_ssh(Server(address="build1", user=""), path)


def _reads_ssh_config(path: Path) -> None:
    project_config.configuration((path.name,), path.parent, path.parent, may_run=False)


@ODD
@pytest.mark.parametrize(
    ("reads", "kind"),
    [
        (_reads_json, UsageError),
        (_reads_yaml, UsageError),
        (_reads_logins, UsageError),
        (_sets_helper, UsageError),
        (read_parts, SourceError),
        (_reads_list, UsageError),
        (_reads_part, SourceError),
        (_reads_all_parts, SourceError),
        (_reads_own_ssh_config, UsageError),
        (_reads_ssh_config, UsageError),
    ],
    ids=[
        *("docker-config.json", "deploy.yml", "config.json", "credHelpers", "parts.json"),
        *("list", "part", "all parts", "own ssh_config", "ssh.config"),
    ],
)
def test_what_reads_a_small_file_says_that_it_cannot(
    tmp_path: Path, make: Make, reads: Callable[[Path], object], kind: type[DocklessError]
) -> None:
    path = tmp_path / "file"
    make(path)
    with pytest.raises(kind, match="cannot be read"):
        reads(path)


@ODD
def test_the_docker_context_is_not_waited_for(tmp_path: Path, make: Make) -> None:
    make(tmp_path / "config.json")
    asks = partial(current_context, {"DOCKER_CONFIG": str(tmp_path)})
    assert asks() == ""
    assert docker_address({"DOCKER_CONFIG": str(tmp_path)}, tmp_path)


@ODD
@pytest.mark.parametrize("name", ["ca.crt", "client.cert"])
def test_a_certificate_that_is_no_file_is_an_error(tmp_path: Path, make: Make, name: str) -> None:
    make(tmp_path / name)
    with pytest.raises(UsageError, match=f"{name} is not a file"):
        trust.find_trust("example.com", None, tmp_path, tmp_path)


def test_a_list_may_come_through_a_pipe_that_is_open_already() -> None:
    reads, writes = os.pipe()
    os.write(writes, b"docker://alpine\n# a remark\nshop.tar\n")
    os.close(writes)
    found = source_lists.listed((), (Path(f"/dev/fd/{reads}"),))
    os.close(reads)
    assert [each.text for each in found] == ["docker://alpine", "shop.tar"]


def test_one_of_several_lists_may_be_nothing() -> None:
    assert source_lists.listed(("a.tar",), (Path(os.devnull),)) == (Listed(text="a.tar"),)
    with pytest.raises(UsageError, match="names no source"):
        source_lists.listed((), (Path(os.devnull),))


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/full", "/dev/random"])
def test_a_list_is_no_device(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        source_lists.listed((), (Path(name),))
