"""`docker-config.json`: what `dockless login` stores of a registry, never a password."""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from dockless.config import files
from dockless.config.setting import Setting
from dockless.errors import UsageError
from dockless.model import kinds
from dockless.oci.reference import Name, registry_host
from dockless.oci.untrusted_json import parse_json
from dockless.processes.regular import write_all
from dockless.storage.drafts import draft_of

FILE = "docker-config.json"
_OF_DOCKER = ("auths", "credHelpers", "credsStore", "HttpHeaders", "proxies", "currentContext")


class ProjectSession(Struct, frozen=True, kw_only=True):
    """The file's four members, in its order; empty where nothing is known."""

    registry: str = ""
    username: str = ""
    image: str = ""
    namespace: str = ""


_MEMBERS = ProjectSession.__struct_fields__


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
    return registry_host(host)


def stored(text: str) -> Setting[str] | None:
    """Return a member of the session as a setting; None when it is empty."""
    return Setting(text, FILE) if text else None


def serialize(session: ProjectSession, others: Mapping[str, object] | None = None) -> str:
    """Return the file's text, byte for byte as Wheels' `serializeJSON` writes it.

    Args:
        session: The members of dockless.
        others: Members that follow them.
    """
    members = asdict(session) | dict(others or {})
    text = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
    # JSON may escape a lone surrogate, which UTF-8 does not have
    return text if _is_unicode(text) else json.dumps(members, separators=(",", ":"))


def write(folder: Path, session: ProjectSession) -> Path:
    """Write the session to the project's folder, and return the file.

    Members that dockless does not know are kept.

    Raises:
        UsageError: There is a file that is not dockless's; see `refuse_foreign`.
        OSError: It cannot be written; the old file is unchanged.
    """
    others = refuse_foreign(folder)
    _replace(_target(folder), serialize(session, others))
    return folder / FILE


def clear(folder: Path) -> None:
    """Remove the session from the project's folder: the file, or its members where it has others.

    Raises:
        UsageError: The file is not dockless's; see `refuse_foreign`.
        OSError: It cannot be removed or written.
    """
    others = refuse_foreign(folder)
    if others:
        _replace(_target(folder), serialize(ProjectSession(), others))
    else:
        _target(folder).unlink(missing_ok=True)


def refuse_foreign(folder: Path) -> Mapping[str, object]:
    """See that the file may be written and removed: that it is dockless's, or not there.

    Other programs have files of this name: docker, kubectl and kaniko keep logins in them. A file
    is dockless's if it is regular, or a link to a regular file inside the folder, and a JSON object
    whose members `registry`, `username`, `image` and `namespace` are text. With other members it is
    dockless's only if `registry` is empty or a kind of registry, and none of the others is one of
    docker's config.json.

    Returns:
        The members that dockless does not know.

    Raises:
        UsageError: It is not dockless's.
    """
    target = _target(folder)
    if not target.is_relative_to(os.path.realpath(folder)):
        raise _foreign(folder, f"it is a link out of this folder, to {target}")
    try:
        read(folder)
        text = files.read_text(folder / FILE, FILE)
    except UsageError as error:
        raise _foreign(folder, error.what.rstrip(".")) from None
    content: dict[str, object] = {} if text is None else parse_json(text)
    others = {name: each for name, each in content.items() if name not in _MEMBERS}
    if of_docker := next(filter(others.__contains__, _OF_DOCKER), ""):
        raise _foreign(folder, f"it has `{of_docker}`, which belongs to docker's config.json")
    if others and not _is_kind(content.get("registry")):
        raise _foreign(folder, "it has unknown members, and no `registry` that dockless knows")
    return others


def why_not_written(folder: Path) -> str:
    """Return why the session cannot be written to a folder; empty if it can.

    Nothing is written to find out.
    """
    if not folder.is_dir():
        return "the folder does not exist"
    if not os.access(_target(folder).parent, os.W_OK | os.X_OK):
        return "this user has no write permission there"
    return ""


def _target(folder: Path) -> Path:
    """Return the file that is written: the one that a link leads to."""
    return Path(os.path.realpath(folder / FILE))


def _replace(target: Path, text: str) -> None:
    # replaced as a whole: two logins at once leave what one of them wrote
    with draft_of(target, 0o666) as (descriptor, draft):
        write_all(descriptor, text.encode())
        if target.exists():
            os.fchmod(descriptor, stat.S_IMODE(target.stat().st_mode))
        draft.replace(target)


def _foreign(folder: Path, why: str) -> UsageError:
    return UsageError(
        f"{folder / FILE} is left as it is: {why}.",
        "Move it and log in again, or give --image and --username to pushes from this folder.",
    )


def _is_kind(registry: object) -> bool:
    return registry == "" or any(registry == each.name for each in kinds.KINDS)


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
