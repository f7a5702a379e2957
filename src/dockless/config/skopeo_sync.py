"""The YAML of `skopeo sync --src yaml`: registries, and which of their images; skopeo-sync(1)."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from dockless.config import files
from dockless.config.document import Value
from dockless.config.semver_range import Constraint
from dockless.errors import UsageError
from dockless.model.listed import Choice, SyncItem, SyncRegistry
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Name

_KNOWN = frozenset({"images", "images-by-tag-regex", "images-by-semver", "credentials",
                    "tls-verify", "cert-dir"})  # fmt: skip


def read(path: Path) -> tuple[SyncItem, ...]:
    """Return the entries of a list, in order.

    Raises:
        UsageError: The file is not such a list; the error has the position.
    """
    document = files.read_yaml(path, str(path))
    if document is None:
        raise UsageError(f"There is no list {path}.", "Check the path.")
    return tuple(
        wanted for host, entry in document.mapping().items() for wanted in _registry(host, entry)
    )


def _registry(host: str, entry: Value) -> Iterator[SyncItem]:
    for key, member in entry.mapping().items():
        if key not in _KNOWN:
            raise _wrong(member, "is not a known key of an image list", "See skopeo-sync(1).")
    verify, folder = entry.get("tls-verify"), entry.optional("cert-dir")
    registry = SyncRegistry(
        host=host,
        insecure=verify is not None and not verify.boolean(),
        cert_dir=Path(folder) if folder else None,
        credential=_credential(entry.get("credentials")),
    )
    for repository, tags in _members(entry, "images"):
        named = tuple(tag.scalar() for tag in tags.items())
        places = tuple(tag.place for tag in tags.items())
        choice = None if named else _any
        wanted = SyncItem(
            registry=registry,
            repository=f"{host}/{repository}",
            origin=tags.place,
            named=named,
            choice=choice,
            places=places,
        )
        yield _checked(wanted, tags)
    for key, of in (("images-by-tag-regex", _matching), ("images-by-semver", _allowed)):
        for repository, rule in _members(entry, key):
            wanted = SyncItem(
                registry=registry,
                repository=f"{host}/{repository}",
                origin=rule.place,
                choice=of(rule),
            )
            yield _checked(wanted, rule)


def _members(entry: Value, key: str) -> Iterable[tuple[str, Value]]:
    found = entry.get(key)
    return found.mapping().items() if found else ()


def _credential(entry: Value | None) -> Credential | None:
    if entry is None:
        return None
    username, password = entry.optional("username"), entry.optional("password")
    return Credential(username=username, password=Secret(password), origin=entry.origin)


def _any(tag: str) -> bool:
    return bool(tag)


def _matching(rule: Value) -> Choice:
    try:
        pattern = re.compile(rule.text())
    except re.error as error:
        raise _wrong(rule, f"is not a regular expression: {error}") from None
    except (OverflowError, RecursionError):
        why = "is not a usable regular expression: it repeats or nests too much"
        raise _wrong(rule, why) from None
    return lambda tag: pattern.search(tag) is not None


def _allowed(rule: Value) -> Choice:
    try:
        return Constraint(rule.scalar()).allows
    except ValueError:
        raise _wrong(rule, "is not a version constraint", "Write it as '>= 1.2, < 2'.") from None


def _checked(wanted: SyncItem, value: Value) -> SyncItem:
    for name in (wanted.repository, *wanted.references()):
        try:
            Name.parse(name)
        except ValueError as error:
            raise _wrong(value, f"makes {name!r}, which is not an image name: {error}") from None
    return wanted


def _wrong(value: Value, problem: str, remedy: str = "Correct it there.") -> UsageError:
    return UsageError(f"`{value.key}` in {value.place} {problem}.", remedy)
