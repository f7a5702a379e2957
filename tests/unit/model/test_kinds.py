import pytest

from dockless.model.kinds import (
    ACR,
    DOCKERHUB,
    ECR,
    GCR,
    GHCR,
    KINDS,
    PRIVATE,
    Kind,
    advice,
    infer,
    named,
)

HOSTS = [
    ("ghcr.io", GHCR),
    ("GHCR.io", GHCR),
    ("docker.io", DOCKERHUB),
    ("index.docker.io", DOCKERHUB),
    ("registry-1.docker.io", DOCKERHUB),
    ("123456789.dkr.ecr.us-east-1.amazonaws.com", ECR),
    ("123456789.dkr.ecr-fips.us-gov-west-1.amazonaws.com", ECR),
    ("123456789.dkr.ecr.cn-north-1.amazonaws.com.cn", ECR),
    ("public.ecr.aws", ECR),
    ("gcr.io", GCR),
    ("eu.gcr.io", GCR),
    ("europe-west1-docker.pkg.dev", GCR),
    ("shop.azurecr.io", ACR),
    ("shop.azurecr.cn", ACR),
    ("shop.azurecr.us", ACR),
    ("10.0.0.5:5000", PRIVATE),
    ("localhost", PRIVATE),
    ("[::1]:5000", PRIVATE),
    ("ghcr.io.example.com", PRIVATE),
    ("evilghcr.io", PRIVATE),
    ("evilgcr.io", PRIVATE),
    ("azurecr.io", PRIVATE),
    ("hub.docker.io", PRIVATE),
    ("123.dkr.ecr.us-east-1.amazonaws.com.example.com", PRIVATE),
    ("123.dkr.ecr.us-east-1.amazonaws.com.cn.example.com", PRIVATE),
]


@pytest.mark.parametrize(("host", "kind"), HOSTS)
def test_kind_is_inferred_from_host(host: str, kind: Kind) -> None:
    assert infer(host) is kind


@pytest.mark.parametrize(("host", "kind"), HOSTS)
def test_host_agrees_with_its_kind_and_private_and_no_other(host: str, kind: Kind) -> None:
    assert {agreeing.name for agreeing in KINDS if agreeing.agrees(host)} == {kind.name, "private"}


def test_kinds_are_those_of_the_registry_option() -> None:
    assert [kind.name for kind in KINDS] == ["dockerhub", "ecr", "gcr", "acr", "ghcr", "private"]


def test_kind_is_found_by_name_in_any_case() -> None:
    assert named("GHCR") is GHCR


def test_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'quay' is not a kind of registry .*dockerhub, ecr"):
        named("quay")


@pytest.mark.parametrize(
    ("text", "origin", "said"),
    [
        ("ghcr.io", "--registry", "Write ghcr,"),
        ("https://index.docker.io/v1/", "--registry", "Write dockerhub,"),
        ("1.dkr.ecr.eu-west-1.amazonaws.com/a", "DOCKLESS_REGISTRY", "Write ecr,"),
        ("localhost:5000", "--registry", "--image localhost:5000/NAME"),
        ("registry.example.com/a", "DOCKLESS_REGISTRY", "DOCKLESS_IMAGE=registry.example.com/a/"),
        ("quay", "--registry", "Give one of these"),
    ],
)
def test_a_host_in_place_of_a_kind_is_advised_about(text: str, origin: str, said: str) -> None:
    assert said in advice(text, origin)
