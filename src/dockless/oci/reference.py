"""References, by the grammar of the distribution project (`reference/reference.go`).

A reference here is always fully qualified: `host/path[:tag][@digest]`. User input may omit the
host; `Name` is that, parsed but not yet completed.
"""

import re

from msgspec import Struct
from msgspec.structs import replace

from dockless.oci.digest import Digest

DOCKER_HUB = "docker.io"
_DOCKER_HUB_KEY = "https://index.docker.io/v1/"
DOCKER_HUB_HOSTS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
REGISTRY = "docker://"
"""What the name of a registry's image begins with where it is a source."""

_LONGEST_NAME = 255
_HIGHEST_PORT = 65535

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:.]+\])(?::(?P<port>[0-9]{{1,9}}))?")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def registry_host(host: str) -> str:
    """Return a registry's host as repositories have it: the names of Docker Hub are one host."""
    return DOCKER_HUB if host in DOCKER_HUB_HOSTS else host


def docker_key(host: str) -> str:
    """Return the name of a registry in Docker's own files; for Docker Hub that is an old URL.

    crane and the credential helpers use it, while skopeo wants the host itself.
    """
    return _DOCKER_HUB_KEY if host == DOCKER_HUB else host


def is_tag(text: str) -> bool:
    """Whether the grammar allows this as a tag."""
    return _TAG.fullmatch(text) is not None


def is_host(text: str) -> bool:
    """Whether the grammar allows this as a registry's `host[:port]`."""
    found = _HOST.fullmatch(text)
    return found is not None and int(found["port"] or 0) <= _HIGHEST_PORT


def is_registry(text: str) -> bool:
    """Whether this is a `host[:port]` that a reference can begin with unambiguously.

    It takes a dot, a colon, or the name `localhost`; anything else would read as a path.
    """
    return is_host(text) and _looks_like_host(text)


def is_surely_host(text: str) -> bool:
    """Whether this can be nothing but a host: an address, or `localhost`."""
    return text == "localhost" or re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){3}", text) is not None


class Name(Struct, frozen=True, kw_only=True):
    """An image name as a person writes it: `[host/]path[:tag][@digest]`.

    Attributes:
        host: The registry's host and port, or empty when the name has none. A first component is
            a host when it has a dot or a colon, or is `localhost`.
        path: The repository path.
        tag: What follows the last colon after the last slash, or empty.
        digest: What follows `@`, or None.
    """

    host: str
    path: str
    tag: str = ""
    digest: Digest | None = None

    def __str__(self) -> str:
        host = f"{self.host}/" if self.host else ""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{host}{self.path}{tag}{digest}"

    def without_localhost(self) -> "Name":
        """Return the name of an image that exists without `localhost/`.

        podman and buildah call what has no registry so, and save it under that name.
        """
        return replace(self, host="") if self.host == "localhost" else self

    @classmethod
    def parse(cls, text: str) -> "Name":
        """Read a name; raise ValueError with the wrong part when it is invalid."""
        rest, at, digest_text = text.partition("@")
        if at and "/" in digest_text:
            # not shown: there may be a password in it
            raise ValueError("a name cannot contain a login; give --username and --password-stdin")
        digest = Digest.parse(digest_text) if at else None
        head, slash, last = rest.rpartition("/")
        last, colon, tag = last.partition(":")
        if colon and not is_tag(tag):
            raise ValueError(f"{tag!r} is not a tag (letters, digits, '_', '.', '-'; at most 128)")
        host, path = _split_host(head + slash + last)
        if host and not is_host(host):
            raise ValueError(f"{host!r} is not a host name")
        if _PATH.fullmatch(path) is None:
            hint = ", which has no capital letters" if path != path.lower() else ""
            raise ValueError(f"{path!r} is not a repository name{hint}")
        if len(host) + len(path) + bool(host) > _LONGEST_NAME:
            raise ValueError(f"the name is longer than {_LONGEST_NAME} characters")
        return cls(host=host, path=path, tag=tag, digest=digest)


def is_image_name(text: str) -> bool:
    """Whether a text is an image's name."""
    try:
        Name.parse(text)
    except ValueError:
        return False
    return True


def _split_host(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and _looks_like_host(first):
        return first, rest
    return "", name


def _looks_like_host(text: str) -> bool:
    return "." in text or ":" in text or text == "localhost"


class Repository(Struct, frozen=True, order=True):
    """A repository in a registry: `host/path`, normalised as Docker does it.

    Docker Hub's three host names are one, and its one-component repositories live in `library/`.
    """

    host: str
    path: str

    @classmethod
    def of(cls, host: str, path: str) -> "Repository":
        """Return the normalised repository; raise ValueError when host or path are invalid."""
        if not is_registry(host):
            raise ValueError(f"{host!r} is not a registry host (HOST.DOMAIN or HOST:PORT)")
        host = registry_host(host)
        if host == DOCKER_HUB:
            path = path if "/" in path else f"library/{path}"
        if Name.parse(f"{host}/{path}") != Name(host=host, path=path):
            raise ValueError(f"{path!r} is not a repository name")
        return cls(host, path)

    def __str__(self) -> str:
        return f"{self.host}/{self.path}"


class Reference(Struct, frozen=True, order=True):
    """A fully qualified reference: `host/path[:tag][@digest]`."""

    repository: Repository
    tag: str = ""
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Read a reference; a name without a host is Docker Hub's, as everywhere in the field.

        Raises:
            ValueError: The text is not a reference; the message names the wrong part.
        """
        name = Name.parse(text)
        return cls(Repository.of(name.host or DOCKER_HUB, name.path), name.tag, name.digest)

    def tagged(self, tag: str) -> "Reference":
        """Return the reference of this tag in the same repository."""
        return replace(self, tag=tag, digest=None)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"
