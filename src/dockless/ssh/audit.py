"""Whether files or processes of dockless were left on a host."""

import shlex
from fnmatch import fnmatchcase

from msgspec import Struct

from dockless.ssh.executor import RemoteShell

_SECONDS = 60.0
_KEPT = "/.cache/dockless"
_TEMPORARY = ("container_images_*", "docker-tar*", "skopeo*", "crane*", "buildah*")
"""Names of the temporary files of the programs that are run there."""

# Our account's own files, not too deep, by their inode's change; docker's login file by content.
# What is called dockless.?????? and was there before belongs to another push.
_LOOK = """\
cd / || exit 1
for b in "$HOME" "${TMPDIR:-/tmp}" /tmp /var/tmp "$XDG_RUNTIME_DIR"; do
  [ -n "$b" ] && [ -d "$b" ] || continue
  find "$b" -xdev -maxdepth 3 -user "$(id -u)" \\
    ! -path "$HOME/.local/share/containers/*" ! -path "*/dockless.??????/*" -print 2>/dev/null
done | sort -u
[ -f "$HOME/.docker/config.json" ] && cksum "$HOME/.docker/config.json"
true
"""


_RUNNING = """\
for f in $(grep -lsa {name} /proc/[0-9]*/environ 2>/dev/null); do
  p=${{f#/proc/}}; p=${{p%/environ}}
  echo "process $p: $(cat /proc/"$p"/comm 2>/dev/null)"
done
"""


class Sight(Struct, frozen=True):
    """What was seen: a line for each file, and one for docker's login file."""

    lines: frozenset[str]


def look(shell: RemoteShell) -> Sight:
    """List the host's files; a folder of dockless that is in use does not count."""
    done = shell.script(_LOOK, timeout=_SECONDS)
    own = {shell.folder} if shell.folder else set()
    return Sight(frozenset(done.stdout.decode(errors="replace").splitlines()) - own)


def residue(shell: RemoteShell, before: Sight, folder: str, kept: str) -> tuple[str, ...]:
    """Return what is there now and was not before, and which programs of dockless still run.

    Args:
        shell: The host.
        before: What was there.
        folder: The folder of this run; every program of it has its name in its environment.
        kept: A file or folder that was to stay; empty for none.
    """
    new = look(shell).lines - before.lines
    found = {line for line in new if is_ours(line, folder)}
    parents = {kept[:end] for end in range(len(kept) + 1) if kept[end : end + 1] in ("/", "")}
    running = shell.script(_RUNNING.format(name=shlex.quote(_unlike_itself(folder)))).stdout
    programs = sorted(set(running.decode(errors="replace").splitlines())) if folder else []
    return (*sorted(line for line in found if line not in parents), *programs)


def is_ours(line: str, folder: str) -> bool:
    """Whether a line of a `Sight` is of something that we, or a program that we run, may leave.

    Other programs of the same account write to the same folders at any time, and other pushes have
    folders of their own.

    Args:
        line: The line.
        folder: Our folder there; empty for none.
    """
    if not line.startswith("/"):  # the checksum of docker's login file
        return True
    name = line.rpartition("/")[2]
    own = folder.rpartition("/")[2]
    if _KEPT in line or (own and own in line):
        return True
    return any(fnmatchcase(name, each) for each in _TEMPORARY)


def _unlike_itself(folder: str) -> str:
    """Return a pattern for a folder's name that does not match where it is written itself."""
    return folder.rpartition("/")[2].replace(".", "[.]")
