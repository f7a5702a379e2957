import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from dockless.config import cascade, project
from dockless.config.cascade import Flags, Settings
from dockless.config.local_names import local_candidates
from dockless.config.naming import target
from dockless.config.setting import Setting, first
from dockless.errors import UsageError
from dockless.model import kinds
from dockless.oci.reference import Name


def resolve(
    folder: Path, flags: Flags | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    flags, environment = flags or Flags(), environment or {}
    return cascade.resolve(flags, environment, project.read(folder, environment, None))


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


SESSION = '{"registry":"ghcr","username":"stored","image":"stored/image","namespace":"stored"}'
KAMAL = """\
service: shop
image: acme/shop
registry:
  server: registry.example.com
  username: filed
"""


def test_the_first_that_is_given_wins_and_the_rest_is_not_asked() -> None:
    def candidates() -> Iterator[Setting[int] | None]:
        yield None
        yield Setting(1, "a")
        raise AssertionError

    assert first(candidates()) == Setting(1, "a")
    assert first([None]) is None


@pytest.mark.parametrize(
    ("name", "flags"),
    [("username", Flags(username="flag")), ("namespace", Flags(namespace="flag"))],
)
def test_command_line_beats_environment_beats_session(
    tmp_path: Path, name: str, flags: Flags
) -> None:
    write(tmp_path, "docker-config.json", SESSION)
    variable = f"DOCKLESS_{name.upper()}"
    environment = {variable: "env"}
    assert getattr(resolve(tmp_path, flags, environment), name) == Setting("flag", f"--{name}")
    assert getattr(resolve(tmp_path, None, environment), name) == Setting("env", variable)
    assert getattr(resolve(tmp_path), name) == Setting("stored", "docker-config.json")


def test_deploy_file_beats_session(tmp_path: Path) -> None:
    write(tmp_path, "docker-config.json", SESSION)
    write(tmp_path, "config/deploy.yml", KAMAL)
    found = resolve(tmp_path)
    assert found.username == Setting("filed", "config/deploy.yml:5")
    assert found.server == Setting("registry.example.com", "config/deploy.yml:4")
    assert found.image
    assert (found.image.value.path, found.image.origin) == ("acme/shop", "config/deploy.yml:2")
    assert found.project() == Setting("shop", "config/deploy.yml:1")


def test_kind_implied_by_deploy_file_beats_that_of_the_session(tmp_path: Path) -> None:
    write(tmp_path, "docker-config.json", SESSION)
    write(tmp_path, "config/deploy.yml", KAMAL)
    found = resolve(tmp_path)
    assert found.registry is None
    assert found.implied
    assert found.implied.value.name == "private"


def test_kind_is_found_on_every_level(tmp_path: Path) -> None:
    write(tmp_path, "docker-config.json", SESSION)
    environment = {"DOCKLESS_REGISTRY": "ACR"}
    for found, name, origin in (
        (resolve(tmp_path, Flags(registry="gcr"), environment), "gcr", "--registry"),
        (resolve(tmp_path, None, environment), "acr", "DOCKLESS_REGISTRY"),
        (resolve(tmp_path), "ghcr", "docker-config.json"),
    ):
        assert found.registry
        assert (found.registry.value.name, found.registry.origin) == (name, origin)


def test_nothing_said_is_none(tmp_path: Path) -> None:
    found = resolve(tmp_path, None, {"DOCKLESS_IMAGE": "", "DOCKLESS_TAG": ""})
    assert (found.registry, found.image, found.tags, found.username) == (None, None, (), None)
    assert found.version() is None
    assert found.compose_images() == ()


def test_unknown_registry_is_refused_with_its_origin(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="DOCKLESS_REGISTRY: 'quay' is not a kind"):
        resolve(tmp_path, None, {"DOCKLESS_REGISTRY": "quay"})


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("registry", Flags(registry="")),
        ("image", Flags(image=" ")),
        ("username", Flags(username="")),
        ("namespace", Flags(namespace="")),
    ],
)
def test_empty_option_is_refused(tmp_path: Path, name: str, flags: Flags) -> None:
    with pytest.raises(UsageError, match=f"--{name} is empty"):
        resolve(tmp_path, flags)


@pytest.mark.parametrize("image", ["Shop", "a//b", "shop:", "shop@sha256:1"])
def test_malformed_image_is_refused_with_its_origin(tmp_path: Path, image: str) -> None:
    with pytest.raises(UsageError, match="from DOCKLESS_IMAGE"):
        resolve(tmp_path, None, {"DOCKLESS_IMAGE": image})


def test_digest_in_the_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has a digest"):
        resolve(tmp_path, Flags(image="shop@sha256:" + "0" * 64))


# Tags


def values(found: Settings) -> list[tuple[str, str]]:
    return [(tag.value, tag.origin) for tag in found.tags]


def test_tags_come_from_the_command_line_else_the_environment(tmp_path: Path) -> None:
    environment = {"DOCKLESS_TAG": "v1, v2"}
    found = resolve(tmp_path, Flags(tags=("a", "b", "a")), environment)
    assert values(found) == [("a", "--tag"), ("b", "--tag")]
    found = resolve(tmp_path, None, environment)
    assert values(found) == [("v1", "DOCKLESS_TAG"), ("v2", "DOCKLESS_TAG")]


@pytest.mark.parametrize("tag", ["", "a b", "a/b", ".x", "v1,v2", "t" * 129])
def test_bad_tag_is_refused(tmp_path: Path, tag: str) -> None:
    with pytest.raises(UsageError, match="--tag"):
        resolve(tmp_path, Flags(tags=(tag,)))


def test_empty_tag_in_a_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="DOCKLESS_TAG: It is empty"):
        resolve(tmp_path, None, {"DOCKLESS_TAG": "v1,,v2"})


def test_image_and_tag_option_that_differ_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--image has the tag 'v1', and --tag asks for v2"):
        resolve(tmp_path, Flags(image="shop:v1", tags=("v2",)))
    environment = {"DOCKLESS_IMAGE": "r.io/shop:v1", "DOCKLESS_TAG": "v2"}
    found = resolve(tmp_path, None, environment)  # which of them counts depends on SOURCE
    with pytest.raises(UsageError, match="DOCKLESS_IMAGE has the tag 'v1'"):
        target(found, None)


def test_image_and_tag_option_that_agree_are_one(tmp_path: Path) -> None:
    assert values(resolve(tmp_path, Flags(image="shop:v1", tags=("v1",)))) == [("v1", "--tag")]


def test_tag_of_the_image_option_beats_the_environment(tmp_path: Path) -> None:
    found = resolve(tmp_path, Flags(image="shop:v1"), {"DOCKLESS_TAG": "v2"})
    assert values(found) == [("v1", "--image")]


def test_tag_option_beats_the_image_of_the_environment(tmp_path: Path) -> None:
    found = resolve(tmp_path, Flags(tags=("v2",)), {"DOCKLESS_IMAGE": "shop:v1"})
    assert values(found) == [("v2", "--tag")]


def test_tag_of_an_image_that_is_not_used_counts_for_nothing(tmp_path: Path) -> None:
    assert resolve(tmp_path, Flags(image="shop"), {"DOCKLESS_IMAGE": "old:v1"}).tags == ()


# Kamal's version, and its account


def test_version_stays_the_same_within_a_run(tmp_path: Path) -> None:
    write(tmp_path, "config/deploy.yml", KAMAL)
    found = resolve(tmp_path, None, {"VERSION": "v7"})
    assert found.version() is found.version()
    assert target(found, None).tags == (Setting("v7", "VERSION"),)


def test_username_may_be_a_secret(tmp_path: Path) -> None:
    write(tmp_path, "config/deploy.yml", "service: a\nregistry:\n  username: [WHO]\n")
    write(tmp_path, ".kamal/secrets", "WHO=me\n")
    assert resolve(tmp_path).username == Setting("me", "config/deploy.yml:3")


def test_secret_username_is_not_looked_up_when_an_option_gives_one(tmp_path: Path) -> None:
    write(tmp_path, "config/deploy.yml", "service: a\nregistry:\n  username: [WHO]\n")
    assert resolve(tmp_path, Flags(username="me")).username == Setting("me", "--username")
    with pytest.raises(UsageError, match="No secret WHO"):
        resolve(tmp_path)


@pytest.mark.parametrize(
    ("server", "host"),
    [("", "docker.io"), ("  server: index.docker.io\n", "docker.io"), ("  server: r.io\n", "r.io")],
)
def test_login_is_for_the_registry_of_the_file(tmp_path: Path, server: str, host: str) -> None:
    text = f"service: a\nregistry:\n{server}  username: me\n  password: [PASSWORD]\n"
    write(tmp_path, "config/deploy.yml", text)
    write(tmp_path, ".kamal/secrets", "PASSWORD=hunter2\n")
    login = resolve(tmp_path).login
    assert login
    assert login.host == host
    assert login.password().reveal() == "hunter2"
    assert login.username() == "me"


def test_plain_password_is_used_and_warned_of_without_showing_it(tmp_path: Path) -> None:
    text = "service: a\nregistry:\n  username: me\n  password: hunter2\n"
    write(tmp_path, "config/deploy.yml", text)
    found = resolve(tmp_path)
    assert found.login
    assert found.login.password().reveal() == "hunter2"
    assert "config/deploy.yml:4" in found.warnings[0]
    assert "hunter2" not in repr((found, found.warnings, project.read(tmp_path, {}, None)))


# What was typed is never contradicted by a file

PRIVATE = '{"registry":"private","username":"me","image":"localhost:5000/shop","namespace":""}'
HUB = '{"registry":"dockerhub","username":"me","image":"","namespace":"team"}'
UNNAMED = '{"image":"reg.sess.io/t/shop","username":"bob"}'
UNKNOWN = '{"registry":"quay","image":"quay.io/t/shop","username":"bob","namespace":"t"}'
ECR = '{"registry":"ecr","username":"AWS","image":"1.dkr.ecr.eu-west-1.amazonaws.com/x"}'


@pytest.mark.parametrize(
    ("session", "flags", "environment", "expected"),
    [
        (PRIVATE, Flags(registry="ghcr", namespace="acme"), {}, "ghcr.io/acme/shop:latest"),
        (PRIVATE, Flags(registry="dockerhub", username="you"), {}, "docker.io/you/shop:latest"),
        (
            PRIVATE,
            Flags(namespace="acme"),
            {"DOCKLESS_REGISTRY": "ghcr"},
            "ghcr.io/acme/shop:latest",
        ),
        (PRIVATE, Flags(image="ghcr.io/acme/web"), {}, "ghcr.io/acme/web:latest"),
        (PRIVATE, Flags(image="other.example/web:2"), {}, "other.example/web:2"),
        (PRIVATE, Flags(image="web"), {}, "localhost:5000/me/web:latest"),
        (PRIVATE, Flags(registry="private", image="web"), {}, "localhost:5000/me/web:latest"),
        (PRIVATE, Flags(tags=("2",)), {}, "localhost:5000/shop:2"),
        (PRIVATE, Flags(namespace="team"), {}, "localhost:5000/team/shop:latest"),
        (PRIVATE, Flags(), {"DOCKLESS_NAMESPACE": "team"}, "localhost:5000/team/shop:latest"),
        (HUB, Flags(image="localhost:5000/web"), {}, "localhost:5000/web:latest"),
        (HUB, Flags(), {"DOCKLESS_IMAGE": "ghcr.io/a/web"}, "ghcr.io/a/web:latest"),
        (HUB, Flags(registry="ghcr", username="you"), {}, "ghcr.io/you/shop:latest"),
        (HUB, Flags(image="index.docker.io/a/web"), {}, "docker.io/a/web:latest"),
        (HUB, Flags(image="web"), {}, "docker.io/team/web:latest"),
        (ECR, Flags(image="localhost:5000/web"), {}, "localhost:5000/web:latest"),
        (ECR, Flags(registry="ghcr", namespace="a"), {}, "ghcr.io/a/shop:latest"),
        (ECR, Flags(registry="private"), {}, "1.dkr.ecr.eu-west-1.amazonaws.com/x:latest"),
        (UNNAMED, Flags(registry="ghcr", namespace="acme"), {}, "ghcr.io/acme/shop:latest"),
        (UNNAMED, Flags(registry="ghcr", image="web"), {}, "ghcr.io/web:latest"),
        (UNNAMED, Flags(registry="dockerhub", username="me"), {}, "docker.io/me/shop:latest"),
        (UNNAMED, Flags(image="localhost:5000/web"), {}, "localhost:5000/web:latest"),
        (UNNAMED, Flags(), {"DOCKLESS_REGISTRY": "private"}, "reg.sess.io/t/shop:latest"),
        (UNNAMED, Flags(image="web"), {}, "reg.sess.io/bob/web:latest"),
        (UNNAMED, Flags(), {}, "reg.sess.io/t/shop:latest"),
        (UNKNOWN, Flags(registry="ghcr", namespace="acme"), {}, "ghcr.io/acme/shop:latest"),
        (UNKNOWN, Flags(registry="private", image="r.io/web"), {}, "r.io/web:latest"),
        (UNKNOWN, Flags(registry="dockerhub", username="me"), {}, "docker.io/me/shop:latest"),
        (ECR, Flags(image="web"), {}, "1.dkr.ecr.eu-west-1.amazonaws.com/web:latest"),
    ],
)
def test_a_login_elsewhere_does_not_contradict(
    tmp_path: Path, session: str, flags: Flags, environment: dict[str, str], expected: str
) -> None:
    write(tmp_path, "docker-config.json", session)
    write(tmp_path, "box.json", '{"slug": "shop"}')
    found = resolve(tmp_path, flags, environment)
    assert [str(each) for each in target(found, None).references] == [expected]


@pytest.mark.parametrize("flags", [Flags(), Flags(image="r.io/web"), Flags(namespace="a")])
def test_a_kind_that_there_is_not_is_said_where_no_other_stands_above_it(
    tmp_path: Path, flags: Flags
) -> None:
    write(tmp_path, "docker-config.json", UNKNOWN)
    with pytest.raises(UsageError, match=r"docker-config\.json: 'quay' is not a kind"):
        resolve(tmp_path, flags)


def test_the_account_of_another_registry_is_not_used(tmp_path: Path) -> None:
    write(tmp_path, "docker-config.json", HUB)
    found = resolve(tmp_path, Flags(image="localhost:5000/web"))
    assert (found.username, found.namespace, found.registry) == (None, None, None)


@pytest.mark.parametrize(
    ("image", "flags", "expected"),
    [
        (
            "docker.io/acme/web:1",
            Flags(registry="ghcr", namespace="a", tags=("2",)),
            "ghcr.io/a/web:2",
        ),
        (
            "localhost:5000/a/b/web",
            Flags(registry="dockerhub", username="you"),
            "docker.io/you/web:latest",
        ),
        ("ghcr.io/acme/web", Flags(image="localhost:5000/x"), "localhost:5000/x:latest"),
        ("ghcr.io/acme/web", Flags(registry="private"), "ghcr.io/acme/web:latest"),
        ("acme/web:1", Flags(registry="ghcr", namespace="Other"), "ghcr.io/other/web:1"),
        ("ghcr.io/acme/web", Flags(namespace="other"), "ghcr.io/other/web:latest"),
        ("acme/web", Flags(registry="ghcr", username="other"), "ghcr.io/acme/web:latest"),
    ],
)
def test_a_deploy_file_does_not_contradict(
    tmp_path: Path, image: str, flags: Flags, expected: str
) -> None:
    write(tmp_path, "config/deploy.yml", f"name: shop\nimage: {image}\n")
    found = resolve(tmp_path, flags)
    assert [str(each) for each in target(found, None).references] == [expected]


HOSTS = {
    "dockerhub": "docker.io",
    "ecr": "1.dkr.ecr.eu-west-1.amazonaws.com",
    "gcr": "europe-docker.pkg.dev",
    "acr": "acme.azurecr.io",
    "ghcr": "ghcr.io",
    "private": "registry.example.com:5000",
}


@pytest.mark.parametrize("kind", [each.name for each in kinds.KINDS])
@pytest.mark.parametrize("image", ["", "app", "team/app", "HOST/team/app", "HOST/app"])
@pytest.mark.parametrize("how", ["--namespace", "DOCKLESS_NAMESPACE"])
@pytest.mark.parametrize("where", ["deploy.yml", "docker-config.json", "typed"])
@pytest.mark.parametrize("named", ["--registry", "file"])
@pytest.mark.parametrize("namespace", ["prod", "prod/eu"])
def test_a_namespace_that_was_typed_is_in_the_target_or_refused(
    tmp_path: Path, kind: str, image: str, how: str, where: str, named: str, namespace: str
) -> None:
    host = HOSTS[kind]
    image = image.replace("HOST", host)
    write(tmp_path, "box.json", '{"slug": "shop"}')
    if where == "docker-config.json":
        session = {"registry": kind, "username": "bob", "image": image, "namespace": "old"}
        write(tmp_path, "docker-config.json", json.dumps(session))
    else:
        filed = f"image: {image}\n" if image and where == "deploy.yml" else ""
        server = f"service: shop\n{filed}registry:\n  server: {host}\n  username: bob\n"
        write(tmp_path, "config/deploy.yml", server)
    flags = Flags(
        registry=kind if named == "--registry" else None,
        image=image or None if where == "typed" else None,
        namespace=namespace if how == "--namespace" else None,
    )
    found = resolve(tmp_path, flags, {} if flags.namespace else {"DOCKLESS_NAMESPACE": namespace})
    found = msgspec.structs.replace(found, version=lambda: None)
    own = kinds.named(kind).host
    refused = ""
    if where == "docker-config.json" and not (own or image.startswith(host)):
        refused = "The host of the"  # such a session does not tell it
    elif where == "typed" and "/" in image:
        refused = f"not in the namespace '{namespace}' of {how}"
    if refused:
        with pytest.raises(UsageError, match=refused):
            target(found, None)
        return
    last = "app" if image else "shop"
    assert str(target(found, None).references[0]) == f"{host}/{namespace}/{last}:latest"


@pytest.mark.parametrize(
    ("image", "flags", "environment", "expected"),
    [
        ("team/sub/app", Flags(namespace="team"), {}, "reg.io/team/sub/app"),
        ("reg.io/team/sub/app", Flags(), {"DOCKLESS_NAMESPACE": "team"}, "reg.io/team/sub/app"),
        ("", Flags(namespace="a", image="a/app"), {}, "reg.io/a/app"),
        ("", Flags(namespace="a/b", image="reg.io/a/b/c/app"), {}, "reg.io/a/b/c/app"),
        ("", Flags(namespace="ACME", image="ghcr.io/acme/app"), {}, "ghcr.io/acme/app"),
        ("team/app", Flags(image="app"), {"DOCKLESS_NAMESPACE": "prod"}, "reg.io/prod/app"),
    ],
)
def test_a_name_that_is_in_the_namespace_stays(
    tmp_path: Path, image: str, flags: Flags, environment: dict[str, str], expected: str
) -> None:
    filed = f"image: {image}\n" if image else ""
    write(tmp_path, "config/deploy.yml", f"service: s\n{filed}registry:\n  server: reg.io\n")
    found = msgspec.structs.replace(resolve(tmp_path, flags, environment), version=lambda: None)
    assert str(target(found, None).references[0]) == f"{expected}:latest"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (Flags(image="a/app", namespace="b"), "--image is a/app, which is not in.*'b'"),
        (Flags(image="reg.io/app", namespace="b"), "--image is reg.io/app, which"),
        (Flags(image="reg.io/bb/app:1", namespace="b"), "--image is reg.io/bb/app, which"),
        (Flags(image="x/b/app", namespace="b"), "is x/b/app.*leave out --namespace"),
    ],
)
def test_a_namespace_and_an_image_that_differ_are_refused(
    tmp_path: Path, flags: Flags, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        target(resolve(tmp_path, flags), None)
    source = flags.image or ""
    with pytest.raises(UsageError, match=said.replace("--image", "SOURCE", 1)):
        target(resolve(tmp_path, Flags(namespace="b")), Name.parse(source))


@pytest.mark.parametrize(
    ("server", "flags", "expected"),
    [
        ("reg.io", Flags(registry="ghcr", image="shop"), None),
        ("reg.io", Flags(image="localhost:5000/shop"), None),
        ("1.dkr.ecr.eu-west-1.amazonaws.com", Flags(registry="dockerhub", namespace="a"), None),
        ("", Flags(registry="ghcr", namespace="a"), None),
        ("", Flags(registry="dockerhub", image="shop"), "bob"),
        ("reg.io", Flags(registry="private", image="shop"), "bob"),
        ("index.docker.io", Flags(image="docker.io/a/b"), "bob"),
        ("reg.io", Flags(image="REG.io/a/b"), "bob"),
    ],
)
def test_a_deploy_file_s_account_is_for_its_registry(
    tmp_path: Path, server: str, flags: Flags, expected: str | None
) -> None:
    server = f"  server: {server}\n" if server else ""
    write(tmp_path, "config/deploy.yml", f"service: s\nregistry:\n{server}  username: bob\n")
    found = resolve(tmp_path, flags).username
    assert (found.value if found else None) == expected


@pytest.mark.parametrize(
    ("image", "kind", "server"),
    [
        ("team/shop", "ecr", "y.azurecr.io"),
        (None, "gcr", "reg.io:5000"),
        ("shop", "acr", "public.ecr.aws"),
    ],
)
def test_a_host_that_does_not_fit_is_said_with_its_own_origin(
    tmp_path: Path, image: str | None, kind: str, server: str
) -> None:
    write(tmp_path, "config/deploy.yml", f"service: s\nregistry:\n  server: {server}\n")
    found = resolve(tmp_path, Flags(registry=kind, image=image))
    found = msgspec.structs.replace(found, version=lambda: None)
    with pytest.raises(UsageError, match=f"but {server} of config/deploy.yml:3 is"):
        target(found, None)


@pytest.mark.parametrize(
    "flags",
    [
        Flags(registry="ghcr", namespace="a"),
        Flags(namespace="a"),
        Flags(registry="ghcr", username="me"),
    ],
)
def test_the_local_image_is_called_as_the_file_has_it(tmp_path: Path, flags: Flags) -> None:
    write(tmp_path, "config/deploy.yml", "name: shop\nimage: docker.io/acme/web:1\n")
    found = resolve(tmp_path, flags)
    assert "docker.io/acme/web:1" in local_candidates(found, target(found, None))


def test_a_deploy_file_goes_before_a_session_of_another_registry(tmp_path: Path) -> None:
    write(tmp_path, "docker-config.json", HUB)
    write(tmp_path, "config/deploy.yml", "name: shop\nimage: ghcr.io/acme/web\n")
    assert str(target(resolve(tmp_path), None).references[0]) == "ghcr.io/acme/web:latest"


def test_what_was_typed_twice_and_differs_is_refused(tmp_path: Path) -> None:
    for environment in ({}, {"DOCKLESS_REGISTRY": "ghcr"}):
        flags = Flags(registry=None if environment else "ghcr", image="localhost:5000/web")
        with pytest.raises(UsageError, match="asks for ghcr"):
            target(resolve(tmp_path, flags, environment), None)


@pytest.mark.parametrize(
    "image", ["https://ghcr.io/a/b", "HTTPS://ghcr.io/a/b", "docker://ghcr.io/a/b"]
)
def test_a_scheme_that_says_nothing_is_dropped(tmp_path: Path, image: str) -> None:
    found = resolve(tmp_path, Flags(image=image)).image
    assert found
    assert str(found.value) == "ghcr.io/a/b"


@pytest.mark.parametrize("image", ["http://ghcr.io/a/b", "HTTP://localhost:5000/x"])
def test_a_scheme_that_asks_for_plain_http_is_explained(tmp_path: Path, image: str) -> None:
    for flags, environment in ((Flags(image=image), {}), (None, {"DOCKLESS_IMAGE": image})):
        with pytest.raises(UsageError, match="--insecure"):
            resolve(tmp_path, flags, environment)


@pytest.mark.parametrize("image", ["[::1]:5000", "[2001:db8::7]:80", "https://[::1]:5000"])
@pytest.mark.parametrize("origin", ["--image", "DOCKLESS_IMAGE"])
def test_an_ipv6_host_without_an_image_is_said_to_be_one(
    tmp_path: Path, image: str, origin: str
) -> None:
    flags = Flags(image=image if origin == "--image" else None)
    environment = {origin: image}
    with pytest.raises(UsageError, match="registry's host without an image's name"):
        cascade.resolve(flags, environment, project.read(tmp_path, {}, None))


DEPLOYED = {
    "service": "shop",
    "image": "acme/shop",
    "servers": "[web1]",
    "registry": "{server: ghcr.io, username: acme, password: [P]}",
}


def deployed(folder: Path, **changed: str) -> project.Project:
    """Return a project with a deploy.yml of Kamal's in which these values are other ones."""
    (folder / "config").mkdir()
    text = "".join(f"{key}: {value}\n" for key, value in {**DEPLOYED, **changed}.items())
    (folder / "config/deploy.yml").write_text(text)
    return project.read(folder, {}, None)


RUBY = "<%= `x` %>"


@pytest.mark.parametrize(
    ("changed", "flags"),
    [
        ({"servers": f"[{RUBY}]"}, Flags(tags=("v1",))),
        ({"servers": RUBY}, Flags(tags=("v1",))),
        ({"ssh": f"{{user: {RUBY}}}"}, Flags(tags=("v1",))),
        ({"image": RUBY}, Flags(image="ghcr.io/acme/shop:v1")),
        ({"service": RUBY}, Flags(tags=("v1",))),
        ({"secrets_path": RUBY}, Flags(tags=("v1",))),
        ({"registry": RUBY}, Flags(image="ghcr.io/acme/shop:v1")),
        ({"registry": f"{{server: {RUBY}}}"}, Flags(image="ghcr.io/acme/shop:v1")),
        ({"registry": f"{{server: ghcr.io, username: {RUBY}}}"}, Flags(tags=("v1",))),
        ({"registry": f"{{server: ghcr.io, password: {RUBY}}}"}, Flags(tags=("v1",))),
    ],
)
def test_ruby_that_a_push_does_not_need_does_not_stop_it(
    tmp_path: Path, changed: dict[str, str], flags: Flags
) -> None:
    found = target(cascade.resolve(flags, {}, deployed(tmp_path, **changed)), None)
    assert [str(each) for each in found.references] == ["ghcr.io/acme/shop:v1"]


@pytest.mark.parametrize(
    ("changed", "flags", "key"),
    [
        ({"image": RUBY}, Flags(tags=("v1",)), "`image` in config/deploy.yml:2"),
        ({"registry": f"{{server: {RUBY}}}"}, Flags(tags=("v1",)), "`registry.server` in config"),
        (
            {"registry": f"{{server: {RUBY}}}"},
            Flags(image="shop", tags=("v1",)),
            "`registry.server` in config/deploy.yml:4",
        ),
        (
            {"registry": f"{{server: ghcr.io, username: {RUBY}}}", "image": "shop"},
            Flags(tags=("v1",)),
            "`registry.username` in config/deploy.yml:4",
        ),
    ],
)
def test_ruby_that_a_push_needs_is_named_with_its_place(
    tmp_path: Path, changed: dict[str, str], flags: Flags, key: str
) -> None:
    # what a login has left there stands below deploy.yml, and does not take its place
    (tmp_path / "docker-config.json").write_text(
        '{"registry": "ghcr", "username": "other", "image": "ghcr.io/other/app"}'
    )
    with pytest.raises(UsageError, match="which is Ruby code") as caught:
        target(cascade.resolve(flags, {}, deployed(tmp_path, **changed)), None)
    assert key in caught.value.what


@pytest.mark.parametrize(
    ("changed", "name"),
    [({"servers": RUBY}, "servers"), ({"require_destination": RUBY}, "require_destination")],
)
def test_ruby_in_what_hosts_need_is_an_error_for_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], name: str
) -> None:
    deployed(tmp_path, **changed)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"`{name}` in config/deploy.yml:.* is ERB"):
        project.deployed_project({}, None).servers()


def test_ruby_in_the_projects_name_is_an_error_where_that_is_needed(tmp_path: Path) -> None:
    settings = cascade.resolve(Flags(namespace="a"), {}, deployed(tmp_path, service=RUBY, image=""))
    with pytest.raises(UsageError, match=r"`service` in config/deploy\.yml:1 is ERB"):
        target(settings, None)


def test_a_password_that_only_ruby_tells_is_no_end_of_the_search(tmp_path: Path) -> None:
    changed = {"registry": f"{{server: ghcr.io, username: u, password: {RUBY}}}"}
    login = cascade.resolve(Flags(), {}, deployed(tmp_path, **changed)).login
    assert login
    assert (login.host, login.essential, login.username()) == ("ghcr.io", False, "u")
    with pytest.raises(UsageError, match=r"`registry\.password` in config/deploy\.yml:4 is ERB"):
        login.password()


def test_secrets_in_a_place_that_only_ruby_tells_are_an_error_where_they_are_used(
    tmp_path: Path,
) -> None:
    login = cascade.resolve(Flags(), {}, deployed(tmp_path, secrets_path=RUBY)).login
    assert login
    with pytest.raises(UsageError, match="`secrets_path` in config/deploy"):
        login.password()
