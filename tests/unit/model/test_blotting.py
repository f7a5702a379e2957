import base64
from urllib.parse import quote

import pytest

from dockless.engines.failures import failure
from dockless.model.blotting import blotted
from dockless.model.secret import Credential, Secret, remember
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.registry.refusals import blob_error, manifest_error
from dockless.transport.http import Response

REPOSITORY = Repository.of("registry.example.com", "team/shop")
PASSWORDS = ["hunter2-SECRET", "p w/d+ü&?%", 'quo"te\\back', "kurz7"]


def echoes(password: str) -> list[str]:
    pair = base64.b64encode(f"me:{password}".encode()).decode()
    return [
        password,
        f"Basic {pair}",
        base64.b64encode(password.encode()).decode(),
        quote(password, safe=""),
        f"https://me:{quote(password, safe='')}@registry.example.com/",
    ]


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("password", PASSWORDS)
def test_what_was_sent_is_blotted_out_of_what_is_said(password: str, place: int) -> None:
    remember(Credential("me", Secret(password), Secret(f"{password}-identity")))
    echo = echoes(password)[place]
    echoed = f"you sent {echo} to us"
    secret = (
        echo.removeprefix("Basic ") if place == 1 else echoes(password)[3 if place == 4 else place]
    )
    answer = Response(400, {}, echoed.encode())
    errors = (
        manifest_error(answer, REPOSITORY, "v1"),
        blob_error(answer, REPOSITORY, Digest.of(b"")),
        failure("crane", REPOSITORY.host, 1, f"Error: PUT https://x: DENIED: {echoed}"),
        failure("skopeo", REPOSITORY.host, 1, f'level=fatal msg="uploading: {echoed}"'),
    )
    for error in errors:
        assert secret not in str(error.to_json())
        assert secret not in str(error)
        assert "***" in str(error)


def test_a_short_password_is_blotted_as_a_word_alone() -> None:
    remember(Credential("me", Secret("qx")))
    assert blotted("qx, qxylophone and (qx)") == "***, qxylophone and (***)"
