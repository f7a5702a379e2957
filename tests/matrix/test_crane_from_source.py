"""crane, built by a real Go: minutes of work, so it is part of `make matrix` alone."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dockless.engines.golang import build_crane, module_sum
from dockless.engines.probe import version
from dockless.engines.releases import CRANE_SOURCE, GoSource
from dockless.engines.tampering import TamperedError
from dockless.errors import EngineError

POISON = {
    "GOFLAGS": "-mod=mod -poison",
    "GONOSUMDB": "*",
    "GOPRIVATE": "*",
    "GOINSECURE": "*",
    "GOWORK": "/poison/go.work",
    "GOTOOLCHAIN": "go1.99.0",
}
TOOLS = "from dockless.cli.tools import tools; tools()"
MAIN = b'package main\n\nimport "example.com/words"\n\nfunc main() { print(words.Say()) }\n'
WORDS = b'package words\n\nfunc Say() string { return "right" }\n'


@pytest.mark.timeout(3600)
def test_the_newest_crane_is_built_from_checked_source_and_pushes(tmp_path: Path) -> None:
    own = tmp_path / "own"
    done = subprocess.run(
        (sys.executable, "-c", TOOLS, "install", "--from", "go"),
        capture_output=True,
        text=True,
        env={
            **{key: text for key, text in os.environ.items() if not key.startswith("DOCKLESS_")},
            **POISON,
            "DOCKLESS_TOOLS_DIR": str(own),
            "DOCKLESS_CACHE_DIR": str(tmp_path / "store"),
        },
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"{own / 'crane'}\n"), done.stderr
    assert "Its checksum is right." in done.stderr
    assert list(own.iterdir()) == [own / "crane"]
    environment = {"PATH": "/usr/bin:/bin"}
    assert version("crane", own / "crane", environment) == CRANE_SOURCE.version
    assert b"/.install-" not in (own / "crane").read_bytes()


def publish(proxy: Path, module: str, number: str, files: dict[str, bytes]) -> Path:
    """Put a module into a folder that Go takes for a module proxy."""
    folder = proxy / module / "@v"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number}.info").write_text(f'{{"Version": "{number}"}}')
    (folder / f"{number}.mod").write_bytes(files["go.mod"])
    path = folder / f"{number}.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, data in files.items():
            packed.writestr(f"{module}@{number}/{name}", data)
    return path


def sum_of_go_mod(tmp_path: Path, data: bytes) -> str:
    """Return the sum of a go.mod alone: that of a module with no other file, and no prefix."""
    path = tmp_path / "mod.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("go.mod", data)
    return module_sum(path)


@pytest.fixture
def source(tmp_path: Path) -> GoSource:
    """A program with one dependency, published in the folder `proxy`."""
    mod = b"module example.com/words\n\ngo 1.20\n"
    words = publish(
        tmp_path / "proxy", "example.com/words", "v1.0.0", {"go.mod": mod, "w.go": WORDS}
    )
    listed = (
        f"example.com/words v1.0.0 {module_sum(words)}\n"
        f"example.com/words v1.0.0/go.mod {sum_of_go_mod(tmp_path, mod)}\n"
    )
    files = {
        "go.mod": b"module example.com/main\n\ngo 1.20\n\nrequire example.com/words v1.0.0\n",
        "go.sum": listed.encode(),
        "cmd/main/main.go": MAIN,
    }
    archive = publish(tmp_path / "proxy", "example.com/main", "v1.0.0", files)
    return GoSource(
        version="1.0.0",
        module="example.com/main",
        package="./cmd/main",
        checksum=module_sum(archive),
        go=(1, 20),
        stamped=(),
    )


def built(tmp_path: Path, source: GoSource) -> Path:
    environment = {
        **POISON,
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GOPROXY": f"file://{tmp_path / 'proxy'}",
    }
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return build_crane(scratch, source, environment, lambda _: None)


def test_a_real_go_builds_what_has_the_right_sums(tmp_path: Path, source: GoSource) -> None:
    done = subprocess.run((built(tmp_path, source),), capture_output=True, check=True)
    assert done.stderr == b"right"


def test_a_real_go_refuses_a_dependency_that_was_changed(tmp_path: Path, source: GoSource) -> None:
    mod = (tmp_path / "proxy/example.com/words/@v/v1.0.0.mod").read_bytes()
    changed = {"go.mod": mod, "words.go": WORDS.replace(b"right", b"wrong")}
    publish(tmp_path / "proxy", "example.com/words", "v1.0.0", changed)
    with pytest.raises(TamperedError, match=r"example\.com/words@v1\.0\.0: checksum mismatch"):
        built(tmp_path, source)


def test_a_real_go_adds_no_dependency_that_has_no_sum(tmp_path: Path, source: GoSource) -> None:
    files = {
        "go.mod": b"module example.com/main\n\ngo 1.20\n\nrequire example.com/words v1.0.0\n",
        "cmd/main/main.go": MAIN,
    }
    archive = publish(tmp_path / "proxy", "example.com/main", "v1.0.0", files)
    without = GoSource(
        version=source.version,
        module=source.module,
        package=source.package,
        checksum=module_sum(archive),
        go=source.go,
        stamped=(),
    )
    with pytest.raises(EngineError, match=r"missing go\.sum entry"):
        built(tmp_path, without)


def test_source_that_was_changed_is_refused(tmp_path: Path, source: GoSource) -> None:
    archive = tmp_path / "proxy/example.com/main/@v/v1.0.0.zip"
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr("example.com/main@v1.0.0/cmd/main/more.go", b"package main\n")
    with pytest.raises(TamperedError, match=r"The source of crane 1\.0\.0 has the checksum h1:"):
        built(tmp_path, source)
