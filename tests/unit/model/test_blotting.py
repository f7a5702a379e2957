import base64
import html
import json
import quopri
import textwrap
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from dockless.engines.authfile import authfile
from dockless.engines.failures import failure
from dockless.errors import DocklessError
from dockless.model.blotting import blotted
from dockless.model.secret import Credential, Secret, remember
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.registry.challenges import Challenge
from dockless.registry.client import RegistryClient
from dockless.registry.refusal import clean
from dockless.registry.refusals import blob_error, manifest_error
from dockless.registry.tokens import authorize
from dockless.transport.http import Request, Response
from dockless.transport.http_errors import named
from dockless.transport.origins import shown
from dockless.transport.redirects import sent_on
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
    remember(
        Credential(
            username="me", password=Secret(password), identity_token=Secret(f"{password}-identity")
        )
    )
    echo = echoes(password)[place]
    echoed = f"you sent {echo} to us"
    secret = (
        echo.removeprefix("Basic ") if place == 1 else echoes(password)[3 if place == 4 else place]
    )
    answer = Response(status=400, headers={}, body=echoed.encode())
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
    remember(Credential(username="me", password=Secret("qx")))
    assert blotted("qx, qxylophone and (qx)") == "***, qxylophone and (***)"


@pytest.mark.parametrize("password", ["two  blanks-secret", "a\tb-long-secret", "x \n y-secret"])
def test_a_secret_with_blanks_is_blotted_before_they_become_one(password: str) -> None:
    remember(Credential(username="me", password=Secret(password)))
    assert clean(f"you sent {password} to us") == "you sent *** to us"


@pytest.mark.parametrize("password", ["hunter2-SECRET", "another-long-one", "third.Secret"])
@pytest.mark.parametrize("hide", ["\x00", "\x1b", "\u200b", "\u202e"])
def test_a_secret_that_is_hidden_by_what_is_not_printable_is_blotted(
    password: str, hide: str
) -> None:
    remember(Credential(username="me", password=Secret(password)))
    assert clean(f"you sent {password[:4]}{hide}{password[4:]} to us") == "you sent *** to us"


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("token", ["a.token.of-a-service", "0123456789abcdef"])
def test_what_a_token_service_is_sent_and_sends_is_remembered(password: str, token: str) -> None:
    http = StubHttp()
    realm = "https://auth.example.com/token"
    http.on(f"GET {realm}?service=", body=f'{{"token": "{token}"}}'.encode())
    challenge = Challenge("bearer", {"realm": realm})
    authorize(http, challenge, Credential(username="me", password=Secret(password)), "")
    for echo in (*echoes(password), token):
        assert blotted(f"you sent {echo} to us").count("***") == 1


@pytest.mark.parametrize("password", ["hunter2-SECRET", "another-long-one", "third.Secret"])
@pytest.mark.parametrize("status", [204, 418, 302])
def test_the_type_of_an_answer_is_foreign_too(password: str, status: int) -> None:
    remember(Credential(username="me", password=Secret(password)))
    http = StubHttp()
    kind = {"Content-Type": f"text/{password}"}
    http.on("GET https://registry.example.com/v2/", status, headers=kind)
    with pytest.raises(DocklessError) as caught:
        RegistryClient(http, lambda: None).check()
    assert password not in str(caught.value)


@pytest.mark.parametrize("password", ["hunter2-SECRET", "another-long-one", "third.Secret"])
def test_what_a_list_echoes_is_blotted_out_of_the_note(password: str) -> None:
    remember(Credential(username="me", password=Secret(password)))
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
    authfile("crane", "registry.example.com", Credential(username="me", password=Secret(password)))
    for echo in echoes(password):
        assert blotted(f"you sent {echo} to us").count("***") == 1


ODD = ["S3cr<et&p+1", "x'\"<long>&/=", "pä$$ w\\ö/rd~", "täb\tand\nend\U0001f511key"]


def go_json(text: str) -> str:
    """Return a string in JSON as Go writes it."""
    escaped = json.dumps(text, ensure_ascii=False)[1:-1]
    return escaped.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


ESCAPES: dict[str, Callable[[str], str]] = {
    "Go's JSON": go_json,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "Go's JSON in JSON": lambda text: json.dumps(go_json(text)),
    "upper case": lambda text: go_json(text).replace("\\u003c", "\\u003C"),
    "HTML": html.escape,
    "HTML without quotes": lambda text: html.escape(text, quote=False),
    "HTML twice": lambda text: html.escape(html.escape(text)),
    "Go's HTML": lambda text: html.escape(text).replace("&quot;", "&#34;"),
    "numbers": lambda text: "".join(f"&#x{ord(x):X};" * (not x.isalnum()) or x for x in text),
    "hexadecimal": lambda text: text.encode().hex(),
    "HEXADECIMAL": lambda text: text.encode().hex().upper(),
    "a URL twice": lambda text: quote(quote(text, safe=""), safe=""),
    "a form": quote_plus,
    "a host": lambda text: base64.b64encode(text.encode()).decode().rstrip("=").lower(),
    "a pair": lambda text: base64.b64encode(f"me:{text}".encode()).decode().replace("=", "\\u003d"),
    "a slash": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "Python": repr,
}  # fmt: skip


@pytest.mark.parametrize("password", ODD)
@pytest.mark.parametrize("escape", ESCAPES)
def test_a_secret_is_blotted_in_every_escape(password: str, escape: str) -> None:
    remember(Credential(username="me", password=Secret(password)))
    echo = ESCAPES[escape](password)
    said = blotted(f"you sent <{echo}> to us")
    assert echo.strip("\"'") not in said
    assert said.count("***") == 1
    assert said.startswith("you sent <")
    assert said.endswith("> to us")


@pytest.mark.parametrize("password", [*PASSWORDS[:3], *ODD])
@pytest.mark.parametrize("kept", [3, 5, 9])
def test_a_secret_is_blotted_before_an_answer_is_cut(password: str, kept: int) -> None:
    remember(Credential(username="me", password=Secret(password)))
    begins = " " * (64 * 1024 - kept)
    answer = Response(status=400, headers={}, body=(begins + password + " more" * 10).encode())
    said = str(manifest_error(answer, REPOSITORY, "v1"))
    assert password[: max(3, kept - 1)] not in said


@pytest.mark.parametrize("password", [*PASSWORDS[:3], *ODD[:3]])
@pytest.mark.parametrize("start", ["ftp://store/?auth=", "http://[x/", "ftp://x/" + "z" * 183])
def test_a_secret_is_blotted_out_of_a_redirect(password: str, start: str) -> None:
    remember(Credential(username="me", password=Secret(password)))
    pair = base64.b64encode(f"me:{password}".encode()).decode()
    for echo in (pair, quote(password, safe=""), password.replace("\n", "")):
        with pytest.raises(DocklessError) as caught:
            sent_on(
                Request(method="GET", url="https://registry.example.com/v2/", headers={}),
                307,
                start + echo,
            )
        assert echo[:8] not in str(caught.value)


@pytest.mark.parametrize("password", ["hunter2-SECRET", "another-long-one", "Third.Secret"])
def test_a_secret_is_blotted_out_of_the_name_of_a_host(password: str) -> None:
    remember(Credential(username="me", password=Secret(password)))
    for said in (
        shown(f"https://{password}.example.com/"),
        named("registry.example.com", f"https://me:{password}@x.example.com/"),
    ):
        assert password.lower() not in said.lower()
        assert "***" in said


LONG = [
    "glpat-AHOVCJQXELSZGNUBIPWDKRYFMTAHOVCJQXELSZGNUBIPWDKRYFMTAHOVCJQXELSZGNUBIPWD9x",
    "S3cr3t-Pw0rd!xyz&more=<than>enough of it",
    "dckr_pat_Zx81kQ0rTnB7vLmE5yWc",
    "pä$$wörd-with-ümlauts/and+signs",
]


def pair(text: str, before: str = "me:", after: str = "") -> str:
    return base64.b64encode(f"{before}{text}{after}".encode()).decode()


def each(form: str) -> Callable[[str], str]:
    """Return what writes each character of ASCII in a form, and others as they are."""
    return lambda text: "".join(form.format(ord(x)) if x.isascii() else x for x in text)


def broken(by: str, *places: int) -> Callable[[str], str]:
    def write(text: str) -> str:
        for place in sorted(places, reverse=True):
            text = text[:place] + by + text[place:]
        return text

    return write


def spread(by: str, prefix: str = "") -> Callable[[str], str]:
    return lambda text: by.join(f"{prefix}{byte:02x}" for byte in text.encode())


FORMS: dict[str, Callable[[str], str]] = {
    "base64 in lines of 76": lambda text: "\n".join(textwrap.wrap(pair(text), 76)),
    "base64 in lines of 64": lambda text: "\r\n".join(textwrap.wrap(pair(text), 64)),
    "base64 in lines of 20": lambda text: "\n\t".join(textwrap.wrap(pair(text, "them:"), 20)),
    "base64 in lines in JSON": lambda text: "\\n".join(textwrap.wrap(pair(text), 16)),
    "base64 after one": lambda text: pair(text, "x"),
    "base64 after two": lambda text: pair(text, "xy", "&z"),
    "base64 of a form": lambda text: pair(text, "user=me&password=", "&scope=all"),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(f"a={text}??>>".encode()).decode(),
    "base64 in a URL": lambda text: quote(pair(text, "x"), safe=""),
    "a line end": broken("\n", 9),
    "a tab": broken("\t", 5),
    "a blank": broken(" ", 12),
    "line ends": broken("\r\n  ", 4, 8, 12),
    "a line end in JSON": broken("\\n", 9),
    "HTML numbers": each("&#{};"),
    "HTML hexadecimal": each("&#x{:x};"),
    "HTML numbers with zeros": each("&#{:07};"),
    "HTML numbers twice": each("&amp;#{};"),
    "JSON": each("\\u{:04x}"),
    "JSON in JSON": each("\\\\u{:04X}"),
    "JavaScript": each("\\u{{{:x}}}"),
    "Python": each("\\x{:02x}"),
    "Python's long": each("\\U{:08x}"),
    "octal": each("\\{:03o}"),
    "a URL": each("%{:02X}"),
    "a URL twice": each("%25{:02x}"),
    "escape": each("%u{:04x}"),
    "quoted-printable": lambda text: quopri.encodestring(text.encode(), quotetabs=True).decode(),
    "all of it quoted": lambda text: "".join(f"={byte:02X}" for byte in text.encode()),
    "hexadecimal with colons": spread(":"),
    "hexadecimal with blanks": spread(" "),
    "hexadecimal numbers": spread(", ", "0x"),
    "hexadecimal escapes": spread("", "\\x"),
    "HEXADECIMAL": lambda text: spread("-")(text).upper(),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "base32 of a pair": lambda text: base64.b32encode(f"me:{text}&".encode()).decode().lower(),
    "reversed": lambda text: text[::-1],
}  # fmt: skip


@pytest.mark.parametrize("password", LONG)
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_blotted_in_every_form(password: str, form: str) -> None:
    remember(Credential(username="me", password=Secret(password)))
    echo = FORMS[form](password)
    said = blotted(f"you sent [{echo}] to us")
    assert said.startswith("you sent [")
    assert said.endswith("] to us")
    left = said.removeprefix("you sent [").removesuffix("] to us").split("***")
    # of base64, what stands before and after the secret stays
    assert len(left) == 2
    assert all(len(rest) <= 32 for rest in left)
    assert sum(map(len, left)) <= len(echo) - len(password) * 0.9


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("kurz7", "kurz 7, k-u-r-z-7, kurz77 and 7zruk"),
        ("shop", "the shops of team/shopping, s hop"),
        ("deadbeef", "sha256:4dead bee0f, &#100;ead"),
        ("a b", "ab, a  b and a+bc"),
        ("12345678", "1234567 and 234567812"),
        ("x", "xx, 0x78, eAx and %7"),
        ("token=", "tokens are sent, token is one"),
    ],
)
def test_nothing_is_blotted_by_accident(password: str, words: str) -> None:
    remember(Credential(username="me", password=Secret(password)))
    assert blotted(words) == words


@pytest.mark.parametrize("escape", ["%25", "&amp;", "\\", "=", "0x", "\\x", "%", "&#", "a", " "])
def test_what_is_hostile_is_looked_at_once(escape: str) -> None:
    """With time in proportion to the square of its length, it would take hours."""
    remember(Credential(username="me", password=Secret("a" * 300_000)))
    remember(Credential(username="me", password=Secret("a b" * 30)))
    words = escape * (64 * 1024 // len(escape))
    said = blotted(words)
    assert said == words or "***" in said
