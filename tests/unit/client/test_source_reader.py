from typing import TYPE_CHECKING, cast

import pytest

from dockless.client.source_reader import SessionReader
from dockless.errors import AuthError, DocklessError, NetworkError, PushError
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository

if TYPE_CHECKING:
    from dockless.client.session import Session

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
    reader = SessionReader(cast("Session", Work(opening, asking)))
    assert reader.has("registry.example.com/shop:v1")


@pytest.mark.parametrize(("name", "there"), [("v1", True), ("v2", False)])
def test_an_image_is_there_where_the_registry_says_so(name: str, there: bool) -> None:  # noqa: FBT001 - a case
    reader = SessionReader(cast("Session", Work(None, None, "v1")))
    assert reader.has(f"registry.example.com/shop:{name}") == there
