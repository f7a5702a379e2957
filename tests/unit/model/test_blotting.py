import base64
import json
from urllib.parse import quote

import pytest

from dockless.credentials.authfile import authfile
from dockless.engines.failures import failure
from dockless.errors import DocklessError
from dockless.model.blotting import blotted
from dockless.model.secret import Credential, Secret, remember
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.registry.challenges import Challenge
from dockless.registry.client import RegistryClient
from dockless.registry.refusals import blob_error, clean, manifest_error
from dockless.registry.tokens import authorization
from dockless.transport.http import Response
from fakes.http import StubHttp

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


@pytest.mark.parametrize("password", ["two  blanks-secret", "a\tb-long-secret", "x \n y-secret"])
def test_a_secret_with_blanks_is_blotted_before_they_become_one(password: str) -> None:
    remember(Credential("me", Secret(password)))
    assert clean(f"you sent {password} to us") == "you sent *** to us"


@pytest.mark.parametrize("password", ["hunter2-SECRET", "another-long-one", "third.Secret"])
@pytest.mark.parametrize("hide", ["\x00", "\x1b", "\u200b", "\u202e"])
def test_a_secret_that_is_hidden_by_what_is_not_printable_is_blotted(
    password: str, hide: str
) -> None:
    remember(Credential("me", Secret(password)))
    assert clean(f"you sent {password[:4]}{hide}{password[4:]} to us") == "you sent *** to us"


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("token", ["a.token.of-a-service", "0123456789abcdef"])
def test_what_a_token_service_is_sent_and_sends_is_remembered(password: str, token: str) -> None:
    http = StubHttp()
    realm = "https://auth.example.com/token"
    http.on(f"GET {realm}?service=", body=f'{{"token": "{token}"}}'.encode())
    challenge = Challenge("bearer", {"realm": realm})
    authorization(http, challenge, Credential("me", Secret(password)), "")
    for echo in (*echoes(password), token):
        assert blotted(f"you sent {echo} to us").count("***") == 1


@pytest.mark.parametrize("password", ["hunter2-SECRET", "another-long-one", "third.Secret"])
@pytest.mark.parametrize("status", [204, 418, 302])
def test_the_type_of_an_answer_is_foreign_too(password: str, status: int) -> None:
    remember(Credential("me", Secret(password)))
    http = StubHttp()
    kind = {"Content-Type": f"text/{password}"}
    http.on("GET https://registry.example.com/v2/", status, headers=kind)
    with pytest.raises(DocklessError) as caught:
        RegistryClient(http, lambda: None).check()
    assert password not in str(caught.value)


@pytest.mark.parametrize("password", ["hunter2-SECRET", "another-long-one", "third.Secret"])
def test_what_a_list_echoes_is_blotted_out_of_the_note(password: str) -> None:
    remember(Credential("me", Secret(password)))
    http, notes = StubHttp(), list[str]()
    http.on("GET https://registry.example.com/v2/")
    subject = Digest.of(b"subject")
    entry = {"mediaType": password, "digest": 7, "size": 1}
    body = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    path = f"team/shop/referrers/{subject}"
    http.on(f"GET https://registry.example.com/v2/{path}", body=body)
    assert RegistryClient(http, lambda: None).referrers(REPOSITORY, subject, notes.append) == ()
    assert "***" in notes[0]
    assert password not in notes[0]


@pytest.mark.parametrize("password", PASSWORDS)
def test_what_a_program_is_given_is_remembered(password: str) -> None:
    authfile("registry.example.com", Credential("me", Secret(password)))
    for echo in echoes(password):
        assert blotted(f"you sent {echo} to us").count("***") == 1
