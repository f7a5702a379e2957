"""What a push does when the registry, the network or the disk fails it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed import hostile, images
from bed.dockless import Dockless, Result, dockless
from bed.failures import complaint, leftovers, published, survivors
from bed.faults import (
    ALTERED_BODY,
    BLOB_UNKNOWN,
    HTML,
    WRONG_DIGEST,
    Answer,
    Drop,
    Effect,
    Fault,
    FaultyRegistry,
    Hang,
    nothing_ahead,
    status,
)
from bed.images import Layer
from bed.process import output
from bed.registry import Login, Registry
from bed.tools import crane

pytestmark = pytest.mark.sampled(7)

FAILED, CONFIGURATION, SOURCE, AUTH, NETWORK = 1, 2, 3, 4, 6

ENGINES = ("crane", "skopeo")
NAME = "team/app"
ALWAYS = 100_000

BY_TAG = "/manifests/1$"
BY_DIGEST = "/manifests/sha256:"
STEPS = (
    ("GET", "/v2/$"),
    ("HEAD", BY_TAG),
    ("HEAD", "/blobs/"),
    ("POST", "/blobs/uploads/"),
    ("PATCH", "/blobs/uploads/"),
    ("PUT", "/blobs/uploads/"),
    ("PUT", BY_DIGEST),
    ("PUT", BY_TAG),
)


@pytest.fixture
def packed(packed: Path, faulty_registry: FaultyRegistry) -> Path:
    """An OCI archive of which nothing goes ahead, so that the engine sends all of it."""
    faulty_registry.faults.append(nothing_ahead())
    return packed


@pytest.fixture(scope="module")
def archive(layers: tuple[Layer, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image whose layers are to be compressed, so that they go ahead of the engine."""
    parts = (hostile.file(f"{part.path.stem}/layer.tar", part.path.read_bytes()) for part in layers)
    path = tmp_path_factory.mktemp("faults") / "image.tar"
    path.write_bytes(hostile.tar(*hostile.image(*parts)))
    return path


class Bench:
    """Pushes through the proxy and looks at the registry behind it."""

    def __init__(self, proxy: FaultyRegistry, registry: Registry, program: Dockless) -> None:
        self.proxy = proxy
        self.registry = registry
        self._program = program

    def fault(self, method: str, path: str, effect: Effect, times: int = ALWAYS) -> Fault:
        """Let something go wrong; return it, for its `times`."""
        added = Fault(method, path, effect, times)
        self.proxy.faults.append(added)
        return added

    def push(self, source: Path, *options: str) -> Result:
        """Push to the tag `1` of the one repository."""
        target = f"{self.proxy.host}/{NAME}:1"
        return self._program.run("push", source, "--image", target, *options)

    def arrives(self, source: Path, *options: str) -> Result:
        """Push, which must succeed with a complete image and nothing left behind."""
        result = self.push(source, *options)
        assert result.code == 0, result.stderr
        assert leftovers(self._program) == []
        reference = f"{self.registry.host}/{NAME}:1"
        environment = self.registry.crane_environment()
        output((crane(), "validate", "--remote", reference), environment=environment)
        digest = output((crane(), "digest", reference), environment=environment)
        assert result.stdout == f"{self.proxy.host}/{NAME}@{digest}\n"
        return result

    def fails(self, code: int, source: Path, *options: str, known: bool = False) -> str:
        """Push, which must fail and publish nothing; return the error.

        Args:
            code: The exit code.
            source: The image.
            options: Further options.
            known: Whether the manifest may be there afterwards; a tag may not be in any case.
        """
        before = published(self.registry, NAME)
        result = self.push(source, *options)
        said = complaint(result, code)
        added = published(self.registry, NAME) - before
        assert not {name for name in added if name.startswith("tags/")}
        assert known or not added
        assert leftovers(self._program) == []
        assert survivors(self._program) == []
        return said

    def count(self, method: str, path: str) -> int:
        """Return how many requests the proxy saw whose path ends so."""
        return sum(
            seen.method == method and seen.path.endswith(path) for seen in self.proxy.requests
        )


@pytest.fixture
def bench(faulty_registry: FaultyRegistry, own_registry: Registry, program: Dockless) -> Bench:
    return Bench(faulty_registry, own_registry, program)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("method", "path"), STEPS)
def test_a_503_in_any_step_passes(
    bench: Bench, packed: Path, engine: str, method: str, path: str
) -> None:
    fault = bench.fault(method, path, status(503), times=1)
    bench.arrives(packed, "--engine", engine)
    assert fault.times == 0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/blobs/uploads/"), ("PATCH", "/blobs/uploads/"), ("PUT", BY_DIGEST)],
)
def test_a_429_in_any_upload_step_passes(
    bench: Bench, packed: Path, engine: str, method: str, path: str
) -> None:
    fault = bench.fault(method, path, status(429), times=1)
    bench.arrives(packed, "--engine", engine)
    assert fault.times == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_trouble_that_the_registry_cannot_explain_passes(
    bench: Bench, packed: Path, engine: str
) -> None:
    fault = bench.fault("PUT", BY_DIGEST, status(500), times=1)
    bench.arrives(packed, "--engine", engine)
    assert fault.times == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_blob_that_the_registry_does_not_find_at_once_passes(
    bench: Bench, packed: Path, engine: str
) -> None:
    fault = bench.fault("PUT", BY_DIGEST, BLOB_UNKNOWN, times=1)
    bench.arrives(packed, "--engine", engine)
    assert fault.times == 0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("code", [429, 502, 504])
def test_trouble_that_a_proxy_in_between_tells_in_html_passes(
    bench: Bench, packed: Path, engine: str, code: int
) -> None:
    page = Answer(code, HTML.headers, b"<html><body>Come back later</body></html>")
    fault = bench.fault("PUT", BY_DIGEST, page, times=1)
    bench.arrives(packed, "--engine", engine)
    assert fault.times == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_connection_that_breaks_in_an_upload_passes(
    bench: Bench, packed: Path, engine: str
) -> None:
    fault = bench.fault("PATCH", "/blobs/uploads/", Drop(after=100_000), times=1)
    bench.arrives(packed, "--engine", engine)
    assert fault.times == 0


@pytest.mark.parametrize("method", ["HEAD", "POST", "PATCH", "PUT"])
@pytest.mark.parametrize("effect", [status(503), Drop()], ids=["503", "drop"])
def test_trouble_with_layers_that_go_ahead_passes(
    bench: Bench, archive: Path, method: str, effect: Effect
) -> None:
    fault = bench.fault(method, "/blobs/", effect, times=2)
    bench.arrives(archive)
    assert fault.times == 0


def test_the_time_that_a_registry_asks_for_is_waited(bench: Bench, packed: Path) -> None:
    bench.fault("HEAD", BY_TAG, status(429, retry_after=2), times=1)
    result = bench.arrives(packed)
    assert "429" in result.stderr
    assert "Retrying in 2.0 s." in result.stderr


def test_a_wait_that_leads_past_the_timeout_is_not_begun(bench: Bench, packed: Path) -> None:
    bench.fault("HEAD", BY_TAG, status(429, retry_after=3600))
    assert "429" in bench.fails(NETWORK, packed, "--timeout", "30s")
    assert bench.count("HEAD", "/manifests/1") == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v2/$"), ("HEAD", BY_TAG), ("POST", "/blobs/uploads/"), ("PUT", BY_DIGEST)],
)
def test_a_503_that_stays_is_a_network_error(
    bench: Bench, packed: Path, method: str, path: str
) -> None:
    bench.fault(method, path, status(503))
    said = bench.fails(NETWORK, packed, "--engine", "skopeo", "--retries", "1")
    assert bench.proxy.host in said


@pytest.mark.parametrize("engine", ENGINES)
def test_a_tag_that_cannot_be_moved_is_a_network_error(
    bench: Bench, packed: Path, engine: str
) -> None:
    bench.fault("PUT", BY_TAG, status(503))
    options = ("--engine", engine, "--retries", "0")
    assert bench.proxy.host in bench.fails(NETWORK, packed, *options, known=True)


def test_the_number_of_tries_is_what_retries_says(bench: Bench, packed: Path) -> None:
    bench.fault("HEAD", BY_TAG, status(503))
    bench.fails(NETWORK, packed, "--retries", "2")
    assert bench.count("HEAD", "/manifests/1") == 3


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("code", "ending"), [(401, AUTH), (403, AUTH), (404, FAILED)])
def test_a_refused_upload_is_not_tried_again(
    bench: Bench, packed: Path, engine: str, code: int, ending: int
) -> None:
    refused = bench.fault("POST", "/blobs/uploads/", status(code))
    said = bench.fails(ending, packed, "--engine", engine)
    assert bench.proxy.host in said or engine in said
    # an engine sends each of the three blobs once; it may give up before the last
    assert 1 <= ALWAYS - refused.times <= 3


def test_what_may_not_go_ahead_is_sent_by_the_engine(bench: Bench, packed: Path) -> None:
    (refusal,) = bench.proxy.faults
    before = refusal.times
    bench.arrives(packed)
    assert refusal.times < before, "dockless says who it is, and was refused"


@pytest.mark.parametrize("form", ["layout", "archive"])
def test_packed_blobs_go_ahead_and_are_nothing_until_all_of_them_are_good(
    bench: Bench, layers: tuple[Layer, ...], tmp_path: Path, form: str
) -> None:
    made = images.Layout(tmp_path / "layout")
    made.top(made.image(layers[:2], compressed=False, **images.named("1")))
    path = made.folder / "blobs" / layers[1].diff_id.replace(":", "/")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    packed = images.archive(made.folder, tmp_path / "packed.tar")
    source = made.folder if form == "layout" else packed
    assert "is damaged" in bench.fails(SOURCE, source)
    assert bench.count("POST", "/blobs/uploads/")
    assert not [seen for seen in bench.proxy.requests if seen.method == "PUT"]


def test_a_refused_look_at_the_tag_is_not_tried_again(bench: Bench, packed: Path) -> None:
    bench.fault("HEAD", BY_TAG, status(403))
    assert NAME in bench.fails(AUTH, packed)
    assert bench.count("HEAD", "/manifests/1") == 1


def test_a_page_at_the_base_alone_hides_no_registry(bench: Bench, packed: Path) -> None:
    bench.fault("GET", "/v2/$", HTML)
    bench.arrives(packed)


@pytest.mark.parametrize(("method", "path"), [("GET", "/v2/"), ("HEAD", BY_TAG)])
def test_a_web_page_is_no_registry(bench: Bench, packed: Path, method: str, path: str) -> None:
    bench.fault(method, path, HTML)
    said = bench.fails(FAILED, packed)
    assert bench.proxy.host in said
    assert "text/html" in said


def test_a_registry_that_closes_every_connection_is_a_network_error(
    bench: Bench, packed: Path
) -> None:
    bench.fault("GET", "/v2/$", Drop())
    assert bench.proxy.host in bench.fails(NETWORK, packed, "--retries", "1")
    assert bench.count("GET", "/v2/") == 2


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v2/$"), ("HEAD", BY_TAG), ("PATCH", "/blobs/"), ("PUT", BY_DIGEST)],
)
def test_a_registry_that_hangs_is_left_when_the_time_is_over(
    bench: Bench, packed: Path, engine: str, method: str, path: str
) -> None:
    bench.fault(method, path, Hang())
    said = bench.fails(NETWORK, packed, "--engine", engine, "--timeout", "2s")
    assert bench.proxy.host in said
    assert "time" in said


@pytest.mark.parametrize("engine", ENGINES)
def test_an_upload_that_stalls_is_begun_again(bench: Bench, packed: Path, engine: str) -> None:
    bench.fault("PATCH", "/blobs/uploads/", Hang(), times=1)
    result = bench.arrives(packed, "--engine", engine, "--stall-timeout", "1s")
    assert "transferred no byte" in result.stderr


def test_layers_that_stall_on_their_way_ahead_are_left_to_the_engine(
    bench: Bench, archive: Path
) -> None:
    bench.fault("PATCH", "/blobs/uploads/", Hang(), times=3)
    result = bench.arrives(archive, "--stall-timeout", "1s")
    assert "An early upload transferred no byte for 1 seconds." in result.stderr


@pytest.mark.parametrize("engine", ENGINES)
def test_a_manifest_that_reads_back_altered_moves_no_tag(
    bench: Bench, packed: Path, engine: str
) -> None:
    bench.fault("GET", BY_DIGEST, ALTERED_BODY)
    assert "it sent" in bench.fails(FAILED, packed, "--engine", engine, known=True)


def test_a_blob_that_is_lost_moves_no_tag(bench: Bench, packed: Path) -> None:
    bench.fault("HEAD", "/blobs/", status(404))
    assert "does not have the blob sha256:" in bench.fails(FAILED, packed, known=True)


def test_a_wrong_digest_of_the_moved_tag_is_an_error(bench: Bench, packed: Path) -> None:
    bench.fault("HEAD", BY_TAG, WRONG_DIGEST)
    said = complaint(bench.push(packed), FAILED)
    assert f"{NAME}:1 refers to sha256:{'0' * 64}" in said


def test_a_tag_that_was_there_stays_when_a_push_fails(
    bench: Bench, packed: Path, archive: Path
) -> None:
    bench.arrives(packed)
    bench.fault("PUT", BY_DIGEST, status(503))
    before = published(bench.registry, NAME)
    bench.fails(NETWORK, archive, "--retries", "0")
    assert published(bench.registry, NAME) == before
    bench.proxy.faults.clear()
    bench.arrives(archive)


def refused(program: Dockless, code: int, *arguments: str | Path, stdin: bytes = b"") -> str:
    """Push, which must fail at once; return the error."""
    result = program.run("push", *arguments, stdin=stdin)
    assert "Retrying" not in result.stderr
    assert leftovers(program) == []
    return complaint(result, code)


def test_a_refused_credential_is_an_error_that_names_the_account(
    locked_registry: Registry, program: Dockless, packed: Path, login: Login
) -> None:
    target = ("--image", f"{locked_registry.host}/{NAME}:1", "--ca-file", locked_registry.ca_file)
    options = ("--username", login.username, "--password-stdin")
    said = refused(program, AUTH, packed, *target, *options, stdin=b"guessed")
    assert locked_registry.host in said
    assert login.username in said
    assert "guessed" not in said
    assert published(locked_registry, NAME) == set()


def test_no_credential_where_one_is_wanted_is_an_error_that_tells_how_to_give_it(
    locked_registry: Registry, program: Dockless, packed: Path
) -> None:
    target = ("--image", f"{locked_registry.host}/{NAME}:1", "--ca-file", locked_registry.ca_file)
    assert "--username" in refused(program, AUTH, packed, *target)


def test_a_certificate_that_is_not_trusted_is_an_error_that_names_the_option(
    locked_registry: Registry, program: Dockless, packed: Path
) -> None:
    said = refused(program, NETWORK, packed, "--image", f"{locked_registry.host}/{NAME}:1")
    assert locked_registry.host in said
    assert "--ca-file" in said


@pytest.fixture
def without_name_servers(tmp_path: Path) -> tuple[str, ...]:
    """A program that starts another where names are looked up in /etc/hosts only."""
    switch = tmp_path / "nsswitch.conf"
    switch.write_text("hosts: files\n")
    script = 'mount --bind "$0" /etc/nsswitch.conf && exec "$@"'
    return ("unshare", "--mount", "sh", "-c", script, str(switch))


def test_a_host_that_does_not_exist_is_an_error_that_names_it(
    without_name_servers: tuple[str, ...], program: Dockless, packed: Path
) -> None:
    offline = Dockless(program.folder, program.extra, without_name_servers)
    said = refused(offline, NETWORK, packed, "--image", "registry.invalid/app:1")
    assert "registry.invalid" in said


def test_a_refused_connection_is_a_network_error_that_says_so(
    program: Dockless, packed: Path
) -> None:
    target = "127.0.0.1:1/app:1"  # nothing listens on tcpmux
    said = refused(program, NETWORK, packed, "--image", target, "--retries", "0")
    assert "127.0.0.1:1" in said
    assert "Connection refused" in said


@contextlib.contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """Mount a disk of 3 MB for as long as the block lasts."""
    folder.mkdir()
    output(("mount", "-t", "tmpfs", "-o", f"size=3m,{options}", "tmpfs", folder))
    try:
        yield folder
    finally:
        output(("umount", folder))


@pytest.mark.parametrize("given", ["path", "stdin"])
def test_a_full_disk_is_an_error_that_names_the_folder(
    own_registry: Registry, tmp_path: Path, given: str
) -> None:
    archive = tmp_path / "image.tar"
    noise = hostile.tar(hostile.file("noise", os.urandom(8_000_000)))
    archive.write_bytes(hostile.tar(*hostile.image(hostile.file("1/layer.tar", noise))))
    source, stdin = (archive, b"") if given == "path" else ("-", archive.read_bytes())
    with small_disk(tmp_path / "disk", "rw") as disk:
        program = dockless(tmp_path / "dockless", DOCKLESS_CACHE_DIR=str(disk))
        result = program.run(
            "push", source, "--image", f"{own_registry.host}/{NAME}:1", stdin=stdin
        )
        said = complaint(result, FAILED)
        assert leftovers(program, disk / str(os.geteuid())) == []
    assert str(disk) in said
    assert "space" in said
    assert published(own_registry, NAME) == set()


def test_a_store_that_cannot_be_written_to_is_an_error_that_names_it(
    own_registry: Registry, tmp_path: Path, packed: Path
) -> None:
    with small_disk(tmp_path / "disk", "ro") as disk:
        program = dockless(tmp_path / "dockless", DOCKLESS_CACHE_DIR=str(disk))
        target = f"{own_registry.host}/{NAME}:1"
        said = refused(program, CONFIGURATION, packed, "--image", target)
    assert str(disk) in said
    assert "DOCKLESS_CACHE_DIR" in said
