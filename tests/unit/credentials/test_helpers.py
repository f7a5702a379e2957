from collections.abc import Callable
from pathlib import Path

import pytest

from dockless.credentials.helpers import Helper, ask, installed, is_name
from dockless.errors import AuthError
from dockless.model.secret import Credential, Secret

HELPER = Helper(name="test", server="registry.example:5000", optional=False)
LEAK = "leaked-password"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"PATH": f"{tmp_path}:/usr/bin:/bin"}


@pytest.fixture
def install(tmp_path: Path) -> Callable[[str], None]:
    def write(script: str) -> None:
        program = tmp_path / HELPER.program
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    return write


Install = Callable[[str], None]


def test_returns_what_the_helper_has(install: Install, environment: dict[str, str]) -> None:
    install("""echo '{"ServerURL": "x", "Username": "bob", "Secret": "pw"}'""")

    found = ask(HELPER, environment)

    assert found == Credential(
        username="bob", password=Secret("pw"), identity_token=None, origin="docker-credential-test"
    )


def test_asks_with_get_and_the_server_on_stdin(
    install: Install, environment: dict[str, str]
) -> None:
    install("""printf '{"Username": "%s", "Secret": "%s"}' "$*" "$(cat)" """)

    found = ask(HELPER, environment)

    assert found is not None
    assert (found.username, found.password.reveal()) == ("get", "registry.example:5000")


def test_keeps_its_own_secrets_from_the_helper(
    install: Install, environment: dict[str, str]
) -> None:
    install("""printf '{"Username": "bob", "Secret": "%s"}' "$DOCKLESS_PASSWORD" """)

    assert ask(HELPER, {**environment, "DOCKLESS_PASSWORD": "ours"}) is None


def test_a_token_is_an_identity_token(install: Install, environment: dict[str, str]) -> None:
    install("""echo '{"Username": "<token>", "Secret": "refresh"}'""")

    found = ask(HELPER, environment)

    assert found == Credential(
        username="",
        password=Secret(""),
        identity_token=Secret("refresh"),
        origin="docker-credential-test",
    )


@pytest.mark.parametrize(
    "script",
    [
        "echo credentials not found in native keychain; exit 1",
        """echo '{"Username": "", "Secret": ""}'""",
    ],
)
def test_a_helper_may_have_nothing(
    script: str, install: Install, environment: dict[str, str]
) -> None:
    install(script)

    assert ask(HELPER, environment) is None


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (f"echo {LEAK}", "not a credential"),
        ("true", "not a credential"),
        (f"""echo '["{LEAK}"]'""", "not a credential"),
        (f"""echo '{{"Username": "bob", "Secret": ["{LEAK}"]}}'""", "not a credential"),
        (f"""echo '{{"Username": "bob", "Secret": "{LEAK}"'""", "not a credential"),
        ("printf '\\377'", "not a credential"),
        (f"echo {LEAK} is locked; echo {LEAK} >&2; exit 1", "status 1"),
        ("echo credentials not found in native keychain", "not a credential"),
    ],
)
def test_a_helper_that_fails_is_named_and_not_quoted(
    script: str, why: str, install: Install, environment: dict[str, str]
) -> None:
    install(script)

    with pytest.raises(AuthError) as raised:
        ask(HELPER, environment)

    assert why in str(raised.value)
    assert_tells_no_secret(raised.value)


@pytest.mark.parametrize(
    "said",
    [
        "  credentials not found in native keychain \\r",
        "The specified item could not be found in the keychain.",
        "Element not found.",
        "No credentials found for registry.example:5000",
        "no stored credential for this server",
        "error: entry registry.example:5000 does not exist",
        "you are not logged in to registry.example:5000",
    ],
)
def test_other_words_for_nothing_are_known(
    said: str, install: Install, environment: dict[str, str]
) -> None:
    install(f"printf '%b' '{said}'; exit 1")

    assert ask(HELPER, environment) is None


@pytest.mark.parametrize(
    "said",
    [
        "no credentials server URL",
        "no credentials username",
        "pass not initialized: exit status 1: Error: password store is empty",
        'exec: "gpg": executable file not found in $PATH',
        "sh: pass: command not found",
        "the keychain is locked",
    ],
)
def test_words_for_trouble_are_no_words_for_nothing(
    said: str, install: Install, environment: dict[str, str]
) -> None:
    install(f"printf '%s' '{said}'; exit 1")

    with pytest.raises(AuthError, match="It ended with status 1"):
        ask(HELPER, environment)


@pytest.mark.parametrize(
    ("answer", "username"),
    [
        ('{"username": "bob", "secret": "pw"}', "bob"),
        ('{"USERNAME": "bob", "Secret": "pw"}', "bob"),
        ('{"ServerURL": null, "Username": "bob", "Secret": "pw"}\\ndone\\n', "bob"),
        ('\\r\\n {"Username": "bob", "Secret": "pw"}\\r\\n', "bob"),
        ('{"Secret": "pw"}', ""),
        ('{"Username": null, "Secret": "pw"}', ""),
    ],
)
def test_an_answer_is_read_as_go_reads_it(
    answer: str, username: str, install: Install, environment: dict[str, str]
) -> None:
    install(f"printf '%b' '{answer}'")

    found = ask(HELPER, environment)

    assert found is not None
    assert (found.username, found.password.reveal()) == (username, "pw")


@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize("source", ["/dev/zero", "yes"])
def test_an_endless_answer_is_cut(
    source: str, code: int, install: Install, environment: dict[str, str]
) -> None:
    endless = f"cat {source}" if source.startswith("/") else f"{source} {LEAK}"
    install(f"{endless}; exit {code}")

    with pytest.raises(AuthError, match="wrote more than the limit of 1048576 B") as raised:
        ask(HELPER, environment, timeout=120)

    assert_tells_no_secret(raised.value)


def test_an_answer_below_the_bound_is_read(install: Install, environment: dict[str, str]) -> None:
    blanks = "printf '%900000s' ' '"
    install(f"""{blanks}; echo '{{"Username": "bob", "Secret": "pw"}}'; {blanks} >&2""")

    assert ask(HELPER, environment) is not None


def test_a_helper_that_reads_nothing_is_asked(
    install: Install, environment: dict[str, str]
) -> None:
    install("""exec <&-; echo '{"Username": "bob", "Secret": "pw"}'""")

    assert ask(HELPER, environment) is not None


def test_a_helper_that_hangs_is_ended(install: Install, environment: dict[str, str]) -> None:
    install(f"echo {LEAK}; exec sleep 60")

    with pytest.raises(AuthError, match="did not finish within 1 seconds") as raised:
        ask(HELPER, environment, timeout=1)

    assert_tells_no_secret(raised.value)


def assert_tells_no_secret(error: AuthError) -> None:
    message = str(error)
    assert "docker-credential-test" in message
    assert "registry.example:5000" in message
    assert LEAK not in message
    assert error.__context__ is None  # a parser's or a timeout's error holds the output


def test_a_program_that_cannot_be_run_is_an_auth_error(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    program = tmp_path / HELPER.program
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)

    with pytest.raises(AuthError, match="cannot be started"):
        ask(HELPER, environment)


def test_a_missing_helper_is_an_auth_error(environment: dict[str, str]) -> None:
    with pytest.raises(AuthError, match=r"docker-credential-test .* not installed"):
        ask(HELPER, environment)


def test_installed_looks_at_the_search_path_it_is_given(
    install: Install, environment: dict[str, str]
) -> None:
    assert not installed(HELPER, environment)

    install("true")

    assert installed(HELPER, environment)
    assert not installed(HELPER, {"PATH": "/usr/bin:/bin"})


@pytest.mark.parametrize("path", ["", ":/usr/bin:/bin", ".", "/usr/bin:/bin:", "inner"])
def test_a_helper_of_the_current_folder_is_not_run(
    tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    install("touch ran")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / HELPER.program).symlink_to(tmp_path / HELPER.program)
    monkeypatch.chdir(tmp_path)
    assert not installed(HELPER, {"PATH": path})
    with pytest.raises(AuthError, match="not installed"):
        ask(HELPER, {"PATH": path})
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["ecr-login", "desktop.exe", "osxkeychain", "gcr", "pass_2", "a"])
def test_helpers_have_such_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name", ["x/evil", "../evil", "/bin/evil", "a\\b", "", ".", "-x", "a b", "a\n", "a\0", "é"]
)
def test_a_path_is_no_helpers_name(name: str) -> None:
    assert not is_name(name)
