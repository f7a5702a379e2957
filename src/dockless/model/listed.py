"""The sources that are asked for, as command lines and lists name them."""

from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct

from dockless.errors import DocklessError, UsageError
from dockless.model.secret import Credential

Choice = Callable[[str], bool]


class SyncRegistry(Struct, frozen=True, kw_only=True):
    """How one registry of a list is reached.

    Attributes:
        host: The registry.
        insecure: Whether plain HTTP is used.
        cert_dir: A folder of certificates.
        credential: The credential; None when the list has none.
    """

    host: str
    insecure: bool = False
    cert_dir: Path | None = None
    credential: Credential | None = None


class SyncItem(Struct, frozen=True, kw_only=True):
    """Some images of one repository.

    Attributes:
        registry: Its registry.
        repository: `host/path`.
        origin: The position in the list: `file:line:column`.
        named: Their tags and digests, as the list has them.
        choice: Returns whether a tag of the repository is one of them; None when they are
            named.
        places: The position of each.
    """

    registry: SyncRegistry
    repository: str
    origin: str
    named: tuple[str, ...] = ()
    choice: Choice | None = None
    places: tuple[str, ...] = ()

    def references(self, tags: Iterable[str] = ()) -> tuple[str, ...]:
        """Return the full names, by what is named or chosen of the repository's `tags`."""
        chosen = self.named if self.choice is None else tuple(filter(self.choice, tags))
        return tuple(
            f"{self.repository}{'@' if text.startswith('sha256:') else ':'}{text}"
            for text in chosen
        )


class WrongEntry(Struct, frozen=True, kw_only=True):
    """An entry of a list that names no image.

    Attributes:
        text: The image, repository or registry that it would be.
        origin: The position in the list: `file:line:column`.
        error: What is wrong with it.
    """

    text: str
    origin: str
    error: DocklessError


class Listed(Struct, frozen=True, kw_only=True):
    """A source that is asked for.

    Attributes:
        text: What was typed; empty for images of a list of `skopeo sync`.
        origin: Its position, `file:line:column`; empty on the command line.
        wanted: What a list of `skopeo sync` asks for.
        error: Why it cannot be a source, whatever is there.
    """

    text: str
    origin: str = ""
    wanted: SyncItem | None = None
    error: DocklessError | None = None


def login_in(place: str) -> UsageError:
    """Return the error for a name of an image with a login, which is not quoted."""
    return UsageError(
        f"{place} contains a login, which no name of an image has.",
        "Remove it, change that password, and use `dockless login` or --password-stdin.",
    )
