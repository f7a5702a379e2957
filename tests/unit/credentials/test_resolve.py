import base64
import json
from pathlib import Path
from typing import Never

import pytest

from dockless.credentials.credential_sources import Given, Sources
from dockless.credentials.keyring_logins import KeyringLogins
from dockless.credentials.resolve import explain, find
from dockless.credentials.token_source import TokenSource
from dockless.errors import AuthError, UsageError
from dockless.model.login import ConfiguredLogin
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Repository
from fakes.keyring_logins import memory_vault

APP = Repository.of("host:5000", "team/app")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which nothing of this machine is found."""
    return {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path / "run")}


def login(path: Path, *users: str, **more: object) -> None:
    keys = ("host:5000/team/app", "host:5000/team", "host:5000")
    auths = {
        key: {"auth": base64.b64encode(f"{user}:{user}-pw".encode()).decode()}
        for key, user in zip(keys, users, strict=False)
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"auths": auths, **more}))


def helper(tmp_path: Path, name: str, username: str) -> None:
    program = tmp_path / "bin" / f"docker-credential-{name}"
    program.parent.mkdir(exist_ok=True)
    program.write_text(
        f"""#!/bin/sh\ntouch {tmp_path}/ran\n"""
        f"""echo '{{"Username": "{username}", "Secret": "{username}-pw"}}'\n"""
    )
    program.chmod(0o755)


def test_places_are_asked_in_order(tmp_path: Path, environment: dict[str, str]) -> None:
    environment |= {"DOCKLESS_USERNAME": "env", "DOCKLESS_PASSWORD": "env-pw"}
    login(tmp_path / ".docker/config.json", "docker")
    login(tmp_path / "run/containers/auth.json", "session")
    login(tmp_path / ".config/containers/auth.json", "config")
    given = Given(username="flag", password=Secret("flag-pw"))
    order = []

    order.append(find(APP, given, Sources(environment=environment, home=tmp_path)).credential)
    order.append(find(APP, Given(), Sources(environment=environment, home=tmp_path)).credential)
    del environment["DOCKLESS_PASSWORD"]
    order.append(find(APP, Given(), Sources(environment=environment, home=tmp_path)).credential)
    (tmp_path / ".docker/config.json").unlink()
    order.append(find(APP, Given(), Sources(environment=environment, home=tmp_path)).credential)
    (tmp_path / "run/containers/auth.json").unlink()
    order.append(find(APP, Given(), Sources(environment=environment, home=tmp_path)).credential)
    (tmp_path / ".config/containers/auth.json").unlink()
    order.append(find(APP, Given(), Sources(environment=environment, home=tmp_path)).credential)

    assert [
        found and (found.username, found.password.reveal(), found.origin) for found in order
    ] == [
        ("flag", "flag-pw", "command line"),
        ("env", "env-pw", "environment"),
        ("docker", "docker-pw", str(tmp_path / ".docker/config.json")),
        ("session", "session-pw", str(tmp_path / "run/containers/auth.json")),
        ("config", "config-pw", str(tmp_path / ".config/containers/auth.json")),
        None,
    ]


def test_a_place_is_not_looked_at_when_one_before_it_had_something(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    login(tmp_path / ".docker/config.json", "docker")
    broken = tmp_path / "run/containers/auth.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{")

    found = find(APP, Given(), Sources(environment=environment, home=tmp_path))

    assert found.credential is not None
    assert found.credential.username == "docker"
    broken.replace(tmp_path / ".docker/config.json")
    with pytest.raises(UsageError, match=r"config\.json"):
        find(APP, Given(), Sources(environment=environment, home=tmp_path))


def test_says_what_was_asked(tmp_path: Path, environment: dict[str, str]) -> None:
    login(tmp_path / "run/containers/auth.json", "bob")

    assert find(APP, Given(), Sources(environment=environment, home=tmp_path)).asked == (
        "command line: nothing",
        "environment: nothing",
        f"{tmp_path}/.docker/config.json: nothing",
        f"{tmp_path}/run/containers/auth.json: bob",
    )


def test_a_username_on_the_command_line_admits_no_other(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    environment |= {"DOCKLESS_USERNAME": "env", "DOCKLESS_PASSWORD": "env-pw"}
    login(tmp_path / ".docker/config.json", "alice", "bob")

    found = find(APP, Given(username="bob"), Sources(environment=environment, home=tmp_path))
    nobody = find(APP, Given(username="carol"), Sources(environment=environment, home=tmp_path))

    assert found.credential is not None
    assert found.credential.password == Secret("bob-pw")
    assert nobody.credential is None
    assert nobody.asked[1:4] == (
        "environment: env, not carol",
        f"{tmp_path}/.docker/config.json: alice, not carol",
        f"{tmp_path}/.docker/config.json: bob, not carol",
    )


def test_the_username_of_the_settings_admits_others(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    login(tmp_path / ".docker/config.json", "alice")

    found = find(APP, Given(account="bob"), Sources(environment=environment, home=tmp_path))

    assert found.credential is not None
    assert found.credential.username == "alice"


@pytest.mark.parametrize("given", [Given(username="bob"), Given(account="bob")])
def test_a_password_in_the_environment_takes_the_username_there_is(
    given: Given, tmp_path: Path, environment: dict[str, str]
) -> None:
    environment["DOCKLESS_PASSWORD"] = "env-pw"

    found = find(APP, given, Sources(environment=environment, home=tmp_path))

    assert found.credential is not None
    assert (found.credential.username, found.credential.origin) == ("bob", "environment")


def test_a_password_on_the_command_line_takes_the_username_of_the_settings(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    found = find(
        APP,
        Given(password=Secret("pw"), account="bob"),
        Sources(environment=environment, home=tmp_path),
    )

    assert found.credential is not None
    assert found.credential.username == "bob"


@pytest.mark.parametrize(
    ("given", "password", "message"),
    [
        (Given(password=Secret("pw")), "", "password from the command line, but no username"),
        (Given(), "pw", "password from the environment, but no username"),
        (Given(username="bob", password=Secret("")), "", "password from the command line is empty"),
        (Given(username="bob:s3cret", password=Secret("pw")), "", "contains a colon"),
    ],
)
def test_half_a_login_is_a_usage_error(
    given: Given, password: str, message: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    environment["DOCKLESS_PASSWORD"] = password

    with pytest.raises(UsageError, match=message) as raised:
        find(APP, given, Sources(environment=environment, home=tmp_path))

    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("setting", [{"credsStore": "x"}, {"credHelpers": {"host:5000": "x"}}])
def test_a_helper_is_run(
    setting: dict[str, object], tmp_path: Path, environment: dict[str, str]
) -> None:
    helper(tmp_path, "x", "bob")
    login(tmp_path / ".docker/config.json", **setting)

    found = find(APP, Given(), Sources(environment=environment, home=tmp_path))

    assert found.credential is not None
    assert (found.credential.username, found.credential.origin) == ("bob", "docker-credential-x")
    assert found.asked[-1] == f"{tmp_path}/.docker/config.json: docker-credential-x has bob"


def test_a_helpers_credential_of_another_user_is_passed_over(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    helper(tmp_path, "x", "alice")
    login(tmp_path / ".docker/config.json", "bob", credsStore="x")

    found = find(APP, Given(username="bob"), Sources(environment=environment, home=tmp_path))

    assert found.credential is not None
    assert found.credential.password == Secret("bob-pw")


def test_a_missing_helper_for_every_registry_is_passed_over(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    login(tmp_path / ".docker/config.json", "bob", credsStore="desktop")

    found = find(APP, Given(), Sources(environment=environment, home=tmp_path))

    assert found.credential is not None
    assert found.credential.username == "bob"
    config = f"{tmp_path}/.docker/config.json"
    assert found.asked[2:] == (
        f"{config}: docker-credential-desktop is not installed",
        f"{config}: bob",
    )


def test_a_missing_helper_for_this_registry_is_an_auth_error(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    login(tmp_path / ".docker/config.json", credHelpers={"host:5000": "gone"})

    with pytest.raises(AuthError, match="docker-credential-gone"):
        find(APP, Given(), Sources(environment=environment, home=tmp_path))


FAILURES = ["exit 3", "echo locked; exit 1", "echo nonsense", "yes"]


@pytest.mark.parametrize("script", [*FAILURES, None])
@pytest.mark.parametrize("setting", [{"credsStore": "x"}, {"credHelpers": {"host:5000": "x"}}])
def test_a_helper_that_fails_is_replaced_by_the_login_of_its_file(
    tmp_path: Path, environment: dict[str, str], setting: dict[str, object], script: str | None
) -> None:
    if script:
        helper(tmp_path, "x", "alice")
        (tmp_path / "bin/docker-credential-x").write_text(f"#!/bin/sh\n{script}\n")
    login(tmp_path / ".docker/config.json", "bob", **setting)

    found = find(APP, Given(), Sources(environment=environment, home=tmp_path))

    assert found.credential is not None
    assert found.credential.username == "bob"
    assert found.asked[-1] == f"{tmp_path}/.docker/config.json: bob"
    skipped = script is None and "credsStore" in setting
    assert ["docker-credential-x" in each for each in found.troubles] == [True] * (not skipped)


@pytest.mark.parametrize("script", FAILURES)
def test_a_helper_that_fails_without_another_login_is_an_error(
    tmp_path: Path, environment: dict[str, str], script: str
) -> None:
    helper(tmp_path, "x", "alice")
    (tmp_path / "bin/docker-credential-x").write_text(f"#!/bin/sh\n{script}\n")
    login(tmp_path / ".docker/config.json", credHelpers={"host:5000": "x"})

    with pytest.raises(AuthError, match="docker-credential-x"):
        find(APP, Given(), Sources(environment=environment, home=tmp_path))


def test_a_helper_that_has_nothing_speaks_for_its_registry(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    helper(tmp_path, "x", "alice")
    program = tmp_path / "bin/docker-credential-x"
    program.write_text("#!/bin/sh\necho credentials not found in native keychain; exit 1\n")
    login(tmp_path / ".docker/config.json", "bob", credHelpers={"host:5000": "x"})

    found = find(APP, Given(), Sources(environment=environment, home=tmp_path))

    assert (found.credential, found.troubles) == (None, ())


def test_explain_runs_no_helper(tmp_path: Path, environment: dict[str, str]) -> None:
    helper(tmp_path, "x", "alice")
    login(tmp_path / ".docker/config.json", "bob", credsStore="x")
    login(tmp_path / "run/containers/auth.json", credHelpers={"host:5000": "gone"})

    explained = explain(
        APP, Given(username="carol"), Sources(environment=environment, home=tmp_path)
    )

    assert not (tmp_path / "ran").exists()
    assert explained.credential is None
    assert explained.asked == (
        "command line: nothing",
        "environment: nothing",
        f"{tmp_path}/.docker/config.json: docker-credential-x would be queried",
        f"{tmp_path}/.docker/config.json: bob, not carol",
        f"{tmp_path}/run/containers/auth.json: docker-credential-gone is not installed",
        f"{tmp_path}/.config/containers/auth.json: nothing",
    )


def test_a_helper_that_may_not_be_asked_counts_as_if_it_had_nothing(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    helper(tmp_path, "x", "alice")
    helper(tmp_path, "y", "bob")
    login(tmp_path / ".docker/config.json", credsStore="x")
    login(tmp_path / "run/containers/auth.json", credsStore="y")

    found = find(
        APP,
        Given(),
        Sources(environment=environment, home=tmp_path),
        lambda name: name.endswith("-y"),
    )

    assert found.credential is not None
    assert found.credential.username == "bob"
    assert f"{tmp_path}/.docker/config.json: docker-credential-x would be queried" in found.asked


def test_explain_ends_at_the_first_credential_in_a_file(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    login(tmp_path / ".docker/config.json", "bob")

    explained = explain(APP, Given(), Sources(environment=environment, home=tmp_path))

    assert explained.credential is not None
    assert explained.asked[-1] == f"{tmp_path}/.docker/config.json: bob"


def test_every_place_is_asked_in_the_written_order(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    keyring_logins = memory_vault(tmp_path)
    keyring_logins.put("host:5000", Credential(username="keyring", password=Secret("keyring-pw")))
    login(tmp_path / ".docker/config.json", "docker")
    configured = ConfiguredLogin(
        host="host:5000",
        origin="deploy.yml",
        username=lambda: "kamal",
        password=lambda: Secret("kamal-pw"),
    )
    token_source = TokenSource(
        "cloud", "", lambda: Credential(username="cloud", password=Secret("token"), origin="cloud")
    )
    steps = [
        Sources(
            environment=environment,
            home=tmp_path,
            keyrings=lambda: [keyring_logins],
            configured=configured,
            token_sources=[token_source],
        ),
        Sources(
            environment=environment,
            home=tmp_path,
            keyrings=tuple,
            configured=configured,
            token_sources=[token_source],
        ),
        Sources(
            environment=environment,
            home=tmp_path,
            keyrings=tuple,
            configured=None,
            token_sources=[token_source],
        ),
        Sources(environment=environment, home=tmp_path),
    ]
    found = [find(APP, Given(), sources).credential for sources in steps]
    assert [one and one.username for one in found] == ["keyring", "kamal", "cloud", "docker"]


def test_the_login_of_deploy_yml_is_for_its_own_registry_alone(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    other = ConfiguredLogin(
        host="other.example",
        origin="deploy.yml",
        username=lambda: "kamal",
        password=lambda: Secret("pw"),
    )
    found = find(APP, Given(), Sources(environment=environment, home=tmp_path, configured=other))
    assert found.credential is None
    assert not any("deploy.yml" in place for place in found.asked)


@pytest.mark.parametrize("how", ["--username", "DOCKLESS_USERNAME"])
@pytest.mark.parametrize(("own", "typed"), [("bob", "zed"), ("kamal", "Kamal"), ("AWS", "ci-7")])
def test_the_password_of_deploy_yml_is_not_used_with_another_username(
    tmp_path: Path, environment: dict[str, str], own: str, typed: str, how: str
) -> None:
    login(tmp_path / ".docker/config.json", typed)

    def password() -> Secret:
        raise AssertionError

    configured = ConfiguredLogin(
        host="host:5000", origin="deploy.yml:4", username=lambda: own, password=password
    )
    given = Given(username=typed if how == "--username" else "", account=typed)
    if how != "--username":
        environment["DOCKLESS_USERNAME"] = typed
    sources = Sources(environment=environment, home=tmp_path, configured=configured)
    found = find(APP, given, sources)
    assert found.credential
    assert (found.credential.username, found.credential.password) == (typed, Secret(f"{typed}-pw"))
    assert f"deploy.yml:4: {own}, not {typed}" in found.asked


@pytest.mark.parametrize("own", ["zed", ""])
def test_the_password_of_deploy_yml_is_used_with_its_own_username_or_where_it_has_none(
    tmp_path: Path, environment: dict[str, str], own: str
) -> None:
    configured = ConfiguredLogin(
        host="host:5000", origin="deploy.yml", username=lambda: own, password=lambda: Secret("pw")
    )
    sources = Sources(environment=environment, home=tmp_path, configured=configured)
    credential = find(APP, Given(username="zed"), sources).credential
    assert credential
    assert (credential.username, credential.password, credential.origin) == (
        "zed",
        Secret("pw"),
        "deploy.yml",
    )


def test_a_password_whose_username_cannot_be_had_is_not_used_with_another(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    def username() -> str:
        raise UsageError("No secret WHO.", "Set it.")

    configured = ConfiguredLogin(
        host="host:5000", origin="deploy.yml", username=username, password=lambda: Secret("pw")
    )
    sources = Sources(environment=environment, home=tmp_path, configured=configured)
    found = find(APP, Given(username="zed"), sources)
    assert found.credential is None
    assert any("No secret WHO" in line for line in found.asked)
    with pytest.raises(UsageError, match="No secret WHO"):
        find(APP, Given(), sources)


def test_the_narrowest_scope_of_the_keyring_counts(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    keyring_logins = memory_vault(tmp_path)
    sources = Sources(environment=environment, home=tmp_path, keyrings=lambda: [keyring_logins])
    for scope, user in (("host:5000", "host"), ("host:5000/team", "team"), ("host:5000/x", "x")):
        keyring_logins.put(scope, Credential(username=user, password=Secret("pw")))
    names = [
        found and found.username
        for found in (
            find(Repository.of("host:5000", path), Given(), sources).credential
            for path in ("team/app", "x/app", "other/app", "teams/app")
        )
    ]
    assert names == ["team", "x", "host", "host"]


def test_the_account_of_the_settings_goes_before_the_default_one(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    keyring_logins = memory_vault(tmp_path)
    sources = Sources(environment=environment, home=tmp_path, keyrings=lambda: [keyring_logins])
    for user in ("first", "second"):
        keyring_logins.put("host:5000", Credential(username=user, password=Secret("pw")))
    names = [
        found and found.username
        for found in (
            find(APP, given, sources).credential
            for given in (
                Given(),
                Given(account="first"),
                Given(account="x"),
                Given(username="first"),
                Given(username="x"),
            )
        )
    ]
    assert names == ["second", "first", "second", "first", None]


def test_a_keyring_that_cannot_answer_is_passed_over_and_told_of(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    class Locked(KeyringLogins):
        def get(self, scope: str, username: str = "") -> Credential | None:
            raise AuthError(f"It is locked for {scope}{username}.", "Unlock it.")

    keyring_logins = memory_vault(tmp_path)
    locked = Locked("memory", keyring_logins._open, keyring_logins._lock)
    login(tmp_path / ".docker/config.json", "docker")
    found = find(
        APP, Given(), Sources(environment=environment, home=tmp_path, keyrings=lambda: [locked])
    )
    assert found.credential
    assert found.credential.username == "docker"
    assert found.troubles == ("It is locked for host:5000/team/app. Unlock it.",)


def test_a_way_that_is_missing_or_has_nothing_says_why(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    token_sources = [
        TokenSource("lib", "lib is not installed", lambda: pytest.fail("it was asked")),
        TokenSource("cli", "", lambda: "cli ended with status 1: not logged in"),
    ]
    sources = Sources(environment=environment, home=tmp_path, token_sources=token_sources)
    assert find(APP, Given(), sources).asked[2:4] == (
        "lib: lib is not installed",
        "cli: cli ended with status 1: not logged in",
    )
    asked = explain(APP, Given(), sources).asked[2:4]
    assert asked == ("lib: lib is not installed", "cli: cli would be queried")


def test_our_own_helper_in_a_file_is_not_started(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    helper(tmp_path, "dockless", "loop")
    login(tmp_path / ".docker/config.json", "docker", credsStore="dockless")
    login(tmp_path / "run/containers/auth.json", credHelpers={"host:5000": "dockless"})
    found = find(APP, Given(), Sources(environment=environment, home=tmp_path))
    assert found.credential
    assert found.credential.username == "docker"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("scope", ["host:5000", "host:5000/team", "host:5000/team/app"])
@pytest.mark.parametrize("owner", ["ro", "ci-bot", "Bob"])
def test_the_login_of_another_user_in_a_keyring_is_seen_and_not_used(
    tmp_path: Path, environment: dict[str, str], scope: str, owner: str
) -> None:
    ring = memory_vault(tmp_path)
    ring.put(scope, Credential(username=owner, password=Secret("pw")))
    sources = Sources(environment=environment, home=tmp_path, keyrings=lambda: (ring,))
    found = find(APP, Given(username="bob"), sources)
    assert (found.credential, found.wanted, found.others) == (None, "bob", (owner,))
    assert f"{ring.name}: {owner}, not bob" in found.asked
    ring.put("host:5000", Credential(username="bob", password=Secret("own")))
    again = find(APP, Given(username="bob"), sources)
    assert again.credential
    assert (again.credential.username, again.others) == ("bob", ())


def test_a_keyring_that_fails_is_named_with_its_remedy(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    def locked() -> Never:
        raise AuthError("It is locked.", "Unlock it.")

    ring = KeyringLogins("secret-service", locked, tmp_path / "lock")
    found = find(
        APP, Given(), Sources(environment=environment, home=tmp_path, keyrings=lambda: (ring,))
    )
    assert (found.failed, found.remedy) == ((ring.name,), "Unlock it.")
    assert found.troubles == ("It is locked. Unlock it.",)


def variable(**users: str) -> str:
    """Return what `DOCKER_AUTH_CONFIG` has for these hosts, written with `_` for a colon."""
    auths = {
        host.replace("_", ":"): {"auth": base64.b64encode(f"{user}:pw-{user}".encode()).decode()}
        for host, user in users.items()
    }
    return json.dumps({"auths": auths})


def test_dockers_variable_goes_before_its_file(tmp_path: Path, environment: dict[str, str]) -> None:
    login(tmp_path / ".docker/config.json", "file")
    environment["DOCKER_AUTH_CONFIG"] = variable(host_5000="variable")
    sources = Sources(environment=environment, home=tmp_path)
    for found in (find(APP, Given(), sources), explain(APP, Given(), sources)):
        assert found.credential == Credential(
            username="variable", password=Secret("pw-variable"), origin="DOCKER_AUTH_CONFIG"
        )
        assert found.asked[-1] == "DOCKER_AUTH_CONFIG: variable"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (variable(other="variable"), "nothing"),
        (variable(host="variable"), "nothing"),
        ("{}", "nothing"),
        ('{"auths": null}', "nothing"),
        (" \n", "nothing"),
        ("null", "nothing"),
    ],
)
def test_without_a_login_in_dockers_variable_its_file_is_read(
    tmp_path: Path, environment: dict[str, str], text: str, asked: str
) -> None:
    login(tmp_path / ".docker/config.json", "file")
    environment["DOCKER_AUTH_CONFIG"] = text
    found = find(APP, Given(), Sources(environment=environment, home=tmp_path))
    assert found.credential
    assert found.credential.username == "file"
    assert f"DOCKER_AUTH_CONFIG: {asked}" in found.asked
    assert not found.troubles


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        '{"auths": {"host:5000": {"auth": "aHVudGVyMg=="}}}',  # no colon in it
        '{"auths": {"host:5000": {"auth": "Omh1bnRlcjI="}}}',  # no username
        '{"auths": {"host:5000": {"auth": "hunter2!"}}}',
        '{"auths": {"host:5000": {}}}',
        '{"auths": {"host:5000": {"username": "u", "password": "hunter2"}}}',
        '{"auths": {"host:5000": {"auth": "dTpwdw==", "email": "hunter2@example.com"}}}',
        '{"auths": {"other": null}}',
        '{"auths": ["hunter2"]}',
        '{"auths": {}, "credHelpers": {"host:5000": "hunter2"}}',
        f"{variable(host_5000='hunter2')} {variable(host_5000='hunter2')}",
        '["hunter2"]',
    ],
)
def test_a_variable_that_docker_does_not_take_is_skipped_with_a_warning(
    tmp_path: Path, environment: dict[str, str], text: str
) -> None:
    login(tmp_path / ".docker/config.json", "file")
    environment["DOCKER_AUTH_CONFIG"] = text
    found = find(APP, Given(), Sources(environment=environment, home=tmp_path))
    assert found.credential
    assert found.credential.username == "file"
    [trouble] = found.troubles
    assert trouble.startswith("DOCKER_AUTH_CONFIG ")
    assert "hunter2" not in f"{trouble}{found}"


@pytest.mark.parametrize(
    ("repository", "key", "user"),
    [
        (Repository.of("docker.io", "team/app"), "https://index.docker.io/v1/", "hub"),
        (Repository.of("docker.io", "team/app"), "docker.io", None),
        (Repository.of("ghcr.io", "team/app"), "ghcr.io", "hub"),
        (Repository.of("ghcr.io", "team/app"), "ghcr.io/team", None),
        (Repository.of("ghcr.io", "team/app"), "https://ghcr.io", None),
    ],
)
def test_a_key_of_dockers_variable_is_the_one_that_docker_looks_for(
    tmp_path: Path, environment: dict[str, str], repository: Repository, key: str, user: str | None
) -> None:
    environment["DOCKER_AUTH_CONFIG"] = json.dumps({"AUTHS": {key: {"Auth": "aHVi\nOnB3"}}})
    found = find(repository, Given(), Sources(environment=environment, home=tmp_path))
    assert (found.credential and found.credential.username) == user
