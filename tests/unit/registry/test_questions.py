from typing import cast

import pytest

from dockless.errors import AuthError, DocklessError, NetworkError, PushError
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository
from dockless.registry.client import RegistryClient
from dockless.registry.questions import RegistryQuestions
from fakes.http import StubHttp

DIGEST = Digest("sha256", "a" * 64)


class Work:
    """A session whose registry cannot be opened, or fails at a question, or has these tags."""

    def __init__(
        self, opening: DocklessError | None, asking: DocklessError | None, *tags: str
    ) -> None:
        self._opening = opening
        self._asking = asking
        self._tags = tags

    def reading(self, repository: Repository) -> "Work":
        assert repository.host == "registry.example.com"
        if self._opening:
            raise self._opening
        return self

    def tag(self, repository: Repository, tag: str) -> Digest | None:
        assert repository.path == "shop"
        if self._asking:
            raise self._asking
        return DIGEST if tag in self._tags else None


def questions(work: Work) -> RegistryQuestions:
    return RegistryQuestions(lambda repository: cast("RegistryClient", work.reading(repository)))


@pytest.mark.parametrize(
    ("opening", "asking"),
    [
        (PushError("It does not respond as a registry: status 200, text/html."), None),
        (AuthError("It requires a kind of authentication that is not supported."), None),
        (NetworkError("It is down."), None),
        (None, PushError("It responds with 418.")),
        (None, AuthError("It does not allow that.")),
    ],
)
def test_where_a_registry_does_not_tell_an_image_may_be_there(
    opening: DocklessError | None, asking: DocklessError | None
) -> None:
    reader = questions(Work(opening, asking))
    assert reader.has("registry.example.com/shop:v1")


@pytest.mark.parametrize(("name", "there"), [("v1", True), ("v2", False)])
def test_an_image_is_there_where_the_registry_says_so(name: str, there: bool) -> None:  # noqa: FBT001 - a case
    reader = questions(Work(None, None, "v1"))
    assert reader.has(f"registry.example.com/shop:{name}") == there


def test_a_name_without_a_tag_means_latest() -> None:
    assert questions(Work(None, None, "latest")).has("registry.example.com/shop")
    assert not questions(Work(None, None, "v1")).has("registry.example.com/shop")


def test_a_registry_that_is_down_is_found_out_first() -> None:
    shop = Repository.of("registry.example.com", "shop")
    questions(Work(None, None)).reach(shop)
    with pytest.raises(NetworkError):
        questions(Work(NetworkError("It is down."), None)).reach(shop)


def test_tags_and_what_is_attached_are_listed() -> None:
    http = StubHttp()
    http.on("GET https://registry.example.com/v2/")
    http.on("GET https://registry.example.com/v2/shop/tags/list", body=b'{"tags": ["v1", "v2"]}')
    there = {"Docker-Content-Digest": str(DIGEST)}
    signature = f"sha256-{DIGEST.hex}.sig"
    http.on(f"HEAD https://registry.example.com/v2/shop/manifests/{signature}", headers=there)
    client = RegistryClient(http, lambda: None)
    asked = RegistryQuestions(lambda _: client)
    assert asked.tags("registry.example.com/shop") == ("v1", "v2")
    shop = Repository.of("registry.example.com", "shop")
    assert asked.attached(shop, DIGEST, print) == (Reference(shop, signature),)
