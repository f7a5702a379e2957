"""The rules and examples of docker's documentation of `.dockerignore`."""

from pathlib import Path

import pytest

from dockless.credentials.ignored import is_ignored


@pytest.mark.parametrize(
    ("rules", "name", "expected"),
    [
        ("", "key.json", False),
        ("# key.json", "key.json", False),
        ("key.json", "key.json", True),
        ("/key.json", "key.json", True),
        ("./key.json", "key.json", True),
        ("key.json", "sub/key.json", False),
        ("*/key.json", "sub/key.json", True),
        ("*/key.json", "sub/sub/key.json", False),
        ("**/key.json", "key.json", True),
        ("**/key.json", "sub/sub/key.json", True),
        ("*.json", "key.json", True),
        ("*.json", "sub/key.json", False),
        ("**/*.json", "a/b/key.json", True),
        ("secrets", "secrets/key.json", True),
        ("secrets/", "secrets/deep/key.json", True),
        ("secret", "secrets/key.json", False),
        ("key?.json", "key1.json", True),
        ("key?.json", "key.json", False),
        ("key[0-9].json", "key7.json", True),
        ("*\n!key.json", "key.json", False),
        ("*\n!other.json", "key.json", True),
        ("!key.json\n*", "key.json", True),
        ("*.json\n!key*.json\nkey-secret.json", "key-secret.json", True),
        ("a**z.json", "abcz.json", True),
        ("key.json.bak", "key.json", False),
        ("**", "a/key.json", True),
    ],
)
def test_a_rule_holds_as_docker_has_it(
    tmp_path: Path, rules: str, name: str, *, expected: bool
) -> None:
    (tmp_path / ".dockerignore").write_text(rules)
    assert is_ignored(tmp_path / name, tmp_path) is expected


def test_without_a_file_nothing_is_ignored(tmp_path: Path) -> None:
    assert not is_ignored(tmp_path / "key.json", tmp_path)


def test_every_tool_s_file_has_to_leave_it_out(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("key.json")
    (tmp_path / ".containerignore").write_text("other")
    assert not is_ignored(tmp_path / "key.json", tmp_path)
