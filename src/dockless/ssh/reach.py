"""Whether a host can reach the registry directly."""

import shlex
from urllib.parse import urlsplit

from dockless.model.endpoint import Endpoint
from dockless.ssh.executor import RemoteShell

_SECONDS = 8
_HTTPS, _HTTP = 443, 80

# Any answer will do, be it 401 or a certificate that is not trusted: that is for the engine.
# The account's settings for curl and wget, and its .netrc, may hold a login, so neither is read.
_ASK = """\
u={url}; h={host}; p={port}
HOME=/nonexistent; export HOME; unset CURL_HOME NETRC WGETRC XDG_CONFIG_HOME
if command -v curl >/dev/null 2>&1; then
  curl -q -s -k -o /dev/null -m {seconds} "$u" && echo yes || echo no
elif command -v wget >/dev/null 2>&1; then
  wget -q --no-check-certificate -O /dev/null -T {seconds} -t 1 "$u"
  case $? in 0|6|8) echo yes;; *) echo no;; esac
elif command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
  timeout {seconds} bash -c ': </dev/tcp/$0/$1' "$h" "$p" 2>/dev/null && echo yes || echo no
else
  echo unknown
fi
"""


def address(endpoint: Endpoint) -> tuple[str, int]:
    """Return the host name, or IP address, and the port of a registry."""
    parts = urlsplit(endpoint.url)
    return parts.hostname or "", parts.port or (_HTTP if endpoint.plain_http else _HTTPS)


def reaches(shell: RemoteShell, endpoint: Endpoint) -> bool | None:
    """Test whether a host gets a response of a registry; None when no program there can."""
    name, port = address(endpoint)
    quoted = {"url": shlex.quote(f"{endpoint.url}/v2/"), "host": shlex.quote(name), "port": port}
    done = shell.script(_ASK.format(**quoted, seconds=_SECONDS), timeout=4 * _SECONDS)
    return {"yes": True, "no": False}.get(done.stdout.decode(errors="replace").strip())
