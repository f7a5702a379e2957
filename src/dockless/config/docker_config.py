"""`docker-config.json`: what `dockless login` stores of a registry, never a password."""

import contextlib
import json
import os
import stat
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from dockless.config import files
from dockless.config.setting import Setting
from dockless.model import kinds
from dockless.oci.reference import DOCKER_HUB, DOCKER_HUB_HOSTS, Name

FILE = "docker-config.json"


class ProjectSession(Struct, frozen=True, kw_only=True):
    """The file's four members, in its order; empty where nothing is known."""

    registry: str = ""
    username: str = ""
    image: str = ""
    namespace: str = ""


def read(folder: Path) -> ProjectSession:
    """Return the project's session, an empty one when there is no file.

    Raises:
        UsageError: The file does not parse, or a member is not a string.
    """
    document = files.read_json(folder / FILE, FILE)
    if document is None:
        return ProjectSession()
    return ProjectSession(
        registry=document.optional("registry"),
        username=document.optional("username"),
        image=document.optional("image"),
        namespace=document.optional("namespace"),
    )


def host_of(session: ProjectSession) -> str:
    """Return the registry's `host[:port]` of a session; empty when it has none.

    A registry that its kind does not name is known by the image's name.
    """
    try:
        kind = kinds.named(session.registry)
        image = Name.parse(session.image) if session.image else None
    except ValueError:
        return ""
    host = image.host.lower() if image and image.host else kind.host
    return DOCKER_HUB if host in DOCKER_HUB_HOSTS else host


def stored(text: str) -> Setting[str] | None:
    """Return a member of the session as a setting; None when it is empty."""
    return Setting(text, FILE) if text else None


def serialize(session: ProjectSession) -> str:
    """Return the file's text, byte for byte as Wheels' `serializeJSON` writes it."""
    return json.dumps(asdict(session), separators=(",", ":"), ensure_ascii=False)


def write(folder: Path, session: ProjectSession) -> Path:
    """Write the session to the project's folder, and return the file.

    Raises:
        OSError: It cannot be written; the old file is unchanged.
    """
    import secrets  # noqa: PLC0415 - a push only reads

    path = folder / FILE
    target = path.resolve()
    # replaced as a whole: two logins at once leave what one of them wrote
    draft = target.with_name(f".{FILE}.{secrets.token_hex(4)}")
    try:
        draft.write_text(serialize(session), encoding="utf-8")
        if target.exists():
            draft.chmod(stat.S_IMODE(target.stat().st_mode))
        draft.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    return path


def why_not_written(folder: Path) -> str:
    """Return why the session cannot be written to a folder; empty if it can.

    Nothing is written to find out.
    """
    if not folder.is_dir():
        return "the folder does not exist"
    if not os.access(folder, os.W_OK | os.X_OK):
        return "this user has no write permission there"
    return ""
