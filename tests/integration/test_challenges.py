"""Registries that offer several ways to authenticate, in one WWW-Authenticate header or in more."""

from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest

from bed.certificates import Certificates
from bed.dockless import Dockless
from bed.failures import complaint
from bed.faults import Answer, Change, Fault, FaultyRegistry, faulty
from bed.registry import Login, docker_registry
from bed.tokens import TokenService
from dockless.errors import AuthError, NetworkError, PushError
from dockless.model.endpoint import Endpoint, Trust
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.transport.http import HttpClient

BASIC = 'Basic realm="a, Bearer realm=\\"no\\"", charset="UTF-8"'
UNUSABLE = 'Bearer realm="http://[x/",service="s"'


def asking(*headers: str) -> Change:
    """Return the effect that a 401 has these WWW-Authenticate headers; `{}` is the registry's."""

    def ask(answer: Answer) -> Answer:
        own = answer.headers.get("Www-Authenticate", "")
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        kept = {name: text for name, text in answer.headers.items() if name != "Www-Authenticate"}
        lines = "\n".join(header.replace("{}", own) for header in headers)
        return replace(answer, headers={**kept, "WWW-Authenticate": lines})

    return Change(ask)


@pytest.fixture
def by_token(tmp_path: Path, login: Login, tokens: TokenService) -> Iterator[FaultyRegistry]:
    """A registry that takes tokens only; its token service alone speaks TLS."""
    folder = tmp_path / "by-token"
    folder.mkdir()
    with (
        docker_registry(folder, login=login, auth=tokens.settings()) as registry,
        faulty(registry.host) as proxy,
    ):
        yield proxy


@pytest.fixture
def by_password(tmp_path: Path, login: Login) -> Iterator[FaultyRegistry]:
    """A registry that takes the password only."""
    folder = tmp_path / "by-password"
    folder.mkdir()
    with docker_registry(folder, login=login) as registry, faulty(registry.host) as proxy:
        yield proxy


def tag(proxy: FaultyRegistry, login: Login, certificates: Certificates) -> object:
    """Ask for a tag that is not there, with what it takes to be allowed to."""
    endpoint = Endpoint(host=proxy.host, plain_http=True, trust=Trust((certificates.ca,)))
    credential = Credential(username=login.username, password=Secret(login.password))
    client = RegistryClient(HttpClient(endpoint, {}), lambda: credential)
    return client.tag(Repository.of(proxy.host, "challenges/app"), "v1")


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    "headers",
    [
        ("{}", BASIC),
        (BASIC, "{}"),
        (f"{BASIC}, {{}}",),
        (f"{{}}, {BASIC}",),
        ("Negotiate", "NTLM TlRMTVNTUAAB==", "{}"),
        (f"NEGOTIATE YII=, {BASIC}", "{}", 'Digest realm="open'),
        ('Bearer realm="open', f"{UNUSABLE}, {BASIC}", "{}"),
    ],
)
def test_a_token_is_had_wherever_it_is_offered(
    by_token: FaultyRegistry,
    login: Login,
    certificates: Certificates,
    tokens: TokenService,
    headers: tuple[str, ...],
) -> None:
    by_token.faults.append(Fault("GET", "^/v2/$", asking(*headers)))
    assert tag(by_token, login, certificates) is None
    assert [asked.user for asked in tokens.asked] == [login.username]


@pytest.mark.sampled(7)
@pytest.mark.parametrize(
    "headers", [("Negotiate, {}",), (UNUSABLE, "{}"), ("{}", UNUSABLE), ("Bearer, {}",)]
)
def test_the_password_is_given_where_no_token_can_be_had(
    by_password: FaultyRegistry, login: Login, certificates: Certificates, headers: tuple[str, ...]
) -> None:
    by_password.faults.append(Fault("GET", "^/v2/$", asking(*headers)))
    assert tag(by_password, login, certificates) is None


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ((), "and no readable challenge"),
        (("",), "and no readable challenge"),
        (("Negotiate", "NTLM"), "Negotiate, Ntlm"),
        ((UNUSABLE,), "its realm is 'http://\\[x/'"),
        (("Bearer",), "its realm is ''"),
        (('Bearer realm="https://a..b/"',), "a..b"),
        ((f'Bearer realm="https://{"a" * 300}/"',), "aaa"),
        ((f'Bearer realm="{"a" * 60_000}"',), "its realm is ''"),
    ],
)
def test_what_cannot_be_answered_is_one_clear_error(
    by_password: FaultyRegistry,
    login: Login,
    certificates: Certificates,
    headers: tuple[str, ...],
    said: str,
) -> None:
    by_password.faults.append(Fault("GET", "^/v2/$", asking(*headers)))
    with pytest.raises((PushError, AuthError, NetworkError), match=said) as caught:
        tag(by_password, login, certificates)
    assert len(str(caught.value)) < 1000


def test_a_push_to_a_registry_with_two_challenges_succeeds(
    by_token: FaultyRegistry,
    login: Login,
    certificates: Certificates,
    program: Dockless,
    packed: Path,
) -> None:
    fault = Fault("GET", "^/v2/$", asking(BASIC, "Negotiate, {}"), times=1_000)
    by_token.faults.append(fault)
    image = ("--image", f"{by_token.host}/challenges/app:1", "--username", login.username)
    trusting = replace(program, extra={"SSL_CERT_FILE": str(certificates.ca)})
    argv = ("push", packed, *image, "--password-stdin")
    done = trusting.run(*argv, stdin=login.password.encode())
    assert done.code == 0, done.stderr


def test_a_push_to_a_registry_of_unknown_kinds_says_which(
    by_password: FaultyRegistry, login: Login, program: Dockless, packed: Path
) -> None:
    by_password.faults.append(Fault("GET", "^/v2/$", asking("Negotiate", "NTLM"), times=1_000))
    image = ("--image", f"{by_password.host}/challenges/app:1", "--username", login.username)
    done = program.run("push", packed, *image, "--password-stdin", stdin=b"x")
    assert "Negotiate, Ntlm" in complaint(done, 1)
