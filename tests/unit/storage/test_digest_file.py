"""`--digest-file` replaces digests, and nothing else."""

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dockless.errors import PushError, UsageError
from dockless.oci.digest import Digest
from dockless.storage.digest_file import check, write

pytestmark = pytest.mark.timeout(30)

DIGEST = Digest.of(b"a manifest")

KEPT = {
    "an archive": b"manifest.json" + bytes(1000),
    "a list of sources": b"docker://alpine:3.20\nshop.tar\n",
    "a receipt": b'{"receiptVersion": 1}',
    "JSON with a digest": b'{"digest": "%b"}' % str(DIGEST).encode(),
    "a sentence": b"pushed %b\n" % str(DIGEST).encode(),
    "a checksum file": b"%b  image.tar\n" % DIGEST.hex.encode(),
    "bytes": b"\xff\xfe\x00",
    "a key": b"-----BEGIN OPENSSH PRIVATE KEY-----\n",
    "digests without end": str(DIGEST).encode() * 20_000,
}


@pytest.mark.parametrize("data", KEPT.values(), ids=KEPT)
@pytest.mark.parametrize("how", ["itself", "link", "hard link"])
def test_what_is_no_digest_is_kept(tmp_path: Path, data: bytes, how: str) -> None:
    path = precious = tmp_path / "precious"
    precious.write_bytes(data)
    if how == "link":
        path = tmp_path / "link"
        path.symlink_to("precious")
    elif how == "hard link":
        path = tmp_path / "second"
        os.link(precious, path)
    for writes in (check, lambda given: write(given, [DIGEST])):
        with pytest.raises(UsageError, match="holds something other than digests"):
            writes(path)
    assert precious.read_bytes() == data


REPLACED = {
    "nothing": b"",
    "a digest": f"{Digest.of(b'another')}\n".encode(),
    "as skopeo and podman write it": str(Digest.of(b"another")).encode(),
    "as crane's --image-refs has it": f"localhost:5000/a/b@{Digest.of(b'another')}\n".encode(),
    "several, and longer than ours": f"{Digest.of(b'another')}\r\n".encode() * 40,
    "one of sha512": b"sha512:" + b"a" * 128,
}


@pytest.mark.parametrize("data", REPLACED.values(), ids=REPLACED)
def test_digests_are_replaced(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "digest"
    path.write_bytes(data)
    path.chmod(0o640)
    check(path)
    assert path.read_bytes() == data
    write(path, [DIGEST])
    assert path.read_text() == f"{DIGEST}\n"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_file_that_is_not_there_is_made_when_there_is_something_to_write(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("digest")
    for path in (tmp_path / "link", tmp_path / "digest"):
        check(path)
    assert not (tmp_path / "digest").exists()
    write(tmp_path / "link", [DIGEST, DIGEST])
    assert (tmp_path / "digest").read_text() == f"{DIGEST}\n" * 2


def _socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)


@pytest.mark.parametrize(
    ("make", "early"), [(Path.mkdir, True), (os.mkfifo, False), (_socket, False)]
)
def test_what_is_no_file_is_one_error_and_waited_for_by_nobody(
    tmp_path: Path, make: Callable[[Path], None], *, early: bool
) -> None:
    path = tmp_path / "digest"
    make(path)
    if early:
        with pytest.raises(UsageError, match="cannot be written"):
            check(path)
    else:
        check(path)
    with pytest.raises(PushError, match="cannot be written") as caught:
        write(path, [DIGEST])
    assert caught.value.remedy == "The push itself was done."


def test_a_pipe_with_a_reader_gets_it(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    check(path)
    write(path, [DIGEST])
    assert os.read(reader, 1000) == f"{DIGEST}\n".encode()
    os.close(reader)


def test_a_file_that_is_open_already_is_added_to(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+") as out:
        out.write("REPOSITORY@DIGEST and what else standard output carries\n")
        out.flush()
        path = Path(f"/dev/fd/{out.fileno()}")
        check(path)
        write(path, [DIGEST])
        out.seek(0)
        assert out.read().splitlines()[1:] == [str(DIGEST)]


def test_a_full_disk_is_an_error() -> None:
    check(Path("/dev/full"))
    with pytest.raises(PushError, match="No space left"):
        write(Path("/dev/full"), [DIGEST])


def test_it_is_not_waited_for_a_reader_that_comes_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    seen: list[bytes] = []
    opened = threading.Event()

    def read() -> None:
        with path.open("rb") as pipe:
            opened.set()
            seen.append(pipe.read())

    reader = threading.Thread(target=read)
    reader.start()
    with path.open("wb"):  # so that the reader has begun
        assert opened.wait(20)
        check(path)
        write(path, [DIGEST])
    reader.join(20)
    assert seen == [f"{DIGEST}\n".encode()]


@pytest.mark.parametrize("path", ["/dev/full", "/dev/null", "/proc/self/comm"])
def test_a_device_that_may_not_be_written_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match="cannot be written: Permission denied"):
        check(Path(path))
