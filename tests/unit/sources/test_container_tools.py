import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import EngineError, SourceError
from dockless.oci.digest import Digest
from dockless.processes.programs import ProgramsHere
from dockless.sources.container_tools import ContainerTool
from dockless.sources.known_tools import Buildah, Nerdctl, container_tools
from dockless.sources.local_images import LocalImage

ONE, TWO = Digest.of(b"one"), Digest.of(b"two")
Install = Callable[..., None]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"PATH": f"{tmp_path}:{os.defpath}", "DOCKLESS_PASSWORD": "hunter2"}


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Put a program on PATH that logs its arguments and answers with what it is given."""

    def put(name: str, stdout: str = "", stderr: str = "", code: int = 0) -> None:
        (tmp_path / f"{name}.out").write_text(stdout)
        (tmp_path / f"{name}.err").write_text(stderr)
        path = tmp_path / name
        path.write_text(
            f"#!/bin/sh\necho \"$*\" >> '{tmp_path}/{name}.log'\n"
            '[ "$1 $2" != "manifest exists" ] || exit 1\n'
            f"env > '{tmp_path}/{name}.env'\n"
            f"cat '{path}.out'\ncat '{path}.err' >&2\nexit {code}\n"
        )
        path.chmod(0o755)

    return put


def bare(found: LocalImage | None) -> LocalImage | None:
    """Return what was found without the other names that it has."""
    return replace(found, called=()) if found else None


def inspected(*images: tuple[Digest, list[str]], prefix: str = "sha256:") -> str:
    return json.dumps([{"Id": f"{prefix}{image.hex}", "RepoTags": tags} for image, tags in images])


def test_a_tool_is_available_when_it_is_on_path(
    environment: dict[str, str], install: Install
) -> None:
    tool = ContainerTool("nerdctl", ProgramsHere(environment))
    assert not tool.available()
    install("nerdctl")
    assert tool.available()


def test_the_first_name_that_is_there_wins_whatever_the_order_of_the_answer(
    environment: dict[str, str], install: Install, tmp_path: Path
) -> None:
    answer = inspected((TWO, ["shop:latest"]), (ONE, ["ghcr.io/acme/shop:1"]))
    install("docker", answer, "Error: No such image: absent\n", code=1)
    names = ("absent", "ghcr.io/acme/shop:1", "shop")
    found = ContainerTool("docker", ProgramsHere(environment)).find(names)
    assert bare(found) == LocalImage(tool="docker", name="ghcr.io/acme/shop:1", image_id=ONE)
    asked = "absent:latest ghcr.io/acme/shop:1 shop:latest"
    assert (tmp_path / "docker.log").read_text() == f"image inspect {asked}\n"


def test_podmans_own_way_of_naming_is_understood(
    environment: dict[str, str], install: Install
) -> None:
    install("podman", inspected((ONE, ["localhost/shop:latest"]), prefix=""))
    found = ContainerTool("podman", ProgramsHere(environment)).find(("absent", "shop"))
    assert bare(found) == LocalImage(tool="podman", name="shop", image_id=ONE)


@pytest.mark.parametrize("tool", ["docker", "podman", "nerdctl"])
@pytest.mark.parametrize(
    "name", ["fea", "a", ONE.hex[:11], ONE.hex[:12], ONE.hex, f"sha256:{ONE.hex[:4]}", str(ONE)]
)
def test_a_name_is_never_taken_for_an_id(
    environment: dict[str, str], install: Install, name: str, tool: str
) -> None:
    install(tool, inspected((ONE, ["other:1"]), (TWO, [])))
    programs = {each.name: each for each in container_tools(ProgramsHere(environment))}
    assert programs[tool].find((name,)) is None


@pytest.mark.parametrize(
    ("listed", "digits", "found"),
    [
        ((ONE, TWO), ONE.hex, True),
        ((ONE, TWO), ONE.hex[:12], True),
        ((ONE, ONE, TWO), ONE.hex[:1], True),
        ((TWO,), ONE.hex[:12], False),
        ((), ONE.hex[:12], False),
    ],
)
def test_an_image_is_found_by_its_id(
    environment: dict[str, str],
    install: Install,
    tmp_path: Path,
    listed: tuple[Digest, ...],
    digits: str,
    *,
    found: bool,
) -> None:
    install("docker", "".join(f"{each}\n" for each in listed))
    tool = tmp_path / "docker"
    (tmp_path / "inspected").write_text(inspected((ONE, ["shop:2", "r.io/x/shop:2"])))
    branch = (
        f"case $2 in inspect) echo $3 > '{tmp_path}/asked'; cat '{tmp_path}/inspected'; exit;; esac"
    )
    tool.write_text(tool.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\n{branch}\n"))
    image = ContainerTool("docker", ProgramsHere(environment)).find_id(digits)
    assert (image is not None) == found
    if image:
        assert (image.image_id, image.by_id) == (ONE, True)
        assert image.shown == f"{ONE} (shop:2, r.io/x/shop:2)"
        assert (tmp_path / "asked").read_text() == f"{ONE}\n"


@pytest.mark.parametrize("digits", ["c", "cafe", "cafe00000000"])
@pytest.mark.parametrize("name", ["docker", "podman", "nerdctl", "buildah"])
def test_the_beginning_of_several_ids_is_an_error(
    environment: dict[str, str], install: Install, digits: str, name: str
) -> None:
    ids = [f"sha256:cafe{'0' * 59}{last}" for last in "12"]
    install(
        name,
        "".join(
            f"{each} <none>:<none> <none>@<none>\n"[: 500 if name == "buildah" else 71] + "\n"
            for each in ids
        ),
    )
    tools = {each.name: each for each in container_tools(ProgramsHere(environment))}
    with pytest.raises(SourceError, match=f"the beginning of the IDs of 2 images of {name}"):
        tools[name].find_id(digits)


@pytest.mark.parametrize(
    ("wanted", "called", "shown"),
    [
        ("shop", ["localhost/shop:latest", "r.io/shop:1"], "localhost/shop:latest"),
        ("docker.io/acme/shop:9", ["x:1", "acme/shop:9"], "acme/shop:9"),
        ("shop:2", ["docker.io/library/shop:2"], "docker.io/library/shop:2"),
    ],
)
def test_an_image_is_shown_by_the_name_that_it_has(
    environment: dict[str, str], install: Install, wanted: str, called: list[str], shown: str
) -> None:
    install("docker", inspected((ONE, called)))
    found = ContainerTool("docker", ProgramsHere(environment)).find((wanted,))
    assert found
    assert found.shown == shown


@pytest.mark.parametrize(
    ("wanted", "called", "recorded"),
    [
        ("shop", ["localhost/shop:latest", "r.io/shop:1"], "localhost/shop:latest"),
        ("team/shop:9", ["localhost/team/shop:9"], "localhost/team/shop:9"),
        (f"shop:9@{TWO}", ["localhost/shop:9", f"localhost/shop@{TWO}"], f"localhost/shop:9@{TWO}"),
        ("localhost/shop", ["localhost/shop:latest"], "localhost/shop"),
        ("shop", ["docker.io/library/shop:latest"], "shop"),
        ("shop:2", ["shop:2", "localhost/shop:1"], "shop:2"),
        ("docker.io/library/shop:2", ["docker.io/library/shop:2"], "docker.io/library/shop:2"),
        ("localhost:5000/shop:2", ["localhost:5000/shop:2"], "localhost:5000/shop:2"),
    ],
)
def test_an_image_of_podmans_own_is_recorded_as_one(
    environment: dict[str, str], install: Install, wanted: str, called: list[str], recorded: str
) -> None:
    install("podman", inspected((ONE, called)))
    found = ContainerTool("podman", ProgramsHere(environment)).find((wanted,))
    assert found
    assert found.recorded == recorded


@pytest.mark.parametrize(
    ("more", "as_stored"),
    [
        ({"Descriptor": {"digest": str(ONE)}}, True),
        ({"Descriptor": None, "RepoDigests": [f"shop@{ONE}"]}, True),
        ({"RepoDigests": [f"shop@{TWO}", "<none>@<none>"]}, False),
        ({}, False),
    ],
)
def test_containerds_store_is_known_by_ids_that_are_digests_of_manifests(
    environment: dict[str, str], install: Install, more: dict[str, object], *, as_stored: bool
) -> None:
    install("docker", json.dumps([{"Id": str(ONE), "RepoTags": ["shop:1"], **more}]))
    found = ContainerTool("docker", ProgramsHere(environment)).find(("shop:1",))
    assert bare(found) == LocalImage(
        tool="docker", name="shop:1", image_id=ONE, as_stored=as_stored
    )


def test_an_image_is_found_by_its_digest_among_others(
    environment: dict[str, str], install: Install
) -> None:
    listed = [{"Id": str(each), "RepoDigests": [f"shop@{each}"]} for each in (TWO, ONE)]
    install("docker", json.dumps(listed))
    found = ContainerTool("docker", ProgramsHere(environment)).find(("absent", f"shop@{ONE}"))
    assert bare(found) == LocalImage(
        tool="docker", name=f"shop@{ONE}", image_id=ONE, as_stored=True
    )


@pytest.mark.parametrize("digests", [[f"shop@{TWO}"], []])
def test_nerdctl_saves_by_the_manifest_where_it_is_known(
    environment: dict[str, str], install: Install, digests: list[str]
) -> None:
    answer = {"Id": str(ONE), "RepoTags": ["shop:1"], "RepoDigests": digests}
    install("nerdctl", json.dumps([answer]))
    tool = Nerdctl("nerdctl", ProgramsHere(environment))
    found = tool.find(("shop:1",))
    expected = TWO if digests else ONE
    assert bare(found) == LocalImage(
        tool="nerdctl", name="shop:1", image_id=expected, as_stored=bool(digests)
    )
    assert found
    assert tool.save_argv(found) == ("nerdctl", "save", str(expected))


LOOKALIKES = [
    ("registry.example/acme/shop:9", "quay.example.com/evilteam/shop:9"),
    ("shop:9", "quay.example.com/evilteam/shop:9"),
    ("acme/shop", "quay.example.com/acme/shop:latest"),
    ("registry.example/shop:9", "registry.example:5000/shop:9"),
    ("shop:9", "shop:8"),
    ("shop", "xshop:latest"),
    (f"acme/shop@{ONE}", f"quay.example.com/acme/shop@{ONE}"),
]


@pytest.mark.parametrize(("wanted", "called"), LOOKALIKES)
@pytest.mark.parametrize("more", [(), ("absent:1",)])
def test_an_image_whose_name_ends_alike_is_not_the_one(
    environment: dict[str, str], install: Install, wanted: str, called: str, more: tuple[str, ...]
) -> None:
    install("podman", json.dumps([{"Id": TWO.hex, "RepoTags": [called], "RepoDigests": [called]}]))
    install("buildah", f"sha256:{TWO.hex} {called} {called.partition('@')[0]}@{TWO}\n")
    programs = ProgramsHere(environment)
    for tool in (ContainerTool("podman", programs), Buildah("buildah", programs)):
        assert tool.find((wanted, *more)) is None


@pytest.mark.parametrize(
    ("wanted", "called"),
    [
        ("shop", "docker.io/library/shop:latest"),
        ("acme/shop:9", "docker.io/acme/shop:9"),
        ("shop:9", "localhost/shop:9"),
        ("docker.io/library/shop:9", "shop:9"),
        (f"shop:9@{ONE}", f"docker.io/library/shop@{ONE}"),
    ],
)
def test_an_image_is_found_by_every_form_of_its_name(
    environment: dict[str, str], install: Install, wanted: str, called: str
) -> None:
    install("podman", json.dumps([{"Id": TWO.hex, "RepoTags": [called]}]))
    install("buildah", f"\nnonsense\nsha256:{TWO.hex} {called} <none>@<none>\n")
    programs = ProgramsHere(environment)
    for tool in (ContainerTool("podman", programs), Buildah("buildah", programs)):
        assert bare(tool.find((wanted,))) == LocalImage(tool=tool.name, name=wanted, image_id=TWO)


def test_a_tag_that_is_no_reference_is_passed_over(
    environment: dict[str, str], install: Install
) -> None:
    install("docker", inspected((TWO, ["<none>:<none>"]), (ONE, ["shop:1"])))
    found = ContainerTool("docker", ProgramsHere(environment)).find(("absent", "shop:1"))
    assert bare(found) == LocalImage(tool="docker", name="shop:1", image_id=ONE)


@pytest.mark.parametrize(
    "said",
    [
        "Error response from daemon: No such image: shop:latest",
        "Error: inspecting object: shop: image not known",
        'time="2024" level=fatal msg="no image found"',
        "Error: no such object shop:latest",
    ],
)
def test_an_image_that_is_not_there_is_none(
    environment: dict[str, str], install: Install, said: str
) -> None:
    install("docker", "[]\n", said, code=1)
    assert ContainerTool("docker", ProgramsHere(environment)).find(("shop",)) is None


@pytest.mark.parametrize(
    "said",
    [
        'context "build1": context not found: open meta.json: no such file or directory',
        "sh: 1: docker: not found",
        'Error: command required for rootless mode: exec: "newuidmap": executable file not found',
        "host key not known",
    ],
)
def test_a_tool_that_lacks_something_else_cannot_tell(
    environment: dict[str, str], install: Install, said: str
) -> None:
    install("docker", "[]\n", f"{said}\n", code=1)
    with pytest.raises(EngineError, match="docker does not respond: "):
        ContainerTool("docker", ProgramsHere(environment)).find(("shop",))


def test_a_tool_that_cannot_tell_is_an_error_with_its_last_words(
    environment: dict[str, str], install: Install
) -> None:
    install("docker", "", "Warning.\nCannot connect to the Docker daemon.\n", code=1)
    with pytest.raises(EngineError, match="does not respond: Cannot connect to the Docker daemon"):
        ContainerTool("docker", ProgramsHere(environment)).find(("shop",))


@pytest.mark.parametrize(
    "stdout",
    [
        "not json",
        '{"Id": "1"}',
        '[{"Id": "short"}]',
        "[7]",
        f'[{{"Id": "{ONE}", "RepoTags": "shop"}}]',
        f'[{{"Id": "{ONE}", "RepoTags": [1]}}]',
        f'[{{"Id": "{ONE}", "RepoDigests": {{"shop:latest": null}}}}]',
        f'[{{"Id": "{ONE}", "Descriptor": {{"digest": 7}}}}]',
    ],
)
def test_an_answer_of_another_shape_is_an_error(
    environment: dict[str, str], install: Install, stdout: str
) -> None:
    install("docker", stdout)
    with pytest.raises(EngineError, match="printed unexpected output"):
        ContainerTool("docker", ProgramsHere(environment)).find(("shop",))


def test_names_without_a_name_are_left_out(environment: dict[str, str], install: Install) -> None:
    install("docker", "shop:1\n<none>:<none>\nshop:<none>\nother:2\n")
    assert ContainerTool("docker", ProgramsHere(environment)).names() == ["shop:1", "other:2"]


def test_an_image_is_saved_by_its_id_on_a_pipe(
    environment: dict[str, str], install: Install, tmp_path: Path
) -> None:
    install("docker", "the archive")
    with ContainerTool("docker", ProgramsHere(environment)).save(
        LocalImage(tool="docker", name="shop", image_id=ONE)
    ) as stream:
        assert stream.read() == b"the archive"
    assert (tmp_path / "docker.log").read_text() == f"save sha256:{ONE.hex}\n"


def test_a_tool_sees_nothing_of_our_own_settings(
    environment: dict[str, str], install: Install, tmp_path: Path
) -> None:
    install("docker", "[]")
    ContainerTool("docker", ProgramsHere(environment)).find(("shop",))
    assert "hunter2" not in (tmp_path / "docker.env").read_text()


def read(tool: ContainerTool, then: Exception | None = None) -> None:
    """Read a saved image to its end, and fail after that if so asked."""
    with tool.save(LocalImage(tool="docker", name="shop", image_id=ONE)) as stream:
        stream.read()
        if then:
            raise then


@pytest.mark.parametrize("then", [None, SourceError("It is truncated.")])
def test_a_save_that_fails_says_so_whatever_became_of_the_stream(
    environment: dict[str, str], install: Install, then: SourceError | None
) -> None:
    install("docker", "half an arch", "Error: no space left on device", code=1)
    with pytest.raises(SourceError, match="'docker save' of shop failed: Error: no space left"):
        read(ContainerTool("docker", ProgramsHere(environment)), then)


def test_a_stream_that_is_bad_by_itself_keeps_its_own_error(
    environment: dict[str, str], install: Install
) -> None:
    install("docker", "not a tar")
    with pytest.raises(SourceError, match="not a tar"):
        read(ContainerTool("docker", ProgramsHere(environment)), SourceError("It is not a tar."))


def test_buildah_is_asked_for_all_names_and_saves_by_pushing(
    environment: dict[str, str], install: Install, tmp_path: Path
) -> None:
    install("buildah", f"sha256:{ONE.hex} localhost/shop:latest localhost/shop@{TWO}\n")
    tool = Buildah("buildah", ProgramsHere(environment))
    assert bare(tool.find(("shop",))) == LocalImage(tool="buildah", name="shop", image_id=ONE)
    with tool.save(LocalImage(tool="buildah", name="shop", image_id=ONE)) as stream:
        stream.read()
    assert (tmp_path / "buildah.log").read_text().splitlines() == [
        "images --noheading --no-trunc --format {{.ID}} {{.Name}}:{{.Tag}} {{.Name}}@{{.Digest}}",
        "manifest exists localhost/shop:latest",
        f"push --quiet {ONE.hex} docker-archive:/dev/stdout",
    ]


LISTED = """\
sha256:cafe{0} localhost/mine:1 localhost/mine@{1}
sha256:cafe{0} quay.io/me/mine:1 quay.io/me/mine@{1}
sha256:cafd{0} quay.io/other/x:1 quay.io/other/x@{1}
sha256:{2} docker.io/library/cafd:latest docker.io/library/cafd@{1}
""".format("0" * 60, TWO, ONE.hex)


@pytest.mark.parametrize(
    ("asked", "image_id"), [("cafd", ONE.hex), ("cafe", ""), ("cafe0", ""), ("mine:2", "")]
)
def test_buildah_takes_no_name_for_the_beginning_of_an_id(
    environment: dict[str, str], install: Install, asked: str, image_id: str
) -> None:
    install("buildah", LISTED)
    found = Buildah("buildah", ProgramsHere(environment)).find((asked,))
    assert (found.image_id.hex if found else "") == image_id


def test_buildah_finds_an_id_with_all_its_names(
    environment: dict[str, str], install: Install
) -> None:
    install("buildah", LISTED)
    tool = Buildah("buildah", ProgramsHere(environment))
    found = tool.find_id("cafe")
    assert found
    assert found.shown.startswith(f"sha256:cafe{'0' * 60} (localhost/mine:1, ")
    assert tool.find_id("cab") is None


@pytest.mark.parametrize("code", [1, 125])
def test_buildah_that_fails_cannot_tell(
    environment: dict[str, str], install: Install, code: int
) -> None:
    install("buildah", "", "Error during unshare: permission denied", code=code)
    with pytest.raises(EngineError, match="buildah does not respond"):
        Buildah("buildah", ProgramsHere(environment)).find(("shop",))


def test_docker_is_asked_before_podman() -> None:
    assert [tool.name for tool in container_tools(ProgramsHere({}))] == [
        "docker",
        "podman",
        "nerdctl",
        "buildah",
    ]
