from pathlib import Path

import pytest

from dockless.config import skopeo_sync
from dockless.config.semver_range import Constraint
from dockless.config.source_lists import listed
from dockless.errors import UsageError
from dockless.model.listed import SyncItem, WrongEntry

LIST = r"""
registry.example.com:
    images:
        busybox: []
        redis:
            - "1.0"
            - 2.0
            - sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    images-by-tag-regex:
        nginx: ^1\.13\.[12]-alpine-perl$
    credentials:
        username: john
        password: this is a secret
    tls-verify: true
    cert-dir: /home/john/certs
quay.io:
    tls-verify: false
    images-by-semver:
        coreos/etcd: ">= 3.4, < 4"
"""
TAGS = (
    "1.13.1-alpine-perl",
    "1.13.3-alpine-perl",
    "latest",
    "v3.4.1",
    "3.5",
    "4.0.0",
    "3.4.0-rc.1",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.yml"


def test_skopeos_own_example_is_read(path: Path) -> None:
    path.write_text(LIST)
    wanted = [each for each in skopeo_sync.read(path) if isinstance(each, SyncItem)]
    host = "registry.example.com"
    assert [each.references(TAGS) for each in wanted] == [
        tuple(f"{host}/busybox:{tag}" for tag in TAGS),
        (f"{host}/redis:1.0", f"{host}/redis:2.0", f"{host}/redis@sha256:{'a' * 64}"),
        (f"{host}/nginx:1.13.1-alpine-perl",),
        ("quay.io/coreos/etcd:v3.4.1", "quay.io/coreos/etcd:3.5"),
    ]
    john, quay = wanted[0].registry, wanted[-1].registry
    assert john.credential
    assert (john.credential.username, john.credential.password.reveal()) == (
        "john",
        "this is a secret",
    )
    assert "this is a secret" not in repr(wanted)
    assert (john.cert_dir, john.insecure, quay.insecure) == (Path("/home/john/certs"), False, True)
    assert wanted[2].origin == f"{path}:10:16"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.io:\n  image:\n    x: [1]\n", ":3:5 `a.io.image` is not a known key of an image list"),
        (
            "a.io:\n  images:\n    X: [v1]\n",
            ":3:8 `a.io.images.X` makes 'a.io/X', which is not an image name",
        ),
        (
            "a.io:\n  images:\n    x: ['v 1']\n",
            ":3:9 `a.io.images.x[0]` makes 'a.io/x:v 1', which is not an image name",
        ),
        ("a.io:\n  images: [x]\n", "is a list, where a map is needed"),
        (
            "a.io:\n  images-by-tag-regex:\n    x: '('\n",
            "tag-regex.x` is not a regular",
        ),
        ("a.io:\n  images-by-tag-regex:\n    x: 'a{99999999999}'\n", "it repeats too often"),
        (f"a.io:\n  images-by-tag-regex:\n    x: 'b{{{10**30},}}'\n", "it repeats too often"),
        (
            f"a.io:\n  images-by-tag-regex:\n    x: '{'(' * 3000}{')' * 3000}'\n",
            "it nests too deeply",
        ),
        (
            "a.io:\n  images-by-semver:\n    x: new\n",
            ":3:8 `a.io.images-by-semver.x` is not a version",
        ),
        ("'b c':\n  images:\n    x: [v1]\n", ":2:3 `b c` is not a registry host"),
        ("quay:\n  images:\n    x: [v1]\n", ":2:3 `quay` is not a registry host"),
        ("a.io: x\n", "is text, where a map is needed"),
        ("a.io:\n  images:\n    x: v1\n", ":3:8 `a.io.images.x` in"),
        ("a.io:\n  tls-verify: maybe\n", "where true or false is needed"),
        ("a.io:\n  credentials: {username: 7}\n  images:\n    x: [v1]\n", "a number, where"),
    ],
)
def test_a_typo_is_found_with_its_line_and_column(path: Path, text: str, said: str) -> None:
    path.write_text(f"{text}z.io:\n  images:\n    good: [v1]\n")
    wrong, good = skopeo_sync.read(path)
    assert isinstance(wrong, WrongEntry)
    assert isinstance(good, SyncItem)
    assert good.references() == ("z.io/good:v1",)
    assert said in f"{wrong.origin.removeprefix(str(path))} {wrong.error.what}"


@pytest.mark.parametrize(
    ("tags", "good", "wrong"),
    [
        ("['a b', v1]", ["v1"], [("a.io/x:a b", "3:9")]),
        ("[v1, 'sha256:12', v2]", ["v1", "v2"], [("a.io/x@sha256:12", "3:13")]),
        ("[v1, {a: b}, '', 2]", ["v1", "2"], [("a.io/x", "3:13"), ("a.io/x:", "3:21")]),
        ("['-', '.']", [], [("a.io/x:-", "3:9"), ("a.io/x:.", "3:14")]),
    ],
)
def test_a_wrong_tag_stops_only_itself(
    path: Path, tags: str, good: list[str], wrong: list[tuple[str, str]]
) -> None:
    path.write_text(f"a.io:\n  images:\n    x: {tags}\n    y: [v1]\n")
    *found, last = skopeo_sync.read(path)
    assert isinstance(last, SyncItem)
    assert last.references() == ("a.io/y:v1",)
    named = [tag for each in found if isinstance(each, SyncItem) for tag in each.named]
    assert named == good
    assert all(each.choice is None for each in found if isinstance(each, SyncItem))
    assert [
        (each.text, each.origin.removeprefix(f"{path}:"))
        for each in found
        if isinstance(each, WrongEntry)
    ] == wrong


@pytest.mark.parametrize(
    ("text", "said"),
    [("a.io:\n  images:\n   x: [v1]\n  b: c: d\n", ":4:7 is not YAML"), ("- x\n", "is a list")],
)
def test_what_is_no_yaml_is_no_list(path: Path, text: str, said: str) -> None:
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        skopeo_sync.read(path)
    assert said in caught.value.what


@pytest.mark.parametrize(
    ("constraint", "allowed"),
    [
        (">= 3.4, < 4", {"v3.4.1", "3.5"}),
        ("^3.5", {"3.5"}),
        ("~3.4.0", {"v3.4.1"}),
        ("4.x || ~3.5.0", {"4.0.0", "3.5"}),
        ("3.4.0-rc.1", {"3.4.0-rc.1"}),
    ],
)
def test_a_constraint_allows_versions_and_no_other_tags(constraint: str, allowed: set[str]) -> None:
    assert set(filter(Constraint(constraint).allows, TAGS)) == allowed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("'u:S3cr3t@x.y': {images: {z: [a]}}", "***@x.y"),
        ("'u:S3 cr3t@x.y:5': {images: {z: [a]}}", "***@x.y:5"),
        ("'u:S3cr3t/@x.y': [a]", "***@x.y"),
        ("'x.y/u:S3cr3t@z': {images: 5}", "***@z"),
        ("a.io: {images: {'u:S3cr3t@x.y/z': [a]}}", "a.io/***@x.y/z"),
        ("a.io: {images: {'b/u:S3cr3t@x.y': []}}", "a.io/***@x.y"),
        ("a.io: {images-by-tag-regex: {'u:S3cr3t@x.y': a}}", "a.io/***@x.y"),
        ("a.io: {images-by-semver: {'u:S3cr3t@x.y': '1'}}", "a.io/***@x.y"),
        ("a.io: {images: {z: ['u:S3cr3t@x.y']}}", "a.io/z"),
        ("a.io: {images: {z: ['u: S3cr3t@x.y']}}", "a.io/z"),
        ("a.io: {'u:S3cr3t@x.y': {z: [a]}}", "a.io"),
        ("x.y:5: {credentials: {username: u, password: !S3cr3t x}}", "x.y:5"),
        ("x.y: {credentials: {username: !S3cr3t x}, images: {z: [a]}}", "x.y"),
        ("x.y: {credentials: {password: {S3cr3t: x}}, images: {z: [a]}}", "x.y"),
    ],
)
def test_a_login_is_an_error_of_its_entry_and_not_shown(path: Path, text: str, shown: str) -> None:
    path.write_text(f"{text}\nz.io: {{images: {{good: [v1]}}}}\n")
    wrong, good = (each.text if each.error else each.wanted for each in listed((), (path,)))
    assert wrong == shown
    assert isinstance(good, SyncItem)
    said = repr(tuple((each, each.error) for each in listed((), (path,))))
    assert "S3" not in said
    assert "cr3t" not in said


def places(found: tuple[SyncItem | WrongEntry, ...], path: Path) -> list[tuple[str, str]]:
    """Return what is wrong, each with its line and column."""
    return [
        (each.text, each.origin.removeprefix(f"{path}:"))
        for each in found
        if isinstance(each, WrongEntry)
    ]


def images(found: tuple[SyncItem | WrongEntry, ...]) -> list[str]:
    return [
        name for each in found if isinstance(each, SyncItem) for name in each.references(("any",))
    ]


BOMB = "a: [&a0 [x, x], " + ", ".join(
    f"&a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("? [a, b]\n: c", [("an entry", "1:3")], []),
        ("? {a: b}\n: {images: {x: [v1]}}", [("an entry", "1:3")], []),
        ("<<: 5", [("<<", "1:1")], []),
        ("<<: [1, 2]", [("<<", "1:1")], []),
        ("<<: [x]", [("<<", "1:1")], []),
        ("a.io: {images: {x: [v1]}}\na.io: {}", [("a.io", "2:1")], ["a.io/x:v1"]),
        ("a.io: {images: {x: [v1], x: [v2], y: [v3]}}", [("a.io/x", "1:26")],
         ["a.io/x:v1", "a.io/y:v3"]),
        ("a.io: {images: {<<: 5, y: [v3]}}", [("a.io/<<", "1:17")], ["a.io/y:v3"]),
        ("a.io: {images: {? [q] : [v1], y: [v3]}}", [("a.io", "1:19")], ["a.io/y:v3"]),
        ("a.io: {images: {y: [v3]}, images: {z: [v4]}}", [("a.io/images", "1:27")], ["a.io/y:v3"]),
        ("a.io: {? [q] : [v1], images: {y: [v3]}}", [("a.io", "1:10")], ["a.io/y:v3"]),
        ("a.io: {<<: 5, images: {y: [v3]}}", [("a.io", "1:7")], []),
        ("a.io: {tls-verify: true, tls-verify: false, images: {y: [v3]}}", [("a.io", "1:7")], []),
        ("a.io: {credentials: {username: u, username: v}, images: {y: [v3]}}",
         [("a.io", "1:7")], []),
        ("a.io: {credentials: {<<: 1}, images: {y: [v3]}}", [("a.io", "1:7")], []),
        ("&a a.io: &b {images: *b}", [("a.io", "1:1")], []),
        (f"a.io: {{images: {{y: [v3]}}, {BOMB}]}}", [("a.io/a", "1:27")], ["a.io/y:v3"]),
        ("a.io: {images: {y: [v\0]}}", [("a.io/y:v\ufffd", "1:21")], []),
        ("a.io: {credentials: {username: u, password: 'a\x07'}, images: {y: [v]}}",
         [("a.io", "1:7")], []),
        ("a.io: {images: {y: [v3]}}\n---\n- b\n---\nb.io: {images: {x: [v1]}}\n---\n",
         [("an entry", "3:1")], ["a.io/y:v3", "b.io/x:v1"]),
    ],
)  # fmt: skip
def test_a_wrong_member_stops_only_itself(
    path: Path, text: str, wrong: list[tuple[str, str]], right: list[str]
) -> None:
    path.write_text(
        f"{text}\n" if text.endswith("---") else f"{text}\nz.io: {{images: {{g: [v]}}}}\n"
    )
    found = skopeo_sync.read(path)
    assert places(found, path) == wrong
    assert images(found) == [*right, "z.io/g:v"]


def test_a_list_may_be_long(path: Path) -> None:
    tags = [f"v{number}" for number in range(20_001)]
    path.write_text(f"a.io:\n  images:\n    x: [{', '.join(tags)}]\n")
    [item] = skopeo_sync.read(path)
    assert isinstance(item, SyncItem)
    assert item.named == tuple(tags)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-16-be"])
def test_a_list_may_be_of_powershell(path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith("be") else ""
    path.write_bytes(f"{mark}a.io:\r\n  images: {{x: [v1]}} # \u00e4\r\n".encode(encoding))
    assert images(skopeo_sync.read(path)) == ["a.io/x:v1"]


@pytest.mark.parametrize(
    "text", [b"a.io: {images: {x: [v1]}} # \xe4\n", b"# \xff\0\na.io: {images: {x: [v1]}}"]
)
def test_a_comment_may_be_in_any_encoding(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    assert images(skopeo_sync.read(path)) == ["a.io/x:v1"]


@pytest.mark.parametrize(
    "pattern", ["^(a|a)*$", "(a+)+$", "(.*)*x$", "^(\\w|[a-z]|a){1,60}$", "(a?){50}a{50}$"]
)
def test_a_pattern_that_python_takes_for_ever_on_is_read(path: Path, pattern: str) -> None:
    path.write_text(f"a.io: {{images-by-tag-regex: {{x: '{pattern}'}}}}")
    [item] = skopeo_sync.read(path)
    assert isinstance(item, SyncItem)
    assert item.references((f"{'a' * 100}-", "-")) == ()


def test_a_pattern_that_takes_too_long_is_an_error_of_its_entry(path: Path) -> None:
    path.write_text("a.io: {images-by-tag-regex: {x: 'a[ab]{900}c$'}}")
    [item] = skopeo_sync.read(path)
    assert isinstance(item, SyncItem)
    digits = (f"{3**number:b}".replace("0", "a").replace("1", "b") for number in range(600, 620))
    with pytest.raises(UsageError, match="takes too long"):
        item.references(digits)
