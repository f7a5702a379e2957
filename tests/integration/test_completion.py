"""Completion in the real shells, with the one command that is documented."""

import shutil
import subprocess
from pathlib import Path

import pexpect
import pytest

from bed.dockless import SCRIPT, Dockless, dockless

pytestmark = pytest.mark.laptop

LINES = {
    "dockless push --image=registry.ex": "dockless push --image=registry.example.com/",
    "dockless push lay:shop:v": "dockless push lay:shop:v2 ",
    "dockless bundle verify la": "dockless bundle verify lay/",
}


@pytest.fixture
def program(tmp_path: Path) -> Dockless:
    made = dockless(tmp_path)
    layout = made.project / "lay"
    layout.mkdir()
    (layout / "index.json").write_text(
        '{"manifests": [{"annotations": {"org.opencontainers.image.ref.name": "shop:v2"}}]}'
    )
    (made.project / "config").mkdir()
    (made.project / "config/deploy.yml").write_text(
        "service: shop\nregistry: {server: registry.example.com}\n"
    )
    return made


def environment(program: Dockless) -> dict[str, str]:
    own = program.environment()
    return {**own, "PATH": f"{SCRIPT.parent}:{own['PATH']}", "PS1": "", "TERM": "dumb"}


_SHELLS = {
    "bash": ("--norc", "--noprofile"),
    "zsh": ("-f", "-i"),
}
_BEGIN = {
    "bash": "PS1=; bind 'set enable-bracketed-paste off'; ",
    "zsh": "PS1= RPS1= PROMPT_EOL_MARK=; unsetopt zle_bracketed_paste 2>/dev/null; "
    "autoload -Uz compinit; compinit -u; ",
}
# the line as it stands goes to a file, which no drawing of the terminal disturbs
_WRITE = {
    "bash": "write() { printf '%s' \"$READLINE_LINE\" > line; }; bind -x '\"\\C-o\": write'; ",
    "zsh": "write() { printf '%s' \"$BUFFER\" > line; }; zle -N write; bindkey '^O' write; ",
}


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_line_is_completed_at_a_terminal(program: Dockless, shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    child = pexpect.spawn(
        shell,
        list(_SHELLS[shell]),
        env=environment(program),
        cwd=str(program.project),
        encoding="utf-8",
        timeout=120,
    )
    try:
        child.sendline(
            f"{_BEGIN[shell]}{_WRITE[shell]}source <(dockless completion {shell}); echo rea''dy"
        )
        child.expect("ready")
        for typed, completed in LINES.items():
            written = program.project / "line"
            written.unlink(missing_ok=True)
            child.send(f"{typed}\t\x0f")
            child.send("\x15\n echo wri''tten\n")
            child.expect("written")
            assert written.read_text() == completed
    finally:
        child.close(force=True)


def test_fish_completes_a_line(program: Dockless) -> None:
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    asked = "; ".join(f"complete -C '{line}'" for line in LINES)
    done = subprocess.run(
        ("fish", "--no-config", "-c", f"dockless completion fish | source; {asked}"),
        env=environment(program),
        cwd=program.project,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    words = [each.partition("\t")[0] for each in done.stdout.splitlines()]
    assert words == [line.split()[-1] for line in LINES.values()], done.stderr
