import shlex
import shutil
import string
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dockless.ssh.output import for_any_shell

SHELLS = [name for name in ("sh", "bash", "tcsh", "fish") if shutil.which(name)]
WORDS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30
)


@settings(max_examples=30, deadline=None)
@given(WORDS)
@example('it\'s "my" $(id) `id`; id #\\!%s\n\\101\\\\')
@example("-n")
@example("ünï → ☃")
def test_an_argument_arrives_as_it_is_whatever_shell_reads_it(word: str) -> None:
    line = for_any_shell(f"printf '<%s>' {shlex.quote(word)}")
    for name in SHELLS:
        done = subprocess.run((name, "-c", line), capture_output=True, check=True)
        assert done.stdout.decode() == f"<{word}>", name


def test_nothing_that_a_shell_would_read_is_in_the_line() -> None:
    line = for_any_shell("".join(map(chr, range(1, 256))))
    written = line.removeprefix("""sh -c 'eval "$(printf "$0")"' '""").removesuffix("'")
    assert set(written) <= set(string.ascii_letters + string.digits + "/.,:=_- \\")


@pytest.mark.parametrize("name", SHELLS)
def test_the_status_of_the_script_is_the_status_of_the_line(name: str) -> None:
    assert subprocess.run((name, "-c", for_any_shell("exit 7")), check=False).returncode == 7
