"""One word has one meaning: no class, type alias or module of dockless has another one's name.

Classes that are private to a module count, too: whoever searches for one finds one. Names that
differ only in case and underscores, such as `Watch` and `_Watch`, count as one.

The lists of exceptions only get shorter: an entry that is no longer needed fails, too.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import dockless
from bed.syntax import trees

SOURCE = Path(dockless.__file__).parent

TYPES: dict[str, str] = {}
"""Names of classes and public aliases that stand for several things, and why they may: none."""

MODULES = {
    "bundle": "the command, its source, and its format",
    "cache": "the command, and its check by doctor",
    "client": "of one registry, and what `dockless.Client` is",
    "connection": "to a registry, looked at by doctor; to a host, by SSH",
    "connections": "what is open to registries, and the limit on how many",
    "credential_helper": "the command, and the protocol that it speaks",
    "doctor": "the command, and its output",
    "download": "of a blob from a registry, and of a file over HTTP",
    "files": "reading them: of a project, of a source, and of a host",
    "host_options": "for click, and as values",
    "hosts": "the command, its client, and its output",
    "login": "the command, its client, and the value that a keyring has",
    "logins": "their check by doctor, and how they are shown",
    "on_host": "engines there, and images there",
    "oci_layout": "one that is read, and one that is written",
    "options": "for click, and as values",
    "output": "of the command line, and of a program on a host",
    "programs": "running other programs, as each of three rooms needs it",
    "push": "the command, and the steps of it",
    "run": "a child process; the steps of a use case",
    "search": "on PATH, and in a folder of archives",
    "streams": "wrappers of byte streams, of sources and of the store",
}
"""Names of modules that stand several times, and what each is."""

FORBIDDEN = {
    "Answer": "Response",
    "Brake": "SharedBackoff",
    "Draft": "BlobDraft",
    "Entry": "MirrorItem, SecretEntry",
    "Equipment": "RemoteEngineSetup",
    "Errand": "HostJob",
    "Found": "SourceImage, FoundCredential",
    "Gauge": "ThroughputMeter",
    "Growing": "GrowingBlob",
    "Http": "HttpClient",
    "Inventory": "RepositoryReader",
    "Journal": "ResumeLog",
    "Ledger": "ReceiptWriter",
    "Means": "PushContext",
    "Metered": "LengthChecked",
    "Order": "PushRequest",
    "Pace": "RateLimiter",
    "Packer": "CompressionChooser",
    "Pass": "Authorization",
    "Patience": "RetryPolicy",
    "Place": "CredentialSource",
    "Rejoined": "Pushback",
    "Sender": "BlobClaims",
    "Stand": "RemoteEngineEnv",
    "Vault": "KeyringLogins",
    "Way": "TransferMethod, TokenSource",
    "Workplace": "Workdir",
    "HeadStart": "StreamedUploads",
    "WholeImages": "Mounts",
    "borrow": "mount",
    "bring": "upload",
    "bringers": "order_by_shared_blobs",
    "learn": "mark_present",
    "move": "tag, migrate",
    "obtain": "login_credential",
    "side_by_side": "map_concurrently",
    "vault": "open_keyring_logins",
    "ways": "token_sources",
}
"""Words that were names here, and what they have become."""


def _repeated(places: Mapping[str, list[str]]) -> set[str]:
    return {name for name, where in places.items() if len(where) > 1}


_ALIAS = re.compile("[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*")
"""What a type alias is called, and a constant is not."""


def _definitions(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield every class, and what stands in the module itself: attributes are no aliases."""
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    for node in tree.body:
        yield from ast.walk(node) if isinstance(node, ast.If) else [node]


def _defined(node: ast.AST) -> tuple[list[str], str]:
    """Return the types that a statement defines, and what type variables of it share."""
    match node:
        case ast.ClassDef(name=name):
            return [name], ""
        case ast.Assign(targets=targets, value=value):
            names = [each.id for each in targets if isinstance(each, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            names = [name]
        case _:
            return [], ""
    # a type variable has no meaning of its own: two of one definition are one word
    made = ast.unparse(value)
    shared = made if made.startswith("TypeVar(") else ""
    return [name for name in names if _ALIAS.fullmatch(name)], shared


def types(source: Path) -> set[str]:
    """Return the names that several classes and type aliases have; aliases only public ones."""
    places: dict[str, list[str]] = defaultdict(list)
    spellings: dict[str, set[str]] = defaultdict(set)
    for path, tree in trees(source):
        for node in {id(node): node for node in _definitions(tree)}.values():
            names, shared = _defined(node)
            for name in names:
                word = name.replace("_", "").casefold()
                spellings[word].add(name)
                if not shared or shared not in places[word]:
                    places[word].append(shared or path)
    return {name for word in _repeated(places) for name in spellings[word]}


def modules(source: Path) -> set[str]:
    """Return the names that several public modules have."""
    places = defaultdict(list)
    for path, _ in trees(source):
        if not (name := Path(path).stem).startswith("_"):
            places[name].append(path)
    return _repeated(places)


def forbidden(source: Path) -> set[str]:
    """Return what is called by a word that has been given up, as `file:name`."""
    found = set()
    for path, tree in trees(source):
        for node in ast.walk(tree):
            match node:
                case ast.ClassDef() | ast.FunctionDef():
                    names = {node.name}
                case ast.Assign() if node in tree.body:
                    names = {each.id for each in node.targets if isinstance(each, ast.Name)}
                case ast.alias():
                    names = {node.asname or ""}
                case _:
                    names = set()
            found |= {f"{path}:{name}" for name in names & set(FORBIDDEN)}
        if Path(path).stem in FORBIDDEN:
            found.add(f"{path}:{Path(path).stem}")
    return found


def test_no_two_classes_or_aliases_have_one_name() -> None:
    assert types(SOURCE) == set(TYPES)


def test_no_two_modules_have_one_name_without_a_reason() -> None:
    assert modules(SOURCE) == set(MODULES)


def test_words_that_were_given_up_stay_away() -> None:
    assert forbidden(SOURCE) == set()


def test_a_second_meaning_is_found(tmp_path: Path) -> None:
    for room in ("one", "two"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "plan.py").write_text("class Plan:\n    class _Part: ...\n")
    assert types(tmp_path) == {"Plan", "_Part"}
    assert modules(tmp_path) == {"plan"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("class Plan: ...", "Plan = dict[str, int]"),
        ("Plan = str", "Plan = int"),
        ("Plan = str", "Plan = str"),
        ('Plan = Literal["one", "two"]', "Plan: TypeAlias = Callable[[], None]"),
        ("class Plan: ...", 'Plan = TypeVar("Plan")'),
        ('Plan = TypeVar("Plan")', 'Plan = TypeVar("Plan", bound=int)'),
        ("if TYPE_CHECKING:\n    Plan = str", "class Plan: ..."),
    ],
)
def test_a_second_meaning_of_an_alias_is_found(tmp_path: Path, one: str, other: str) -> None:
    (tmp_path / "one.py").write_text(f"{one}\n")
    (tmp_path / "other.py").write_text(f"{other}\n")
    assert types(tmp_path) == {"Plan"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Watch", "_Watch"),
        ("Keyring", "KeyRing"),
        ("_BlobPlan", "__Blobplan"),
        ("OCILayout", "OciLayout"),
    ],
)
def test_a_name_that_differs_in_case_or_underscores_is_found(
    tmp_path: Path, one: str, other: str
) -> None:
    (tmp_path / "one.py").write_text(f"class {one}: ...\n")
    (tmp_path / "other.py").write_text(f"class {other}: ...\n")
    assert types(tmp_path) == {one, other}


@pytest.mark.parametrize(
    "text",
    [
        "_Plan = str",
        "PLAN = 1",
        'Plan = TypeVar("Plan")',
        "plan = 1",
        "class _Part:\n    Plan = str",
    ],
)
def test_a_name_that_may_stand_twice_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.py").write_text(f"{text}\n")
    (tmp_path / "other.py").write_text(f"{text}\n".replace("_Part", "_Piece"))
    assert types(tmp_path) == set()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("class Means: ...", "Means"),
        ("class Early:\n    def bring(self): ...", "bring"),
        ("Way = str", "Way"),
        ("from a import b as Ledger", "Ledger"),
    ],
)
def test_a_word_that_was_given_up_is_found(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "new.py").write_text(f"{text}\n")
    assert forbidden(tmp_path) == {f"new.py:{name}"}


def test_a_module_that_is_called_by_such_a_word_is_found(tmp_path: Path) -> None:
    (tmp_path / "vault.py").write_text("")
    assert forbidden(tmp_path) == {"vault.py:vault"}
