"""The YAML of `skopeo sync --src yaml`: registries, and which of their images; skopeo-sync(1)."""

from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec.structs import replace

from dockless.config import files
from dockless.config.document import MERGED, Value, without_any_login
from dockless.config.semver_range import Constraint
from dockless.errors import UsageError
from dockless.model.listed import SyncItem, SyncRegistry, WrongEntry, login_in
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Name, is_registry

_KNOWN = frozenset({"images", "images-by-tag-regex", "images-by-semver", "credentials",
                    "tls-verify", "cert-dir"})  # fmt: skip
# whoever reads an entry without one of these may send a password to another place
_SETTINGS = (_KNOWN | {MERGED}) - {"images", "images-by-tag-regex", "images-by-semver"}
_UNNAMED = "an entry"
_UNREADABLE = "\ufffd"
Reading = Callable[[SyncItem, Value], Iterator[SyncItem | WrongEntry]]
"""Yields the images of a repository by what a list has of it; raises UsageError."""


def read(path: Path) -> tuple[SyncItem | WrongEntry, ...]:
    """Return the entries of a list, in order; a wrong one has its error, and harms no other.

    Raises:
        UsageError: The file cannot be read, or is not YAML; the error has the position.
    """
    documents = [each for each in files.read_yaml_list(path) if not each.is_null]
    if len(documents) == 1:
        documents[0].mapping()
    return tuple(found for document in documents for found in _document(document))


def _document(document: Value) -> Iterator[SyncItem | WrongEntry]:
    try:
        registries = document.mapping()
    except UsageError as error:
        yield WrongEntry(text=_UNNAMED, origin=document.place, error=error)
        return
    yield from _faults(document)
    for host, entry in registries.items():
        yield from _registry(host, entry)


def _refuse_doubt(entry: Value, credentials: Value | None) -> None:
    """Raise the error of what says how a registry is reached."""
    of_registry = (each for each in entry.faults if each.key in _SETTINGS)
    for fault in (*of_registry, *(credentials.faults if credentials else ())):
        raise fault.error


def _faults(value: Value, prefix: str = "") -> Iterator[WrongEntry]:
    """Yield what of a map cannot be read."""
    for fault in value.faults:
        text = (
            f"{prefix}/{fault.name}" if prefix and fault.name else prefix or fault.name or _UNNAMED
        )
        yield WrongEntry(text=text, origin=fault.place, error=fault.error)


def _registry(host: str, entry: Value) -> Iterator[SyncItem | WrongEntry]:
    try:
        _refuse_login(host)
        if not is_registry(host.partition("/")[0]):
            raise _wrong(entry, "is not a registry host", "Write it as HOST.DOMAIN or HOST:PORT.")
        members = entry.mapping()
        credentials = entry.get("credentials")
        _refuse_doubt(entry, credentials)
        verify, folder = entry.get("tls-verify"), entry.optional("cert-dir")
        registry = SyncRegistry(
            host=host,
            insecure=verify is not None and not verify.boolean(),
            cert_dir=Path(folder) if folder else None,
            credential=_credential(credentials),
        )
    except UsageError as error:
        yield WrongEntry(text=without_any_login(host), origin=entry.place, error=error)
        return
    yield from _faults(entry, host)
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
            named = entry.get(key)
            repositories = named.mapping() if named else {}
        except UsageError as error:
            yield WrongEntry(text=host, origin=members[key].place, error=error)
            continue
        if named:
            yield from _faults(named, host)
        for repository, value in repositories.items():
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


def _credential(entry: Value | None) -> Credential | None:
    if entry is None:
        return None
    username, password = entry.optional("username"), entry.optional("password")
    if _UNREADABLE in username + password:
        raise _wrong(entry, "has a character that is not UTF-8, or that YAML does not allow")
    return Credential(username=username, password=Secret(password), origin=entry.origin)


def _any(tag: str) -> bool:
    return bool(tag)


def _matching(wanted: SyncItem, rule: Value) -> Iterator[SyncItem]:
    from dockless.config.tag_pattern import TagPattern  # noqa: PLC0415 - rare

    text = rule.text()
    try:
        pattern = TagPattern(text)
    except ValueError as error:
        raise _wrong(rule, f"is not a regular expression of RE2: {error}") from None
    except RecursionError:
        raise _wrong(rule, "is not a usable regular expression: it nests too deeply") from None

    def choice(tag: str) -> bool:
        try:
            return pattern.matches(tag)
        except ValueError as error:
            raise _wrong(rule, f"cannot be used: {error}") from None

    yield replace(wanted, choice=choice)


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
