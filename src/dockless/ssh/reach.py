"""Whether a host can reach the registry directly."""

import shlex
from urllib.parse import urlsplit

from msgspec import Struct

from dockless.model.endpoint import Endpoint
from dockless.ssh.executor import RemoteShell

_SECONDS = 8
_HTTPS, _HTTP = 443, 80

# what curl(1) calls its exit codes, from the host's side
_CURL = {
    "6": "its name cannot be resolved there",
    "7": "no connection can be made from there",
    "28": "it does not respond in time there",
    "35": "TLS fails",
    "52": "it closes the connection without a response",
    "56": "the connection breaks",
}
_WGET = {"4": "no connection can be made from there", "5": "TLS fails"}
_BASH = {"1": "no connection can be made from there", "124": "it does not respond in time there"}
_REASONS = {"curl": _CURL, "wget": _WGET, "bash": _BASH}

# Any answer will do, be it 401 or a certificate that is not trusted: that is for the engine.
# The account's settings for curl and wget, and its .netrc, may hold a login, so neither is read.
_ASK = """\
u={url}; h={host}; p={port}
HOME=/nonexistent; export HOME; unset CURL_HOME NETRC WGETRC XDG_CONFIG_HOME
if command -v curl >/dev/null 2>&1; then
  curl -q -s -k -o /dev/null -m {seconds} "$u" && echo yes || echo no curl $?
elif command -v wget >/dev/null 2>&1; then
  wget -q --no-check-certificate -O /dev/null -T {seconds} -t 1 "$u"
  c=$?; case $c in 0|6|8) echo yes;; *) echo no wget $c;; esac
elif command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
  timeout {seconds} bash -c ': </dev/tcp/$0/$1' "$h" "$p" 2>/dev/null && echo yes || echo no bash $?
else
  echo unknown
fi
"""


def address(endpoint: Endpoint) -> tuple[str, int]:
    """Return the host name, or IP address, and the port of a registry."""
    parts = urlsplit(endpoint.url)
    return parts.hostname or "", parts.port or (_HTTP if endpoint.plain_http else _HTTPS)


class Reached(Struct, frozen=True):
    """Whether a host gets a response of a registry.

    Attributes:
        answer: Whether it does; None when no program there can find out.
        why: Why not, as a clause; empty where it does.
    """

    answer: bool | None
    why: str = ""


def reached(shell: RemoteShell, endpoint: Endpoint) -> Reached:
    """Test whether a host gets a response of a registry."""
    name, port = address(endpoint)
    quoted = {"url": shlex.quote(f"{endpoint.url}/v2/"), "host": shlex.quote(name), "port": port}
    done = shell.script(_ASK.format(**quoted, seconds=_SECONDS), timeout=4 * _SECONDS)
    return _read(*done.stdout.decode(errors="replace").split()[:3])


def reaches(shell: RemoteShell, endpoint: Endpoint) -> bool | None:
    """Test whether a host gets a response of a registry; None when no program there can."""
    return reached(shell, endpoint).answer


def _read(answer: str = "", program: str = "", code: str = "") -> Reached:
    if answer == "no":
        said = _REASONS.get(program, {}).get(code, f"{program} ends with status {code}")
        return Reached(answer=False, why=said)
    if answer == "yes":
        return Reached(answer=True)
    return Reached(answer=None, why="neither curl, nor wget, nor bash with timeout is there")
