import hypothesis.strategies as st
import pytest
from hypothesis import given

from dockless.oci.digest import Digest
from dockless.oci.reference import (
    Name,
    Reference,
    Repository,
    docker_key,
    is_host,
    is_image_name,
    is_registry,
    is_tag,
    registry_host,
)

COMPONENT = st.from_regex(r"[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}", fullmatch=True)
PATH = st.lists(COMPONENT, min_size=1, max_size=4).map("/".join)
HOST = st.one_of(
    st.sampled_from(
        [
            "docker.io",
            "index.docker.io",
            "registry-1.docker.io",
            "ghcr.io",
            "localhost",
            "[::1]",
            "[fe80::1:2]:5000",
        ]
    ),
    st.from_regex(r"[a-zA-Z0-9]{1,8}(\.[a-z0-9]{1,8}){1,3}(:[0-5]?[0-9]{1,4})?", fullmatch=True),
    st.from_regex(r"[a-z]{1,8}:[0-5]?[0-9]{1,4}", fullmatch=True),
)
TAG = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", fullmatch=True)
DIGEST = st.binary().map(Digest.of)


@given(HOST, PATH, st.just("") | TAG, st.none() | DIGEST)
def test_reference_reads_back_what_it_writes(
    host: str, path: str, tag: str, digest: Digest | None
) -> None:
    reference = Reference(Repository.of(host, path), tag, digest)
    assert Reference.parse(str(reference)) == reference


@given(st.text(alphabet="aZ0.-_:/@[]", max_size=24))
def test_whatever_parses_reads_back(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except ValueError:
        return
    assert Reference.parse(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("acme/shop:v1", "docker.io/acme/shop:v1"),
        ("index.docker.io/shop", "docker.io/library/shop"),
        ("registry-1.docker.io/a/b", "docker.io/a/b"),
        ("localhost/shop", "localhost/shop"),
        ("host:5000/app", "host:5000/app"),
        ("[::1]:5000/app:v1", "[::1]:5000/app:v1"),
        ("ghcr.io/a/b__c/d---e.f:T_1.x-", "ghcr.io/a/b__c/d---e.f:T_1.x-"),
    ],
)
def test_reference_is_normalised_as_docker_does(text: str, normalised: str) -> None:
    assert str(Reference.parse(text)) == normalised


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "a//b",
        "a/",
        "Shop",
        "a___b",
        "a._b",
        "-a",
        "a-",
        "shop:",
        "shop:.x",
        "shop:" + "t" * 129,
        "shop@",
        "shop@sha256:abc",
        "shop@md5:" + "0" * 32,
        "ghcr.io/",
        "exa_mple.com/a",
        "-x.com/a",
        "host:port/a",
        "shop\n",
        "shop:v1\n",
        "ghcr.io/" + "a" * 248,
    ],
)
def test_what_the_grammar_forbids_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a|longer than"):
        Reference.parse(text)


def test_the_longest_name_has_255_characters() -> None:
    assert len(str(Reference.parse("ghcr.io/" + "a" * 247))) == 255


def test_a_name_that_library_makes_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="255"):
        Reference.parse("docker.io/" + "a" * 240)


@pytest.mark.parametrize("host", ["registry", "", "a/b.c", "ex ample.com"])
def test_repository_needs_a_host_that_reads_as_one(host: str) -> None:
    with pytest.raises(ValueError, match="host"):
        Repository.of(host, "shop")


@pytest.mark.parametrize("path", ["shop:v1", "shop@sha256:" + "0" * 64])
def test_repository_takes_no_tag_and_no_digest(path: str) -> None:
    with pytest.raises(ValueError, match="not a repository name"):
        Repository.of("ghcr.io", path)


def test_tag_is_what_follows_the_last_colon_after_the_last_slash() -> None:
    assert Name.parse("host:5000/app") == Name(host="host:5000", path="app")
    assert Name.parse("host:5000/app:v1") == Name(host="host:5000", path="app", tag="v1")


@pytest.mark.parametrize(
    ("text", "host"),
    [("a/b", ""), ("a.b/c", "a.b"), ("a:1/c", "a:1"), ("localhost/c", "localhost")],
)
def test_first_component_is_a_host_with_dot_colon_or_localhost(text: str, host: str) -> None:
    assert Name.parse(text).host == host


def test_retagging_drops_the_digest() -> None:
    reference = Reference.parse(f"ghcr.io/a:v1@{Digest.of(b'')}")
    assert str(reference.tagged("v2")) == "ghcr.io/a:v2"


def test_host_and_tag_are_known() -> None:
    assert is_host("registry")
    assert not is_registry("registry")
    assert is_registry("registry:5000")
    assert is_tag("v1")
    assert not is_tag("-v1")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("h:0", True),
        ("h:443", True),
        ("[::1]:65535", True),
        ("h:65536", False),
        ("10.0.0.1:358115", False),
        ("[fd00::1]:99999", False),
        ("h:" + "1" * 40, False),
    ],
)
def test_a_port_has_sixteen_bits(text: str, *, right: bool) -> None:
    assert is_host(text) == right
    if not right:
        with pytest.raises(ValueError, match="host"):
            Reference.parse(f"{text}/team/shop:v1")


@pytest.mark.parametrize("text", ["me:s3cret@h.example/a:1", "s3cret@127.0.0.1:5000/a/b"])
def test_a_login_in_a_name_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValueError, match="cannot contain a login") as caught:
        Name.parse(text)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("docker.io", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("ghcr.io", "ghcr.io"),
    ],
)
def test_the_names_of_docker_hub_are_one_host(host: str, expected: str) -> None:
    assert registry_host(host) == expected


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("docker.io", "https://index.docker.io/v1/"),
        ("ghcr.io", "ghcr.io"),
        ("localhost:5000", "localhost:5000"),
    ],
)
def test_docker_knows_docker_hub_by_an_old_url(host: str, key: str) -> None:
    assert docker_key(host) == key


@pytest.mark.parametrize("text", ["shop", "team/shop:v1", "r.io/a/b", f"shop@sha256:{'a' * 64}"])
def test_an_images_name_is_one(text: str) -> None:
    assert is_image_name(text)


@pytest.mark.parametrize("text", ["", "Shop", "./shop", "shop:", "a b", "r.io/"])
def test_what_no_image_can_be_called_is_no_name(text: str) -> None:
    assert not is_image_name(text)
