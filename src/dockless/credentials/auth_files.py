"""The files in which Docker and the containers tools keep logins, read and never written.

Docker's `config.json` and containers' `auth.json` have one format (containers-auth.json(5)), and
one reader here takes both; members that only one of them knows are harmless in the other. What
docker (28.3 or newer) reads of `DOCKER_AUTH_CONFIG` has a part of that format.
"""

import base64
import contextlib
import os
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field, to_builtins
from msgspec.structs import replace

from dockless.credentials.helpers import Helper, is_name
from dockless.credentials.login_keys import scope, scopes
from dockless.errors import UsageError
from dockless.model.login import Login
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Repository, docker_key
from dockless.oci.untrusted_json import first_value, folded, parse_json, shaped
from dockless.processes.regular import read_regular

VARIABLE = "DOCKER_AUTH_CONFIG"
_SESSIONS = Path("/run/containers")
_OURS = "dockless"  # our own helper, which asks the keyring that was asked before


class _File(Struct, frozen=True):
    """The three parts of a file that matter here, each empty when it is not there."""

    auths: dict[str, object] = {}
    cred_helpers: dict[str, str | None] = field(default={}, name="credhelpers")
    creds_store: str = field(default="", name="credsstore")


class _AuthEntry(Struct, frozen=True, kw_only=True):
    """A login in a file."""

    auth: str = ""
    username: str = ""
    password: str = ""
    identitytoken: str = ""


class _VariableEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A login in the variable."""

    auth: str


class _Variable(Struct, frozen=True, forbid_unknown_fields=True):
    """What the variable may have; docker takes nothing of one that has more."""

    auths: dict[str, object] | None = None


def docker_file(environment: Mapping[str, str], home: Path) -> Path:
    """Return the path of Docker's file."""
    return Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def containers_files(environment: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """Return the paths of containers' files; one that was named replaces the usual ones."""
    named = environment.get("REGISTRY_AUTH_FILE")
    if named:
        return (Path(named),)
    # Without a login session podman and skopeo keep their logins under /run/containers.
    runtime = environment.get("XDG_RUNTIME_DIR")
    session = Path(runtime) / "containers" if runtime else _SESSIONS / str(os.getuid())
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    return session / "auth.json", config / "containers" / "auth.json"


def read(path: Path, repository: Repository) -> tuple[Credential | Helper, ...]:
    """Return a file's credentials for a repository, the best first; none when there is no file.

    If a helper is named for this registry, only that is used, and the entries only where it fails.
    A helper for every registry comes first; after it the entries for the repository, for its
    namespaces and for its host.

    Raises:
        UsageError: The file, or an entry that is meant for the repository, cannot be read.
    """
    config = _load(path)
    helper = _helper(config, repository.host, path)
    if helper is not None and not helper.optional:
        with contextlib.suppress(UsageError):
            helper = replace(helper, spare=tuple(_entries(config.auths, repository, path)))
        return (helper,)
    found = tuple(_entries(config.auths, repository, path))
    return (replace(helper, spare=found), *found) if helper else found


def read_variable(environment: Mapping[str, str], host: str) -> Credential | None:
    """Return what the variable has for a registry, under the one key that docker looks for.

    Raises:
        UsageError: It is not what docker takes.
    """
    entry = _load_variable(environment).get(docker_key(host))
    credential = None if entry is None else _credential(entry, VARIABLE)
    return credential if credential and credential.password else None


def listed(environment: Mapping[str, str], home: Path, closed: list[UsageError]) -> Iterator[Login]:
    """Yield every login that the variable and the files have or name a helper for, without secrets.

    Args:
        environment: Has the variable, and names the files.
        home: The user's home.
        closed: Gets the error of the variable, and of each file, that cannot be read.
    """
    yield from listed_variable(environment, closed)
    for path in (docker_file(environment, home), *containers_files(environment, home)):
        try:
            yield from _listed(path)
        except UsageError as error:
            closed.append(error)


def listed_variable(environment: Mapping[str, str], closed: list[UsageError]) -> Iterator[Login]:
    """Yield every login that the variable has; see `listed`."""
    try:
        yield from _logins(_load_variable(environment), VARIABLE)
    except UsageError as error:
        closed.append(error)


def _listed(path: Path) -> Iterator[Login]:
    config = _load(path)
    yield from _logins(config.auths, str(path))
    for key, name in config.cred_helpers.items():
        if name and name != _OURS:
            yield Login(scope=scope(key), username="", place=f"docker-credential-{name}")


def _logins(auths: Mapping[str, object], place: str) -> Iterator[Login]:
    for key, entry in auths.items():
        credential = _credential(entry or {}, place)
        if credential and (credential.password or credential.identity_token):
            yield Login(scope=scope(key), username=credential.username, place=place)


def _helper(config: _File, host: str, path: Path) -> Helper | None:
    for key, name in config.cred_helpers.items():
        if scope(key) == host.lower():
            # An empty name exempts the host from the helper for every registry.
            return _named(name, key, path, optional=False)
    return _named(config.creds_store, docker_key(host), path, optional=True)


def _named(name: str | None, server: str, path: Path, *, optional: bool) -> Helper | None:
    """Return the helper of this name; None for no name, and for our own.

    Raises:
        UsageError: It is not a name. A path would run a program from another folder.
    """
    if not name or name == _OURS:
        return None
    if not is_name(name):
        raise UsageError(
            f"{path} names the credential helper {name!r}, which is not a helper's name.",
            "Write what follows docker-credential- in the name of a program on PATH.",
        )
    return Helper(name=name, server=server, optional=optional)


def _entries(auths: dict[str, object], repository: Repository, path: Path) -> Iterator[Credential]:
    wanted = scopes(repository)
    # The narrowest first; among equals the key that is written as podman writes it.
    keys = sorted(
        (key for key in auths if scope(key) in wanted),
        key=lambda key: (wanted.index(scope(key)), key != scope(key)),
    )
    for key in keys:
        credential = _credential(auths[key] or {}, str(path))
        if credential is None:
            raise UsageError(
                f"The entry for {key} in {path} is not a login.",
                "Log in there again, or remove the entry.",
            )
        if credential.password or credential.identity_token:
            yield credential


def _credential(entry: object, origin: str) -> Credential | None:
    """Return an entry's credential, with an empty password if it has none; None if invalid."""
    try:
        login = shaped(_filled(shaped(entry, dict[str, object])), _AuthEntry)
        # Go's decoder skips line ends, with which base64(1) wraps
        wrapped = login.auth.replace("\r", "").replace("\n", "")
        pair = base64.b64decode(wrapped, validate=True).decode(errors="surrogateescape")
    except ValueError:
        return None
    username, password, token = login.username, login.password, login.identitytoken
    if login.auth:
        username, colon, password = pair.partition(":")
        password = password.strip("\0")  # which old versions of Docker padded it with
        if not colon:
            return None
    return Credential(
        username=username,
        password=Secret(password),
        identity_token=Secret(token) if token else None,
        origin=origin,
    )


def _load_variable(environment: Mapping[str, str]) -> dict[str, object]:
    """Return the entries of the variable, each with a login; none where it is unset or empty."""
    auths = _parse_variable(environment.get(VARIABLE, "").strip() or "{}")
    if auths is None:
        why = 'is not JSON of the form {"auths": {"HOST": {"auth": "…"}}} alone'
    else:
        pairs = {key: _credential(entry, VARIABLE) for key, entry in auths.items()}
        wrong = [key for key, login in pairs.items() if login is None or not login.username]
        if not wrong:
            return auths
        why = f"has no username and password for {wrong[0]}"
    raise UsageError(
        f"{VARIABLE} {why}, so nothing of it is used, as in docker.",
        "Write in `auth` the base64 of USERNAME:PASSWORD, and no other members, or unset it.",
    )


def _parse_variable(text: str) -> dict[str, object] | None:
    try:
        value = parse_json(text)
        auths = shaped(folded({} if value is None else value), _Variable).auths or {}
        return {
            key: to_builtins(shaped(folded(entry), _VariableEntry)) for key, entry in auths.items()
        }
    except ValueError:
        return None


def _load(path: Path) -> _File:
    """Return what a file says; nothing when it is not there."""
    try:
        data = read_regular(path)
    except FileNotFoundError:
        data = b""
    except OSError as error:
        # podman as root closes the folder of all sessions to everybody else
        if not (isinstance(error, PermissionError) and path.is_relative_to(_SESSIONS)):
            raise UsageError(
                f"{path} cannot be read: {error.strerror}.",
                "Make it readable, or give --username with --password-stdin.",
            ) from None
        data = b""
    config = _parse(data if data.removeprefix(BOM_UTF8).strip() else b"{}")
    if config is None:
        # Raised here, where the parser's own error, which holds the text, is gone.
        raise UsageError(
            f"{path} is not a file of registry logins in JSON.",
            "Repair or remove it, or give --username with --password-stdin.",
        )
    return config


def _parse(data: bytes) -> _File | None:
    try:
        value = parse_json(first_value(data))
        members = shaped({} if value is None else value, dict[str, object])
        return shaped(_filled(members), _File)
    except ValueError:
        return None


def _filled(members: Mapping[str, object]) -> dict[str, object]:
    """Return the members that are not empty: null, for one, is what Go's programs write.

    Their names are in lower case, as Go finds fields whatever their case is.
    """
    return {name.lower(): value for name, value in members.items() if value}
