"""Our private folder on a host, and the guardian process that removes it.

The guardian is a script that waits for the end of its standard input: when we are done, or when
the connection breaks, it ends what we still run there and removes the folder. A folder whose
guardian was killed goes when the next one starts.
"""

import contextlib
import shlex
import time
from collections.abc import Iterator, Mapping

from msgspec import Struct

from dockless.errors import EngineError, HostLostError
from dockless.model.host import Facts
from dockless.model.printable import bounded
from dockless.ssh.executor import RemoteShell
from dockless.ssh.output import Output

_LOOKED_FOR = (
    "docker", "podman", "nerdctl", "buildah", "crane", "skopeo", "curl", "wget",
    "docker-compose", "podman-compose", "sha256sum", "shasum",
)  # fmt: skip

_GUARDIAN = """\
umask 077
d=
end() {{
  trap '' HUP INT TERM
  [ -n "$d" ] || return 0
  for s in TERM TERM KILL; do
    alive=
    for f in "$d"/pid.*; do
      p=${{f##*.}}
      [ -f "$f" ] && kill -"$s" "$p" 2>/dev/null && alive=yes
    done
    [ -z "$alive" ] && break
    sleep 1
  done
  rm -rf "$d"
}}
trap 'end; exit 0' HUP INT TERM
# a connection that is gone must not end us before we have cleaned up
trap '' PIPE
fact() {{ printf '%s\\t%s\\n' "$1" "$2"; }}
fact user "$(id -un)"; fact home "$HOME"; fact system "$(uname -s)"; fact machine "$(uname -m)"
fact libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"; fact clock "$(date +%s)"
for n in {names}; do
  p=$(command -v "$n" 2>/dev/null) && [ -x "$p" ] && fact program "$n=$p"
done
# podman and buildah make a store where there is none, even to say that an image is not in it
setting() {{ sed -n "s/^ *$1 *= *\"\\(.*\\)\".*/\\1/p" "$2" 2>/dev/null | tail -n 1; }}
conf=/etc/containers/storage.conf
if [ "$(id -u)" = 0 ]; then
  c=$(setting graphroot "$conf"); c=${{c:-/var/lib/containers/storage}}
else
  o="${{CONTAINERS_STORAGE_CONF:-${{XDG_CONFIG_HOME:-$HOME/.config}}/containers/storage.conf}}"
  c=$(setting graphroot "$o"); c=${{c:-$(setting rootless_storage_path "$conf")}}
  c=${{c:-${{XDG_DATA_HOME:-$HOME/.local/share}}/containers/storage}}
fi
case $c in *'$'*) fact store yes ;; *) [ -d "$c" ] && fact store yes || fact store no ;; esac
runs=no free=-1
for b in "${{TMPDIR:-/tmp}}" /var/tmp "$HOME"; do
  [ -n "$b" ] && [ -w "$b" ] || continue
  for o in "$b"/dockless.??????; do
    [ -d "$o" ] && [ ! -L "$o" ] && g=$(cat "$o/guardian" 2>/dev/null) || continue
    case $g in ''|*[!0-9]*) continue ;; esac
    kill -0 "$g" 2>/dev/null || rm -rf "$o"
  done
  [ "$runs" = yes ] && {{ [ -n "$TMPDIR" ] || [ "$b" = "$HOME" ]; }} && continue
  t=$(mktemp -d "$b/dockless.XXXXXX" 2>/dev/null) || continue
  echo $$ >"$t/guardian"
  printf '#!/bin/sh\\nexit 0\\n' >"$t/runs"; chmod 700 "$t/runs"
  if "$t/runs" 2>/dev/null; then r=yes; else r=no; fi
  rm -f "$t/runs"
  # the roomiest of those from which programs may run: in /tmp may be memory
  f=$(df -Pk "$t" | awk 'END {{ print $4 }}'); f=${{f:-0}}
  if [ -z "$d" ] || [ "$r$runs" = yesno ] || {{ [ "$r" = "$runs" ] && [ "$f" -gt "$free" ]; }}; then
    [ -z "$d" ] || rm -rf "$d"
    d=$t runs=$r free=$f
  else
    rm -rf "$t"
  fi
done
[ -n "$d" ] && mkdir "$d/home" || free=0
fact runs "$runs"; fact free "$free"; fact folder "$d"
cat >/dev/null
end
"""


class Workdir(Struct, frozen=True):
    """A host with our folder.

    Attributes:
        shell: Runs programs there.
        facts: What the host says of itself.
    """

    shell: RemoteShell
    facts: Facts


@contextlib.contextmanager
def workdir(shell: RemoteShell) -> Iterator[Workdir]:
    """Make our folder on a host; it is removed with the block, and its processes are ended.

    Raises:
        EngineError: No folder there is writable.
        HostLostError: The connection broke.
    """
    script = _GUARDIAN.format(names=shlex.join(_LOOKED_FOR))
    # the guardian ignores it; what speaks SFTP only ends at a message that is none
    began = time.time()
    with shell.output(script, b"dockless\n") as guardian:
        facts = _facts(shell.host, guardian, began)
        shell.folder, shell.programs = facts.folder, frozenset(facts.programs)
        try:
            yield Workdir(shell, facts)
        finally:
            shell.folder = ""
            # a lost host's guardian sees by itself that we are gone
            with contextlib.suppress(HostLostError):
                guardian.send(b"")
                guardian.read()
                guardian.finish()


def _facts(host: str, guardian: Output, began: float) -> Facts:
    said: dict[str, str] = {}
    programs: dict[str, str] = {}
    ahead = 0.0
    while "folder" not in said:
        line = guardian.line()
        if not line:
            why = bounded(guardian.finish().stderr) or "no reason given"
            raise EngineError(
                f"{host} has no writable temporary folder: {why}.",
                "Check the free space and the permissions there.",
            )
        key, _, value = line.partition("\t")
        if key == "program":
            name, _, path = value.partition("=")
            if path.startswith("/"):  # else the PATH there has the current folder in it
                programs[name] = path
            continue
        said[key] = value
        if key == "clock" and value.isdecimal():
            ahead = seconds_ahead(int(value), began, time.time())
    try:
        return _read_facts(said, programs, ahead)
    except (KeyError, ValueError):
        raise EngineError(
            f"{host} did not describe itself as a POSIX shell would.",
            "Log in there by hand, and check what its shell prints.",
        ) from None


def seconds_ahead(told: int, began: float, ended: float) -> float:
    """Return by how many seconds a clock is certainly ahead of ours; negative where it is behind.

    Args:
        told: The whole seconds since 1970 that it shows.
        began: The moment before it was asked, in seconds since 1970 on our clock.
        ended: The moment at which the answer came.
    """
    return max(0.0, told - ended) + min(0.0, told + 1 - began)


def _read_facts(said: Mapping[str, str], programs: dict[str, str], ahead: float) -> Facts:
    return Facts(
        user=said["user"],
        home=said["home"],
        system=said["system"],
        machine=said["machine"],
        libc=said["libc"].rpartition(" ")[2],
        clock=ahead,
        folder=said["folder"],
        runs=said["runs"] == "yes",
        free=int(said["free"] or 0) * 1024,
        programs=programs,
        container_store=said["store"] == "yes",
    )
