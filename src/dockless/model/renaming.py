"""The name of an image at the registry that it is mirrored to."""

from msgspec import Struct

from dockless.errors import UsageError
from dockless.model.printable import shortened
from dockless.model.schemes import without_scheme
from dockless.oci.reference import DOCKER_HUB, Name, Reference, Repository


class Map(Struct, frozen=True):
    """A rule that gives some names another path.

    Attributes:
        pattern: A full name without its tag, `docker.io/library/*`; one `*` stands for anything.
        replacement: The new path, `base/*`; `*` is what stood for it.
    """

    pattern: str
    replacement: str

    @classmethod
    def parse(cls, text: str) -> "Map":
        """Read `PATTERN=REPLACEMENT`; raise ValueError when it is invalid."""
        pattern, equals, replacement = text.partition("=")
        stars = pattern.count("*"), replacement.count("*")
        if not equals or not pattern or not replacement or stars not in ((0, 0), (1, 1)):
            raise ValueError("is not PATTERN=REPLACEMENT with one * on each side, or none")
        return cls(pattern, replacement)

    def apply(self, name: str) -> str | None:
        """Return the new path of a name, or None when the rule is not about it."""
        head, star, tail = self.pattern.partition("*")
        if not star:
            return self.replacement if name == self.pattern else None
        long_enough = len(name) > len(head) + len(tail)
        if not (long_enough and name.startswith(head) and name.endswith(tail)):
            return None
        return self.replacement.replace("*", name[len(head) : len(name) - len(tail)])


class Renaming(Struct, frozen=True, kw_only=True):
    """The rules of one mirror.

    Attributes:
        host: The registry that everything goes to.
        prefix: What every path there begins with; empty for nothing.
        strip: Prefixes that are removed, whole components; the longest match.
        maps: Rules for some names; the first match applies, and `strip` then does not.
        flatten: Whether the components of a path are joined by `-`.
    """

    host: str
    prefix: str = ""
    strip: tuple[str, ...] = ()
    maps: tuple[Map, ...] = ()
    flatten: bool = False

    @classmethod
    def into(cls, text: str) -> "Renaming":
        """Read `--to`, HOST or HOST/PREFIX; raise UsageError where no image can be there."""
        host, _, prefix = without_scheme(text, "--to").partition("/")
        try:
            Repository.of(host, "of/images")  # the error names what was typed, not this path
            name = Name.parse(f"{host}/{prefix}") if prefix else Name(host=host, path="of/images")
            if name.tag or name.digest:
                why = "it has a tag" if name.tag else "it has a digest"
                raise ValueError(f"{prefix!r} is not a repository name: {why}")  # noqa: TRY301 - as parse does
        except ValueError as error:
            said = f"--to {shortened(text)}: {error}."
            raise UsageError(said, "Write --to HOST[/PREFIX].") from None
        return cls(host=host, prefix=prefix)

    def target(self, name: Name) -> Reference:
        """Return where an image of this name goes; its registry's host is left out.

        Raises:
            ValueError: The rules give no repository's name.
        """
        whole = full_name(name)
        mapped = (rule.apply(whole) for rule in self.maps)
        path = next((each for each in mapped if each is not None), None)
        if path is None:
            path = self._stripped(whole) or name.path
        if self.flatten:
            path = path.replace("/", "-")
        whole_path = f"{self.prefix}/{path}" if self.prefix else path
        repository = Repository.of(self.host, whole_path)
        if name.digest and not name.tag:
            return Reference(repository, digest=name.digest)
        return Reference(repository, name.tag or "latest")

    def _stripped(self, name: str) -> str:
        for beginning in sorted(self.strip, key=len, reverse=True):
            if name.startswith(f"{beginning.rstrip('/')}/"):
                return name[len(beginning.rstrip("/")) + 1 :]
        return ""


def whole_name(name: Name) -> str:
    """Return a name with its registry's host, and with its tag, or else its digest.

    Raises:
        ValueError: Its host or path is none.
    """
    if name.digest and not name.tag:
        return f"{full_name(name)}@{name.digest}"
    return f"{full_name(name)}:{name.tag or 'latest'}"


def full_name(name: Name) -> str:
    """Return a name with its registry's host, as Docker fills it in, without tag and digest."""
    return str(Repository.of(name.host or DOCKER_HUB, name.path))
