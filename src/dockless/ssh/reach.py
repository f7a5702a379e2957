"""Whether a host can reach the registry directly."""

import shlex

from dockless.ssh.executor import RemoteShell

_SECONDS = 8

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


def reaches(shell: RemoteShell, url: str, host: str, port: int) -> bool | None:
    """Test whether a host gets a response of the registry; None when no program there can.

    Args:
        shell: The host.
        url: The registry's `/v2/`.
        host: The registry's host, without the port.
        port: Its port.
    """
    quoted = {"url": shlex.quote(url), "host": shlex.quote(host), "port": port}
    done = shell.script(_ASK.format(**quoted, seconds=_SECONDS), timeout=4 * _SECONDS)
    return {"yes": True, "no": False}.get(done.stdout.decode(errors="replace").strip())
