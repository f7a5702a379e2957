"""What a push says of container tools: one that is silent, IDs, and lists of images."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bed.docker import Docker
from bed.dockless import Dockless
from bed.failures import complaint
from bed.fixtures import SAMPLE
from bed.pushes import Pusher
from bed.registry import Registry

Podman = Callable[..., str]


@pytest.fixture
def stored(program: Dockless, tmp_path: Path) -> Dockless:
    """Dockless before a podman whose storage is the test's."""
    config = tmp_path / "storage.conf"
    storage = tmp_path / "storage"
    lines = (
        "[storage]",
        'driver = "vfs"',
        f'graphroot = "{storage}/g"',
        f'runroot = "{storage}/r"',
    )
    config.write_text("\n".join(lines))
    return replace(program, extra={**program.extra, "CONTAINERS_STORAGE_CONF": str(config)})


@pytest.fixture
def podman(stored: Dockless) -> Podman:
    def run(*arguments: str) -> str:
        done = subprocess.run(
            ("podman", *arguments),
            env=stored.environment(),
            check=True,
            capture_output=True,
            timeout=120,
        )
        return done.stdout.decode().strip()

    return run


def imported(podman: Podman, folder: Path, name: str, machine: str = "amd64") -> str:
    """Make an image of one file; return its ID."""
    tree = folder / f"tree-{name.replace(':', '-')}"
    tree.mkdir()
    (tree / "file").write_text(name)
    tar = tree.with_suffix(".tar")
    subprocess.run(("tar", "-cf", tar, "-C", tree, "file"), check=True)
    return podman("import", "--quiet", "--arch", machine, str(tar), name)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"DOCKER_HOST": "unix://{folder}/dead.sock"}, "dead.sock"),
        ({"DOCKER_HOST": "tcp://127.0.0.1:1"}, "127.0.0.1:1"),
        ({"DOCKER_CONTEXT": "build1"}, "build1"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--quiet",)])
def test_a_docker_that_is_silent_is_said_where_podmans_image_is_taken(
    stored: Dockless,
    podman: Podman,
    own_registry: Registry,
    tmp_path: Path,
    variables: dict[str, str],
    why: str,
    more: tuple[str, ...],
) -> None:
    imported(podman, tmp_path, "shop:1")
    filled = {name: text.format(folder=tmp_path) for name, text in variables.items()}
    stored = replace(stored, extra={**stored.extra, **filled})
    done = stored.run("push", "shop:1", "--image", f"{own_registry.host}/a/shop:1", *more)
    assert done.code == 0, done.stderr
    (warning,) = [line for line in done.stderr.splitlines() if line.startswith("Warning: docker")]
    assert why in warning
    assert warning.endswith("The image of podman is taken: localhost/shop:1.")


@pytest.mark.parametrize("source", ["shop:1", "localhost/shop:1", "containers-storage:shop:1"])
def test_an_image_of_podmans_own_is_recorded_as_one_and_keeps_its_path(
    stored: Dockless, podman: Podman, own_registry: Registry, tmp_path: Path, source: str
) -> None:
    imported(podman, tmp_path, "shop:1")
    receipt, out = tmp_path / "receipt.json", tmp_path / "disk.tar"
    host = own_registry.host
    for argv, references in (
        (("push", source, "--image", f"{host}/a/shop:2"), [f"{host}/a/shop:2"]),
        (("mirror", source, "--to", f"{host}/m"), [f"{host}/m/shop:1"]),
        (("mirror", out, "--to", f"{host}/b"), [f"{host}/b/shop:1"]),
    ):
        made = stored.run("bundle", "create", "--force", "-o", out, source)
        assert made.code == 0, made.stderr
        done = stored.run(*argv, "--receipt", receipt)
        assert done.code == 0, done.stderr
        (image,) = json.loads(receipt.read_text())["images"]
        assert (image["name"], image["references"]) == ("localhost/shop:1", references)
    assert "localhost/shop:1 " in stored.run("bundle", "list", out).stdout
    assert stored.run("bundle", "verify", out).code == 0


@pytest.mark.sampled(5)
@pytest.mark.parametrize("count", [1, 3, 7, 11])
@pytest.mark.parametrize("options", [(), ("--tag", "v1"), ("--image", "R/x/shop:1")])
def test_a_word_is_never_taken_for_an_id(
    program: Dockless,
    registry: Registry,
    old_docker: Docker,
    count: int,
    options: tuple[str, ...],
) -> None:
    word = old_docker.image_id(SAMPLE).removeprefix("sha256:")[:count]
    program = replace(program, extra={**program.extra, "DOCKER_HOST": old_docker.address})
    (program.project / "docker-config.json").write_text(
        f'{{"registry": "private", "image": "{registry.host}/x/shop"}}'
    )
    filled = [each.replace("R/", f"{registry.host}/") for each in options]
    assert f"no local image {word}" in complaint(program.run("push", word, *filled), 3)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("form", ["{hex:.12}", "{hex}", "sha256:{hex}"])
def test_an_id_that_was_typed_is_shown_with_its_names(
    program: Dockless, registry: Registry, old_docker: Docker, form: str
) -> None:
    whole = old_docker.image_id(SAMPLE)
    program = replace(program, extra={**program.extra, "DOCKER_HOST": old_docker.address})
    source = form.format(hex=whole.removeprefix("sha256:"))
    done = program.run("push", source, "--image", f"{registry.host}/x/by-id:1")
    assert done.code == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Source: ")]
    assert line.startswith(f"Source: docker image {whole} (")
    assert SAMPLE in line


@pytest.mark.parametrize("source", [("R/x/{hex:.12}",), ("docker-daemon:{hex:.12}:latest",), ()])
def test_the_name_of_a_file_or_with_a_tag_is_no_id(
    program: Dockless, registry: Registry, old_docker: Docker, source: tuple[str, ...]
) -> None:
    digits = old_docker.image_id(SAMPLE).removeprefix("sha256:")
    program = replace(program, extra={**program.extra, "DOCKER_HOST": old_docker.address})
    (program.project / "box.json").write_text(f'{{"slug": "{digits[:12]}"}}')
    (program.project / "docker-config.json").write_text(
        f'{{"registry": "private", "image": "{registry.host}/{digits[:12]}"}}'
    )
    argv = [each.format(hex=digits).replace("R/", f"{registry.host}/") for each in source]
    complaint(program.run("push", *argv), 3)


@pytest.fixture
def several(stored: Dockless, podman: Podman, tmp_path: Path) -> Dockless:
    """A podman with a list of two images."""
    podman("manifest", "create", "several:1")
    for machine in ("amd64", "arm64"):
        imported(podman, tmp_path, f"one-{machine}:1", machine)
        podman("manifest", "add", "several:1", f"containers-storage:localhost/one-{machine}:1")
    return stored


@pytest.mark.sampled(3)
@pytest.mark.parametrize("path", ["podman", "buildah"])
@pytest.mark.parametrize(
    ("platform", "machines"),
    [("", ["amd64", "arm64"]), ("linux/arm64", ["arm64"]), ("linux/amd64", ["amd64"])],
)
def test_a_list_is_pushed_as_a_whole_or_one_of_its_images(
    several: Dockless,
    podman: Podman,
    own_registry: Registry,
    tmp_path: Path,
    path: str,
    platform: str,
    machines: list[str],
) -> None:
    elsewhere = {**several.extra, "PATH": str(only(path, tmp_path))}
    several = replace(several, extra=elsewhere)
    target = f"{own_registry.host}/a/several"
    argv = ("push", "several:1", "--image", f"{target}:1")
    done = several.run(*argv, *(("--platform", platform) if platform else ()))
    assert done.code == 0, done.stderr
    assert f"Source: {path} image localhost/several:1\n" in done.stderr
    assert "rewrote its config" not in done.stderr
    document = json.loads(Pusher(several, own_registry, tmp_path).manifest("a/several:1"))
    if platform:
        own = podman("image", "inspect", "--format", "{{.Id}}", f"one-{machines[0]}:1")
        assert document["config"]["digest"] == f"sha256:{own}"
    else:
        assert [each["platform"]["architecture"] for each in document["manifests"]] == machines


def test_a_platform_that_a_list_lacks_is_named(several: Dockless, own_registry: Registry) -> None:
    argv = ("--image", f"{own_registry.host}/a/several:1", "--platform", "linux/s390x")
    said = complaint(several.run("push", "several:1", *argv), 3)
    assert "no image for linux/s390x" in said
    assert "linux/arm64" in said


def only(name: str, folder: Path) -> Path:
    """Return a folder of programs where this is the only container tool."""
    programs = folder / "only"
    programs.mkdir()
    needed = (name, "sh", "mktemp", "rm", "cat", "git", "newuidmap", "newgidmap", "crane", "skopeo")
    for each in needed:
        for where in ("/usr/bin", "/bin", "/usr/local/bin"):
            if (path := Path(where, each)).exists():
                (programs / each).symlink_to(path)
                break
    return programs
