"""The library against a real registry: what it pushes, what it reads, and what it leaves alone."""

import gc
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import dockless
from bed.process import output
from bed.registry import Login, Registry
from bed.tools import crane
from fakes.progress import FakeProgress

# loaded now: classes made while a unit test has closed sockets would stay without
MADE = {False: dockless.Client, True: dockless.Client.from_environment}
POISON = {
    "HTTP_PROXY": "http://127.0.0.1:1",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
    "https_proxy": "http://127.0.0.1:1",
    "DOCKLESS_USERNAME": "poison",
    "DOCKLESS_PASSWORD": "poison",
    "DOCKLESS_CACHE_DIR": "/dev/null",
    "DOCKLESS_CACHE_SIZE": "nonsense",
    "DOCKLESS_TOOLS_DIR": "/nonexistent",
    "DOCKLESS_KEYRING": "nonsense",
    "DOCKLESS_IMAGE": "::",
    "DOCKLESS_REGISTRY": "::",
    "DOCKER_HOST": "tcp://127.0.0.1:1",
    "REGISTRY_AUTH_FILE": "/proc/self/mem",
    "XDG_CACHE_HOME": "/dev/null",
    "HOME": "/dev/null",
    "PATH": "/nonexistent",
}


@pytest.fixture
def poisoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_registry: Registry) -> Path:
    """An environment in which whoever reads it fails, or pushes as somebody else."""
    config = tmp_path / "docker"
    config.mkdir()
    logins = {"auths": {own_registry.host: {"auth": "cG9pc29uOnBvaXNvbg=="}}, "credsStore": "no"}
    (config / "config.json").write_text(json.dumps(logins))
    project = tmp_path / "project"
    (project / "config").mkdir(parents=True)
    (project / "config/deploy.yml").write_text("image: [")
    (project / "docker-config.json").write_text("{")
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DOCKER_CONFIG", str(config))
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def silent(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """See that nothing was printed, by anybody."""
    yield
    assert capfd.readouterr() == ("", "")


def credential(login: Login) -> dockless.Credential:
    return dockless.Credential(username=login.username, password=dockless.Secret(login.password))


def digest(reference: str) -> str:
    return output((crane(), "digest", reference)).strip()


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("source", ["old_archive", "oci_layout", "oci_archive"])
def test_an_image_is_pushed_and_nothing_is_printed(
    request: pytest.FixtureRequest, own_registry: Registry, source: str
) -> None:
    path: Path = request.getfixturevalue(source)
    target = f"{own_registry.host}/team/shop:v2"
    result = dockless.push(path, target, tags=["stable", "v2"])
    assert digest(target) == digest(f"{own_registry.host}/team/shop:stable") == str(result.digest)
    assert [str(each) for each in result.references] == [
        target,
        f"{own_registry.host}/team/shop:stable",
    ]
    assert (result.verified, result.unchanged) == (True, False)
    assert result.writers.manifests == result.writers.tags == ("dockless",)
    assert own_registry.writers() == {"dockless"}
    assert dockless.push(str(path), target).unchanged


@pytest.mark.usefixtures("silent")
def test_a_push_writes_the_receipt_that_is_asked_for(
    own_registry: Registry, old_archive: Path, tmp_path: Path
) -> None:
    target, receipt = f"{own_registry.host}/team/shop:v2", tmp_path / "receipt.json"
    dockless.push(old_archive, target, receipt=receipt, options=dockless.PushOptions(dry_run=True))
    assert not receipt.exists()
    pushed = dockless.push(old_archive, target, tags=["stable"], receipt=receipt)
    assert dockless.verify(receipt).matches
    said = json.loads(receipt.read_text())
    assert said["finished"]
    assert [each["digest"] for each in said["images"]] == [str(pushed.digest)]
    assert said["images"][0]["references"] == list(map(str, pushed.references))
    with pytest.raises(dockless.UsageError, match="--receipt would write"):
        dockless.push(old_archive, target, receipt=old_archive)
    with pytest.raises(dockless.SourceError):
        dockless.push(tmp_path / "receipt.json", target, receipt=tmp_path / "failed.json")
    failed = json.loads((tmp_path / "failed.json").read_text())
    assert [each["error"]["kind"] for each in failed["failures"]] == ["source"]


@pytest.mark.usefixtures("poisoned", "silent")
def test_a_client_reads_nothing_of_the_environment(
    own_registry: Registry, old_archive: Path
) -> None:
    target = f"{own_registry.host}/team/shop:v2"
    with dockless.Client() as client:
        assert not client.push(old_archive, target).unchanged
        with client.open_image(old_archive) as image:
            assert image.content().root.size


@pytest.mark.usefixtures("poisoned", "silent")
def test_a_login_of_the_environment_is_not_sent_to_a_registry_that_wants_one(
    locked_registry: Registry, oci_layout: Path
) -> None:
    options = dockless.PushOptions(ca_file=locked_registry.ca_file, retries=0)
    with dockless.Client(options=options) as client, pytest.raises(dockless.AuthError) as no:
        client.push(oci_layout, f"{locked_registry.host}/library/poisoned:1")
    assert locked_registry.host in no.value.remedy
    assert "credentials of the Client" in no.value.remedy
    assert "Log in with" not in no.value.remedy


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What the environment names as the proxy: a socket that takes connections, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, address)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield listening


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("reads", [False, True])
def test_the_proxy_of_the_environment_is_used_only_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    proxy: socket.socket,
    oci_layout: Path,
    *,
    reads: bool,
) -> None:
    monkeypatch.setenv("DOCKLESS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKLESS_KEYRING", "none")
    monkeypatch.chdir(tmp_path)
    options = dockless.PushOptions(retries=0, insecure=True)
    made = MADE[reads]
    asked: list[bytes] = []

    def answer() -> None:
        with proxy.accept()[0] as line:
            asked.append(line.recv(1000))

    waiting = threading.Thread(target=answer, daemon=True)
    waiting.start()
    with made(options=options) as client, pytest.raises(dockless.NetworkError):
        client.push(oci_layout, "registry.invalid/team/shop:1")
    if reads:
        waiting.join(120)
        assert asked[0].startswith(b"GET http://registry.invalid/v2/")
    else:
        assert not asked
        socket.create_connection(proxy.getsockname()).close()  # ends the thread
        waiting.join(120)
        assert asked == [b""]


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_authorities_of_the_environment_are_not_trusted_unasked(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    login: Login,
    locked_registry: Registry,
    oci_layout: Path,
    variable: str,
) -> None:
    folder = tmp_path / "trusted"
    folder.mkdir()
    file = folder / "ca.crt"
    file.write_bytes(locked_registry.ca_file.read_bytes())
    output(("openssl", "rehash", str(folder)))
    monkeypatch.setenv(variable, str(file if variable == "SSL_CERT_FILE" else folder))
    monkeypatch.setenv("DOCKLESS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    known = {locked_registry.host: credential(login)}
    options = dockless.PushOptions(retries=0)
    target = f"{locked_registry.host}/library/trusted:{variable}"
    with (
        dockless.Client(credentials=known, options=options) as client,
        pytest.raises(dockless.NetworkError),
    ):
        client.push(oci_layout, target)
    with dockless.Client.from_environment(credentials=known, options=options) as client:
        assert client.push(oci_layout, target).verified


@pytest.mark.usefixtures("silent")
def test_the_environment_is_read_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    login: Login,
    locked_registry: Registry,
    oci_layout: Path,
) -> None:
    monkeypatch.setenv("DOCKLESS_USERNAME", login.username)
    monkeypatch.setenv("DOCKLESS_PASSWORD", login.password)
    monkeypatch.setenv("DOCKLESS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKLESS_KEYRING", "none")
    monkeypatch.chdir(tmp_path)
    options = dockless.PushOptions(ca_file=locked_registry.ca_file)
    with dockless.Client.from_environment(options=options) as client:
        result = client.push(oci_layout, f"{locked_registry.host}/library/environment:1")
    assert result.verified
    assert (tmp_path / "cache").is_dir()


@pytest.mark.usefixtures("silent")
def test_a_wrong_credential_is_an_auth_error_that_does_not_show_it(
    login: Login, locked_registry: Registry, oci_layout: Path
) -> None:
    wrong = dockless.Credential(
        username=login.username, password=dockless.Secret("wrong-but-secret")
    )
    options = dockless.PushOptions(ca_file=locked_registry.ca_file, retries=0)
    target = f"{locked_registry.host}/library/refused:1"
    with dockless.Client(options=options) as client:
        with pytest.raises(dockless.AuthError) as caught:
            client.push(oci_layout, target, credential=wrong)
        assert "wrong-but-secret" not in repr(caught.value) + str(caught.value)
        assert client.push(oci_layout, target, credential=credential(login)).verified


@pytest.mark.usefixtures("silent")
def test_a_credential_of_the_client_is_for_its_registry_alone(
    login: Login, locked_registry: Registry, oci_layout: Path
) -> None:
    options = dockless.PushOptions(ca_file=locked_registry.ca_file, retries=0)
    target = f"{locked_registry.host}/library/own:1"
    known = {locked_registry.host: credential(login)}
    with dockless.Client(credentials=known, options=options) as client:
        assert client.push(oci_layout, target).verified
    other = {f"other.{locked_registry.host}": credential(login)}
    with (
        dockless.Client(credentials=other, options=options) as client,
        pytest.raises(dockless.AuthError),
    ):
        client.push(oci_layout, target)


@pytest.mark.usefixtures("silent")
def test_threads_share_a_client(
    own_registry: Registry, old_archive: Path, oci_layout: Path
) -> None:
    sources = (old_archive, oci_layout) * 3
    found: dict[int, dockless.PushResult | BaseException] = {}
    together = threading.Barrier(len(sources), timeout=120)

    def work(number: int) -> None:
        together.wait()
        try:
            found[number] = client.push(
                sources[number], f"{own_registry.host}/team/shop-{number % 4}:{number}"
            )
        except BaseException as error:  # noqa: BLE001 - the test shows it
            found[number] = error

    with dockless.Client() as client:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(len(sources))]
        for each in threads:
            each.start()
        for each in threads:
            each.join(120)
    for number in range(len(sources)):
        result = found[number]
        assert isinstance(result, dockless.PushResult), result
        reference = f"{own_registry.host}/team/shop-{number % 4}:{number}"
        assert digest(reference) == str(result.digest)


def test_a_second_push_of_a_client_uses_the_connections_and_layers_of_the_first(
    own_registry: Registry, old_archive: Path
) -> None:
    with dockless.Client() as client:
        client.push(old_archive, f"{own_registry.host}/team/first:1")
        seen = FakeProgress()
        pinged = sum(each.path == "/v2/" for each in own_registry.requests())
        client.push(old_archive, f"{own_registry.host}/team/second:1")
        assert sum(each.path == "/v2/" for each in own_registry.requests()) == pinged
        assert not seen.notes
    with pytest.raises(RuntimeError, match="closed"):
        client.push(old_archive, f"{own_registry.host}/team/third:1")


@pytest.mark.usefixtures("silent")
def test_progress_is_told_to_a_function_or_an_object(
    own_registry: Registry, old_archive: Path
) -> None:
    events: list[dockless.ProgressEvent] = []
    dockless.push(old_archive, f"{own_registry.host}/team/shop:1", progress=events.append)
    kinds = [event.kind for event in events]
    assert kinds.count("start") == kinds.count("end") > 0
    sent = sum(event.done for event in events if event.kind == "end")
    assert sent > 0
    shown = FakeProgress()
    dockless.push(old_archive, f"{own_registry.host}/team/other:1", progress=shown)
    assert shown.tasks
    assert all(task.finished for task in shown.tasks)


def test_signals_the_collector_and_temporary_files_are_left_alone(
    own_registry: Registry, old_archive: Path, tmp_path: Path
) -> None:
    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    before = [signal.getsignal(each) for each in handled]
    frozen, enabled, environment = gc.get_freeze_count(), gc.isenabled(), dict(os.environ)
    cache = tmp_path / "layers"
    dockless.push(old_archive, f"{own_registry.host}/team/shop:1", cache=cache)
    assert [signal.getsignal(each) for each in handled] == before
    assert (gc.get_freeze_count(), gc.isenabled()) == (frozen, enabled)
    assert dict(os.environ) == environment
    assert cache.is_dir()
    with dockless.Client() as client:
        client.push(old_archive, f"{own_registry.host}/team/shop:2")
        folder = client._own_machine().cache
        assert folder is not None
        assert folder.is_dir()
    assert not folder.exists()


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(
    "target",
    ["shop", "acme/shop:1", "::", "127.0.0.1:5000/Shop", f"127.0.0.1:5000/a@sha256:{'0' * 64}"],
)
def test_a_target_that_is_none_is_a_usage_error(oci_layout: Path, target: str) -> None:
    with pytest.raises(dockless.UsageError):
        dockless.push(oci_layout, target)


@pytest.mark.usefixtures("silent")
def test_options_are_kept(own_registry: Registry, oci_layout: Path, old_archive: Path) -> None:
    target = f"{own_registry.host}/team/shop:1"
    plan = dockless.push(oci_layout, target, options=dockless.PushOptions(dry_run=True))
    assert plan.dry_run
    assert own_registry.writers() == frozenset()
    dockless.push(oci_layout, target)
    fixed = dockless.PushOptions(immutable=True, compression="zstd", timeout=120)
    with pytest.raises(dockless.ConflictError):
        dockless.push(old_archive, target, options=fixed)
    with pytest.raises(dockless.UsageError):
        dockless.push(oci_layout, target, options=dockless.PushOptions(scan_on_push=True))
