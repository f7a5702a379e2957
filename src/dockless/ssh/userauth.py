"""Requests of the authentication protocol (RFC 4252, RFC 4256), one at a time, and their answers.

paramiko's own methods sign before they know whether a key is accepted, and do not tell which
methods a server allows; so only its connection is used here.
"""

import queue
import time

import paramiko
from msgspec import Struct
from paramiko.auth_handler import AuthHandler

from dockless.ssh.wire import split, string

_SERVICE_REQUEST, _SERVICE_ACCEPT = 5, 6
_REQUEST, _FAILURE, _SUCCESS, _BANNER = 50, 51, 52, 53
_METHOD_SPECIFIC, _RESPONSE = 60, 61
_ENDED = -1
_SERVICE, _CONNECTION = "ssh-userauth", "ssh-connection"
_LOOK_SECONDS = 0.1
_MOST_PROMPTS = 32
_UNREADABLE = "its answer cannot be read"


class AuthReply(Struct, frozen=True, kw_only=True):
    """A server's answer to a request.

    Attributes:
        is_in: Whether the login is complete.
        is_partial: Whether this method succeeded, and another one is to follow.
        methods: What may be tried next; nothing where the question goes on.
        body: What a method itself defines: that a key is accepted, or prompts; None for neither.
    """

    is_in: bool = False
    is_partial: bool = False
    methods: tuple[str, ...] = ()
    body: bytes | None = None


class Prompts(Struct, frozen=True):
    """What a server asks for (RFC 4256, section 3.2).

    Attributes:
        title: What it says before.
        questions: Each question, and whether its answer may be shown while it is typed.
    """

    title: str
    questions: tuple[tuple[str, bool], ...]


class UserAuth(AuthHandler):
    """The authentication of one connection, in place of paramiko's.

    Args:
        transport: The connection, whose server's key is verified.
        user: The account.
    """

    def __init__(self, transport: paramiko.Transport, user: str) -> None:
        super().__init__(transport)
        self._user = user
        self._answers: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
        transport.auth_handler = self

    def begin(self) -> AuthReply:
        """Ask for authentication, and for what is allowed: nothing at all may be needed."""
        self._send(bytes([_SERVICE_REQUEST]) + string(_SERVICE))
        code, _ = self._next()
        if code != _SERVICE_ACCEPT:
            raise paramiko.SSHException("it does not offer authentication")
        return self.request("none", b"")

    def request(self, method: str, payload: bytes) -> AuthReply:
        """Send a request, and return its answer.

        Raises:
            EOFError: The server ended the connection.
            TimeoutError: It did not answer in time.
        """
        names = string(self._user) + string(_CONNECTION) + string(method)
        self._send(bytes([_REQUEST]) + names + payload)
        return self._answer()

    def respond(self, texts: list[bytes]) -> AuthReply:
        """AuthReply the questions of keyboard-interactive, and return what comes of it."""
        count = len(texts).to_bytes(4, "big")
        self._send(bytes([_RESPONSE]) + count + b"".join(map(string, texts)))
        return self._answer()

    def signed_data(self, payload: bytes) -> bytes:
        """Return what a key signs for a request of `publickey` (RFC 4252, section 7)."""
        names = string(self._user) + string(_CONNECTION) + string("publickey")
        return string(self.transport.session_id or b"") + bytes([_REQUEST]) + names + payload

    @property
    def verified(self) -> tuple[str, ...] | None:
        """The signatures that the server said it verifies (RFC 8308); None for nothing said."""
        # of paramiko's members, its stubs lack this one and the two below
        said: bytes = self.transport.server_extensions.get("server-sig-algs", b"")  # type: ignore[attr-defined] # see above
        return tuple(bytes(said).decode("ascii", "replace").split(",")) if said else None

    def abort(self) -> None:
        """Wake who waits, since the connection has ended; paramiko calls this."""
        self._answers.put((_ENDED, b""))

    @property
    def _client_handler_table(self):  # type: ignore[no-untyped-def] # noqa: ANN202 - paramiko's
        def taken(code: int):  # type: ignore[no-untyped-def] # noqa: ANN202 - the same
            return lambda message: self._take(code, message)

        codes = (_SERVICE_ACCEPT, _FAILURE, _SUCCESS, _BANNER, _METHOD_SPECIFIC)
        return {code: taken(code) for code in codes}

    def _take(self, code: int, message: paramiko.Message) -> None:
        """Take in a message; the connection's own thread calls this."""
        if code == _BANNER:
            return
        body = message.get_remainder()
        if code == _SUCCESS:
            self.authenticated = True
            self.transport._auth_trigger()  # type: ignore[attr-defined] # noqa: SLF001 - as paramiko's own handler does
        self._answers.put((code, body))

    def _send(self, data: bytes) -> None:
        self.transport._send_message(paramiko.Message(data))  # type: ignore[attr-defined] # noqa: SLF001 - there is no other

    def _next(self) -> tuple[int, bytes]:
        until = time.monotonic() + (self.transport.auth_timeout or float("inf"))
        while True:
            try:
                code, body = self._answers.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                if not self.transport.is_active():
                    code, body = _ENDED, b""
                elif time.monotonic() > until:
                    raise TimeoutError from None
                else:
                    continue
            if code == _ENDED:
                raise EOFError
            return code, body

    def _answer(self) -> AuthReply:
        code, body = self._next()
        if code == _SUCCESS:
            return AuthReply(is_in=True)
        if code != _FAILURE:
            return AuthReply(body=body)
        try:
            names, rest = split(body)
        except ValueError:
            raise paramiko.SSHException(_UNREADABLE) from None
        methods = tuple(names.decode("ascii", "replace").split(","))
        return AuthReply(methods=methods, is_partial=rest[:1] == b"\1")


def read_prompts(body: bytes) -> Prompts:
    """Read what a server asks for with keyboard-interactive.

    Raises:
        paramiko.SSHException: It is cut short, or asks too much.
    """
    questions = []
    try:
        title, rest = split(body)
        instruction, rest = split(rest)
        _, rest = split(rest)  # the language
        count, rest = int.from_bytes(rest[:4], "big"), rest[4:]
        for _ in range(min(count, _MOST_PROMPTS + 1)):
            text, rest = split(rest)
            questions.append((text.decode(errors="replace"), rest[:1] == b"\1"))
            rest = rest[1:]
    except ValueError:
        raise paramiko.SSHException(_UNREADABLE) from None
    if count > _MOST_PROMPTS:
        raise paramiko.SSHException("it asks too many questions")
    said = (title + b" " + instruction).decode(errors="replace")
    return Prompts(said.strip(), tuple(questions))
