"""The secrets files of Kamal: dotenv lines, with `$VAR` and, when allowed, `$(command)`.

The grammar is that of the dotenv gem, which Kamal reads them with. Other than there, a line is
evaluated only when its secret is asked for.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field

from dockless.config import files
from dockless.errors import NetworkError, UsageError, time_is_over
from dockless.model.secret import Secret
from dockless.processes.run import run

ALLOW_COMMANDS = "--allow-secret-commands"
# people may have to unlock a password manager meanwhile
_COMMAND_SECONDS = 300
_LONGEST = 1 << 20
# the script comes on stdin, since it may hold secrets and argv is there for all to see
_SHELL = ("sh", "-c", 'eval "$(cat)"')

_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<key>[\w.]+)
        (?:[ \t]*=[ \t]*|:[ \t]+)
        (?P<value>'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|[^\#\n]*)
        [ \t]*(?:\#.*)?$""",
    re.MULTILINE | re.VERBOSE,
)
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_VARIABLE = re.compile(r"(?P<escape>\\)?\$(?:\{(?P<braced>\w+)\}|(?P<bare>\w+))", re.ASCII)
_COMMAND = re.compile(r"\\?\$\(")


class SecretName(Struct, frozen=True):
    """A secret that a deploy.yml names instead of holding it."""

    name: str


class SecretEntry(Struct, frozen=True):
    """One line of a secrets file, not yet evaluated."""

    key: str
    text: Secret
    literal: bool


class Secrets(Struct, frozen=True, kw_only=True):
    """The secrets files that are read for a project.

    Attributes:
        folder: The project's folder, where commands run.
        environment: The value of `$VAR` when no line above sets it.
        destination: Kamal's destination; None for none.
        path: Where the files are, as `secrets_path` of a deploy.yml says it.
        fault: Why that is not known; None where it is.
    """

    folder: Path
    environment: Mapping[str, str]
    destination: str | None = None
    path: str = ".kamal/secrets"
    fault: UsageError | None = None

    def __repr__(self) -> str:
        """Show no environment, which may hold secrets."""
        return f"Secrets(folder={self.folder!r}, destination={self.destination!r})"

    def find(self, name: str, *, allow_commands: bool) -> Secret:
        """Return a secret; the file read last takes precedence.

        Args:
            name: Its name.
            allow_commands: Whether `$(command)` may be run for it.

        Raises:
            UsageError: No file has it, it is empty, or it needs a command that may not run or
                that failed.
            EngineError: The shell cannot be started, or the command does not end.
            NetworkError: The command's time was over before.
        """
        if self.fault:
            raise self.fault
        for file in reversed(self._names()):
            text = files.read_text(self.folder / file, file)
            entries = parse(text) if text else ()
            if any(entry.key == name for entry in entries):
                known = _Evaluation(
                    files=self, file=file, entries=entries, allow_commands=allow_commands
                )
                try:
                    found = known.variable(name, len(entries))
                except RecursionError:
                    raise UsageError(
                        f"The secret {name} of {file} refers to too many lines above it.",
                        "Correct them.",
                    ) from None
                return Secret(self._checked(name, file, found))
        remedy = "Add it there, or provide the credential in another way."
        # a password in brackets is taken for a name
        shown = f" {name}" if _NAME.fullmatch(name) else " with the name that is written there"
        raise UsageError(f"No secret{shown} is in {' or '.join(self._names())}.", remedy)

    def key(self, named: Secret, *, allow_commands: bool) -> Secret:
        """Return a private key of `ssh.key_data`: a secret, or what is written there in its place.

        Raises:
            UsageError: As `find`.
        """
        text = named.reveal()
        if "-----BEGIN" in text:  # what the name of a secret never has
            return named
        return self.find(text, allow_commands=allow_commands)

    def _names(self) -> tuple[str, str]:
        own = f"{self.path}.{self.destination}" if self.destination else self.path
        return f"{self.path}-common", own

    @staticmethod
    def _checked(name: str, file: str, text: str) -> str:
        if not text:
            remedy = f"Set the variable that {file} takes it from."
            raise UsageError(f"The secret {name} of {file} is empty.", remedy)
        return text


def parse(text: str) -> tuple[SecretEntry, ...]:
    """Return the entries of a dotenv text in their order; a line that is none is skipped."""
    lines = re.sub(r"\r\n?", "\n", text)
    return tuple(_entry(found["key"], found["value"].strip()) for found in _LINE.finditer(lines))


def _entry(key: str, value: str) -> SecretEntry:
    quote = value[0] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else ""
    inner = value[1:-1] if quote else value
    if quote == "'":
        return SecretEntry(key, Secret(inner), literal=True)
    kept = "$nr" if quote else "$"  # in double quotes, \n and \r stay as they are written
    return SecretEntry(key, Secret(re.sub(rf"\\([^{kept}])", r"\1", inner)), literal=False)


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a value, and whether each is a command, from between `$(` and `)`."""
    place = 0
    for found in _COMMAND.finditer(text):
        end = _end_of_command(text, found.end()) if found.start() >= place else 0
        if end:
            is_command = not found[0].startswith("\\")
            yield text[place : found.start()], False
            yield (
                text[found.end() : end - 1] if is_command else text[found.start() + 1 : end],
                (is_command),
            )
            place = end
    yield text[place:], False


def _end_of_command(text: str, begin: int) -> int:
    """Return where a command's parenthesis is closed, whatever is nested in it; 0 for nowhere.

    Args:
        text: The text.
        begin: The first place within the parenthesis.
    """
    depth, escaped = 1, False
    for place in range(begin, len(text)):
        if escaped:
            escaped = False
        elif text[place] == "\\":
            escaped = True
        else:
            depth += {"(": 1, ")": -1}.get(text[place], 0)
            if not depth:
                return place + 1
    return 0


class _Evaluation(Struct, frozen=True, kw_only=True):
    files: Secrets
    file: str
    entries: tuple[SecretEntry, ...]
    allow_commands: bool
    known: dict[int, str] = field(default_factory=dict)

    def variable(self, name: str, above: int) -> str:
        """Return the value of `$name` after these lines: of the last, or of the environment."""
        for index in range(above - 1, -1, -1):
            if self.entries[index].key == name:
                return self._value(index)
        return self.files.environment.get(name, "")

    def _value(self, index: int) -> str:
        """Return the value of a line, evaluated once: lines may double one another."""
        if index not in self.known:
            self.known[index] = self._evaluated(index)
        return self.known[index]

    def _evaluated(self, index: int) -> str:
        entry = self.entries[index]
        text = entry.text.reveal()
        if entry.literal:
            return text
        text = self._with_variables(text, index)
        return "".join(
            self._run(entry.key, part) if is_command else part for part, is_command in _parts(text)
        )

    def _with_variables(self, text: str, index: int) -> str:
        """Return the text with its variables, as long as they are of a reasonable length."""
        parts, end, length = [], 0, 0
        for found in _VARIABLE.finditer(text):
            name = found["braced"] or found["bare"]
            value = found[0][1:] if found["escape"] else self.variable(name, index)
            parts += [text[end : found.start()], value]
            end, length = found.end(), length + len(value)
            if length > _LONGEST:
                raise UsageError(
                    f"The secret {self.entries[index].key} of {self.file} is longer than 1 MiB.",
                    "Its lines repeat one another: correct them.",
                )
        return "".join((*parts, text[end:]))

    def _run(self, key: str, command: str) -> str:
        if not self.allow_commands:
            problem = f"The secret {key} of {self.file} is the output of a command."
            raise UsageError(problem, f"Allow it to run with {ALLOW_COMMANDS}.")
        try:
            done = run(
                _SHELL,
                self.files.environment,
                stdin=command.encode(),
                timeout=_COMMAND_SECONDS,
                cwd=self.files.folder,
            )
        except NetworkError:
            raise time_is_over(f"The command for the secret {key} of {self.file}") from None
        if done.code:
            # neither the command nor its words: both may hold secrets
            problem = f"The command for the secret {key} of {self.file} failed ({done.code})."
            raise UsageError(problem, "Run it by hand to see why.")
        return done.stdout.decode(errors="replace").rstrip("\r\n")
