import pytest

from dockless.errors import AuthError
from dockless.model.endpoint import Endpoint
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Repository
from dockless.registry.denials import account_denial, storage_denial
from dockless.transport.http import Response

HERE = Endpoint(host="registry.example.com")
SHOP = Repository.of("registry.example.com", "team/shop")
OWN, STORAGE = "https://registry.example.com/v2/x", "https://storage.example.com/x?sig=secret"


def _response(*via: str, status: int = 403) -> Response:
    return Response(status=status, headers={}, body=b"", via=via)


@pytest.mark.parametrize(
    ("url", "via", "is_storage"),
    [
        (OWN, (), False),
        (OWN, (STORAGE,), True),
        (STORAGE, (), True),
        (OWN, (STORAGE, OWN), False),
        ("http://registry.example.com/v2/x", (), True),
    ],
)
def test_what_is_not_the_registry_is_named_as_its_storage(
    url: str, via: tuple[str, ...], *, is_storage: bool
) -> None:
    error = storage_denial(_response(*via, status=401), url, HERE)
    assert (error is not None) is is_storage
    if error:
        assert "responds with 401" in error.what
        assert "secret" not in error.what


@pytest.mark.parametrize(
    ("credential", "user"),
    [
        (None, "anonymous"),
        (Credential(username="me", password=Secret("x")), "me"),
        (Credential(username="", password=Secret("x")), "this token"),
    ],
)
def test_an_account_that_may_not_do_it_is_named(credential: Credential | None, user: str) -> None:
    error = account_denial(_response(), SHOP, credential)
    assert isinstance(error, AuthError)
    assert f"does not allow {user} to use {SHOP}" in error.what
