"""The bed itself: each piece is what it says it is, shown with skopeo, crane and docker only."""

import base64
import json
import os
import socket
import subprocess
import sys
import tarfile
import time
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from bed import faults, hostile, images, secrecy
from bed.docker import Docker
from bed.dockless import Dockless, Terminal
from bed.failures import until
from bed.faults import Fault, FaultyRegistry
from bed.fixtures import SAMPLE
from bed.podman import Account
from bed.process import output, running
from bed.registry import Login, Registry
from bed.tools import crane

pytestmark = pytest.mark.sampled(5)


def crane_run(registry: Registry, *arguments: str | Path) -> str:
    return output((crane(), *arguments), environment=registry.crane_environment())


def push(registry: Registry, layout: Path, name: str, *options: str) -> None:
    target = f"docker://{registry.host}/{name}"
    # or skopeo puts other forms of the same layers in, which it remembers from earlier runs
    options = ("--preserve-digests", *registry.skopeo_options("dest"), *options)
    images.skopeo_copy(f"oci:{layout}:1", target, *options)


def ask(host: str, path: str = "/v2/", method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    accepted = {"Accept": f"{images.MANIFEST}, {images.INDEX}"}
    request = Request(f"http://{host}{path}", headers=accepted, method=method)
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=20) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def top_digest(layout: Path) -> str:
    return str(json.loads((layout / "index.json").read_text())["manifests"][0]["digest"])


def names(archive: Path) -> list[str]:
    with tarfile.open(archive) as tar:
        return tar.getnames()


def test_a_pushed_layout_comes_back_with_its_digest(
    registry: Registry, oci_layout: Path, tmp_path: Path
) -> None:
    push(registry, oci_layout, "bed/plain:1")
    assert top_digest(images.pull(registry, "bed/plain:1", tmp_path / "back")) == top_digest(
        oci_layout
    )


def test_the_access_log_tells_every_request(own_registry: Registry) -> None:
    assert own_registry.requests() == ()
    ask(own_registry.host, "/v2/none/manifests/1")
    deadline = time.monotonic() + 120
    while not own_registry.requests() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert own_registry.requests() == (("GET", "/v2/none/manifests/1", 404),)


def test_a_manifest_can_be_deleted(registry: Registry, oci_layout: Path) -> None:
    push(registry, oci_layout, "bed/deleted:1")
    digest = crane_run(registry, "digest", f"{registry.host}/bed/deleted:1")
    crane_run(registry, "delete", f"{registry.host}/bed/deleted@{digest}")
    assert ask(registry.host, "/v2/bed/deleted/manifests/1")[0] == 404


def test_the_locked_registry_lets_its_account_in_and_nobody_else(
    locked_registry: Registry, oci_layout: Path
) -> None:
    push(locked_registry, oci_layout, "bed/locked:1")
    reference = f"{locked_registry.host}/bed/locked:1"
    assert crane_run(locked_registry, "digest", reference) == top_digest(oci_layout)
    nobody = {**locked_registry.crane_environment(), "DOCKER_CONFIG": "/nonexistent"}
    with pytest.raises(RuntimeError, match=r"(?i)unauthorized"):
        output((crane(), "digest", reference), environment=nobody)
    with pytest.raises(RuntimeError, match="certificate"):
        output((crane(), "digest", reference), environment={"HOME": "/nonexistent"})


def test_the_mutual_registry_wants_a_client_certificate(
    mutual_registry: Registry, oci_layout: Path
) -> None:
    push(mutual_registry, oci_layout, "bed/mutual:1")
    # what the client says depends on whether it reads the alert before it writes into a closed door
    with pytest.raises(RuntimeError):
        crane_run(mutual_registry, "digest", f"{mutual_registry.host}/bed/mutual:1")
    assert "client didn't provide a certificate" in mutual_registry.log.read_text()


def test_the_embedded_registry_takes_a_push(embedded_registry: Registry, oci_layout: Path) -> None:
    push(embedded_registry, oci_layout, "bed/embedded:1")
    reference = f"{embedded_registry.host}/bed/embedded:1"
    assert crane_run(embedded_registry, "digest", reference) == top_digest(oci_layout)
    with pytest.raises(LookupError):
        embedded_registry.requests()


def test_a_daemon_that_does_not_start_is_an_error_with_its_log(tmp_path: Path) -> None:
    argv = (sys.executable, "-c", "print('no such luck')")
    with (
        running(argv, tmp_path / "log") as daemon,
        pytest.raises(RuntimeError, match="no such luck"),
    ):
        daemon.wait_for("ready")


def test_the_old_docker_saves_a_tar_a_layer(old_archive: Path) -> None:
    found = names(old_archive)
    assert "manifest.json" in found
    assert "index.json" not in found
    assert any(name.endswith("/layer.tar") for name in found)


def test_the_new_docker_saves_a_hybrid(hybrid_archive: Path) -> None:
    assert {"manifest.json", "index.json", "oci-layout"} <= set(names(hybrid_archive))


def test_the_sample_has_five_layers_in_every_builder(
    old_docker: Docker, new_docker: Docker, rootless: Account
) -> None:
    for inspected in (
        old_docker.run("image", "inspect", SAMPLE),
        new_docker.run("image", "inspect", SAMPLE),
        rootless.run("podman", "image", "inspect", SAMPLE),
    ):
        assert len(json.loads(inspected)[0]["RootFS"]["Layers"]) == 5


def test_docker_pushes_to_the_registry(old_docker: Docker, registry: Registry) -> None:
    name = f"{registry.host}/bed/docker:1"
    old_docker.run("tag", SAMPLE, name)
    old_docker.run("push", name)
    assert crane_run(registry, "digest", name).startswith("sha256:")


def test_podman_is_rootless_and_saves_the_image(rootless: Account, podman_archive: Path) -> None:
    assert rootless.run("podman", "info", "--format", "{{.Host.Security.Rootless}}") == "true"
    assert rootless.run("id", "-u") != "0"
    with tarfile.open(podman_archive) as tar:
        assert any(member.issym() for member in tar)
        assert "manifest.json" in tar.getnames()


def test_the_account_can_import_dockless_and_not_read_roots_files(rootless: Account) -> None:
    code = "import dockless, yaml, isal, zstandard; print(dockless.__file__)"
    interpreter = (rootless.home / "bin" / "dockless").read_text().splitlines()[0][2:]
    assert rootless.run(interpreter, "-c", code).startswith(str(rootless.home))
    assert rootless.run("crane", "--help")
    with pytest.raises(RuntimeError, match="denied"):
        rootless.run("cat", "/etc/shadow")


def test_skopeo_and_umoci_make_layouts(
    oci_archive: Path, layers: tuple[images.Layer, ...], tmp_path: Path
) -> None:
    assert "oci-layout" in [name.removeprefix("./") for name in names(oci_archive)]
    folder = images.umoci_layout(tmp_path / "umoci", layers[0].path)
    images.skopeo_copy(f"oci:{folder}:latest", f"oci:{tmp_path / 'copy'}:latest")


def test_layers_are_the_same_however_often_they_are_made(
    layers: tuple[images.Layer, ...], tmp_path: Path
) -> None:
    assert [part.diff_id for part in images.layers(tmp_path)] == [part.diff_id for part in layers]
    assert all(part.path.stat().st_size > 1_000_000 for part in layers)


@pytest.mark.parametrize("how", ["gzip", "bzip2", "xz", "zstd"])
def test_archives_are_compressed_and_whole(
    how: images.Compression, old_archive: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "sample.tar"
    copy.symlink_to(old_archive)
    packed = images.compressed(copy, how)
    assert packed.stat().st_size < old_archive.stat().st_size / 2
    unpacked = subprocess.run((how, "-dc", packed), capture_output=True, check=True).stdout
    assert unpacked == old_archive.read_bytes()


def test_dotted_archives_have_a_dot_before_every_name(old_archive: Path, tmp_path: Path) -> None:
    listed = output(("tar", "-tf", str(images.dotted(old_archive, tmp_path / "dotted.tar"))))
    assert all(line.startswith("./") for line in listed.splitlines())
    assert "./manifest.json" in listed.splitlines()


def test_an_archive_can_hold_several_images(old_docker: Docker, tmp_path: Path) -> None:
    path = old_docker.save(tmp_path / "several.tar", SAMPLE, "dockless-base:1")
    with tarfile.open(path) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest
        assert len(json.load(manifest)) == 2


def test_an_index_keeps_its_digest(
    registry: Registry, multi_platform: Path, tmp_path: Path
) -> None:
    push(registry, multi_platform, "bed/index:1", "--all")
    back = images.pull(registry, "bed/index:1", tmp_path / "back", "--all")
    assert top_digest(back) == top_digest(multi_platform)


def test_a_nested_index_is_pushed_by_crane(registry: Registry, nested_index: Path) -> None:
    name = f"{registry.host}/bed/nested:1"
    crane_run(registry, "push", "--index", nested_index, name)
    top = json.loads(crane_run(registry, "manifest", name))
    outer = f"{registry.host}/bed/nested@{top['manifests'][0]['digest']}"
    listed = json.loads(crane_run(registry, "manifest", outer))["manifests"]
    assert [entry["mediaType"] for entry in listed] == [images.INDEX, images.MANIFEST]


def test_the_harmless_archive_is_taken_by_a_real_tool(tmp_path: Path) -> None:
    path = tmp_path / "harmless.tar"
    hostile.harmless(path)
    images.skopeo_copy(f"docker-archive:{path}", f"oci:{tmp_path / 'layout'}:1")


@pytest.mark.sampled(7)
@pytest.mark.parametrize("name", sorted(hostile.ARCHIVES))
def test_hostile_archives_are_small_files_and_not_the_harmless_one(
    name: str, tmp_path: Path
) -> None:
    path, good = tmp_path / "hostile.tar", tmp_path / "harmless.tar"
    hostile.ARCHIVES[name](path)
    hostile.harmless(good)
    assert path.stat().st_size < 200 << 20
    assert path.read_bytes() != good.read_bytes()


# What skopeo 1.9.3 itself refuses; the others it takes, or would unpack to the last byte.
@pytest.mark.sampled(7)
@pytest.mark.parametrize(
    "name",
    [
        "truncated",
        "not_a_tar",
        "no_manifest",
        "missing_layer",
        "climbing_symlink",
        "climbing_hard_link",
        "circular_links",
        "wrong_diff_id",
        "enormous_manifest",
        "negative_size",
    ],
)
def test_a_real_tool_refuses_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.tar"
    hostile.ARCHIVES[name](path)
    with pytest.raises(RuntimeError):
        images.skopeo_copy(f"docker-archive:{path}", f"oci:{tmp_path / 'layout'}:1")


def test_the_proxy_is_transparent_until_it_is_told_otherwise(
    faulty_registry: FaultyRegistry, oci_layout: Path, tmp_path: Path
) -> None:
    target = f"docker://{faulty_registry.host}/bed/through:1"
    images.skopeo_copy(f"oci:{oci_layout}:1", target, "--dest-tls-verify=false")
    images.skopeo_copy(target, f"oci:{tmp_path / 'back'}:1", "--src-tls-verify=false")
    assert top_digest(tmp_path / "back") == top_digest(oci_layout)
    assert {"PUT", "PATCH", "POST", "HEAD"} <= {seen.method for seen in faulty_registry.requests}


@pytest.mark.parametrize("code", [401, 403, 404, 429, 500, 502, 503])
def test_a_status_is_given_as_often_as_asked(faulty_registry: FaultyRegistry, code: int) -> None:
    faulty_registry.faults.append(
        Fault("GET", "^/v2/$", faults.status(code, retry_after=7), times=2)
    )
    answers = [ask(faulty_registry.host) for _ in range(3)]
    assert [answer[0] for answer in answers] == [code, code, 200]
    assert answers[0][1]["Retry-After"] == "7"
    assert [seen.status for seen in faulty_registry.requests] == [code, code, 200]


def test_html_comes_in_place_of_json(faulty_registry: FaultyRegistry) -> None:
    faulty_registry.faults.append(Fault("GET", "/v2/", faults.HTML))
    status, headers, body = ask(faulty_registry.host)
    assert (status, headers["Content-Type"]) == (200, "text/html")
    assert body.startswith(b"<html>")


@pytest.mark.parametrize("effect", [faults.Drop(), faults.DropAnswer()])
def test_connections_are_dropped(faulty_registry: FaultyRegistry, effect: faults.Effect) -> None:
    faulty_registry.faults.append(Fault("GET", "/v2/", effect))
    with pytest.raises((OSError, HTTPException)):
        ask(faulty_registry.host)
    assert ask(faulty_registry.host)[0] == 200


def test_an_upload_that_is_cut_fails_once(
    faulty_registry: FaultyRegistry, own_registry: Registry, oci_layout: Path
) -> None:
    faulty_registry.faults.append(Fault("PATCH", "/blobs/uploads/", faults.Drop(after=1000)))
    copy = (f"oci:{oci_layout}:1", f"docker://{faulty_registry.host}/bed/cut:1")
    with pytest.raises(RuntimeError):
        images.skopeo_copy(*copy, "--dest-tls-verify=false")
    assert 0 in {seen.status for seen in faulty_registry.requests if seen.method == "PATCH"}
    assert ask(own_registry.host, "/v2/bed/cut/manifests/1")[0] == 404
    images.skopeo_copy(*copy, "--dest-tls-verify=false")
    assert ask(own_registry.host, "/v2/bed/cut/manifests/1")[0] == 200


def test_digests_and_manifests_can_be_made_to_lie(
    faulty_registry: FaultyRegistry, own_registry: Registry, oci_layout: Path
) -> None:
    push(own_registry, oci_layout, "bed/lies:1")
    path = "/v2/bed/lies/manifests/1"
    _, truth, manifest = ask(faulty_registry.host, path)
    faulty_registry.faults.append(Fault("GET", "/manifests/", faults.WRONG_DIGEST))
    _, lie, same = ask(faulty_registry.host, path)
    assert lie["Docker-Content-Digest"] != truth["Docker-Content-Digest"]
    assert same == manifest
    faulty_registry.faults.append(Fault("GET", "/manifests/", faults.ALTERED_BODY))
    assert ask(faulty_registry.host, path)[2] == manifest + b"\n"


def test_a_hanging_request_gives_no_byte(faulty_registry: FaultyRegistry) -> None:
    faulty_registry.faults.append(Fault("GET", "/v2/", faults.Hang()))
    host, _, port = faulty_registry.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=0.5) as connection:
        connection.sendall(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(TimeoutError):
            connection.recv(1)


@pytest.mark.parametrize("form", ["plain", "base64", "pair", "url", "json"])
def test_the_watch_finds_the_password_in_argv(login: Login, form: str) -> None:
    said = {
        "plain": login.password,
        "base64": base64.b64encode(login.password.encode()).decode(),
        "pair": base64.b64encode(":".join(login).encode()).decode(),
        "url": output(
            (
                sys.executable,
                "-c",
                "import sys, urllib.parse as u; print(u.quote(sys.stdin.read(), safe=''))",
            ),
            stdin=login.password.encode(),
        ),
        "json": json.dumps({"password": login.password}),
    }[form]
    argv = ("sh", "-c", "read -r line", said)
    with (
        secrecy.watching(login) as watch,
        subprocess.Popen(argv, stdin=subprocess.PIPE),  # it ends with its input
    ):
        until(lambda: watch.found)
    assert any(found.startswith("argv") for found in watch.found)


def test_the_watch_finds_the_password_in_an_environment(login: Login) -> None:
    argv, environment = ("sleep", "120"), {**os.environ, "P": login.password}
    with secrecy.watching(login) as watch, subprocess.Popen(argv, env=environment) as child:
        until(lambda: watch.found)
        child.kill()
    assert any("sleep" in found for found in watch.found if found.startswith("environment"))


def test_the_watch_finds_the_password_in_a_file_that_is_gone_afterwards(
    login: Login, tmp_path: Path
) -> None:
    path = tmp_path / "deep" / "down"
    with secrecy.watching(login, tmp_path) as watch:
        path.parent.mkdir()
        path.write_text(f"password={login.password}")
        until(lambda: watch.found)
        path.unlink()
    assert watch.found == {str(path)}


def test_the_watch_finds_nothing_where_there_is_nothing(login: Login, tmp_path: Path) -> None:
    (tmp_path / "before").write_text(login.password)
    time.sleep(0.05)
    with secrecy.watching(login, tmp_path) as watch:
        (tmp_path / "innocent").write_text("nothing to see")
        with subprocess.Popen(("sleep", "120")) as child:
            until(lambda: watch.files and "sleep" in watch.processes)
            child.kill()
    assert watch.found == set()
    assert "sleep" in watch.processes
    assert watch.files == {tmp_path / "innocent"}


def test_the_program_sees_a_home_of_its_own(program: Dockless) -> None:
    environment = program.environment()
    assert environment["HOME"] == str(program.home)
    assert list(program.home.iterdir()) == []
    assert not environment.keys() & {"DOCKER_CONFIG", "DOCKER_HOST", "SSH_AUTH_SOCK"}


def test_the_terminal_is_a_controlling_terminal(tmp_path: Path) -> None:
    code = "import sys, getpass; print(sys.stderr.isatty(), len(getpass.getpass('Password: ')))"
    environment = {"PATH": "/usr/bin:/bin", "TERM": "xterm"}
    with Terminal((sys.executable, "-c", code), environment, tmp_path) as terminal:
        terminal.screen.expect("Password: ")
        terminal.screen.sendline("hidden")
        code_, text = terminal.finish()
    assert (code_, "hidden" in text) == (0, False)
    assert "True 6" in text


def test_control_c_reaches_the_program(tmp_path: Path) -> None:
    code = "import time; print('ready', flush=True); time.sleep(60)"
    environment = {"PATH": "/usr/bin:/bin", "TERM": "xterm"}
    with Terminal((sys.executable, "-c", code), environment, tmp_path) as terminal:
        terminal.screen.expect("ready")
        terminal.screen.send("\x03")
        assert terminal.finish()[0] != 0
