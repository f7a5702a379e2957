"""The words and statuses of engines' errors, and which of our errors each means.

The words are those of crane 0.20.7 and skopeo 1.9.3 and 1.22.0, met with the faults that the
tests inject.
"""

from collections.abc import Callable

from msgspec import Struct

from dockless.errors import (
    ContentRefusedError,
    DocklessError,
    EngineDeniedError,
    EngineRefusedError,
    EngineTrustError,
    NetworkError,
    PolicyError,
    PushError,
    RepositoryMissingError,
    ServerError,
)


def no_room(host: str, said: str) -> ContentRefusedError:
    """Return the error for a registry that stores no more."""
    return ContentRefusedError(
        f"{host} does not store more: {said}",
        "Delete images there that are not needed, or have the quota raised.",
    )


class Rule(Struct, frozen=True, kw_only=True):
    """What some words, or HTTP statuses, in an engine's stderr mean.

    Attributes:
        words: Any of these, in lower case.
        codes: Or any of these.
        error: Makes the error, from the engine, the host and the message.
        local: Whether it is about this machine or the way to the registry, whose answers may have
            the same words.
    """

    words: tuple[str, ...] = ()
    codes: frozenset[int] = frozenset()
    error: Callable[[str, str, str], DocklessError]
    local: bool = False


_OF_NAMES = ("common name", "is valid for", "not valid for any names", "ip sans")
_OF_THE_CERTIFICATE = ("key usage", "not authorized to sign", "insecure algorithm", "unhandled")


def _trust_remedy(said: str) -> str:
    """Return what to do about a certificate, by the words of Go's crypto/x509."""
    low = said.lower()
    if any(words in low for words in _OF_NAMES):
        return "Have a certificate issued that has the registry's name in its subjectAltName."
    if "expired or is not yet valid" in low:
        return (
            "The registry's operator has to renew it; if it is still valid, correct this "
            "machine's clock."
        )
    if any(words in low for words in _OF_THE_CERTIFICATE):
        return "The registry's operator has to replace it, or the one that it was signed with."
    return "Name the authority that signed its certificate with --ca-file or --cert-dir."


RULES: tuple[Rule, ...] = (
    # an administrator's rule, which is not to be got round by another writer
    Rule(
        words=(
            "source image rejected",
            "rejected by policy",
            "loading trust policy",
            "invalid policy",
        ),
        error=lambda engine, _, said: PolicyError(
            f"The signature policy of this machine rejects the push with {engine}: {said}",
            "Ask the maintainer of policy.json (containers-policy.json(5)).",
        ),
        local=True,
    ),
    # crane 0.22.1 and skopeo 1.22.0, which know sha256 only
    Rule(
        words=(
            "unsupported hash",
            "expected sha512",
            "expected sha384",
            "saved with digest",
            "manifest would not match destination reference",
        ),
        error=lambda engine, _, said: EngineRefusedError(
            f"{engine} pushes only what has sha256 digests: {said}",
            "Push with --engine auto or direct.",
        ),
        local=True,
    ),
    # before the rules by status: their words may hold that of the challenge
    Rule(
        words=(
            "is a symlink",
            "invalid realm",
            "link-local address",
            "could not parse reference",
            "invalid reference format",
        ),
        error=lambda engine, host, said: EngineRefusedError(
            f"{engine} refuses to push to {host}: {said}",
            "Push with --engine auto, which then uses another writer.",
        ),
        local=True,
    ),
    # docker-registry says so while another push of the same blob writes the file that names it
    Rule(
        words=("manifest_blob_unknown", "manifest blob unknown", "blob unknown to registry"),
        error=lambda _, host, said: NetworkError(
            f"{host} does not find a blob that was just uploaded: {said}",
            "Push again; if that does not help, the registry is losing data.",
        ),
    ),
    # ECR's words; before the rules by status, which would take it for something else
    Rule(
        words=("name_unknown", "name unknown", "does not exist in the registry"),
        error=lambda _, host, said: RepositoryMissingError(
            f"{host} has no such repository: {said}", "Create it there first."
        ),
    ),
    Rule(
        words=("x509:", "certificate"),
        error=lambda engine, host, said: EngineTrustError(
            f"{engine} does not trust {host}: {said}",
            _trust_remedy(said),
            passing=False,
        ),
        local=True,
    ),
    Rule(
        words=("toomanyrequests", "too many requests"),
        codes=frozenset({408, 425, 429}),
        error=lambda _, host, said: NetworkError(
            f"{host} is busy: {said}", "Try again later.", busy=True
        ),
    ),
    Rule(
        codes=frozenset({402, 507}),
        error=lambda _, host, said: no_room(host, said),
    ),
    Rule(
        words=("internal server error",),
        codes=frozenset({500}),
        error=lambda _, host, said: ServerError(
            f"{host} has an internal error: {said}", "Try again later."
        ),
    ),
    Rule(
        words=("service unavailable",),
        codes=frozenset({503}),
        error=lambda _, host, said: NetworkError(
            f"{host} has an internal error: {said}", "Try again later.", busy=True
        ),
    ),
    Rule(
        words=("unavailable", "bad gateway"),
        codes=frozenset(range(500, 600)),
        error=lambda _, host, said: NetworkError(
            f"{host} has an internal error: {said}", "Try again later."
        ),
    ),
    Rule(
        words=("unauthorized", "denied", "authentication required", "invalid username/password"),
        codes=frozenset({401, 403}),
        error=lambda _, host, said: EngineDeniedError(
            f"{host} does not allow the push: {said}",
            "Check the credential, and whether it may push to this repository.",
        ),
    ),
    Rule(
        words=(
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
        error=lambda _, host, said: NetworkError(
            f"The connection to {host} failed: {said}", "Check the network."
        ),
        local=True,
    ),
    Rule(
        words=("no space left",),
        error=lambda _, __, said: ContentRefusedError(
            f"A disk is full: {said}", "Free some space, here or on the registry."
        ),
    ),
    Rule(
        codes=frozenset({405}),
        error=lambda _, host, said: PushError(
            f"{host} accepts no pushes at the moment: {said}",
            "It is read-only, or a pull-through cache.",
        ),
    ),
    Rule(
        codes=frozenset({409, 412}),
        error=lambda _, host, said: PushError(
            f"{host} refuses to change what it has: {said}",
            "If a tag must not be overwritten, give another one; if the repository is locked, have "
            "it unlocked.",
        ),
    ),
    Rule(
        codes=frozenset({413}),
        error=lambda _, host, said: ContentRefusedError(
            f"{host}, or a proxy in front of it, rejects a request body of this size: {said}",
            "Have its limit raised (nginx: client_max_body_size).",
        ),
    ),
)
"""In the order in which they are tried: the first that applies decides."""
