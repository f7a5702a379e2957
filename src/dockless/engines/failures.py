"""The meaning of an engine's error output, as one of our errors.

The words are those of crane 0.20.7 and skopeo 1.9.3 and 1.22.0, met with the faults that the
tests inject.
"""

import re
from collections.abc import Callable

from msgspec import Struct

from dockless.errors import (
    AuthError,
    ContentRefusedError,
    DocklessError,
    EngineDeniedError,
    EngineRefusedError,
    EngineTrustError,
    ManifestRefusedError,
    NetworkError,
    PolicyError,
    PushError,
    RepositoryMissingError,
    ServerError,
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


class _MessageRule(Struct, frozen=True):
    """What some words, or HTTP statuses, in an engine's stderr mean.

    Attributes:
        words: Any of these, in lower case.
        codes: Or any of these.
        error: Makes the error, from the engine, the host and the message.
    """

    words: tuple[str, ...]
    codes: frozenset[int]
    error: Callable[[str, str, str], DocklessError]


class _LocalRule(Struct, frozen=True):
    """One about this machine or the way to the registry, whose answers may have the same words.

    The attributes are those of `_MessageRule`.
    """

    words: tuple[str, ...]
    codes: frozenset[int]
    error: Callable[[str, str, str], DocklessError]


_RULES: tuple[_MessageRule | _LocalRule, ...] = (
    # an administrator's rule, which is not to be got round by another writer
    _LocalRule(
        ("source image rejected", "rejected by policy", "loading trust policy", "invalid policy"),
        frozenset(),
        lambda engine, _, said: PolicyError(
            f"The signature policy of this machine rejects the push with {engine}: {said}",
            "Ask the maintainer of policy.json (containers-policy.json(5)).",
        ),
    ),
    # crane 0.22.1 and skopeo 1.22.0, which know sha256 only
    _LocalRule(
        (
            "unsupported hash",
            "expected sha512",
            "expected sha384",
            "saved with digest",
            "manifest would not match destination reference",
        ),
        frozenset(),
        lambda engine, _, said: EngineRefusedError(
            f"{engine} pushes only what has sha256 digests: {said}",
            "Push with --engine auto or direct.",
        ),
    ),
    # before the rules by status: their words may hold that of the challenge
    _LocalRule(
        (
            "is a symlink",
            "invalid realm",
            "link-local address",
            "could not parse reference",
            "invalid reference format",
        ),
        frozenset(),
        lambda engine, host, said: EngineRefusedError(
            f"{engine} refuses to push to {host}: {said}",
            "Push with --engine auto, which then uses another writer.",
        ),
    ),
    # docker-registry says so while another push of the same blob writes the file that names it
    _MessageRule(
        ("manifest_blob_unknown", "manifest blob unknown", "blob unknown to registry"),
        frozenset(),
        lambda _, host, said: NetworkError(
            f"{host} does not find a blob that was just uploaded: {said}",
            "Push again; if that does not help, the registry is losing data.",
        ),
    ),
    # ECR's words; before the rules by status, which would take it for something else
    _MessageRule(
        ("name_unknown", "name unknown", "does not exist in the registry"),
        frozenset(),
        lambda _, host, said: RepositoryMissingError(
            f"{host} has no such repository: {said}", "Create it there first."
        ),
    ),
    _LocalRule(
        ("x509:", "certificate"),
        frozenset(),
        lambda engine, host, said: EngineTrustError(
            f"{engine} does not trust {host}: {said}",
            "Name the authority that signed its certificate with --ca-file or --cert-dir.",
            passing=False,
        ),
    ),
    _MessageRule(
        ("toomanyrequests", "too many requests"),
        frozenset({408, 425, 429}),
        lambda _, host, said: NetworkError(
            f"{host} is busy: {said}", "Try again later.", busy=True
        ),
    ),
    _MessageRule(
        ("internal server error",),
        frozenset({500}),
        lambda _, host, said: ServerError(
            f"{host} has an internal error: {said}", "Try again later."
        ),
    ),
    _MessageRule(
        ("service unavailable",),
        frozenset({503}),
        lambda _, host, said: NetworkError(
            f"{host} has an internal error: {said}", "Try again later.", busy=True
        ),
    ),
    _MessageRule(
        ("unavailable", "bad gateway"),
        frozenset(range(500, 600)),
        lambda _, host, said: NetworkError(
            f"{host} has an internal error: {said}", "Try again later."
        ),
    ),
    _MessageRule(
        ("unauthorized", "denied", "authentication required", "invalid username/password"),
        frozenset({401, 403}),
        lambda _, host, said: EngineDeniedError(
            f"{host} does not allow the push: {said}",
            "Check the credential, and whether it may push to this repository.",
        ),
    ),
    _LocalRule(
        (
            "connection refused",
            "connection reset",
            "broken pipe",
            "timeout",
            "no such host",
            "unexpected eof",
            ": eof",
            "network is unreachable",
            "no route to host",
            "context deadline exceeded",
            "server closed idle connection",
            "use of closed network connection",
            "temporary failure in name resolution",
        ),
        frozenset(),
        lambda _, host, said: NetworkError(
            f"The connection to {host} failed: {said}", "Check the network."
        ),
    ),
    _MessageRule(
        ("no space left",),
        frozenset(),
        lambda _, __, said: ContentRefusedError(
            f"A disk is full: {said}", "Free some space, here or on the registry."
        ),
    ),
    _MessageRule(
        (),
        frozenset({405}),
        lambda _, host, said: PushError(
            f"{host} accepts no pushes at the moment: {said}",
            "It is read-only, or a pull-through cache.",
        ),
    ),
    _MessageRule(
        (),
        frozenset({409, 412}),
        lambda _, host, said: PushError(
            f"{host} does not allow the tag to be overwritten: {said}", "Choose another tag."
        ),
    ),
    _MessageRule(
        (),
        frozenset({413}),
        lambda _, host, said: ContentRefusedError(
            f"{host}, or a proxy in front of it, rejects a request body of this size: {said}",
            "Have its limit raised (nginx: client_max_body_size).",
        ),
    ),
)

_TROUBLE = (": unknown:", ": unavailable:")
"""A registry's codes for trouble of its own; with them, the engines do not tell the status."""


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
    for rule in _RULES:
        if answered and isinstance(rule, _LocalRule):
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
        return ContentRefusedError(
            f"{host} does not store more: {said}",
            "Delete images there that are not needed, or have the quota raised.",
        )
    if _MANIFEST.search(stderr) and (codes & _NOT_ACCEPTED or _INVALID.search(said)):
        about_type = bool(codes & _NOT_ACCEPTED) or speaks_of_types(said)
        what = f"{host} does not accept this manifest: {said}"
        return ManifestRefusedError(what, about_type=about_type)
    if any(word in low for word in _TROUBLE):
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
