"""The meaning of an engine's error output, as one of our errors."""

import re

from dockless.engines.failure_rules import RULES, no_room
from dockless.errors import (
    AuthError,
    DocklessError,
    ManifestRefusedError,
    NetworkError,
    UnclearAnswerError,
    UnexplainedError,
)
from dockless.model.blotting import blotted
from dockless.model.printable import bounded
from dockless.model.refusal_words import MAY_PROTECT_A_TAG, speaks_of_overwriting, speaks_of_quota
from dockless.model.type_words import speaks_of_types

_ANSWER = re.compile(
    # crane: 'PUT https://…: CODE: words'; Go's own errors have the URL in quotes
    r"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE) https?://"
    # skopeo: what it was doing when the registry answered with an error
    r"|uploading manifest|uploading layer|initiating layer upload|HTTP status|status ?code",
    re.IGNORECASE,
)
"""Words that appear only after a response of the registry."""

_REFUSAL = re.compile(
    r"(?:\w[\w ]*: )*(?:GET|HEAD|POST|PUT|PATCH|DELETE) https?://\S+: "
    r"(?:[A-Z][A-Z0-9_]*:|multiple )"
)
"""What crane says of an answer with codes, known to it or not, and without the status."""

_SPOKEN = re.compile(
    rf'{_ANSWER.pattern}|"https?://|\b(?:dial|read|write) (?:tcp|udp)\b|lookup |at destination'
    r"|writing (?:blob|manifest)|copying (?:config|blob)|(?:pinging|checking|reading|fetching) ",
    re.IGNORECASE,
)
"""Words of a program that has contacted a registry, or tried to."""

_CODE = re.compile(r"\b(?:UNAUTHORIZED|DENIED|TOOMANYREQUESTS|[A-Z]+_[A-Z_]+):")
"""A code of the distribution-spec, as crane prints it."""

_URL = re.compile(r"https?://\S+|\S+@sha256:\S+")
_MANIFEST = re.compile(r"PUT https?://\S+/manifests/|uploading manifest")
_NO_RULE = re.compile(
    r"\b(?:name|manifest|blob)[_ ]unknown|\bunauthorized\b|authentication required", re.IGNORECASE
)
"""Words that come with 401 and 404, which no rule about a tag has."""
_INVALID = re.compile(r"manifest.?invalid|unsupported|media.?type", re.IGNORECASE)
_NOT_ACCEPTED = frozenset({415})

_STATUS = re.compile(
    r"(?:status ?code|status:?|returned|response:?)[ :]*(?P<code>[45]\d\d)", re.IGNORECASE
)

_TROUBLE = (": unknown:", ": unavailable:")
"""A registry's codes for trouble of its own; with them, the engines do not tell the status."""

_BARE_TROUBLE = ": unknown."
"""What skopeo prints of the code with the message `unknown error`, or with none."""


def failure(engine: str, host: str, code: int, stderr: str) -> DocklessError:
    """Return the error for an engine that ended with this status and this stderr."""
    said = last_words(stderr) or f"it ended with status {code} and printed nothing."
    error = _failure(engine, host, said, stderr)
    error.refuses_put = _refuses_put(said)
    return error


def _refuses_put(said: str) -> bool:
    """Whether the registry refused the manifest itself, and not what was read before it."""
    if not (put := _MANIFEST.search(said)):
        return False
    words = said[put.end() :]
    if codes := {int(found["code"]) for found in _STATUS.finditer(words)}:
        return codes <= MAY_PROTECT_A_TAG
    return not _NO_RULE.search(words)


def _failure(engine: str, host: str, said: str, stderr: str) -> DocklessError:
    answered = _REFUSAL.match(said) is not None
    # earlier lines are of requests that were repeated
    low = (said if answered else stderr).lower()
    codes = {int(found["code"]) for found in _STATUS.finditer(low)}
    for rule in RULES:
        if answered and rule.local:
            continue
        if codes & rule.codes or any(word in low for word in rule.words):
            error = rule.error(engine, host, said)
            remote = isinstance(error, AuthError | NetworkError)
            if remote and not (host in stderr or _SPOKEN.search(stderr) or _CODE.search(stderr)):
                break  # what is refused, or ends too early, is something on this machine
            if isinstance(error, AuthError) and _is_of_quota(said):
                break
            return error
    if (answered or _SPOKEN.search(stderr) or _CODE.search(stderr)) and _is_of_quota(said):
        return no_room(host, said)
    if _MANIFEST.search(stderr) and (codes & _NOT_ACCEPTED or _INVALID.search(said)):
        about_type = bool(codes & _NOT_ACCEPTED) or speaks_of_types(said)
        what = f"{host} does not accept this manifest: {said}"
        return ManifestRefusedError(what, about_type=about_type)
    if any(word in low for word in _TROUBLE) or said.lower().endswith(_BARE_TROUBLE):
        return UnclearAnswerError(
            f"{host} answers {engine} with an error that it does not explain: {said}",
            "Try again later.",
        )
    if answered:
        return UnexplainedError(
            f"{host} refuses what {engine} asks for: {said}",
            "Ask the registry's operator what it accepts.",
            answered=True,
        )
    return UnexplainedError(
        f"{engine} failed: {said}",
        f"If {engine} is at fault, --engine direct writes without a program.",
        answered=bool(_ANSWER.search(stderr) or _CODE.search(stderr)),
    )


def _is_of_quota(said: str) -> bool:
    """Whether the registry has no room, or must not store more; its URL says nothing of that."""
    words = _URL.sub("", said)
    return speaks_of_quota(words) and not speaks_of_overwriting(words)


def last_words(stderr: str) -> str:
    """Extract an engine's message from its stderr, without time stamps and prefixes."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if not lines:
        return ""
    # an error may go on for lines, where a registry or proxy answers with a page
    last = next((line for line in reversed(lines) if line.startswith("Error: ")), lines[-1])
    # an engine quotes what a registry says, which may be what the engine sent it; looked for before
    # the quoting is undone, and after
    last = blotted(last)
    found = re.search(r'msg="(?P<text>(?:[^"\\]|\\.)*)"', last)
    text = found["text"].replace('\\"', '"') if found else last
    return bounded(blotted(text.removeprefix("Error: ").rstrip("."))) + "."
