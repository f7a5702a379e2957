"""An ssh_config(5) that a project names: what may be used without the user's consent.

OpenSSH runs what a ProxyCommand and a `Match exec` say, the latter as soon as it reads them. A
project is often untrusted, so nothing of that is run without consent. Neither may it replace the
host keys that the user knows, or send what the user has. A file of which each line is known to do
nothing of that is used as it was read; the user's own files are trusted.
"""

import re
from pathlib import Path

from dockless.errors import UsageError
from dockless.processes.regular import open_regular

ALLOW, VARIABLE = "--allow-ssh-commands", "DOCKLESS_ALLOW_SSH_COMMANDS"

_SYSTEM = Path("/etc/ssh")
_LARGEST_BYTES = 1 << 20
# what `Include` takes for more than a name
_ODD = re.compile(r'["*?\[\]\\$%\x00-\x1f\x7f]')
_LINE = re.compile(rb"[ \t]*(?P<keyword>[A-Za-z0-9]+)(?:[ \t]*=[ \t]*|[ \t]+|$)(?P<rest>.*)")
# OpenSSH takes quotes out of the middle of words, too: ex"ec" is exec
_MATCH = re.compile(rb"[a-z0-9_.,*?!:@%/+\-\[\] \t]+")
_MATCH_ALONE = frozenset({b"all", b"canonical", b"final"})
_MATCH_WITH_VALUE = frozenset(
    {b"host", b"localnetwork", b"localuser", b"originalhost", b"tagged", b"user"}
)
# every keyword not among these may run or load something, read another file, weaken how hosts are
# recognized, or send something to them
_HARMLESS = frozenset(
    b"""addressfamily batchmode bindaddress bindinterface checkhostip ciphers clearallforwardings
    compression connectionattempts connecttimeout fingerprinthash hashknownhosts host hostname
    identitiesonly identityfile ignoreunknown ipqos kbdinteractiveauthentication kexalgorithms
    loglevel macs numberofpasswordprompts passwordauthentication port preferredauthentications
    proxyjump pubkeyacceptedalgorithms pubkeyacceptedkeytypes pubkeyauthentication rekeylimit
    requesttty serveralivecountmax serveraliveinterval tcpkeepalive usekeychain user
    visualhostkey""".split()
)
# but for these values, which switch it off
_OFF = frozenset({b"no", b"none", b"false"})
_OFF_KEYWORDS = frozenset(
    b"""addkeystoagent controlmaster controlpath controlpersist forwardagent forwardx11
    forwardx11trusted gatewayports gssapiauthentication gssapidelegatecredentials
    hostbasedauthentication identityagent knownhostscommand nohostauthenticationforlocalhost
    permitlocalcommand proxycommand updatehostkeys verifyhostkeydns""".split()
)
_STRICT = frozenset({b"yes", b"true", b"ask"})


def configuration(names: tuple[str, ...], home: Path, folder: Path, *, may_run: bool) -> bytes:
    """Return a configuration for ssh that stands for the files that a project names.

    Args:
        names: The files, as the project writes them; `~` is the home, others start from `folder`.
        home: The user's home.
        folder: The project's folder.
        may_run: Whether the user consents to whatever is in them.

    Raises:
        UsageError: A file needs the user's consent and lacks it, or cannot be read.
    """
    # each file is at the top level, whatever host the one before it ended with
    return b"\nMatch all\n".join(_piece(name, home, folder, may_run=may_run) for name in names)


def _piece(name: str, home: Path, folder: Path, *, may_run: bool) -> bytes:
    short = name.startswith("~/")
    path = (home / name[2:] if short else folder / name).resolve()
    if _ODD.search(str(path)):
        raise UsageError(
            f"ssh.config names {name!r}, which is not the plain path of a file.",
            "Write one path, without patterns and variables.",
        )
    own = ((home / ".ssh").resolve(), _SYSTEM)
    if may_run or any(path.is_relative_to(each) for each in own):
        return f'Include "{path}"\n'.encode()
    try:
        with open_regular(path) as file:
            text = file.read(_LARGEST_BYTES)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise UsageError(f"{path}, the ssh.config, cannot be read: {error.strerror}.") from None
    if line := first_command(text):
        raise UsageError(
            f"{path}, which the project names as ssh.config, may run programs, change which host "
            f"keys are trusted, or send something to hosts: line {line}.",
            f"Check it; if that is intended, allow it with {ALLOW} or {VARIABLE}=1.",
        )
    return text


def first_command(text: bytes) -> int:
    """Return the number of the first line that needs the user's consent; 0 for none."""
    lines = text.split(b"\n")
    return next((number for number, line in enumerate(lines, 1) if not _is_harmless(line)), 0)


def _is_harmless(line: bytes) -> bool:
    bare = line.strip(b" \t\r")
    if not bare or bare.startswith(b"#"):
        return True
    found = _LINE.fullmatch(line.rstrip(b" \t\r"))
    if found is None:
        return False
    keyword, rest = found["keyword"].lower(), found["rest"].strip().lower()
    if keyword == b"match":
        return _matches_only(rest)
    return (
        keyword in _HARMLESS
        or (keyword in _OFF_KEYWORDS and rest in _OFF)
        or (keyword == b"stricthostkeychecking" and rest in _STRICT)
    )


def _matches_only(criteria: bytes) -> bool:
    """Whether every criterion of a `Match`, in lower case, compares names only."""
    if _MATCH.fullmatch(criteria) is None:
        return False
    words = iter(criteria.split())
    for word in words:
        name = word.removeprefix(b"!")
        if name in _MATCH_ALONE:
            continue
        if name not in _MATCH_WITH_VALUE or next(words, b"exec") == b"exec":
            return False
    return True
