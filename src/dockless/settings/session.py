"""`docker-config.json`: what `dockless login` remembers of a registry, and never a password."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from dockless.settings import files
from dockless.settings.setting import Setting

FILE = "docker-config.json"


@dataclass(frozen=True, slots=True)
class Session:
    """The file's four members, in its order; empty where nothing is known."""

    registry: str = ""
    username: str = ""
    image: str = ""
    namespace: str = ""


def read(folder: Path) -> Session:
    """Return the project's session, an empty one when there is no file.

    Raises:
        UsageError: The file does not parse, or a member is no text.
    """
    document = files.read_json(folder / FILE, FILE)
    if document is None:
        return Session()
    return Session(
        document.optional("registry"),
        document.optional("username"),
        document.optional("image"),
        document.optional("namespace"),
    )


def stored(text: str) -> Setting[str] | None:
    """Return a member of the session as a setting; None when it is empty."""
    return Setting(text, FILE) if text else None


def serialize(session: Session) -> str:
    """Return the file's text, byte for byte as Wheels' `serializeJSON` writes it."""
    return json.dumps(asdict(session), separators=(",", ":"), ensure_ascii=False)


def write(folder: Path, session: Session) -> Path:
    """Write the session to the project's folder, and return the file."""
    path = folder / FILE
    path.write_text(serialize(session), encoding="utf-8")
    return path
