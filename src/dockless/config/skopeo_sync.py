"""The YAML of `skopeo sync --src yaml`: registries, and which of their images; skopeo-sync(1)."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec.structs import replace

from dockless.config import files
from dockless.config.document import Value, without_any_login
from dockless.config.semver_range import Constraint
from dockless.errors import UsageError
from dockless.model.listed import SyncItem, SyncRegistry, WrongEntry, login_in
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Name, is_registry

_KNOWN = frozenset({"images", "images-by-tag-regex", "images-by-semver", "credentials",
                    "tls-verify", "cert-dir"})  # fmt: skip
Reading = Callable[[SyncItem, Value], Iterator[SyncItem | WrongEntry]]
"""Yields the images of a repository by what a list has of it; raises UsageError."""


def read(path: Path) -> tuple[SyncItem | WrongEntry, ...]:
    """Return the entries of a list, in order; a wrong one has its error, and harms no other.

    Raises:
        UsageError: The file cannot be read, or is not YAML; the error has the position.
    """
    document = files.read_yaml(path, str(path))
    if document is None:
        raise UsageError(f"There is no list {path}.", "Check the path.")
    return tuple(
        found for host, entry in document.mapping().items() for found in _registry(host, entry)
    )


def _registry(host: str, entry: Value) -> Iterator[SyncItem | WrongEntry]:
    try:
        _refuse_login(host)
        if not is_registry(host.partition("/")[0]):
            raise _wrong(entry, "is not a registry host", "Write it as HOST.DOMAIN or HOST:PORT.")
        members = entry.mapping()
        verify, folder = entry.get("tls-verify"), entry.optional("cert-dir")
        registry = SyncRegistry(
            host=host,
            insecure=verify is not None and not verify.boolean(),
            cert_dir=Path(folder) if folder else None,
            credential=_credential(entry.get("credentials")),
        )
    except UsageError as error:
        yield WrongEntry(text=without_any_login(host), origin=entry.place, error=error)
        return
    for key, member in members.items():
        if key not in _KNOWN:
            unknown = _wrong(member, "is not a known key of an image list", "See skopeo-sync(1).")
            yield WrongEntry(text=host, origin=member.place, error=unknown)
    for key, of in (
        ("images", _named),
        ("images-by-tag-regex", _matching),
        ("images-by-semver", _allowed),
    ):
        try:
            repositories = tuple(_members(entry, key))
        except UsageError as error:
            yield WrongEntry(text=host, origin=members[key].place, error=error)
            continue
        for repository, value in repositories:
            yield from _repository(registry, repository, value, of)


def _repository(
    registry: SyncRegistry, repository: str, value: Value, of: Reading
) -> Iterator[SyncItem | WrongEntry]:
    wanted = SyncItem(
        registry=registry, repository=f"{registry.host}/{repository}", origin=value.place
    )
    try:
        _refuse_login(repository)
        _check(wanted.repository, value)
        yield from of(wanted, value)
    except UsageError as error:
        text = f"{registry.host}/{without_any_login(repository)}"
        yield WrongEntry(text=text, origin=value.place, error=error)


def _named(wanted: SyncItem, tags: Value) -> Iterator[SyncItem | WrongEntry]:
    """Yield the images whose tags and digests are in a list, which stands for all where empty."""
    if not tags.items():
        yield replace(wanted, choice=_any)
        return
    named: list[tuple[str, str]] = []
    wrong: list[WrongEntry] = []
    for tag in tags.items():
        name = wanted.repository
        try:
            text = tag.scalar()
            _refuse_login(text)
            [name] = replace(wanted, named=(text,)).references()
            _check(name, tag)
        except UsageError as error:
            wrong.append(WrongEntry(text=name, origin=tag.place, error=error))
        else:
            named.append((tag.scalar(), tag.place))
    if named:
        texts, places = zip(*named, strict=True)
        yield replace(wanted, named=texts, places=places)
    yield from wrong


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


def _matching(wanted: SyncItem, rule: Value) -> Iterator[SyncItem]:
    try:
        pattern = re.compile(rule.text())
    except re.error as error:
        raise _wrong(rule, f"is not a regular expression: {error}") from None
    except (OverflowError, RecursionError):
        why = "is not a usable regular expression: it repeats or nests too much"
        raise _wrong(rule, why) from None
    yield replace(wanted, choice=lambda tag: pattern.search(tag) is not None)


def _allowed(wanted: SyncItem, rule: Value) -> Iterator[SyncItem]:
    try:
        choice = Constraint(rule.scalar()).allows
    except ValueError:
        raise _wrong(rule, "is not a version constraint", "Write it as '>= 1.2, < 2'.") from None
    yield replace(wanted, choice=choice)


def _refuse_login(text: str) -> None:
    """Raise UsageError for a login in a registry, repository or tag, without showing it."""
    if without_any_login(text) != text:
        raise login_in("This entry")


def _check(name: str, value: Value) -> None:
    try:
        Name.parse(name)
    except ValueError as error:
        raise _wrong(value, f"makes {name!r}, which is not an image name: {error}") from None


def _wrong(value: Value, problem: str, remedy: str = "Correct it there.") -> UsageError:
    return UsageError(f"`{value.key}` {problem}.", remedy)
