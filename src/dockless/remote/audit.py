"""Whether anything of ours was left on a host."""

from dataclasses import dataclass

from dockless.remote.shell import Shell

_SECONDS = 60.0

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


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen: a line for each file, and one for docker's login file."""

    lines: frozenset[str]


def look(shell: Shell) -> Sight:
    """Look at the host as it is; a folder of ours that is in use right now does not count."""
    done = shell.script(_LOOK, timeout=_SECONDS)
    own = {shell.folder} if shell.folder else set()
    return Sight(frozenset(done.stdout.decode(errors="replace").splitlines()) - own)


def residue(shell: Shell, before: Sight, kept: str) -> tuple[str, ...]:
    """Return what is there now and was not before.

    Args:
        shell: The host.
        before: What was there.
        kept: A file or folder that was to stay; empty for none.
    """
    found = look(shell).lines - before.lines
    parents = {kept[:end] for end in range(len(kept) + 1) if kept[end : end + 1] in ("/", "")}
    return tuple(sorted(line for line in found if line not in parents))
