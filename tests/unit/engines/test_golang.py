import base64
import hashlib
import json
import os
import shlex
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.engines import golang
from dockless.engines.golang import build_crane, clean_environment, module_sum
from dockless.engines.releases import CRANE_SOURCE, GoSource
from dockless.engines.tampering import TamperedError
from dockless.errors import EngineError

TOP = f"{CRANE_SOURCE.module}@v{CRANE_SOURCE.version}"
FILES = {"go.mod": b"module crane\n", "go.sum": b"", "cmd/crane/main.go": b"package main\n"}
POISON = {
    "GOFLAGS": "-mod=mod -insecure",
    "GONOSUMDB": "*",
    "GOPRIVATE": "*",
    "GONOPROXY": "*",
    "GOINSECURE": "*",
    "GONOSUMCHECK": "1",
    "GOWORK": "/poison/go.work",
    "GOENV": "/poison/env",
    "GOROOT": "/poison/root",
    "GOTOOLCHAIN": "go1.99.0+auto",
    "GOAUTH": "/poison/login",
    "GOCACHEPROG": "/poison/cache",
    "GOMODCACHE": "/poison/modules",
    "GOPATH": "/poison/path",
    "CGO_ENABLED": "1",
    "CGO_CFLAGS": "-DPOISON",
    "GOOS": "plan9",
    "AWS_SECRET_ACCESS_KEY": "known",
}
GO = """#!/bin/sh
printf '%s\\n' "$PWD" "$*" >> {log}/calls
env > "{log}/env.$1"
case "$1" in
env) printf '%s\\n' {version} {proxy}; exit {env_code} ;;
mod)
    echo "go: downloading" >&2
    cp {archive} "$TMPDIR/module.zip" 2>/dev/null
    printf '%s' {answer} | sed "s|ZIP|$TMPDIR/module.zip|"
    exit {mod_code} ;;
build)
    cp go.sum {log}/go.sum
    for word; do test "$before" = -o && cp /bin/true "$word"; before=$word; done
    echo {words} >&2
    exit {build_code} ;;
esac
"""


def archive(folder: Path, files: dict[str, bytes], top: str = TOP) -> Path:
    path = folder / "module.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, data in files.items():
            packed.writestr(f"{top}/{name}", data)
    return path


class Go:
    """A script that stands in for Go, and what it is asked."""

    def __init__(self, folder: Path, files: dict[str, bytes] | None = None, top: str = TOP) -> None:
        self.folder = folder
        self.files = FILES if files is None else files
        self.zip = archive(folder, self.files, top)
        self.source: GoSource = replace(CRANE_SOURCE, checksum=module_sum(self.zip))
        self.notes: list[str] = []
        self.scratch = folder / "scratch"
        self.scratch.mkdir()

    def build(self, **says: object) -> Path:
        given = {
            "version": "go1.26.8",
            "proxy": "https://proxy.example",
            "env_code": 0,
            "mod_code": 0,
            "build_code": 0,
            "answer": json.dumps({"Zip": "ZIP"}),
            "words": "",
            "archive": self.zip,
            "log": self.folder,
        }
        script = GO.format_map(
            {key: shlex.quote(str(text)) for key, text in (given | says).items()}
        )
        program = self.folder / "go"
        program.write_text(script)
        program.chmod(0o755)
        environment = {**POISON, "PATH": f"{self.folder}:/usr/bin:/bin", "HOME": "/home/poison"}
        return build_crane(self.scratch, self.source, environment, self.notes.append)

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    def given(self, command: str) -> dict[str, str]:
        lines = (self.folder / f"env.{command}").read_text().splitlines()
        given = dict(line.split("=", 1) for line in lines if "=" in line)
        # the shell's own
        return {key: given[key] for key in given.keys() - {"PWD", "OLDPWD", "SHLVL", "_"}}


@pytest.fixture
def go(tmp_path: Path) -> Go:
    return Go(tmp_path)


def test_the_sum_is_the_one_that_a_go_sum_has(tmp_path: Path) -> None:
    path = archive(tmp_path, {"b": b"2", "a/c": b"1"}, "m@v1")
    one, two = hashlib.sha256(b"1").hexdigest(), hashlib.sha256(b"2").hexdigest()
    listed = f"{one}  m@v1/a/c\n{two}  m@v1/b\n"
    encoded = base64.b64encode(hashlib.sha256(listed.encode()).digest()).decode()
    assert module_sum(path) == f"h1:{encoded}"


def test_source_of_the_right_sum_is_built_as_the_main_module(go: Go) -> None:
    program = go.build()
    assert program == go.scratch / "crane"
    assert program.read_bytes() == Path("/bin/true").read_bytes()
    scratch, source = str(go.scratch), str(go.scratch / "source")
    module = CRANE_SOURCE.module
    build = (
        "build -mod=readonly -modcacherw -trimpath -buildvcs=false -ldflags=-s -w "
        f"-X {module}/cmd/crane/cmd.Version=0.22.1 "
        f"-X {module}/pkg/v1/remote/transport.Version=0.22.1 -o {program} ./cmd/crane"
    )
    assert go.calls == [
        scratch,
        "env GOVERSION GOPROXY",
        scratch,
        f"mod download -json {module}@v0.22.1",
        source,
        build,
    ]
    unpacked = {
        str(path.relative_to(source)): path.read_bytes()
        for path in Path(source).rglob("*")
        if path.is_file()
    }
    assert unpacked == FILES
    assert [note.split()[0] for note in go.notes] == ["Fetching", "Its"]


@pytest.mark.parametrize("command", ["mod", "build"])
def test_nothing_of_the_users_settings_reaches_go_but_the_proxy(go: Go, command: str) -> None:
    go.build()
    given = go.given(command)
    scratch = go.scratch
    assert given == {
        "PATH": f"{go.folder}:/usr/bin:/bin",
        "HOME": str(scratch / "home"),
        "NETRC": "/home/poison/.netrc",
        "TMPDIR": str(scratch / "tmp"),
        "GOPATH": str(scratch / "go"),
        "GOMODCACHE": str(scratch / "modules"),
        "GOCACHE": str(scratch / "cache"),
        "GOENV": "off",
        "GOFLAGS": "-modcacherw",
        "GOPROXY": "https://proxy.example",
        "GOSUMDB": "off",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GO111MODULE": "on",
        "CGO_ENABLED": "0",
        "LC_ALL": "C",
    }


def test_the_users_settings_are_asked_where_modules_come_from(go: Go) -> None:
    go.build()
    asked, given = go.given("env"), go.given("build")
    assert asked.pop("GOENV") == "/poison/env"
    assert asked.pop("GOPROXY", "") == ""
    assert asked == {key: given[key] for key in asked}


@pytest.mark.parametrize(
    ("environment", "file"),
    [
        ({"HOME": "/home/me"}, "/home/me/.config/go/env"),
        ({"HOME": "/home/me", "XDG_CONFIG_HOME": "/x"}, "/x/go/env"),
        ({"HOME": "/home/me", "GOENV": "off"}, "off"),
    ],
)
def test_the_users_settings_are_where_go_keeps_them(
    environment: dict[str, str], file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert golang._settings_file(environment) == file


def test_the_way_to_the_proxy_is_kept() -> None:
    kept = {"https_proxy": "http://proxy", "NO_PROXY": "x", "SSL_CERT_FILE": "/ca", "NETRC": "/n"}
    found = clean_environment(Path("/scratch"), "direct", POISON | kept | {"HTTP_PROXY": ""})
    assert {key: found[key] for key in kept} == kept
    assert "HTTP_PROXY" not in found
    assert not {"GOPRIVATE", "GOAUTH", "AWS_SECRET_ACCESS_KEY", "GOOS"} & set(found)


def test_source_of_another_sum_is_not_built(go: Go) -> None:
    wanted = go.source.checksum
    archive(go.folder, FILES | {"go.sum": b"changed"})
    with pytest.raises(TamperedError, match=r"but h1:.* was expected") as caught:
        go.build()
    assert wanted in caught.value.what
    assert caught.value.exit_code == 7
    assert not any(call.startswith("build") for call in go.calls)
    assert not (go.scratch / "source").exists()


def test_no_zip_at_all_is_an_error(go: Go) -> None:
    go.zip.write_bytes(b"<html>Log in first.</html>")
    with pytest.raises(EngineError, match="is damaged"):
        go.build()


def test_a_zip_that_unpacks_to_too_much_is_an_error(
    go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockless.engines.golang._LIMIT", 10)
    with pytest.raises(EngineError, match="unpacks to more than"):
        go.build()


@pytest.mark.parametrize(
    ("files", "top"), [({"../../up": b""}, TOP), ({"go.mod": b""}, "example.com/other@v1")]
)
def test_names_outside_of_the_module_are_refused(
    tmp_path: Path, files: dict[str, bytes], top: str
) -> None:
    with pytest.raises(EngineError, match="outside of"):
        Go(tmp_path, files, top).build()


def test_a_dependency_of_another_sum_ends_the_build(go: Go) -> None:
    words = "go: downloading a v1\nverifying a@v1: checksum mismatch\nSECURITY ERROR"
    with pytest.raises(TamperedError, match="was changed: verifying a@v1: checksum mismatch"):
        go.build(words=words, build_code=1)


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        ({"version": "go1.24.9"}, "is go1.24.9, and crane 0.22.1 needs Go 1.25"),
        ({"version": "go1.9"}, "is go1.9, and crane 0.22.1 needs Go 1.25"),
        ({"version": "", "proxy": ""}, "too old to print its version"),
        ({"env_code": 2}, "cannot build crane"),
        (
            {"answer": '{"Error": "reading https://me:known@host/x: 410 Gone"}', "mod_code": 1},
            "cannot be downloaded: reading https://host/x: 410 Gone",
        ),
        ({"answer": "no JSON"}, "cannot be downloaded: go: downloading"),
        ({"answer": "[]"}, "cannot be downloaded"),
        ({"answer": '{"Zip": 5}'}, "cannot be downloaded"),
        (
            {"words": "# a/b\nx.go:1: no such thing", "build_code": 1},
            "built: x.go:1: no such thing",
        ),
        ({"build_code": 2}, "cannot be built: go ended with status 2"),
    ],
)
def test_a_go_that_fails_is_an_error_with_its_reason(
    go: Go, says: dict[str, object], complaint: str
) -> None:
    with pytest.raises(EngineError, match=complaint) as caught:
        go.build(**says)
    assert "known" not in str(caught.value)


@pytest.mark.parametrize("version", ["go1.25.0", "go1.25rc1", "go2.0", "devel +1234"])
def test_a_go_that_is_new_enough_or_does_not_say_is_tried(go: Go, version: str) -> None:
    assert go.build(version=version).exists()


def test_without_go_there_is_an_error_that_says_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="there is no go on PATH") as caught:
        build_crane(tmp_path, CRANE_SOURCE, {"PATH": os.devnull}, print)
    assert "Go 1.25 or newer" in caught.value.remedy


def test_a_file_name_cannot_stand_for_several_lines_of_the_sum(tmp_path: Path) -> None:
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"x/a.go\n{'0' * 64}  x/b.go", b"package a")
    with pytest.raises(EngineError, match="line break"):
        module_sum(path)
