"""Credential helpers: the programs in which Docker and podman keep logins.

The protocol is that of github.com/docker/docker-credential-helpers: `docker-credential-NAME get`
reads the server from stdin and writes JSON, or one known sentence when it has nothing.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from dockless.errors import AuthError, EngineError
from dockless.model.secret import Credential, Secret
from dockless.oci.untrusted_json import first_value, folded, parse_json, shaped
from dockless.processes.run import Finished, run
from dockless.processes.search import find_program

_NOT_FOUND = re.compile(
    # the protocol's sentence
    r"credentials not found in native keychain"
    # and those of keychains, and of helpers that were written without the protocol's library
    r"|could not be found in the keychain|element not found|not logged in"
    r"|\bno (?:\w+ ){0,2}(?:credentials?|logins?|passwords?|entry|entries|secrets?|items?)\b"
    r"(?! (?:server|user|helper))"
    r"|(?:credentials?|login|password|entry|secret|item)s? (?:\S+ ){0,6}?"
    r"(?:not found|not exist|not stored)"
)
_BROKEN = re.compile(r"\$?path\b|executable|command|no such file|library|module|store is")
_MOST_OUTPUT = 1 << 20
_TOKEN_USERNAME = "<token>"  # noqa: S105  # the protocol's mark of an identity token, no secret
_PATIENCE_SECONDS = 10.0
_LONGEST_SENTENCE = 1000
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


class Helper(Struct, frozen=True, kw_only=True):
    """A credential helper that a file names.

    Attributes:
        name: What follows `docker-credential-` in the program's name.
        server: The registry, as the helper knows it.
        optional: Whether it may be skipped when it is not installed. True for a `credsStore`,
            which holds for every registry and which Docker Desktop leaves behind; false for a
            `credHelpers` entry, which was configured for this registry.
        spare: What the same file has for the registry, to be used where the helper fails.
    """

    name: str
    server: str
    optional: bool
    spare: tuple[Credential, ...] = ()

    @property
    def program(self) -> str:
        """The program's name."""
        return f"docker-credential-{self.name}"


def is_name(text: str) -> bool:
    """Whether this can be a helper's name, such as `ecr-login` and `desktop.exe`; never a path."""
    return _NAME.fullmatch(text) is not None


def installed(helper: Helper, environment: Mapping[str, str]) -> bool:
    """Whether the helper's program is on the search path."""
    return find_program(helper.program, environment.get("PATH")) is not None


def ask(
    helper: Helper, environment: Mapping[str, str], *, timeout: float = _PATIENCE_SECONDS
) -> Credential | None:
    """Run a helper, and return the credential that it has for its server, or None.

    Args:
        helper: The helper.
        environment: Where it runs; see `child_environment`.
        timeout: Seconds after which it is killed.

    Raises:
        AuthError: It is missing, hangs, fails, or prints something other than a credential. Its
            output is never shown, since it may contain a secret.
    """
    if not installed(helper, environment):
        raise _failure(helper, "It is not installed.")
    done = _run(helper, environment, timeout)
    if isinstance(done, str):
        raise _failure(helper, done)
    if done.code != 0:
        if _has_none(done.stdout):
            return None
        raise _failure(helper, f"It ended with status {done.code}.")
    answer = _answer(done.stdout)
    if answer is None:
        raise _failure(helper, "It printed something that is not a credential.")
    username, secret = answer
    if not secret:
        return None
    if username == _TOKEN_USERNAME:
        return Credential(
            username="", password=Secret(""), identity_token=secret, origin=helper.program
        )
    return Credential(username=username, password=secret, origin=helper.program)


def _run(helper: Helper, environment: Mapping[str, str], timeout: float) -> Finished | str:
    """Return how the program ended, or why it did not.

    A sentence and not an exception, since the one for a timeout contains the program's output.
    """
    question = helper.server.encode(errors="backslashreplace")
    try:
        return run(
            (helper.program, "get"),
            environment,
            stdin=question,
            timeout=timeout,
            most=_MOST_OUTPUT,
        )
    except EngineError as error:
        return error.what


class _Answer(Struct, frozen=True):
    """A helper's answer to `get`, as far as it matters here."""

    username: str | None = ""
    secret: str | None = ""


def _answer(output: bytes) -> tuple[str, Secret] | None:
    try:
        # Go's decoder reads one value, and finds its fields whatever their case is
        answer = shaped(folded(parse_json(first_value(output))), _Answer)
    except ValueError:
        return None
    return answer.username or "", Secret(answer.secret or "")


def _has_none(output: bytes) -> bool:
    """Whether a helper that failed says that it has no login for the server."""
    said = output[:_LONGEST_SENTENCE].decode(errors="replace").strip().lower()
    return bool(_NOT_FOUND.search(said)) and not _BROKEN.search(said)


def _failure(helper: Helper, why: str) -> AuthError:
    return AuthError(
        f"The credential helper {helper.program} failed for {helper.server}. {why}",
        f"See whether `{helper.program} list` works, or give --username with --password-stdin.",
    )
