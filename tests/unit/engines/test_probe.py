import re
from pathlib import Path

import pytest

from dockless.engines.probe import probe, select, trust_policy, version
from dockless.errors import EngineError

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}

CRANE = """\
Available Commands:
  digest      Get the digest of an image
  registry
  tag         Efficiently tag a remote image
Flags:
      --insecure   Allow image references to be fetched without TLS
      --index      push a collection of images as a single index
"""
SKOPEO = """\
Flags:
  -a, --all                 Copy all images if SOURCE-IMAGE is a list
      --dest-authfile string  path of the authentication file
      --dest-cert-dir PATH  use certificates at PATH
      --dest-no-creds       Access the registry anonymously
      --dest-tls-verify     require HTTPS
      --digestfile string   Write the digest of the pushed image
      --multi-arch string   How to handle multi-architecture images
      --preserve-digests    Preserve digests of images and lists
      --src-authfile string path of the authentication file
"""


def engine(path: Path, output: str, code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{output}END\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_a_crane_that_shows_all_is_usable(tmp_path: Path) -> None:
    abilities = probe("crane", engine(tmp_path / "crane", CRANE), ENVIRONMENT)
    assert not abilities.unusable
    assert abilities.features == {"digest", "registry", "tag", "--insecure", "--index"}
    assert abilities.policy is None


def test_a_crane_needs_no_registry_of_its_own(tmp_path: Path) -> None:
    path = engine(tmp_path / "crane", CRANE.replace("  registry\n", ""))
    abilities = probe("crane", path, ENVIRONMENT)
    assert not abilities.unusable
    assert "registry" not in abilities.features


@pytest.mark.parametrize("line", CRANE.splitlines()[3:4] + CRANE.splitlines()[5:])
def test_a_crane_that_lacks_what_a_push_needs_is_unusable(tmp_path: Path, line: str) -> None:
    path = engine(tmp_path / "crane", CRANE.replace(f"{line}\n", ""))
    assert f"it lacks {line.split(maxsplit=1)[0]}." in probe("crane", path, ENVIRONMENT).unusable


def test_a_skopeo_of_a_push_is_usable(tmp_path: Path) -> None:
    assert not probe("skopeo", engine(tmp_path / "skopeo", SKOPEO), ENVIRONMENT).unusable


@pytest.mark.parametrize("line", SKOPEO.splitlines()[2:])
def test_a_skopeo_that_lacks_what_a_push_needs_is_unusable(tmp_path: Path, line: str) -> None:
    path = engine(tmp_path / "skopeo", SKOPEO.replace(f"{line}\n", ""))
    [option] = re.findall("--[a-z-]+", line)
    assert f"it lacks {option}." in probe("skopeo", path, ENVIRONMENT).unusable


def test_an_option_in_a_description_does_not_count(tmp_path: Path) -> None:
    path = engine(tmp_path / "crane", CRANE.replace("  tag  ", "  other  use tag  "))
    assert "it lacks tag" in probe("crane", path, ENVIRONMENT).unusable


def test_an_engine_that_fails_is_unusable(tmp_path: Path) -> None:
    path = engine(tmp_path / "crane", CRANE, code=3)
    assert "failed with exit status 3" in probe("crane", path, ENVIRONMENT).unusable


def test_a_program_of_another_machine_is_unusable(tmp_path: Path) -> None:
    path = tmp_path / "crane"
    path.write_bytes(b"\x7fELF nothing that runs")
    path.chmod(0o755)
    assert "cannot be started" in probe("crane", path, ENVIRONMENT).unusable


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("skopeo version 1.9.3\n", "1.9.3"),
        ("0.21.9\n", "0.21.9"),
        ("v0.20.3-dev\n", "0.20.3-dev"),
        ("could not determine build information\n", ""),
    ],
)
def test_the_version_is_read_from_what_engines_say(
    tmp_path: Path, output: str, expected: str
) -> None:
    assert version("crane", engine(tmp_path / "crane", output), ENVIRONMENT) == expected


def test_the_version_of_a_program_that_does_not_run_is_unknown(tmp_path: Path) -> None:
    assert version("crane", tmp_path / "absent", ENVIRONMENT) == ""


def test_the_users_policy_stands_in_for_the_systems(tmp_path: Path) -> None:
    system = tmp_path / "policy.json"
    home = tmp_path / "home"
    users = home / ".config/containers/policy.json"
    assert trust_policy({"HOME": str(home)}, system) is None
    system.touch()
    assert trust_policy({"HOME": str(home)}, system) == system
    users.parent.mkdir(parents=True)
    users.touch()
    assert trust_policy({"HOME": str(home)}, system) == users
    assert trust_policy({}, system) == system


def test_an_unusable_program_on_path_gives_way_to_our_own(tmp_path: Path) -> None:
    old = engine(tmp_path / "bin/crane", CRANE.replace("--index", "--other"))
    ours = engine(tmp_path / "own/crane", CRANE)
    environment = {"PATH": f"{old.parent}:/usr/bin:/bin"}
    assert select("crane", ours.parent, environment).path == ours


def test_no_usable_engine_is_an_error_with_each_reason(tmp_path: Path) -> None:
    old = engine(tmp_path / "bin/crane", CRANE.replace("--index", "--other"))
    environment = {"PATH": f"{old.parent}:/usr/bin:/bin"}
    with pytest.raises(EngineError) as caught:
        select("crane", tmp_path / "own", environment)
    assert caught.value.what == f"{old} is too old: it lacks --index."
    assert "dockless tools install" in caught.value.remedy


def test_a_missing_engine_is_an_error_that_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="skopeo is neither on PATH nor in") as caught:
        select("skopeo", tmp_path, {"PATH": ""})
    assert caught.value.exit_code == 7


def test_an_engine_that_is_only_asked_sees_nothing_of_the_users_environment(
    tmp_path: Path,
) -> None:
    path = engine(tmp_path / "crane", CRANE)
    path.write_text(path.read_text().replace("cat ", f"env >> {tmp_path}/seen\ncat ", 1))
    environment = ENVIRONMENT | {"HOME": str(tmp_path), "FROM_THE_VAULT": "hunter2"}
    assert not probe("crane", path, environment).unusable
    version("crane", path, environment)
    assert "HOME=" in (tmp_path / "seen").read_text()
    assert "hunter2" not in (tmp_path / "seen").read_text()


def test_a_policy_in_a_home_that_may_not_be_entered_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exists(path: Path) -> bool:
        if path.is_relative_to(tmp_path / "home"):
            raise PermissionError(13, "Permission denied", str(path))
        return True

    monkeypatch.setattr(Path, "exists", exists)
    system = tmp_path / "policy.json"
    assert trust_policy({"HOME": str(tmp_path / "home")}, system) == system
