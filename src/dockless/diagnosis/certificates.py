"""Certificates to trust: what the environment names, and the folders for one registry."""

import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from dockless.model.endpoint import Trust
from dockless.model.finding import Finding, State
from dockless.model.reasons import reason
from dockless.transport.trust import usual_folders

AREA = "certificates"
_VARIABLES = {"SSL_CERT_FILE": Path.is_file, "SSL_CERT_DIR": Path.is_dir}


def check_environment(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Check what OpenSSL and the engines use as the system's authorities."""
    wrong = False
    for name, is_there in _VARIABLES.items():
        value = environment.get(name)
        # SSL_CERT_DIR is a list for Go and for OpenSSL
        for path in (value or "").split(":") if name == "SSL_CERT_DIR" else (value,):
            if path and not is_there(Path(path)):
                wrong = True
                yield _line(
                    name,
                    "problem",
                    f"names {path}, which does not exist.",
                    f"Correct or unset {name}.",
                )
    if not wrong:
        yield from _judge_system(_authorities(environment), environment)


def _authorities(environment: Mapping[str, str]) -> int:
    """Return how many authorities are trusted; files in a folder are counted, not read."""
    defaults = ssl.get_default_verify_paths()
    count = ssl.create_default_context().cert_store_stats()["x509_ca"]
    folders = environment.get("SSL_CERT_DIR") or defaults.capath or ""
    for folder in map(Path, filter(None, folders.split(":"))):
        count += sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0
    return count


def _judge_system(count: int, environment: Mapping[str, str]) -> Iterator[Finding]:
    named = [name for name in _VARIABLES if environment.get(name)]
    where = f"by {' and '.join(named)}" if named else "of the system"
    if count:
        yield _line("authorities", "ok", f"the ones {where} can be read")
    else:
        yield _line(
            "authorities",
            "problem",
            f"There are none {where}, so no public registry is trusted.",
            "Install your system's package ca-certificates, or set SSL_CERT_FILE.",
        )


def check_folders(host: str, trust: Trust, home: Path, cert_dir: Path | None) -> Iterator[Finding]:
    """Look at the files that are trusted for a registry beyond the system's.

    Args:
        host: The registry's `host[:port]`.
        trust: What was found for it.
        home: The user's home.
        cert_dir: The value of `--cert-dir`; the usual folders then do not apply.
    """
    for path in trust.ca_files:
        yield from judge_file(path, time.time())
    if trust.client_cert:
        yield from _judge_client(trust.client_cert, trust.client_key)
    if cert_dir is None:
        there = usual_folders(host, home)
        for folder in there[1:]:
            yield _line(str(folder), "note", f"is not used, since {there[0]} takes precedence")
    if trust == Trust():
        yield _line(host, "ok", "none of its own; the system's authorities apply")


def judge_file(path: Path, now: float) -> Iterator[Finding]:
    """Judge whether a file of authorities can be used, and whether one in it has expired."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(path)
    except (OSError, ssl.SSLError) as error:
        what = f"cannot be used: {_why(error)}."
        yield _line(str(path), "problem", what, "Put a readable PEM file there, or remove it.")
        return
    ends = [
        ssl.cert_time_to_seconds(str(found["notAfter"]))
        for found in context.get_ca_certs()
        if "notAfter" in found
    ]
    if ends and max(ends) <= now:
        what = f"has expired: its authority expired on {day(max(ends))}."
        yield _line(str(path), "problem", what, "Get the new certificate of that authority.")
    elif ends and min(ends) <= now:
        yield _line(str(path), "note", "one of its authorities has expired; others have not")
    else:
        until = f", valid until {day(min(ends))}" if ends else ""
        yield _line(str(path), "ok", f"is trusted for this registry{until}")


def _judge_client(certificate: Path, key: Path | None) -> Iterator[Finding]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        what = f"with its key {key} cannot be used: {_why(error)}."
        remedy = "Put the PEM files of one certificate and its own key there."
        yield _line(str(certificate), "problem", what, remedy)
    else:
        yield _line(str(certificate), "ok", "is presented to this registry, with its key")


def day(moment: float) -> str:
    """Return seconds since 1970 as a day in UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(moment))


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "it is not a PEM file").replace("_", " ").lower()
    return reason(error).lower()


def _line(subject: str, state: State, what: str, remedy: str = "") -> Finding:
    return Finding(area=AREA, subject=subject, state=state, what=what, remedy=remedy)
