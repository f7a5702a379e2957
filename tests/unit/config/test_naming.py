import msgspec
import pytest

from dockless.config.cascade import Settings
from dockless.config.naming import ServerNeeded, target
from dockless.config.setting import Setting
from dockless.errors import UsageError
from dockless.model import kinds
from dockless.oci.reference import Name
from fakes.settings import settings


def references(given: Settings, source: str = "") -> list[str]:
    found = target(given, Name.parse(source) if source else None)
    return [str(reference) for reference in found.references]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("localhost/shop:v1", "ghcr.io/acme/shop:v1"),
        ("localhost/acme/shop", "ghcr.io/acme/shop:latest"),
        ("localhost:5000/shop:v1", "localhost:5000/shop:v1"),
    ],
)
def test_a_source_of_podman_has_no_registry(source: str, expected: str) -> None:
    given = settings() if ":5000" in source else settings("ghcr", namespace="acme")
    assert references(given, source) == [expected]


# The rows of the table of examples


def test_docker_hub_puts_the_username_before_the_project() -> None:
    assert references(settings("dockerhub", username="myuser")) == ["docker.io/myuser/shop:latest"]


def test_every_tag_gives_a_reference() -> None:
    given = settings("dockerhub", tags=("v1.0.0", "stable"), username="myuser")
    assert references(given) == ["docker.io/myuser/shop:v1.0.0", "docker.io/myuser/shop:stable"]


def test_full_image_is_used_as_given() -> None:
    image = "123456789.dkr.ecr.us-east-1.amazonaws.com/myapp:latest"
    assert references(settings("ecr", image)) == [image]


def test_full_image_gets_the_tag() -> None:
    given = settings("private", "10.0.0.5:5000/team/shop", ("v2",))
    assert references(given) == ["10.0.0.5:5000/team/shop:v2"]


def test_tag_beats_that_of_a_file_and_ghcr_lowers_the_namespace() -> None:
    given = settings("ghcr", "shop:latest", ("v3",), namespace="ACME", image_origin="file:1")
    assert references(given) == ["ghcr.io/acme/shop:v3"]


def test_kind_and_host_that_disagree_are_refused() -> None:
    with pytest.raises(UsageError, match=r"--registry asks for ghcr, but docker\.io of --image"):
        references(settings("ghcr", "docker.io/acme/shop"))


@pytest.mark.parametrize("registry", ["ecr", "gcr"])
@pytest.mark.parametrize("image", ["", "shop"])
def test_cloud_registry_without_host_is_refused_and_not_asked_for(
    registry: str, image: str
) -> None:
    with pytest.raises(UsageError, match=r"--image HOST/NAME.*`registry\.server`") as caught:
        references(settings(registry, image))
    assert not isinstance(caught.value, ServerNeeded)


# Tags


def test_tag_of_the_image_is_used_when_no_other_is_given() -> None:
    assert references(settings(image="ghcr.io/a/b:v1")) == ["ghcr.io/a/b:v1"]


def test_version_stands_below_the_image_tag_and_above_latest() -> None:
    def version() -> Setting[str]:
        return Setting("abc123", "git commit")

    bare = msgspec.structs.replace(settings(image="ghcr.io/a/b"), version=version)
    assert references(bare) == ["ghcr.io/a/b:abc123"]
    tagged = msgspec.structs.replace(settings(image="ghcr.io/a/b:v1"), version=version)
    assert references(tagged) == ["ghcr.io/a/b:v1"]


@pytest.mark.parametrize("given", [settings(image="ghcr.io/a:v1"), settings(tags=("v1",))])
def test_version_is_not_asked_for_when_there_is_a_tag(given: Settings) -> None:
    def version() -> Setting[str]:
        raise AssertionError

    given = msgspec.structs.replace(given, version=version, username=Setting("me", "--username"))
    assert target(given, None).tags[0].value == "v1"


def test_version_that_is_no_tag_is_refused() -> None:
    given = msgspec.structs.replace(
        settings(image="ghcr.io/a"), version=lambda: Setting("feature/x", "VERSION")
    )
    with pytest.raises(UsageError, match="'feature/x', the tag according to VERSION"):
        references(given)


# Rules 3 and 4: host and prefix


@pytest.mark.parametrize(
    ("given", "reference"),
    [
        (settings(image="shop", username="me"), "docker.io/me/shop:latest"),
        (settings(image="acme/shop", username="me"), "docker.io/acme/shop:latest"),
        (settings("ghcr", "shop"), "ghcr.io/shop:latest"),
        (settings("private", "shop", username="me", server="r.io"), "r.io/me/shop:latest"),
        (settings("gcr", "shop", namespace="ns", server="gcr.io"), "gcr.io/ns/shop:latest"),
        (settings("gcr", "shop", username="me", server="gcr.io"), "gcr.io/shop:latest"),
        (
            settings("acr", "shop", namespace="ns", server="a.azurecr.io"),
            "a.azurecr.io/ns/shop:latest",
        ),
        (
            settings("ecr", "shop", namespace="ns", server="public.ecr.aws"),
            "public.ecr.aws/ns/shop:latest",
        ),
    ],
)
def test_image_without_host_gets_host_and_prefix(given: Settings, reference: str) -> None:
    assert references(given) == [reference]


@pytest.mark.parametrize(
    ("given", "reference"),
    [
        (settings(username="me"), "docker.io/me/shop:latest"),
        (settings(username="me", namespace="team"), "docker.io/team/shop:latest"),
        (settings("ghcr", username="ME"), "ghcr.io/me/shop:latest"),
        (settings("private", server="r:5000"), "r:5000/shop:latest"),
        (settings("private", server="r:5000", username="me"), "r:5000/me/shop:latest"),
        (settings("acr", server="a.azurecr.io", username="me"), "a.azurecr.io/shop:latest"),
        (settings("acr", server="a.azurecr.io", namespace="n"), "a.azurecr.io/n/shop:latest"),
        (settings("ecr", server="public.ecr.aws", username="me"), "public.ecr.aws/shop:latest"),
        (settings("gcr", server="gcr.io", namespace="p"), "gcr.io/p/shop:latest"),
    ],
)
def test_project_gets_host_and_prefix(given: Settings, reference: str) -> None:
    assert references(given) == [reference]


@pytest.mark.parametrize("registry", ["", "dockerhub", "ghcr"])
def test_missing_prefix_is_refused_where_it_is_required(registry: str) -> None:
    with pytest.raises(UsageError, match="--namespace or --username"):
        references(settings(registry))


@pytest.mark.parametrize("registry", ["acr", "private"])
@pytest.mark.parametrize("image", ["", "shop", "team/shop"])
def test_missing_server_may_be_asked_for(registry: str, image: str) -> None:
    given = settings(registry, image)
    with pytest.raises(ServerNeeded, match=r"--image HOST/NAME.*`registry\.server`"):
        references(given)
    answered = msgspec.structs.replace(given, server=Setting("a.azurecr.io", "prompt"))
    assert references(answered) == [f"a.azurecr.io/{image or 'shop'}:latest"]


@pytest.mark.parametrize("server", ["registry", "https://r.io", "r.io/team", ""])
def test_server_that_is_no_host_is_refused(server: str) -> None:
    given = msgspec.structs.replace(settings("private"), server=Setting(server, "prompt"))
    with pytest.raises(UsageError, match="from prompt is not a registry host"):
        references(given)


def test_server_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match=r"but ghcr\.io of config/deploy\.yml:2 is ghcr"):
        references(settings("acr", server="ghcr.io"))


@pytest.mark.parametrize("project", ["My App", "Shop"])
def test_project_that_is_no_repository_is_refused(project: str) -> None:
    with pytest.raises(
        UsageError, match=f"docker.io/me/{project}, the target according to folder name"
    ):
        references(settings(username="me", project=project))


# Rule 5: kinds


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("ghcr.io/a/b", "ghcr"),
        ("index.docker.io/a/b", "dockerhub"),
        ("localhost:5000/a", "private"),
        ("a/b", "dockerhub"),
    ],
)
def test_kind_that_nobody_gave_is_inferred(image: str, kind: str) -> None:
    assert target(settings(image=image), None).kind.value.name == kind


def test_private_agrees_with_any_host() -> None:
    assert references(settings("private", "ghcr.io/a/b")) == ["ghcr.io/a/b:latest"]


def test_docker_hub_agrees_with_all_its_hosts() -> None:
    given = settings("dockerhub", "registry-1.docker.io/a/b")
    assert references(given) == ["docker.io/a/b:latest"]


def test_implied_kind_stands_below_the_host_of_the_image() -> None:
    implied = Setting(kinds.GHCR, "config/deploy.yml:4")
    bare = msgspec.structs.replace(settings(image="a/b"), implied=implied)
    assert references(bare) == ["ghcr.io/a/b:latest"]
    hosted = msgspec.structs.replace(settings(image="localhost/a"), implied=implied)
    assert references(hosted) == ["localhost/a:latest"]
    assert target(hosted, None).kind == Setting(kinds.PRIVATE, "host of --image")


# A SOURCE that is a name


def test_source_with_a_host_counts_as_image() -> None:
    given = settings(image="ghcr.io/a/b:v1", image_origin="config/deploy.yml:1")
    assert references(given, "localhost:5000/x/y:v2") == ["localhost:5000/x/y:v2"]


def test_image_option_beats_any_source() -> None:
    assert references(settings(image="ghcr.io/a/b"), "r.io/x") == ["ghcr.io/a/b:latest"]


def test_source_without_host_stands_below_every_configured_image() -> None:
    given = settings(image="ghcr.io/a/b", image_origin="docker-config.json")
    assert references(given, "web") == ["ghcr.io/a/b:latest"]


def test_source_without_host_stands_above_the_project() -> None:
    assert references(settings(username="me"), "web:v2") == ["docker.io/me/web:v2"]


def test_tag_of_the_source_stands_below_the_option_and_above_a_file() -> None:
    given = settings(image="ghcr.io/a/b:v1", image_origin="config/deploy.yml:1")
    assert references(given, "web:v2") == ["ghcr.io/a/b:v2"]
    assert references(settings(tags=("v3",), username="me"), "web:v2") == ["docker.io/me/web:v3"]


def test_source_of_another_kind_than_asked_for_is_refused() -> None:
    with pytest.raises(UsageError, match=r"asks for ghcr, but docker\.io of SOURCE"):
        references(settings("ghcr"), "docker.io/a/b")


PIN = f"@sha256:{'a' * 64}"


@pytest.mark.parametrize("source", ["r.io/nb/hosted", "shop", "r.io/nb/hosted:v1", "acme/shop"])
@pytest.mark.parametrize("image", ["", "ghcr.io/a/b:v1"])
def test_a_pinned_source_sets_no_tag_that_was_not_typed(source: str, image: str) -> None:
    given = settings(image=image, username="me", image_origin="config/deploy.yml:1")
    with pytest.raises(UsageError, match=r"is pinned by digest.*--tag.*--image HOST/NAME:TAG"):
        references(given, f"{source}{PIN}")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (settings(tags=("v2",)), "r.io/nb/hosted:v2"),
        (settings(image="ghcr.io/a/b"), "ghcr.io/a/b:latest"),
        (settings(image="ghcr.io/a/b:v3", image_origin="DOCKLESS_IMAGE"), "ghcr.io/a/b:v3"),
    ],
)
def test_a_pinned_source_takes_what_was_typed(given: Settings, expected: str) -> None:
    source = f"r.io/nb/hosted{PIN}"
    if given.image and given.image.origin == "DOCKLESS_IMAGE":
        source = f"hosted{PIN}"
        given = msgspec.structs.replace(given, tags=(Setting("v3", "DOCKLESS_IMAGE"),))
    assert references(given, source) == [expected]


@pytest.mark.parametrize("image", ["shop", "web:v1", "a"])
@pytest.mark.parametrize("registry", ["", "dockerhub"])
def test_a_bare_name_does_not_fall_through_to_docker_s_own_images(
    image: str, registry: str
) -> None:
    with pytest.raises(UsageError, match=r"docker\.io/library.*--namespace"):
        references(settings(registry, image))
    written = image.partition(":")
    for out in (f"library/{image}", f"docker.io/{image}"):
        [found] = references(settings(registry, out))
        assert found.startswith(f"docker.io/library/{written[0]}:")


def test_the_kind_of_a_session_gives_way_to_a_source_with_a_host() -> None:
    given = settings("ghcr", namespace="acme")
    remembered = Setting(kinds.GHCR, "docker-config.json")
    namespace = Setting("acme", "docker-config.json")
    given = msgspec.structs.replace(given, registry=remembered, namespace=namespace)
    assert references(given, "localhost:5000/x:1") == ["localhost:5000/x:1"]
    assert references(given, "web:1") == ["ghcr.io/acme/web:1"]


@pytest.mark.parametrize("image", ["127.0.0.1:5555", "r.example.com", "localhost:5000", "r.io:1"])
def test_a_host_without_an_images_name_is_said(image: str) -> None:
    with pytest.raises(UsageError, match="a registry's host without an image's name") as caught:
        references(settings(image=image))
    assert caught.value.remedy == f"Write {image}/NAME[:TAG]."


@pytest.mark.parametrize("image", ["shop", "shop:2024", "shop:v1"])
def test_a_bare_name_would_go_to_dockers_library(image: str) -> None:
    with pytest.raises(UsageError, match="which belongs to Docker"):
        references(settings(image=image))


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("127.0.0.1:5555", "127.0.0.1:5555"),
        ("10.0.0.5", "10.0.0.5"),
        ("localhost:5000", "localhost:5000"),
        ("localhost", "localhost"),
        ("registry.example.com", "registry.example.com"),
        ("registry.example.com:5000", "registry.example.com:5000"),
        ("ghcr.io:v1", "ghcr.io"),
    ],
)
@pytest.mark.parametrize("account", ["", "me"])
def test_a_host_without_an_image_is_said_to_be_one(image: str, host: str, account: str) -> None:
    given = settings(image=image, username=account)
    with pytest.raises(UsageError, match="registry's host without an image's name") as caught:
        references(given)
    assert caught.value.remedy == f"Write {host}/NAME[:TAG]."


@pytest.mark.parametrize("registry", ["dockerhub", "ghcr", "private"])
@pytest.mark.parametrize("image", ["127.0.0.1:5555", "192.0.2.7", "localhost:5000"])
def test_an_address_is_no_image_of_any_registry(registry: str, image: str) -> None:
    with pytest.raises(UsageError, match="without an image's name"):
        references(settings(registry, image, namespace="a", server="h.example:1"))


def test_a_name_with_a_dot_is_an_image_where_a_registry_is_asked_for() -> None:
    given = settings("private", "node.js:18", server="h.example:1")
    assert references(given) == ["h.example:1/node.js:18"]
    assert references(settings("ghcr", "asp.net", namespace="a")) == ["ghcr.io/a/asp.net:latest"]


@pytest.mark.parametrize(
    ("server", "host"),
    [
        ("myregistry", "myregistry.azurecr.io"),
        ("Acme01", "Acme01.azurecr.io"),
        ("team-x7f2", "team-x7f2.azurecr.io"),
        ("myregistry.azurecr.cn", "myregistry.azurecr.cn"),
    ],
)
def test_the_short_name_of_an_acr_registry_is_completed(server: str, host: str) -> None:
    given = msgspec.structs.replace(settings("acr"), server=Setting(server, "prompt"))
    assert references(given) == [f"{host}/shop:latest"]


@pytest.mark.parametrize(
    ("image", "likely"),
    [
        ("myregistry/shop", "myregistry.azurecr.io/shop"),
        ("acme/team/web:v1", "acme.azurecr.io/team/web"),
        ("shop", "REGISTRY.azurecr.io/shop"),
        ("", "REGISTRY.azurecr.io/NAME,"),
    ],
)
def test_an_acr_registry_that_is_not_known_is_guessed_in_words_only(
    image: str, likely: str
) -> None:
    with pytest.raises(ServerNeeded) as caught:
        references(settings("acr", image))
    assert f"such as {likely}" in caught.value.remedy
