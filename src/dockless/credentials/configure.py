"""Adding dockless's credential helper to the files of docker and of the containers tools.

`credHelpers` is the one member that is touched; everything else is unchanged, in its order.
The formats are those of docker's config.json and of containers-auth.json(5).
"""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from dockless.credentials import auth_files
from dockless.credentials.keyrings import FILE, SECRET_SERVICE, title
from dockless.errors import UsageError
from dockless.oci.reference import docker_key
from dockless.oci.untrusted_json import parse_json
from dockless.processes.regular import read_regular

HELPER = "dockless"
_MEMBER = "credHelpers"


class HelperFile(Struct, frozen=True):
    """A file in which other tools read which helper has a registry's login.

    Attributes:
        path: The file; it need not exist.
        key: Gives the name of a host in it.
    """

    path: Path
    key: Callable[[str], str]

    def check(self, host: str) -> None:
        """Check that the helper can be added for a host; nothing is written.

        Raises:
            UsageError: The file does not parse, cannot be written, or names another helper.
        """
        content, _ = self._read()
        if self.key(host) in self._helpers(content, host):
            return
        folder = Path(os.path.realpath(self.path)).parent
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            raise self._unwritable(f"this user has no write permission in {folder}")

    def add(self, host: str) -> str:
        """Add our helper for a host.

        Returns:
            A warning about the file, or empty.

        Raises:
            UsageError: The file does not parse, cannot be written, or names another helper.
        """
        content, indent = self._read()
        helpers, key = self._helpers(content, host), self.key(host)
        if key not in helpers:
            helpers[key] = HELPER
            self._write(content, indent)
        if _has_password(content, key):
            return (
                f"{self.path} still has an older password for {host} itself; "
                f"`docker logout {host}` or `podman logout {host}` removes it."
            )
        return ""

    def remove(self, host: str) -> bool:
        """Remove our helper; return whether it was named for the host.

        Raises:
            UsageError: The file does not parse, or cannot be written.
        """
        content, indent = self._read()
        helpers, key = content.get(_MEMBER, {}), self.key(host)
        if helpers.get(key) != HELPER:
            return False
        del helpers[key]
        if not helpers:
            del content[_MEMBER]
        try:
            self._write(content, indent)
        except UsageError as error:
            raise error.with_context(remedy="Make its folder writable.") from None
        return True

    def _helpers(self, content: dict[str, Any], host: str) -> dict[str, Any]:
        """Return the helpers that the file names; raise UsageError if another one has the host."""
        helpers: dict[str, Any] = content.setdefault(_MEMBER, {})
        if (name := helpers.get(self.key(host), HELPER)) != HELPER:
            raise UsageError(
                f"{self.path} already names the credential helper {name!r} for {host}.",
                "Remove that entry if dockless should replace it.",
            )
        return helpers

    def _read(self) -> tuple[dict[str, Any], str]:
        """Return the file's content, and what it is indented with."""
        try:
            text = read_regular(self.path).decode()
        except FileNotFoundError:
            return {}, "\t"
        except (OSError, UnicodeDecodeError) as error:
            remedy = "Make it readable, repair it or remove it."
            raise UsageError(f"{self.path} cannot be read: {_why(error)}.", remedy) from None
        content = _parse(text)
        if content is None:
            # raised here, where the parser's own error, which holds the text, is gone
            raise UsageError(
                f"{self.path} is not a file of registry logins in JSON.", "Repair or remove it."
            )
        found = re.search(r"\n([ \t]+)", text)
        return content, found[1] if found else "\t"

    def _write(self, content: dict[str, Any], indent: str) -> None:
        """Replace the file at once, or the file that a link leads to, keeping its mode."""
        path = self.path.resolve()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(_text(content, indent))
                    os.fchmod(file.fileno(), mode)
                Path(name).replace(path)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    Path(name).unlink()
                raise
        except OSError as error:
            raise self._unwritable(_why(error)) from None

    def _unwritable(self, why: str) -> UsageError:
        return UsageError(
            f"{self.path} cannot be written: {why}.",
            "Make its folder writable, or leave --configure-docker and --configure-containers out.",
        )


def helper_file(
    tool: Literal["docker", "containers"], environment: Mapping[str, str], home: Path
) -> HelperFile:
    """Return the file in which docker, or the containers tools, read who has a login.

    For these it is the one that `podman login` would write, since podman reads helpers there.
    """
    if tool == "docker":
        return HelperFile(auth_files.docker_file(environment, home), docker_key)
    named = environment.get("REGISTRY_AUTH_FILE")
    path = Path(named) if named else auth_files.containers_files(environment, home)[-1]
    return HelperFile(path, str)


def helper_files(
    environment: Mapping[str, str], home: Path, *, docker: bool = True, containers: bool = True
) -> tuple[HelperFile, ...]:
    """Return the files of those tools that are wanted."""
    tools: tuple[tuple[Literal["docker", "containers"], bool], ...] = (
        ("docker", docker),
        ("containers", containers),
    )
    return tuple(helper_file(tool, environment, home) for tool, wanted in tools if wanted)


def unseen_by_containers(choice: str, *, root: bool) -> str:
    """Return a warning where rootless podman and buildah cannot use a login; empty where they can.

    They start the helper in a user namespace, whose users the session bus rejects.

    Args:
        choice: The keyring that has the login, as `keyrings.backend` takes it.
        root: Whether the user is root, who needs no such namespace.
    """
    where = title(choice)
    if root or choice not in (SECRET_SERVICE, FILE):
        return ""
    if choice == FILE:
        return (
            f"Rootless podman and buildah find a login in the {where} only where DOCKLESS_KEYRING "
            "and DOCKLESS_KEYRING_PASSWORD are set for them; --keyring kernel needs neither."
        )
    return (
        f"Rootless podman and buildah cannot use a login in the {where}, which skopeo can; "
        "for them, log in with --keyring kernel."
    )


def _parse(text: str) -> dict[str, Any] | None:
    try:
        content = parse_json(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or not isinstance(content.get(_MEMBER, {}), dict):
        return None
    return content


def _text(content: dict[str, Any], indent: str) -> bytes:
    """Return the file's bytes, which are UTF-8 whatever the locale is."""
    try:
        return json.dumps(content, indent=indent, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # JSON may escape a lone surrogate, which UTF-8 does not have
        return json.dumps(content, indent=indent).encode()


def _has_password(content: dict[str, Any], key: str) -> bool:
    auths = content.get("auths")
    entry = auths.get(key) if isinstance(auths, dict) else None
    return isinstance(entry, dict) and any(map(entry.get, ("auth", "password", "identitytoken")))


def _why(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or "" if isinstance(error, OSError) else "it is not UTF-8"
