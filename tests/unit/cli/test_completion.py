"""What shells are answered, in the protocol of click; the shells themselves are in integration."""

import importlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from dockless.cli.main import _ASKED_BY_SHELL, main
from dockless.cli.main import dockless as program
from dockless.errors import UsageError
from dockless.report.completion_scripts import SCRIPTS, VARIABLE

importlib.import_module("dockless.cli.completion")  # as the program does, when a shell asks

Complete = Callable[..., list[str]]


@pytest.fixture
def complete(project: Path, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """Return the completions of a command line's last word, as bash puts them in."""
    (project / "bin").mkdir()
    monkeypatch.setenv("PATH", str(project / "bin"))

    def asked(line: str, **extra: str) -> list[str]:
        environment = {
            _ASKED_BY_SHELL: "bash_complete",
            "COMP_LINE": line,
            "COMP_WORDBREAKS": " \t\n\"'@><=;|&(:",  # bash's own
            **extra,
        }
        done = CliRunner().invoke(program, [], env=environment, complete_var=_ASKED_BY_SHELL)
        assert done.exit_code == 0, done.output
        return done.stdout.split()

    return asked


def plain(*words: str) -> list[str]:
    return [f"plain,{word}" for word in words]


@pytest.fixture
def tools(project: Path, complete: Complete) -> None:
    """Container tools that have images."""
    del complete
    for name, images in (("docker", "shop:v1 acme/web:2"), ("podman", "localhost/shop:v2")):
        tool = project / "bin" / name
        tool.write_text(f"#!/bin/sh\nprintf '%s\\n' {images}\n")
        tool.chmod(0o755)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("dockless pu", ("push",)),
        ("dockless push --regi", ("--registry",)),
        ("dockless push --registry ", ("acr", "dockerhub", "ecr", "gcr", "ghcr", "private")),
        ("dockless push --registry g", ("gcr", "ghcr")),
        ("dockless push --registry=g", ("gcr", "ghcr")),
        ("dockless login --registry d", ("dockerhub",)),
        ("dockless login --keyring k", ("kernel", "kernel-user")),
        ("dockless push --engine s", ("skopeo",)),
        ("dockless bundle cr", ("create",)),
        ("dockless completion ", ("bash", "zsh", "fish")),
        ("dockless push --help-", ("--help-all",)),
    ],
)
def test_options_and_their_values_are_completed(
    complete: Complete, line: str, words: tuple[str, ...]
) -> None:
    assert complete(line) == plain(*words)


@pytest.mark.parametrize(
    ("breaks", "words"),
    [(" :=", ("v3",)), (" =", ("a:v3",)), (" ", ("a:v3",)), (" \"':", ("v3",))],
)
def test_bash_keeps_what_it_takes_for_other_words(
    complete: Complete, project: Path, breaks: str, words: tuple[str, ...]
) -> None:
    layout(project / "lay", "a:v3")
    typed = "dockless push 'lay:a:"
    before = "lay:" if ":" not in breaks else ""
    assert complete(typed, COMP_WORDBREAKS=breaks) == plain(*(f"{before}{each}" for each in words))


@pytest.mark.parametrize("command", ["push", "mirror", "bundle create -o x"])
def test_a_source_is_an_image_of_a_tool_or_a_file(
    complete: Complete, project: Path, tools: None, command: str
) -> None:
    del tools
    (project / "shop.tar").touch()
    (project / "shops").mkdir()
    (project / "other.tar").touch()
    assert complete(f"dockless {command} sh") == plain("shop.tar", "shop:v1", "shop:v2", "shops/")
    assert complete(f"dockless {command} oth") == ["file,oth"]  # the shell knows files best
    assert complete(f"dockless {command} shop:") == plain("v1", "v2")
    assert complete(f"dockless {command} docker-daemon:a") == plain("acme/web:2")


def docker_archive(path: Path, *names: str) -> None:
    data = json.dumps([{"Config": "c", "RepoTags": list(names), "Layers": []}]).encode()
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("manifest.json")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))


def layout(path: Path, *names: str) -> None:
    path.mkdir()
    notes = [{"annotations": {"org.opencontainers.image.ref.name": name}} for name in names]
    (path / "index.json").write_text(json.dumps({"manifests": notes}))


def test_an_image_of_an_archive_or_layout_is_completed(complete: Complete, project: Path) -> None:
    docker_archive(project / "two.tar", "shop:v1", "team/web:2")
    layout(project / "lay", "v3", "ghcr.io/acme/shop:v4")
    (project / "text").write_text("no archive")
    assert complete("dockless push two.tar:") == plain("shop:v1", "team/web:2")
    assert complete("dockless push two.tar:shop:") == plain("v1")
    assert complete("dockless push ./lay:") == plain("ghcr.io/acme/shop:v4", "v3")
    assert complete("dockless push text:") == ["file,"]
    assert complete("dockless push absent.tar:") == ["file,"]


def test_registries_are_those_of_logins_and_of_the_project(
    complete: Complete, project: Path, empty_home: Path
) -> None:
    (project / "config").mkdir()
    (project / "config/deploy.yml").write_text(
        "service: shop\nregistry: {server: registry.example.com}\nservers: [web1, 'me@web2:2222']\n"
    )
    (project / "config/deploy.staging.yml").touch()
    (empty_home / ".docker").mkdir()
    (empty_home / ".docker/config.json").write_text(
        '{"auths": {"https://index.docker.io/v1/": {"auth": "bTpw"}, "ghcr.io": {"auth": "bTpw"}}}'
    )
    known = ("docker.io", "ghcr.io", "registry.example.com")
    for command in ("logout", "login", "whoami", "doctor", "mirror --to", "push --to"):
        assert complete(f"dockless {command} ") == plain(*known), command
    assert complete("dockless mirror x --to g") == plain("ghcr.io")
    assert complete("dockless push --image re") == plain("registry.example.com/")
    assert complete("dockless push -d s") == plain("staging")
    assert complete("dockless push --remote --host w") == plain("web1", "web2:2222")
    assert complete("dockless hosts --host root@w") == plain("web1", "web2:2222")


def test_hosts_are_those_of_ssh_config_too(complete: Complete, empty_home: Path) -> None:
    (empty_home / ".ssh/conf.d").mkdir(parents=True)
    (empty_home / ".ssh/config").write_text(
        "Include conf.d/*\nHost build1 build2 *.example.com !x\n  User me\nhost=other\n"
    )
    (empty_home / ".ssh/conf.d/more").write_text('Host "far"\nInclude conf.d/more\n')
    assert complete("dockless push --host ") == plain("build1", "build2", "far", "other")
    assert complete("dockless push --host me@b") == plain("build1", "build2")


@pytest.mark.parametrize("content", ["{", "servers: 3\n", "a: &a [*a]\n"])
def test_files_that_cannot_be_read_complete_nothing(
    complete: Complete, project: Path, empty_home: Path, content: str
) -> None:
    (project / "config").mkdir()
    (project / "config/deploy.yml").write_text(content)
    (empty_home / ".docker").mkdir()
    (empty_home / ".docker/config.json").write_text(content)
    (empty_home / ".ssh").mkdir()
    (empty_home / ".ssh/config").mkdir()
    for line in ("login ", "push --image ", "push --host ", "mirror --to "):
        assert complete(f"dockless {line}") == []


def test_a_tool_that_hangs_or_fails_hides_no_other(
    complete: Complete, project: Path, tools: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del tools
    monkeypatch.setattr("dockless.diagnosis.candidates._SECONDS", 0.5)
    monkeypatch.setenv("PATH", f"{project / 'bin'}:/bin:/usr/bin")
    (project / "bin/docker").write_text("#!/bin/sh\nexec sleep 60\n")
    (project / "bin/nerdctl").write_text("#!/bin/sh\nexit 1\n")
    (project / "bin/nerdctl").chmod(0o755)
    assert "plain,shop:v2" in complete("dockless push sh")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_for_the_shell_that_is_named_or_used(
    shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    assert CliRunner().invoke(program, ["completion"]).stdout == SCRIPTS[shell]
    monkeypatch.setenv("SHELL", "/bin/sh")
    assert CliRunner().invoke(program, ["completion", shell]).stdout == SCRIPTS[shell]
    assert VARIABLE == _ASKED_BY_SHELL
    assert isinstance(CliRunner().invoke(program, ["completion"]).exception, UsageError)


@pytest.mark.parametrize(
    ("shell", "extra"),
    [
        ("bash", {}),
        ("bash", {"COMP_WORDS": "dockless pu", "COMP_CWORD": "1"}),
        ("zsh", {}),
        ("zsh", {"COMP_LINE": "dockless pu"}),
        ("zsh", {"COMP_WORDS": "dockless pu", "COMP_CWORD": "one"}),
        ("fish", {}),
        ("fish", {"COMP_WORDS": "dockless pu"}),
        ("fish", {"COMP_CWORD": "pu"}),
    ],
)
def test_a_variable_without_a_question_of_a_shell_ends_quietly(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    shell: str,
    extra: dict[str, str],
) -> None:
    for name in ("COMP_LINE", "COMP_WORDS", "COMP_CWORD"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {VARIABLE: f"{shell}_complete", **extra}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["dockless"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, *capsys.readouterr()) == (0, "", "")
