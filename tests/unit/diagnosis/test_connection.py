import pytest

from dockless.diagnosis.connection import check_tls, judge_plain, judge_port, judge_tls
from dockless.model.endpoint import Endpoint
from dockless.model.finding import State
from dockless.transport import peer
from dockless.transport.peer import Certificate, Fault, Peer, PeerAddress, target_of

NOW, DAY = 1_795_000_000.0, 86_400
CERTIFICATE = Certificate(
    subject="registry.example.com",
    issuer="R11 (Let's Encrypt)",
    names=("registry.example.com",),
    begins=NOW - DAY,
    ends=NOW + 40 * DAY,
)
TARGET = PeerAddress("registry.example.com", 443)


def test_a_port_is_reached_not_reached_or_reached_in_part() -> None:
    [found] = judge_port(TARGET, {"192.0.2.1": "", "192.0.2.2": ""})
    assert (found.state, found.subject) == ("ok", "registry.example.com:443")
    [found] = judge_port(TARGET, {"2001:db8::1": "no answer in 4 seconds", "192.0.2.1": ""})
    assert (found.state, "2001:db8::1: no answer" in found.what) == ("note", True)
    [found] = judge_port(TARGET, {"192.0.2.1": "connection refused"})
    assert (found.state, bool(found.remedy)) == ("problem", True)


def test_a_proxy_that_is_not_reached_is_named_as_one() -> None:
    [found] = judge_port(PeerAddress("127.0.0.1", 9), {"127.0.0.1": "refused"}, is_proxy=True)
    assert (found.state, found.what) == (
        "problem",
        "the proxy cannot be reached (127.0.0.1: refused).",
    )
    assert "the proxy runs" in found.remedy
    assert "registry" not in found.remedy


def test_a_registry_that_accepts_and_does_not_answer_is_called_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def silent(*_: object) -> Peer:
        raise TimeoutError("_ssl.c:992: The handshake operation timed out")

    monkeypatch.setattr(peer, "handshake", silent)
    [found] = check_tls(Endpoint(host="192.0.2.1:5000"), None)
    assert found.state == "problem"
    assert found.what == "accepts connections, but does not respond within 4 seconds."


def test_a_trusted_certificate_is_told_with_issuer_and_end() -> None:
    found = judge_tls("registry.example.com", Peer(certificate=CERTIFICATE, version="TLSv1.3"), NOW)
    assert found.state == "ok"
    assert "issued by R11 (Let's Encrypt), expires on 2026-12-28 (40 days left)" in found.what
    assert (found.facts["daysLeft"], found.facts["notAfter"]) == (40, "2026-12-28T11:06:40Z")


@pytest.mark.parametrize(("days", "state"), [(14, "ok"), (13, "note"), (1, "note")])
def test_a_certificate_that_ends_soon_is_worth_a_note(days: int, state: State) -> None:
    now = CERTIFICATE.ends - days * DAY
    found = judge_tls("registry.example.com", Peer(certificate=CERTIFICATE, version="TLSv1.3"), now)
    assert (found.state, bool(found.remedy)) == (state, state == "note")


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("expired", "expired: a certificate authority in its chain"),
        ("not yet valid", "not yet valid: "),
        ("name mismatch", "its certificate is for registry.example.com, not for other.example"),
        ("self-signed", "self-signed: "),
        ("untrusted", "untrusted: unable to get"),
        ("no tls", "no TLS: "),
        ("other", "handshake fails: unable to get"),
    ],
)
def test_every_fault_is_a_problem_by_its_name(fault: Fault, named: str) -> None:
    found = judge_tls(
        "other.example", Peer(certificate=CERTIFICATE, fault=fault, said="unable to get"), NOW
    )
    assert (found.state, bool(found.remedy)) == ("problem", True)
    assert named in found.what
    assert found.facts["fault"] == fault


def test_a_certificate_that_is_over_says_since_when() -> None:
    found = judge_tls(
        "registry.example.com", Peer(certificate=CERTIFICATE, fault="expired"), NOW + 50 * DAY
    )
    assert "expired: its certificate has expired" in found.what
    assert "(10 days ago)" in found.what
    assert (
        judge_tls("x", Peer(certificate=None, fault="expired"), NOW).what
        == "expired: its certificate has expired."
    )


@pytest.mark.parametrize(
    ("host", "state"), [("127.0.0.1", "ok"), ("localhost", "ok"), ("::1", "ok"), ("r.lan", "note")]
)
def test_plain_http_is_well_on_this_machine_alone(host: str, state: State) -> None:
    assert judge_plain(host).state == state


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://registry-1.docker.io", "registry-1.docker.io:443"),
        ("http://127.0.0.1:5000", "127.0.0.1:5000"),
        ("https://[::1]", "[::1]:443"),
    ],
)
def test_where_a_url_leads(url: str, shown: str) -> None:
    assert str(target_of(url)) == shown
