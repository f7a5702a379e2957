"""Logging in to a host, method by method, as ssh(1) does.

What a server allows is asked first. The methods are tried in the order of
PreferredAuthentications; after one that succeeds in part, the others follow.
"""

from collections.abc import Callable, Generator, Sequence

from msgspec import Struct

from dockless.errors import AuthError
from dockless.model.printable import bounded, one_line
from dockless.model.secret import Secret, remember_secret
from dockless.ssh.agent import NoSignatureError
from dockless.ssh.config import Route
from dockless.ssh.keys import KeyFiles, Offer
from dockless.ssh.signatures import algorithm_for
from dockless.ssh.userauth import AuthReply, UserAuth, read_prompts
from dockless.ssh.wire import string

_YES, _NO = b"\1", b"\0"
_METHODS = ("publickey", "keyboard-interactive", "password")


class HostQuestion(Struct, frozen=True, kw_only=True):
    """What a host asks the person at the terminal for.

    Attributes:
        host: The host, as it was asked for.
        user: The account there.
        method: The method that it is asked with.
        text: The host's own words; `Password` for a password.
        before: What it said before that.
        is_shown: Whether the answer may be shown while it is typed.
        number: How often the same was asked for before, with an answer that was wrong.
        is_whole: Whether the text is a question by itself, whose answer is yes or no.
    """

    host: str
    user: str
    method: str
    text: str
    is_shown: bool = False
    number: int = 0
    is_whole: bool = False
    before: str = ""


Ask = Callable[[HostQuestion], Secret | None]
"""Gives an answer; None where there is none, as there is no terminal."""


def ask_nobody(question: HostQuestion) -> None:
    """Give no answer."""
    del question


class HostLogin:
    """The login to one host.

    Args:
        auth: Its requests.
        route: The host and the account.
        keys: What to offer.
        ask: Gives passwords, and answers to what the host asks for.
    """

    def __init__(self, auth: UserAuth, route: Route, keys: KeyFiles, ask: Ask) -> None:
        self._auth = auth
        self._route = route
        self._keys = keys
        self._ask = ask
        self._offers: Generator[Offer] | None = None
        self._offered = 0
        self._refused: list[str] = []
        self._typed = dict.fromkeys(("password", "keyboard-interactive"), 0)
        self._unanswered: list[str] = []
        self._useless: list[str] = []
        self._is_partial = False

    def run(self) -> None:
        """Log in.

        Raises:
            AuthError: The host accepts nothing that there is.
            EOFError: It ended the connection before anything was refused.
            TimeoutError: It did not answer in time.
        """
        methods = {
            "publickey": self._with_key,
            "keyboard-interactive": self._with_answers,
            "password": self._with_password,
        }
        tried = {name: methods[name] for name in self._route.methods if name in methods}
        try:
            answer = self._auth.begin()
            while not answer.is_in:
                answer = self._once(answer, tried)
                if answer.is_partial:
                    self._is_partial = True
                    self._again()
        except EOFError:
            if self._offered > 1 or any(self._typed.values()):
                raise self._ended() from None
            raise
        finally:
            self._again()

    def _once(
        self, before: AuthReply, tried: dict[str, Callable[[], AuthReply | None]]
    ) -> AuthReply:
        for name, attempt in tried.items():
            if name in before.methods and (answer := attempt()):
                return answer
        raise self._denied(before.methods)

    def _again(self) -> None:
        """Begin with the first key again, and disconnect from the agent."""
        if self._offers:
            self._offers.close()
        self._offers = None

    def _with_key(self) -> AuthReply | None:
        """Offer the next key that the server may accept; None for no more."""
        if self._offers is None:
            self._offers = self._keys.offers(self._route)
        for offer in self._offers:
            accepted = self._route.key_algorithms
            algorithm = algorithm_for(offer.kind, accepted, self._auth.verified)
            if not algorithm:
                continue
            self._offered += 1
            named = string(algorithm) + string(offer.blob)
            answer = self._auth.request("publickey", _NO + named)
            if answer.body is None:
                return answer
            try:
                signature = offer.sign(self._auth.signed_data(_YES + named), algorithm)
            except NoSignatureError as error:
                self._refused.append(str(error))
                continue
            return self._auth.request("publickey", _YES + named + string(signature))
        return None

    def _with_password(self) -> AuthReply | None:
        secret = self._answer_to(self._question("password", "Password"))
        if secret is None:
            return None
        remember_secret(secret)
        answer = self._auth.request("password", _NO + string(_encoded(secret)))
        if answer.body is not None:
            raise AuthError(
                f"{self._route.name} wants a new password for {self._route.user}.",
                f"Log in with `ssh {self._route.user}@{self._route.address}` to change it.",
            )
        return answer

    def _with_answers(self) -> AuthReply | None:
        method = "keyboard-interactive"
        if self._typed[method] >= self._route.prompts:
            return None
        if method in (*self._unanswered, *self._useless):
            return None
        answer = self._auth.request(method, string("") + string(""))
        was_asked = False
        while answer.body is not None:
            texts: list[bytes] = []
            prompts = read_prompts(answer.body)
            for text, is_shown in prompts.questions:
                question = self._question(
                    method,
                    bounded(one_line(text.strip().rstrip(":"))),
                    before=bounded(one_line(prompts.title)),
                    is_shown=is_shown,
                )
                secret = self._answer_to(question)
                if secret is None:
                    return None  # the next request abandons this one (RFC 4256, section 3.1)
                remember_secret(secret)
                texts.append(_encoded(secret))
                was_asked = True
            answer = self._auth.respond(texts)
        self._typed[method] += was_asked
        if not was_asked and not answer.is_partial:
            self._useless.append(method)  # it asks for nothing, and would again
        return answer

    def _question(
        self, method: str, text: str, *, before: str = "", is_shown: bool = False
    ) -> HostQuestion:
        return HostQuestion(
            host=self._route.name,
            user=self._route.user,
            method=method,
            text=text,
            before=before,
            is_shown=is_shown,
            number=self._typed[method],
        )

    def _answer_to(self, question: HostQuestion) -> Secret | None:
        method = question.method
        if question.number >= self._route.prompts or method in self._unanswered:
            return None
        secret = self._ask(question)
        if secret is None:
            self._unanswered.append(method)
        elif method == "password":
            self._typed[method] += 1
        return secret

    def _ended(self) -> AuthError:
        user, host = self._route.user, self._route.name
        return AuthError(
            f"{host} ended the connection after {self._offered} keys were offered for {user}."
            if self._offered > 1
            else f"{host} ended the connection during the login of {user}.",
            "Name the right key for it in ~/.ssh/config, with IdentityFile and IdentitiesOnly yes.",
        )

    def _denied(self, methods: Sequence[str]) -> AuthError:
        route = self._route
        user, host = route.user, route.name
        said = list(self._refused)
        said += [
            self._keys.troubles[path] for path in route.identities if path in self._keys.troubles
        ]
        said += [
            self._keys.key_troubles[key] for key in route.key_data if key in self._keys.key_troubles
        ]
        keep = (
            f"or keep the password in the keyring with "
            f"`keyring set dockless:ssh:{user}@{host} {user}`"
        )
        works = remedy = f"See whether `{route.command}` works"
        if self._unanswered and (self._is_partial or "publickey" not in methods):
            after = " after a key" if self._is_partial else ""
            what = f"{host} wants a password for {user}{after}, and there is no terminal to ask at."
            remedy = f"Run it at a terminal, {keep}"
        elif any(self._typed.values()):
            what = f"{host} does not accept the password for {user}."
        elif self._is_partial:
            wanted = _named(methods, "another key")
            what = f"{host} accepts a key of {user}, and wants {wanted} after it."
        else:
            what = _none_accepted(host, user, self._offered)
            remedy = f"{remedy}, and add a key with ssh-copy-id"
            if self._unanswered:
                said.append("It would take a password, but there is no terminal to ask at.")
                remedy = f"{remedy}, run it at a terminal, {keep}"
            if "publickey" not in methods:
                what = f"{host} accepts no key for {user}, but {_named(methods)}."
                remedy = works
        forbidden = [each for each in _METHODS if each in methods and each not in route.methods]
        if forbidden:
            said.append(f"It would take {_named(forbidden)}, but ssh_config does not allow that.")
        return AuthError(" ".join([what, *dict.fromkeys(said)]), f"{remedy}.")


def _none_accepted(host: str, user: str, offered: int) -> str:
    match offered:
        case 0:
            return f"There was no key to offer to {host} for {user}."
        case 1:
            return f"{host} did not accept the key for {user}."
        case _:
            return f"{host} accepted none of the {offered} keys for {user}."


def _named(methods: Sequence[str], key: str = "a key") -> str:
    named = {"publickey": key, "password": "a password"}
    return bounded(" or ".join(named.get(each, one_line(each)) for each in methods))


def _encoded(secret: Secret) -> bytes:
    return secret.reveal().encode(errors="surrogateescape")
