"""Names from outside that command terminals, given to every command that shows one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bed import hostile
from bed.dockless import Dockless, Result, dockless

pytestmark = pytest.mark.sampled(19)

EVIL = {
    "a window's title": "evil\x1b]0;pwned\x07",
    "a screen that is cleared": "evil\x9b2J\x1bc",
    "another order": "evil\u202egnp.exe\u2066",
    "a made-up line": "evil\nError, all is well\r\x7f",
}


@pytest.fixture
def ours(tmp_path: Path) -> Dockless:
    return dockless(tmp_path / "dockless")


@pytest.fixture(params=list(EVIL.values()), ids=list(EVIL))
def evil(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _archive(ours: Dockless, name: str) -> Path:
    members = list(hostile.image(hostile.file("1/layer.tar", hostile.LAYER)))
    manifest = json.loads(members[-1][1])
    manifest[0]["RepoTags"] = [f"{name}:1", "good:1"]
    members[-1] = hostile.file("manifest.json", json.dumps(manifest).encode())
    path = ours.project / f"{name.replace('/', '-')}.tar"
    path.write_bytes(hostile.tar(*members))
    return path


def _config(ours: Dockless, name: str) -> None:
    folder = ours.home / ".docker"
    folder.mkdir()
    login = {"username": name, "password": "x"}
    (folder / "config.json").write_text(json.dumps({"auths": {f"h.example/{name}": login}}))


def _receipt(ours: Dockless, name: str) -> None:
    document = {"receiptVersion": name, "images": []}
    (ours.project / f"{name}.json").write_text(json.dumps(document))


def _servers(ours: Dockless, name: str) -> None:
    (ours.project / "config").mkdir()
    deploy = {"service": name, "image": f"a/{name}", "servers": [name]}
    (ours.project / "config/deploy.yml").write_text(json.dumps(deploy))


def _layout(ours: Dockless, name: str) -> Path:
    folder = ours.project / "layout"
    folder.mkdir()
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    kind = "application/vnd.oci.image.manifest.v1+json"
    root = {"mediaType": kind, "digest": f"sha256:{'0' * 64}", "size": 2}
    called = {"io.containerd.image.name": name}
    index = {"schemaVersion": 2, "manifests": [{**root, "annotations": called}]}
    (folder / "index.json").write_text(json.dumps(index))
    return folder


def _bundle(ours: Dockless, name: str) -> Path:
    folder = _layout(ours, "other")
    locked = {"name": name, "source": name, "mediaType": "x", "digest": f"sha256:{'1' * 64}"}
    images = [{**locked, "size": 2, "platforms": [], "blobs": []}]
    lock = {"lockVersion": 1, "images": images, "elsewhere": []}
    (folder / "bundle.lock.json").write_text(json.dumps(lock))
    return folder


def _explain(ours: Dockless, name: str) -> Result:
    session = {"registry": "private", "username": name, "image": f"h.example/a/{name}"}
    (ours.project / "docker-config.json").write_text(json.dumps(session))
    return ours.run("push", "--explain")


def _whoami(ours: Dockless, name: str) -> Result:
    _config(ours, name)
    return ours.run("whoami")


def _hosts(ours: Dockless, name: str) -> Result:
    _servers(ours, name)
    return ours.run("hosts")


def _verify(ours: Dockless, name: str) -> Result:
    _receipt(ours, name)
    return ours.run("verify", f"{name}.json")


def _tools(ours: Dockless, name: str) -> Result:
    folder = ours.folder / name
    folder.mkdir()
    program = folder / "crane"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' '{name}' >&2\nexit 1\n")
    program.chmod(0o755)
    path = f"{folder}:{ours.environment()['PATH']}"
    return Dockless(ours.folder, {"PATH": path}).run("tools", "list")


def _cache(ours: Dockless, name: str) -> Result:
    return Dockless(ours.folder, {"DOCKLESS_CACHE_DIR": str(ours.folder / name)}).run(
        "cache", "info"
    )


COMMANDS: dict[str, Callable[[Dockless, str], Result]] = {
    "push --all": lambda ours, name: ours.run(
        "push", _archive(ours, name), "--all", "--registry", "private", "--namespace", "q"
    ),
    "push NAME": lambda ours, name: ours.run("push", name, "--image", "127.0.0.1:1/a"),
    "push --explain": _explain,
    "mirror": lambda ours, name: ours.run("mirror", _archive(ours, name), "--to", "127.0.0.1:1/x"),
    "mirror --to": lambda ours, name: ours.run("mirror", "x.tar", "--to", name),
    "bundle create": lambda ours, name: ours.run(
        "bundle", "create", "-o", "b", _archive(ours, name)
    ),
    "bundle list": lambda ours, name: ours.run("bundle", "list", _layout(ours, name)),
    "bundle verify": lambda ours, name: ours.run("bundle", "verify", _bundle(ours, name)),
    "verify": _verify,
    "hosts": _hosts,
    "login": lambda ours, name: ours.run("login", name, "--username", name, "--password-stdin"),
    "logout": lambda ours, name: ours.run("logout", name),
    "whoami": _whoami,
    "doctor": lambda ours, name: ours.run("doctor", name),
    "cache": _cache,
    "tools list": _tools,
    "tools install": lambda ours, name: ours.run("tools", "install", "--from", name),
    "no command": lambda ours, name: ours.run(name),
    "no option": lambda ours, name: ours.run("push", f"--{name}"),
}


UNNAMED = ("hosts",)
"""Commands that do not repeat the name that is wrong."""


@pytest.mark.parametrize("command", COMMANDS)
def test_no_name_commands_a_terminal_or_makes_up_a_line(
    ours: Dockless, evil: str, command: str
) -> None:
    done = COMMANDS[command](ours, evil)
    shown = done.stdout + done.stderr
    assert "evil" in shown or command in UNNAMED
    assert all(line.isprintable() for line in shown.split("\n")), shown
    assert "\nError, all is well" not in shown
    assert done.code not in (70, 120)


@pytest.mark.parametrize(
    ("prepare", "arguments"),
    [
        (_layout, ("bundle", "list", "layout", "--format", "json")),
        (_config, ("whoami", "--format", "json")),
        (_servers, ("hosts", "--format", "json")),
    ],
)
def test_json_escapes_them_by_itself(
    ours: Dockless,
    evil: str,
    prepare: Callable[[Dockless, str], object],
    arguments: tuple[str, ...],
) -> None:
    prepare(ours, evil)
    done = ours.run(*arguments)
    assert all(line.isprintable() for line in done.stdout.split("\n"))
    if done.code == 0:
        assert evil in str(json.loads(done.stdout)) or evil in _texts(json.loads(done.stdout))


def _texts(document: object) -> str:
    if isinstance(document, dict):
        return " ".join(map(_texts, (*document.keys(), *document.values())))
    if isinstance(document, list):
        return " ".join(map(_texts, document))
    return str(document)


HIDDEN = "Imgpassw0rd1"
_OF_THE_OTHER_LINE = {"mirror": {6}, "bundle": {8}}
"""The codes of commands that go on with a list: nobody listens there, and a line is left out."""


@pytest.mark.parametrize("name", ["https://me:{}@127.0.0.1:9/x:1", "me:{}@127.0.0.1:9/x:1"])
@pytest.mark.parametrize(
    "argv",
    [
        ("push", "{archive}", "--image", "{name}"),
        ("push", "{archive}", "--image", "{name}", "--format", "json"),
        ("push", "{archive}", "--image", "{name}", "--explain"),
        ("push", "{name}", "--image", "127.0.0.1:9/x:1"),
        ("push", "docker://{name}", "--image", "127.0.0.1:9/x:1"),
        ("push", "{archive}", "--registry", "{name}"),
        ("push", "{archive}", "{name}", "--image", "127.0.0.1:9/x:1"),
        ("mirror", "{archive}", "--to", "{name}"),
        ("mirror", "{name}", "--to", "127.0.0.1:9", "--receipt", "r.json"),
        ("mirror", "docker://{name}", "--to", "127.0.0.1:9", "--receipt", "r.json"),
        ("mirror", "-f", "l.txt", "--to", "127.0.0.1:9", "--receipt", "r.json", "--retries", "0"),
        ("mirror", "{archive}", "--as", "{name}", "--to", "127.0.0.1:9", "--receipt", "r.json"),
        ("bundle", "create", "-o", "o.tar", "docker://{name}"),
        ("bundle", "create", "-o", "o.tar", "-f", "l.txt", "--keep-going"),
        ("login", "{name}", "--username", "me", "--password-stdin"),
        ("logout", "{name}"),
        ("doctor", "{name}"),
    ],
    ids=" ".join,
)
def test_a_password_in_a_name_is_not_shown(
    program: Dockless, packed: Path, name: str, argv: tuple[str, ...]
) -> None:
    text = name.format(HIDDEN)
    (program.project / "l.txt").write_text(f"{packed}\n{text}\n")
    filled = [each.format(archive=packed, name=text) for each in argv]
    done = program.run(*filled, stdin=b"x")
    assert done.code in (_OF_THE_OTHER_LINE[argv[0]] if "-f" in argv else {1, 2, 3}), done.stderr
    assert HIDDEN not in done.stdout + done.stderr
    for path in program.folder.rglob("*"):
        if path.is_file() and path.name != "l.txt":
            assert HIDDEN.encode() not in path.read_bytes(), path
