"""What an engine's last words mean, as one of our errors.

The words are those of crane 0.20.7 and skopeo 1.9.3 and 1.22.0, met with the faults that the
tests inject.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from dockless.model.errors import (
    AuthError,
    DocklessError,
    NetworkError,
    PushError,
    RepositoryMissingError,
    ServerError,
)

_STATUS = re.compile(
    r"(?:status ?code|status:?|returned|response:?)[ :]*(?P<code>[45]\d\d)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What some words, or HTTP statuses, in an engine's stderr mean.

    Attributes:
        words: Any of these, in lower case.
        codes: Or any of these.
        error: Makes the error, from the engine, the host and what was said.
    """

    words: tuple[str, ...]
    codes: frozenset[int]
    error: Callable[[str, str, str], DocklessError]


_RULES = (
    # docker-registry says so while another push of the same blob writes the file that names it
    _Rule(
        ("manifest_blob_unknown", "manifest blob unknown", "blob unknown to registry"),
        frozenset(),
        lambda _, host, said: NetworkError(
            f"{host} does not find a blob that was just sent: {said}",
            "Push again; if it stays so, the registry loses data.",
        ),
    ),
    # ECR's words; before the rules by status, which would take it for something else
    _Rule(
        ("name_unknown", "name unknown", "does not exist in the registry"),
        frozenset(),
        lambda _, host, said: RepositoryMissingError(
            f"{host} has no such repository: {said}", "Create it there first."
        ),
    ),
    _Rule(
        ("x509:", "certificate"),
        frozenset(),
        lambda engine, host, said: NetworkError(
            f"{engine} does not trust {host}: {said}",
            "Name the authority that signed its certificate with --ca-file or --cert-dir.",
            passing=False,
        ),
    ),
    _Rule(
        ("toomanyrequests", "too many requests"),
        frozenset({408, 425, 429}),
        lambda _, host, said: NetworkError(f"{host} is busy: {said}", "Try again later."),
    ),
    _Rule(
        ("internal server error",),
        frozenset({500}),
        lambda _, host, said: ServerError(f"{host} is in trouble: {said}", "Try again later."),
    ),
    _Rule(
        ("unavailable", "bad gateway"),
        frozenset(range(500, 600)),
        lambda _, host, said: NetworkError(f"{host} is in trouble: {said}", "Try again later."),
    ),
    _Rule(
        ("unauthorized", "denied", "authentication required", "invalid username/password"),
        frozenset({401, 403}),
        lambda _, host, said: AuthError(
            f"{host} does not allow the push: {said}",
            "Check the credential, and whether it may push to this repository.",
        ),
    ),
    _Rule(
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
    _Rule(
        ("no space left",),
        frozenset(),
        lambda _, __, said: PushError(
            f"A disk is full: {said}", "Free some space, here or on the registry."
        ),
    ),
    _Rule(
        (),
        frozenset({405}),
        lambda _, host, said: PushError(
            f"{host} takes nothing now: {said}",
            "It is read-only, or something that can only be pulled from.",
        ),
    ),
    # a registry's codes for trouble of its own; with them, the engines do not tell the status
    _Rule(
        (": unknown:", ": unavailable:"),
        frozenset(),
        lambda _, host, said: NetworkError(f"{host} is in trouble: {said}", "Try again later."),
    ),
)


def failure(engine: str, host: str, code: int, stderr: str) -> DocklessError:
    """Return the error for an engine that ended with this status and these words."""
    said = last_words(stderr) or f"it ended with status {code} and said nothing."
    low = stderr.lower()
    codes = {int(found["code"]) for found in _STATUS.finditer(stderr)}
    for rule in _RULES:
        if codes & rule.codes or any(word in low for word in rule.words):
            return rule.error(engine, host, said)
    return PushError(f"{engine} failed: {said}", "No tag was moved.")


def last_words(stderr: str) -> str:
    """Return an engine's own sentence out of its stderr, without its time stamps and frames."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if not lines:
        return ""
    # an error may go on for lines, where a registry or proxy answers with a page
    last = next((line for line in reversed(lines) if line.startswith("Error: ")), lines[-1])
    found = re.search(r'msg="(?P<text>(?:[^"\\]|\\.)*)"', last)
    text = found["text"].replace('\\"', '"') if found else last
    return text.removeprefix("Error: ").rstrip(".") + "."
