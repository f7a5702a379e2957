"""Secrets stay where they belong, whatever registries, token services and redirects say."""

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest

from bed.dockless import Dockless
from bed.failures import complaint
from bed.faults import Answer, Change, Fault, FaultyRegistry
from bed.signposts import Signpost, Told, signpost
from dockless.errors import AuthError, DocklessError, NetworkError, StrayError
from dockless.model.endpoint import Endpoint
from dockless.model.secret import Credential, Secret
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.transport.http import HttpClient

pytestmark = pytest.mark.sampled(5)

PASSWORD, REFRESH = "the password of the bed", "the refresh token of the bed"
BASIC = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
TOKEN = Told(body=b'{"token": "abc", "access_token": "abc"}')
ME = Credential(username="me", password=Secret(PASSWORD))
TOKEN_OF_MINE = Credential(username="", password=Secret(""), identity_token=Secret(REFRESH))
# never routed, so that only a proxy could lead there
ELSEWHERE = "http://registry-login.invalid:8080"


@dataclass(frozen=True, slots=True)
class Place:
    """A registry, its token service, and another server, each at a port of its own."""

    registry: Signpost
    service: Signpost
    elsewhere: Signpost

    def client(self, credential: Credential, **how: object) -> RegistryClient:
        endpoint = Endpoint(host=self.registry.host, plain_http=True, **how)  # type: ignore[arg-type] # as a test says
        return RegistryClient(HttpClient(endpoint, {}), lambda: credential)

    def asks_for_tokens(self, realm: str) -> None:
        challenge = {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'}
        self.registry.answers["/v2/"] = Told(401, challenge)

    def saw_elsewhere(self) -> bool:
        secrets = (PASSWORD, REFRESH, quote(REFRESH), REFRESH.replace(" ", "+"), BASIC)
        return any(map(self.elsewhere.saw, secrets))


@pytest.fixture
def place() -> Iterator[Place]:
    with signpost() as registry, signpost() as service, signpost("127.0.0.9") as elsewhere:
        yield Place(registry, service, elsewhere)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("credential", [ME, TOKEN_OF_MINE], ids=["password", "refresh token"])
def test_a_token_service_that_sends_on_gets_no_secret_there(
    place: Place, status: int, credential: Credential
) -> None:
    place.asks_for_tokens(f"{place.service.url}/token")
    target = f"{place.elsewhere.url}/token"
    place.service.answers["/token"] = Told(status, {"Location": target})
    place.elsewhere.answers["/token"] = TOKEN
    with pytest.raises(DocklessError) as caught:
        place.client(credential).tag(Repository.of(place.registry.host, "a"), "1")
    assert place.service.seen
    assert not place.saw_elsewhere()
    assert place.elsewhere.host in str(caught.value)


def test_a_token_service_that_sends_on_to_itself_is_followed(place: Place) -> None:
    place.asks_for_tokens(f"{place.service.url}/token")
    place.service.answers["/token"] = Told(307, {"Location": "/v2/token"})
    place.service.answers["/v2/token"] = TOKEN
    repository = Repository.of(place.registry.host, "a")
    assert place.client(TOKEN_OF_MINE).tag(repository, "1") is None
    assert quote(REFRESH, safe="").replace("%20", "+") in place.service.seen[-1].body.decode()


@pytest.mark.parametrize(
    "realm", [f"{ELSEWHERE}/token", "http://192.0.2.9/t", "http://[2001:db8::9]/"]
)
def test_a_registry_on_this_machine_sends_no_secret_elsewhere_in_clear(
    place: Place, realm: str
) -> None:
    place.asks_for_tokens(realm)
    with signpost() as proxy:
        http = HttpClient(
            Endpoint(host=place.registry.host, plain_http=True), {"HTTP_PROXY": proxy.url}
        )
        with pytest.raises(AuthError, match="without TLS") as caught:
            RegistryClient(http, lambda: ME).check()
        assert not proxy.seen
    assert "--insecure-realm" in caught.value.remedy


def test_where_the_password_may_be_given_directly_it_does_not_go_to_such_a_realm(
    place: Place,
) -> None:
    both = f'Bearer realm="{ELSEWHERE}/token", Basic realm="r"'
    place.registry.answers["/v2/"] = Told(401, {"WWW-Authenticate": both})
    client = place.client(ME)
    with pytest.raises(AuthError):  # it answers 401 whatever it is shown
        client.check()
    assert place.registry.saw(BASIC)
    # crane and skopeo take the first challenge that they know
    for program in ("crane", "skopeo"):
        assert ELSEWHERE in client.exposed_by(program)


def test_a_realm_that_the_user_named_is_asked_in_clear(place: Place) -> None:
    place.asks_for_tokens(f"{ELSEWHERE}/token")
    with signpost() as proxy:
        proxy.answers["/token"] = TOKEN
        named = ("registry-login.invalid",)
        endpoint = Endpoint(host=place.registry.host, plain_http=True, insecure_realms=named)
        http = HttpClient(endpoint, {"HTTP_PROXY": proxy.url})
        with pytest.raises(AuthError):  # the registry takes no token either
            RegistryClient(http, lambda: ME).check()
        assert proxy.saw(BASIC)


@pytest.mark.parametrize(
    "lead", ["http://169.254.169.254/latest", "http://2852039166/", "http://[::ffff:a9fe:a9fe]/"]
)
@pytest.mark.parametrize("part", ["realm", "redirect", "location"])
def test_a_link_local_address_is_not_asked(place: Place, lead: str, part: str) -> None:
    repository = Repository.of(place.registry.host, "a")
    place.registry.answers["/v2/"] = Told()
    if part == "realm":
        place.asks_for_tokens(lead)
    place.registry.answers["/v2/a/manifests/1"] = Told(307, {"Location": lead})
    account = None if part == "realm" else ME
    with signpost() as proxy:
        http = HttpClient(
            Endpoint(host=place.registry.host, plain_http=True), {"HTTP_PROXY": proxy.url}
        )
        client = RegistryClient(http, lambda: account)
        ask: Callable[[], object] = partial(client.tag, repository, "1")
        if part == "location":
            ask = partial(client.request, "PATCH", repository, lead, body=b"layer")
        with pytest.raises(StrayError, match="link-local"):
            ask()
        assert not proxy.seen


def test_a_storage_service_gets_no_credential_and_is_named_when_it_refuses(place: Place) -> None:
    repository = Repository.of(place.registry.host, "a")
    basic = {"WWW-Authenticate": 'Basic realm="r"'}
    place.registry.answers["/v2/"] = Told(401, basic)
    digest = Digest.of(b"x")
    blob = f"/v2/a/blobs/{digest}"
    place.registry.answers[blob] = Told(307, {"Location": f"{place.elsewhere.url}/blob?signed=1"})
    place.elsewhere.answers["/blob"] = Told(403)
    with pytest.raises(AuthError, match=place.elsewhere.host):
        place.client(ME).fetch(repository, f"blobs/{digest}", lambda _: None)
    assert place.registry.saw(BASIC)
    assert not place.saw_elsewhere()
    place.elsewhere.answers["/blob"] = Told(503)
    with pytest.raises(NetworkError, match=place.elsewhere.host):
        place.client(ME).fetch(repository, f"blobs/{digest}", lambda _: None)


def test_a_ring_of_redirects_ends(place: Place) -> None:
    place.registry.answers["/v2/"] = Told(302, {"Location": "/v2/"})
    with pytest.raises(NetworkError, match="redirects more than 5 times"):
        place.client(ME).ping()


@pytest.mark.parametrize(
    "option", [(), ("--insecure-realm", "http://registry-login.invalid:8080/")]
)
def test_a_login_in_clear_needs_the_word_of_the_user(
    place: Place, program: Dockless, option: tuple[str, ...]
) -> None:
    place.asks_for_tokens(f"{ELSEWHERE}/token")
    argv = ("login", place.registry.host, "--username", "me", "--password-stdin", *option)
    with signpost() as proxy:
        program.extra["HTTP_PROXY"] = proxy.url  # type: ignore[index] # a dict, as it is made
        program.extra["DOCKLESS_KEYRING"] = "kernel"  # type: ignore[index] # the same
        proxy.answers["/token"] = TOKEN
        complaint(program.run(*argv, stdin=PASSWORD.encode()), 4)
        assert proxy.saw(BASIC) == bool(option)


def _elsewhere(answer: Answer) -> Answer:
    headers = {name: text for name, text in answer.headers.items() if name != "Location"}
    return replace(answer, headers={**headers, "Location": "http://169.254.169.254/latest"})


@pytest.mark.parametrize("engine", ["auto", "direct"])
def test_no_layer_is_sent_to_a_link_local_location(
    faulty_registry: FaultyRegistry, program: Dockless, packed: Path, engine: str
) -> None:
    lead = Fault("POST", "/blobs/uploads/", Change(_elsewhere), times=1_000)
    faulty_registry.faults.append(lead)
    image = ("--image", f"{faulty_registry.host}/astray/app:1")
    done = program.run("push", packed, *image, "--engine", engine)
    # crane, which would follow, is not started
    assert "points to 169.254.169.254, which is a link-local address" in complaint(done, 6)
    assert "Retrying" not in done.stderr


def basic_place(place: Place) -> None:
    for each in (place.registry, place.elsewhere):
        each.answers["/v2/"] = Told(401, {"WWW-Authenticate": 'Basic realm="x"'})


def receipt_of(*lines: tuple[str, str]) -> str:
    """Return a receipt with an image of each target and reference; the first one's target."""
    digest = f"sha256:{'a' * 64}"
    images = [
        {
            "source": "a.tar",
            "name": "x:1",
            "references": [reference],
            "digest": digest,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "unchanged": False,
            "arrived": None,
            "verified": True,
            "blobs": [],
        }
        for _, reference in lines
    ]
    members = {"versions": {}, "bundles": {}, "images": images, "failures": []}
    head = {"receiptVersion": 1, "target": lines[0][0], "finished": "2026-11-30T01:02:03Z"}
    return json.dumps(head | members)


@pytest.mark.parametrize("how", ["stdin", "environment"])
@pytest.mark.parametrize("form", ["two receipts", "one receipt"])
def test_one_password_does_not_go_to_every_registry_that_receipts_name(
    program: Dockless, place: Place, tmp_path: Path, how: str, form: str
) -> None:
    basic_place(place)
    hosts = (place.registry.host, place.elsewhere.host)
    lines = [(host, f"{host}/m/x:1") for host in hosts]
    texts = [receipt_of(*lines)] if form == "one receipt" else [receipt_of(each) for each in lines]
    paths = [tmp_path / f"{number}.json" for number, _ in enumerate(texts)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    options: tuple[str, ...] = ("--username", "me", "--password-stdin")
    if how == "environment":
        login = {"DOCKLESS_USERNAME": "me", "DOCKLESS_PASSWORD": PASSWORD}
        program, options = replace(program, extra={**program.extra, **login}), ()
    done = program.run("verify", *paths, *options, stdin=PASSWORD.encode())
    assert done.code == 2, done.stderr
    assert not any(each.saw(BASIC) for each in (place.registry, place.elsewhere))


@pytest.mark.parametrize("form", ["docker://", "list"])
def test_one_password_does_not_go_to_every_registry_that_a_bundle_is_made_of(
    program: Dockless, place: Place, form: str
) -> None:
    basic_place(place)
    sources = tuple(f"docker://{each.host}/m/x:1" for each in (place.elsewhere, place.registry))
    if form == "list":
        (program.project / "l.txt").write_text("\n".join(sources))
        sources = ("-f", "l.txt")
    login = {"DOCKLESS_USERNAME": "me", "DOCKLESS_PASSWORD": PASSWORD}
    program = replace(program, extra={**program.extra, **login})
    done = program.run("bundle", "create", "-o", "o.tar", *sources)
    assert done.code == 2, done.stderr
    assert "several registries" in done.stderr
    assert not any(each.saw(BASIC) for each in (place.registry, place.elsewhere))


@pytest.mark.parametrize("engine", ["auto", "crane", "direct"])
@pytest.mark.parametrize("scheme", ["absolute", "relative"])
def test_no_program_shows_the_password_to_the_host_that_uploads_go_to(
    program: Dockless, place: Place, packed: Path, tmp_path: Path, engine: str, scheme: str
) -> None:
    basic_place(place)
    start = place.elsewhere.url if scheme == "absolute" else f"//{place.elsewhere.host}"
    to = Told(202, {"Location": f"{start}/up?x=1"})
    place.registry.answers["/v2/acme/shop/blobs/uploads/"] = to
    if engine == "auto":  # with skopeo alone
        tools, programs = tmp_path / "none", tmp_path / "programs"
        tools.mkdir()
        programs.mkdir()
        (programs / "skopeo").symlink_to(str(shutil.which("skopeo")))
        extra = {"DOCKLESS_TOOLS_DIR": str(tools), "PATH": f"{programs}:/bin"}
        program = replace(program, extra={**program.extra, **extra})
    argv = ("push", packed, "--image", f"{place.registry.host}/acme/shop:1", "--engine", engine)
    login = ("--username", "me", "--password-stdin", "--retries", "0")
    done = program.run(*argv, *login, stdin=PASSWORD.encode())
    assert done.code not in {0, 70}, done.stderr
    assert not place.saw_elsewhere()


@pytest.mark.parametrize("step", ["begun", "sent"])
@pytest.mark.parametrize("form", ["http://{host}/u", "//{host}/u", "http://{own}@{host}/u"])
def test_skopeo_gets_no_password_that_any_step_of_an_upload_would_lead_elsewhere(
    place: Place, step: str, form: str
) -> None:
    place.registry.answers["/v2/"] = Told(401, {"WWW-Authenticate": 'Basic realm="x"'})
    astray = form.format(host=place.elsewhere.host, own=place.registry.host)
    uploads = "/v2/a/blobs/uploads/"
    begun = astray if step == "begun" else f"{uploads}1?state=x"
    place.registry.answers[uploads] = Told(202, {"Location": begun})
    place.registry.answers[f"{uploads}1"] = Told(202, {"Location": astray})
    client, repository = place.client(ME), Repository.of(place.registry.host, "a")
    assert place.elsewhere.host in client.exposed_by("skopeo", repository)
    assert not place.elsewhere.seen


@pytest.mark.parametrize("lead", ["/v2/a/blobs/uploads/2", "{own}/v2/a/blobs/uploads/2?x=1"])
def test_skopeo_gets_the_password_where_uploads_stay(place: Place, lead: str) -> None:
    place.registry.answers["/v2/"] = Told(401, {"WWW-Authenticate": 'Basic realm="x"'})
    uploads = "/v2/a/blobs/uploads/"
    for path, number in ((uploads, "1"), (f"{uploads}1", "2"), (f"{uploads}2", "3")):
        led = lead.format(own=place.registry.url).replace("uploads/2", f"uploads/{number}")
        place.registry.answers[path] = Told(202, {"Location": led})
    client, repository = place.client(ME), Repository.of(place.registry.host, "a")
    assert client.exposed_by("skopeo", repository) == ""
    methods = [each.method for each in place.registry.seen]
    assert methods == ["GET", "POST", "PATCH", "DELETE"]
    client.exposed_by("skopeo", repository)
    assert len(place.registry.seen) == len(methods)
