"""The connection to a registry: its name, its port, and whether its certificate is trusted."""

import socket
import time
from collections.abc import Iterator, Mapping

from dockless.diagnosis.certificates import day
from dockless.model.endpoint import Endpoint, is_loopback
from dockless.model.finding import Fact, Finding, State
from dockless.model.reasons import reason
from dockless.transport import peer
from dockless.transport.peer import Fault, Peer, PeerAddress
from dockless.transport.proxy import Proxy

AREA = "connection"
TLS = "tls"
_STEP_SECONDS = 4.0
_MOST_ADDRESSES = 2
_DAY_SECONDS = 86_400
_SOON_DAYS = 14

_REMEDIES = {
    "expired": "The registry's operator has to renew it; "
    "if it is still valid, correct this machine's clock.",
    "not yet valid": "Correct this machine's clock, or wait until the certificate is valid.",
    "name mismatch": "Use a name that the certificate covers, or have one issued for this name.",
    "self-signed": "Name the certificate itself with --ca-file FILE, or put it into certs.d.",
    "untrusted": "Name the authority that signed it with --ca-file FILE or --cert-dir DIR.",
    "no tls": "If plain HTTP is intended, use --insecure.",
    "other": "Check proxies and firewalls on the way, and whether a client certificate "
    "(--cert-dir) is required.",
}


def check_name(target: PeerAddress, via: Proxy | None) -> Iterator[Finding]:
    """Resolve the registry's name, or the proxy's if one is used."""
    asked = peer.target_of(via.url) if via else target
    try:
        found = peer.addresses(asked)
    except socket.gaierror as error:
        temporary = error.errno == socket.EAI_AGAIN
        yield _line(
            asked.host,
            "problem",
            "its name cannot be resolved: "
            + ("no name server responds." if temporary else "there is no such host."),
            "Check the network and /etc/resolv.conf." if temporary else "Check the spelling.",
        )
        return
    what = ", ".join(found) if found != (asked.host,) else "is an IP address"
    role = " (the proxy; it resolves the registry's name)" if via else ""
    yield _line(asked.host, "ok", f"{what}{role}", facts={"addresses": found})


def check_port(target: PeerAddress, via: Proxy | None) -> Iterator[Finding]:
    """Connect to the registry, or to its proxy."""
    asked = peer.target_of(via.url) if via else target
    found = peer.addresses(asked)[:_MOST_ADDRESSES]
    yield from judge_port(
        asked,
        {each: peer.connects(each, asked.port, _STEP_SECONDS) for each in found},
        is_proxy=via is not None,
    )


def judge_port(
    target: PeerAddress, failed: Mapping[str, str], *, is_proxy: bool = False
) -> Iterator[Finding]:
    """Judge whether a port is reachable.

    Args:
        target: What is connected to.
        failed: Why each address was not reached; empty for a reached one.
        is_proxy: Whether it is the registry's proxy.
    """
    reached = [address for address, why in failed.items() if not why]
    whys = "; ".join(f"{address}: {why}" for address, why in failed.items() if why)
    if not reached:
        yield _line(
            str(target),
            "problem",
            f"the proxy cannot be reached ({whys})."
            if is_proxy
            else f"cannot be reached ({whys}).",
            "Check that the proxy runs there, or correct or unset the variable that names it."
            if is_proxy
            else "Check that the registry runs there, the port, and firewalls in between.",
        )
    elif whys:
        what = f"is reachable at {reached[0]}, but not at every address ({whys})"
        yield _line(
            str(target), "note", what, "Each connection may first time out on the other address."
        )
    else:
        yield _line(str(target), "ok", "is reachable")


def check_tls(endpoint: Endpoint, via: Proxy | None) -> Iterator[Finding]:
    """Start TLS with the registry, and read its certificate."""
    host = peer.target_of(endpoint.url).host
    if endpoint.plain_http:
        yield judge_plain(host)
    elif via and not via.url.startswith("http://"):
        what = "is not checked through a proxy that uses TLS itself"
        yield Finding(area=TLS, subject=host, state="note", what=what)
    else:
        try:
            found = peer.handshake(endpoint, via, _STEP_SECONDS)
        except TimeoutError:
            yield Finding(
                area=TLS,
                subject=host,
                state="problem",
                what=f"accepts connections, but does not respond within {_STEP_SECONDS:g} seconds.",
                remedy="Check that a registry listens on this port, and proxies and firewalls on "
                "the way.",
            )
        except OSError as error:
            yield Finding(
                area=TLS,
                subject=host,
                state="problem",
                what=f"the connection breaks: {reason(error)}.",
                remedy="Check the proxy and firewalls between here and there.",
            )
        else:
            yield judge_tls(host, found, time.time())


def judge_plain(host: str) -> Finding:
    """Judge plain HTTP for this host."""
    if is_loopback(host) or is_loopback(f"[{host}]"):
        return Finding(area=TLS, subject=host, state="ok", what="plain HTTP, on this machine")
    return Finding(
        area=TLS,
        subject=host,
        state="note",
        what="plain HTTP: passwords can be read and images changed on the network",
        remedy="Configure a certificate for the registry.",
    )


def judge_tls(host: str, found: Peer, now: float) -> Finding:
    """Report whether a registry's certificate is trusted, its issuer and its expiry."""
    certificate = found.certificate
    facts: dict[str, Fact] = {"fault": found.fault, "tls": found.version or None}
    told = ""
    if certificate:
        days = int((certificate.ends - now) // _DAY_SECONDS)
        told = f"issued by {certificate.issuer}, expires on {day(certificate.ends)} ({_left(days)})"
        facts |= {
            "issuer": certificate.issuer,
            "subject": certificate.subject,
            "names": certificate.names,
            "notAfter": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(certificate.ends)),
            "daysLeft": days,
        }
    if found.fault:
        what = f"{_named(host, found, now)}{f'; it is {told}' if told else ''}."
        return Finding(
            area=TLS,
            subject=host,
            state="problem",
            what=what,
            remedy=_REMEDIES[found.fault],
            facts=facts,
        )
    soon = certificate is not None and certificate.ends - now < _SOON_DAYS * _DAY_SECONDS
    return Finding(
        area=TLS,
        subject=host,
        state="note" if soon else "ok",
        what=f"trusted ({found.version}); {told or 'its certificate could not be read'}",
        remedy="Have it renewed before it expires." if soon else "",
        facts=facts,
    )


def _named(host: str, found: Peer, now: float) -> str:
    """Return the fault by its name."""
    certificate = found.certificate
    names = ", ".join(certificate.names) if certificate else ""
    over = certificate is None or certificate.ends <= now
    words: dict[Fault | None, str] = {
        "expired": "expired: its certificate has expired"
        if over
        else "expired: a certificate authority in its chain has expired",
        "not yet valid": "not yet valid: its certificate is valid only later",
        "name mismatch": f"name mismatch: its certificate is for {names or 'others'}, "
        f"not for {host}",
        "self-signed": "self-signed: its certificate is signed by no authority",
        "untrusted": f"untrusted: {found.said}",
        "no tls": "no TLS: the service there does not use TLS",
    }
    return words.get(found.fault, f"the TLS handshake fails: {found.said}")


def _left(days: int) -> str:
    if days < 0:
        return f"{-days} days ago" if days < -1 else "expired today"
    return "1 day left" if days == 1 else f"{days} days left"


def _line(
    subject: str, state: State, what: str, remedy: str = "", facts: Mapping[str, Fact] | None = None
) -> Finding:
    return Finding(
        area=AREA, subject=subject, state=state, what=what, remedy=remedy, facts=facts or {}
    )
