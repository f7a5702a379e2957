"""Credential helpers: the programs in which Docker and podman keep logins.

The protocol is that of github.com/docker/docker-credential-helpers: `docker-credential-NAME get`
reads the server from stdin and writes JSON, or one known sentence when it has nothing.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from dockless.errors import AuthError, EngineError
from dockless.model.secret import Credential, Secret
from dockless.oci.untrusted_json import parse_as
from dockless.processes.run import Finished, run
from dockless.processes.search import find_program

_NOT_FOUND = b"credentials not found in native keychain"
_TOKEN_USERNAME = "<token>"  # noqa: S105  # the protocol's mark of an identity token, no secret
_PATIENCE_SECONDS = 10.0
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


class Helper(Struct, frozen=True):
    """A credential helper that a file names.

    Attributes:
        name: What follows `docker-credential-` in the program's name.
        server: The registry, as the helper knows it.
        optional: Whether it may be skipped when it is not installed. True for a `credsStore`,
            which holds for every registry and which Docker Desktop leaves behind; false for a
            `credHelpers` entry, which was configured for this registry.
    """

    name: str
    server: str
    optional: bool

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
        environment: Where it runs; the child gets it without `DOCKLESS_*`.
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
        if done.stdout.strip() == _NOT_FOUND:
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
        return run((helper.program, "get"), environment, stdin=question, timeout=timeout)
    except EngineError as error:
        return error.what


class _Answer(Struct, frozen=True, rename="pascal"):
    """A helper's answer to `get`, as far as it matters here."""

    username: str
    secret: str


def _answer(output: bytes) -> tuple[str, Secret] | None:
    try:
        answer = parse_as(output, _Answer)
    except ValueError:
        return None
    return answer.username, Secret(answer.secret)


def _failure(helper: Helper, why: str) -> AuthError:
    return AuthError(
        f"The credential helper {helper.program} failed for {helper.server}. {why}",
        f"See whether `{helper.program} list` works, or give --username with --password-stdin.",
    )
