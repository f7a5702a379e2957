"""Runs a set-up: by the machine's own ssh, and by dockless."""

import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pexpect import EOF

from bed.dockless import Dockless, Terminal
from bed.process import running, tail
from ssh_matrix import listener
from ssh_matrix.agent import stand_in
from ssh_matrix.setup import HOST, PASSPHRASE, PASSWORD, Prompt, Setup
from ssh_matrix.world import World

Ended = Literal["in", "refused", "unreachable", "no shell", "asked"]

_SSHD = """\
ListenAddress 127.0.0.1
{host_key}AuthorizedKeysFile {server}/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
"""
_PRELUDE = """\
set -eu
put() { cp -p "$KEYS/$1" ".ssh/${2:-id_ed25519}"; public "$1" "${2:-id_ed25519}.pub"; }
public() { cp "$KEYS/$1.pub" ".ssh/$2"; }
certificate() { cp "$KEYS/$1-cert.pub" ".ssh/$2"; }
known() { echo "$*" >>.ssh/known_hosts; }
authorize() { echo "$*" >>"$SERVER/authorized_keys"; }
blob() { cut -d' ' -f1,2 "$KEYS/$1.pub"; }
"""
_MARK = "in-deed"
_CODES: dict[int, Ended] = {0: "in", 4: "refused", 6: "unreachable", 7: "no shell"}
_REFUSED = re.compile(
    "Permission denied|Host key verification failed|Too many authentication|"
    "KnownHostsCommand failed",
    re.IGNORECASE,
)
_NO_AGENT = 2
_NO_SESSION = "channel 0: open failed"
_PROMPTS: dict[Prompt, str] = {
    "passphrase": r"(?i)passphrase for [^\r\n]*: ",
    "password": r"(?i)password(?: for [^\r\n]*)?(?: \([^\r\n]*\))?: ",
    "host key": r"\(yes/no[^\r\n]*[?:] ",
}
_USELESS = re.compile(
    r"Warning: Permanently added|^debug|^\*\*|^@@|^$|^Connection closed by UNKNOWN"
)
_NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a set-up.

    Attributes:
        ended: How it ended; `asked` where there was a prompt that the set-up has no answer for.
        prompts: The kinds of prompts, in their order, each as often as it came.
        signatures: How many a stand-in for an agent was asked for.
        seconds: How long it took.
        words: What was said where the host was not entered: a line.
    """

    ended: Ended
    prompts: tuple[Prompt, ...] = ()
    signatures: int = 0
    seconds: float
    words: str = ""

    @property
    def compared(self) -> tuple[object, ...]:
        """What has to be the same for ssh and dockless."""
        return (self.ended, self.prompts, self.signatures)

    def __str__(self) -> str:
        asked = f", asked for {' and '.join(dict.fromkeys(self.prompts))}" if self.prompts else ""
        return f"{self.ended}{asked}"


class Case:
    """A set-up whose server is running.

    Args:
        setup: The set-up.
        world: Where it runs.
    """

    def __init__(self, setup: Setup, world: World) -> None:
        self._setup = setup
        self._world = world
        self._server = world.folder / f"server-{next(_NUMBERS)}"
        self._target = f"{setup.account}@{HOST}"

    def ssh(self) -> Outcome:
        """Return what `ssh HOST` does."""
        batch = () if self._setup.answers is not None else ("-o", "BatchMode=yes")
        with self._client() as (program, agent):
            said = self._ended(program, ("ssh", *batch, self._target, f"echo {_MARK}"))
            code, stdout, text, prompts, seconds = said
            text = "\n".join(
                line for line in text.splitlines() if not _USELESS.search(line.strip())
            )
            ended: Ended = "in"
            if prompts and prompts[-1] not in (self._setup.answers or {}):
                ended = "asked"
            elif _NO_SESSION in _last(text):
                ended = "no shell"
            elif code == 255:
                ended = "refused" if _REFUSED.search(text) else "unreachable"
            elif _MARK not in stdout.split():
                ended = "no shell"
            return Outcome(
                ended=ended,
                prompts=prompts,
                signatures=agent(),
                seconds=seconds,
                words="" if ended in ("in", "asked") else self._plain(_last(text) or _last(stdout)),
            )

    def dockless(self) -> Outcome:
        """Return what `dockless hosts --check` does."""
        argv = ("hosts", "--check", "--format", "json", "--host", self._target)
        with self._client() as (program, agent):
            said = self._ended(program, (str(program.path), *argv))
            code, stdout, text, prompts, seconds = said
            if prompts and prompts[-1] not in (self._setup.answers or {}):
                return Outcome(ended="asked", prompts=prompts, signatures=agent(), seconds=seconds)
            self._refuse_leaks(stdout, text)
            return Outcome(
                ended=_CODES[code],
                prompts=prompts,
                signatures=agent(),
                seconds=seconds,
                words=self._plain(_complaint(stdout or text)) if code else "",
            )

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run the server for as long as the block lasts."""
        self._server.mkdir()
        setup, world = self._setup, self._world
        authorized = [(world.keys / f"{each}.pub").read_text() for each in setup.authorized]
        (self._server / "authorized_keys").write_text("".join(authorized))
        lines = self._filled(setup.server)
        key = "" if "HostKey " in lines else f"HostKey {world.keys}/host_ed25519\n"
        text = f"{lines}\n{_SSHD.format(host_key=key, server=self._server)}"
        (self._server / "sshd_config").write_text(text)
        argv: tuple[str, ...] = (
            "/usr/sbin/sshd", "-D", "-e", "-f", str(self._server / "sshd_config"),
        )  # fmt: skip
        if setup.listener:
            argv = (sys.executable, str(listener.__file__), setup.listener)
        with running((*world.inside, *argv), self._server / "log") as daemon:
            daemon.wait_for("(?i)listening on .*port 22")
            yield

    def log(self) -> str:
        """Return the end of the server's log."""
        return tail(self._server / "log")

    @contextlib.contextmanager
    def _client(self) -> Iterator[tuple[Dockless, Callable[[], int]]]:
        setup, world = self._setup, self._world
        program = world.client_program({})
        environment = {name: self._filled(text) for name, text in setup.environment.items()}
        ssh = program.home / ".ssh"
        (ssh / "config").write_text(self._filled(setup.client) + "\n")
        if setup.known:
            words = (world.keys / "host_ed25519.pub").read_text().split()
            (ssh / "known_hosts").write_text(f"{HOST} {words[0]} {words[1]}\n")
        variables = {"KEYS": str(world.keys), "SERVER": str(self._server), "HOST": HOST}
        script = _PRELUDE + self._filled(setup.script)
        subprocess.run(
            ("sh", "-c", script),
            check=True, cwd=program.home, env=program.environment() | variables,
        )  # fmt: skip
        with contextlib.ExitStack() as stack:
            count: Callable[[], int] = _none
            socket = program.folder / "agent"
            if setup.agent:
                stack.enter_context(_real_agent(socket, [world.keys / key for key in setup.agent]))
            if setup.held:
                held = stack.enter_context(stand_in(socket, setup.held, world.keys))
                count = held.asked
            if setup.agent or setup.held:
                environment = {"SSH_AUTH_SOCK": str(socket), **environment}
            yield replace(program, extra=environment), count

    def _ended(
        self, program: Dockless, argv: tuple[str, ...]
    ) -> tuple[int, str, str, tuple[Prompt, ...], float]:
        """Run a program to its end: its status, stdout, what else it said, prompts, seconds."""
        began = time.monotonic()
        whole = (*program.before, *argv)
        if self._setup.answers is None:
            done = subprocess.run(
                ("setsid", "--wait", *whole),
                stdin=subprocess.DEVNULL, capture_output=True, env=program.environment(),
                cwd=program.project, timeout=120, check=False,
            )  # fmt: skip
            said = done.stdout.decode(), done.stderr.decode()
            return done.returncode, *said, (), time.monotonic() - began
        with Terminal(whole, program.environment(), program.project) as terminal:
            prompts, shown = _answered(terminal, self._setup)
            code = 0
            if not prompts or prompts[-1] in self._setup.answers:
                code, _ = terminal.finish()
        return code, shown, shown, prompts, time.monotonic() - began

    def _refuse_leaks(self, *said: str) -> None:
        """Fail where a password or a passphrase was written, shown, or put into a log."""
        files = (path for path in self._world.client.rglob("*") if path.is_file())
        written = [path.read_text(errors="replace") for path in files]
        written.append((self._server / "log").read_text(errors="replace"))
        for secret in (PASSWORD, PASSPHRASE):
            assert not any(secret in text for text in (*said, *written)), "a secret was written"

    def _filled(self, text: str) -> str:
        folders = {
            "home": self._world.client / "home",
            "keys": self._world.keys,
            "shells": self._world.folder / "shells",
            "server": self._server,
        }
        for name, folder in folders.items():
            text = text.replace("{" + name + "}", str(folder))
        return text

    def _plain(self, words: str) -> str:
        """Return words without what differs from run to run."""
        home = str(self._world.client / "home")
        plain = words.replace(home, "~").replace(str(self._world.folder), "")
        # which of these it is, depends on how fast the other side is
        plain = plain.replace("Connection reset by", "Connection closed by")
        plain = re.sub(r"SHA256:[\w+/]+", "SHA256:…", plain)
        return re.sub(r"port \d{4,}", "port …", plain).replace("\r", "")


def _none() -> int:
    return 0


@contextlib.contextmanager
def _real_agent(socket: Path, keys: list[Path]) -> Iterator[None]:
    environment = {**os.environ, "SSH_AUTH_SOCK": str(socket), "DISPLAY": ""}

    def ssh_add(*arguments: str | Path) -> int:
        argv = ("ssh-add", *arguments)
        return subprocess.run(argv, env=environment, check=False, capture_output=True).returncode

    with running(("ssh-agent", "-D", "-a", socket), socket.with_name("agent.log")) as agent:
        while ssh_add("-l") == _NO_AGENT:  # its socket may be there before it listens
            assert agent.child.poll() is None
            time.sleep(0.01)
        for key in keys:
            assert ssh_add("-q", key) == 0
        yield


def _answered(terminal: Terminal, setup: Setup) -> tuple[tuple[Prompt, ...], str]:
    prompts: list[Prompt] = []
    shown = ""
    kinds = list(_PROMPTS)
    while True:
        found = terminal.screen.expect([EOF, *_PROMPTS.values()], timeout=120)
        shown += terminal.screen.before or ""
        if not found:
            return tuple(prompts), shown
        prompts.append(kinds[found - 1])
        answer = (setup.answers or {}).get(kinds[found - 1])
        if answer is None:
            return tuple(prompts), shown
        terminal.screen.sendline(answer)


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _complaint(text: str) -> str:
    """Return the message of the one host in JSON, which other lines may precede."""
    start, end = text.find("{"), text.rfind("}")
    with contextlib.suppress(ValueError, LookupError, TypeError):
        error = json.loads(text[start : end + 1])["hosts"][0]["error"]
        return f"{error['message']} {error['remedy']}".strip()
    return _last(text)
