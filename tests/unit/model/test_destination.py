"""Targets as callers of the library give them."""

import pytest

from dockless.errors import UsageError
from dockless.model.destination import destination
from dockless.oci.reference import Repository

SHOP = Repository.of("registry.example.com", "team/shop")


@pytest.mark.parametrize(
    ("target", "tags", "expected"),
    [
        ("registry.example.com/team/shop", (), ("latest",)),
        ("registry.example.com/team/shop:v1", (), ("v1",)),
        ("https://registry.example.com/team/shop:v1", (), ("v1",)),
        ("registry.example.com/team/shop", ("v1", "v2"), ("v1", "v2")),
        ("registry.example.com/team/shop:v1", ("v2", "v1"), ("v1", "v2")),
    ],
)
def test_a_target_is_a_repository_and_its_tags_each_once(
    target: str, tags: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert destination(target, tags) == (SHOP, expected)


def test_the_names_of_docker_hub_are_one_registry() -> None:
    found, _ = destination("index.docker.io/shop:v1", ())
    assert found == Repository.of("docker.io", "library/shop")


@pytest.mark.parametrize(
    ("target", "tags", "fact"),
    [
        ("team/shop:v1", (), "names no registry"),
        ("shop", (), "names no registry"),
        (f"registry.example.com/shop@sha256:{'0' * 64}", (), "has a digest"),
        ("registry.example.com/shop", ("no tag",), "'no tag' is not a tag"),
        ("registry.example.com/Shop", (), "not an image name"),
    ],
)
def test_what_is_no_target_is_refused(target: str, tags: tuple[str, ...], fact: str) -> None:
    with pytest.raises(UsageError, match=fact):
        destination(target, tags)


def test_a_wrong_target_is_not_shown_as_a_password_may_be_in_it() -> None:
    with pytest.raises(UsageError) as caught:
        destination("me:hunter2@registry.example.com/shop", ())
    assert "hunter2" not in str(caught.value)
