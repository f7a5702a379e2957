import base64
import errno
import json
from pathlib import Path

import pytest

from dockless.credentials.auth_files import containers_files, docker_file, read
from dockless.credentials.helpers import Helper
from dockless.errors import UsageError
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Repository

APP = Repository.of("host:5000", "team/app")
LEAK = "leaked-password"


def auth(pair: str) -> dict[str, str]:
    return {"auth": base64.b64encode(pair.encode()).decode()}


def found(tmp_path: Path, document: object, repository: Repository = APP) -> list[str]:
    """Return the usernames and programs that a file with this document has."""
    return [
        item.program if isinstance(item, Helper) else item.username
        for item in read(written(tmp_path, document), repository)
    ]


def written(tmp_path: Path, document: object) -> Path:
    path = tmp_path / "config.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_an_entry_is_a_credential_that_knows_its_file(tmp_path: Path) -> None:
    path = written(tmp_path, {"auths": {"host:5000": auth("bob:p:w")}})

    assert read(path, APP) == (
        Credential(username="bob", password=Secret("p:w"), identity_token=None, origin=str(path)),
    )


def test_a_file_as_docker_login_writes_it_is_read(tmp_path: Path) -> None:
    document = '{\n\t"auths": {\n\t\t"host:5000": {\n\t\t\t"auth": "dTpwdw=="\n\t\t}\n\t}\n}'

    assert found(tmp_path, document) == ["u"]


@pytest.mark.parametrize(
    "key",
    ["host:5000", "https://host:5000", "http://host:5000/", "https://host:5000/v1/", "HOST:5000"],
)
def test_a_key_may_be_a_url_of_the_registry(tmp_path: Path, key: str) -> None:
    assert found(tmp_path, {"auths": {key: auth("bob:pw")}}) == ["bob"]


@pytest.mark.parametrize(
    "key",
    [
        "docker.io",
        "index.docker.io",
        "registry-1.docker.io",
        "https://index.docker.io/v1/",
        "https://registry-1.docker.io/v2/",
        "docker.io/library",
        "docker.io/library/nginx",
    ],
)
def test_docker_hub_has_several_names(tmp_path: Path, key: str) -> None:
    nginx = Repository.of("docker.io", "nginx")

    assert found(tmp_path, {"auths": {key: auth("bob:pw")}}, nginx) == ["bob"]


@pytest.mark.parametrize(
    "key",
    [
        "host",
        "host:5001",
        "other",
        "host:5000/other",
        "host:5000/team/app/more",
        "host:5000/team/ap",
        "host:5000/tea",
        "https://host:5000/other/",
        "https://index.docker.io/v1/",
        "",
    ],
)
def test_an_entry_for_something_else_never_serves(tmp_path: Path, key: str) -> None:
    assert found(tmp_path, {"auths": {key: auth("bob:pw")}}) == []


def test_the_narrowest_entry_comes_first(tmp_path: Path) -> None:
    auths = {
        "host:5000": auth("host:pw"),
        "host:5000/team/app": auth("app:pw"),
        "host:5000/team": auth("team:pw"),
    }

    assert found(tmp_path, {"auths": auths}) == ["app", "team", "host"]


def test_the_plain_key_comes_before_a_url(tmp_path: Path) -> None:
    auths = {"https://host:5000/v1/": auth("old:pw"), "host:5000": auth("new:pw")}

    assert found(tmp_path, {"auths": auths}) == ["new", "old"]


def test_an_identity_token_is_kept_apart_from_the_password(tmp_path: Path) -> None:
    entry = {**auth("0000:"), "identitytoken": "refresh"}
    path = written(tmp_path, {"auths": {"host:5000": entry}})

    assert read(path, APP) == (
        Credential(
            username="0000", password=Secret(""), identity_token=Secret("refresh"), origin=str(path)
        ),
    )


def test_username_and_password_may_stand_in_plain_text(tmp_path: Path) -> None:
    path = written(tmp_path, {"auths": {"host:5000": {"username": "bob", "password": "pw"}}})

    assert read(path, APP) == (
        Credential(username="bob", password=Secret("pw"), identity_token=None, origin=str(path)),
    )


def test_padding_after_the_password_is_cut(tmp_path: Path) -> None:
    path = written(tmp_path, {"auths": {"host:5000": auth("bob:pw\0\0")}})

    assert read(path, APP) == (
        Credential(username="bob", password=Secret("pw"), identity_token=None, origin=str(path)),
    )


def test_a_password_that_is_not_utf8_goes_out_as_it_came(tmp_path: Path) -> None:
    encoded = base64.b64encode(b"bob:\xff\xfe").decode()
    path = written(tmp_path, {"auths": {"host:5000": {"auth": encoded}}})

    (credential,) = read(path, APP)

    assert isinstance(credential, Credential)
    assert credential.basic().reveal() == encoded


@pytest.mark.parametrize("entry", [{}, None, {"auth": ""}, {"email": "bob@example"}])
def test_an_entry_that_only_marks_a_login_is_nothing(tmp_path: Path, entry: object) -> None:
    assert found(tmp_path, {"auths": {"host:5000": entry}}) == []


def test_a_helper_for_the_host_is_all_there_is(tmp_path: Path) -> None:
    document = {
        "auths": {"other": auth("bob:pw")},
        "credHelpers": {"host:5000": "mine", "other": "theirs"},
        "credsStore": "desktop",
    }

    assert read(written(tmp_path, document), APP) == (
        Helper(name="mine", server="host:5000", optional=False),
    )


def test_a_helper_for_every_host_comes_before_the_entries(tmp_path: Path) -> None:
    document = {"auths": {"host:5000": auth("bob:pw")}, "credsStore": "desktop"}

    helper, entry = read(written(tmp_path, document), APP)

    assert isinstance(entry, Credential)
    assert helper == Helper(name="desktop", server="host:5000", optional=True, spare=(entry,))


def test_an_empty_helper_exempts_its_host(tmp_path: Path) -> None:
    document = {
        "auths": {"host:5000": auth("bob:pw")},
        "credHelpers": {"host:5000": ""},
        "credsStore": "desktop",
    }

    assert found(tmp_path, document) == ["bob"]


@pytest.mark.parametrize(
    ("document", "server"),
    [
        ({"credsStore": "x"}, "https://index.docker.io/v1/"),
        ({"credHelpers": {"https://index.docker.io/v1/": "x"}}, "https://index.docker.io/v1/"),
        ({"credHelpers": {"docker.io": "x"}}, "docker.io"),
    ],
)
def test_a_helper_is_asked_for_docker_hub_by_the_name_its_tool_uses(
    tmp_path: Path, document: object, server: str
) -> None:
    (helper,) = read(written(tmp_path, document), Repository.of("docker.io", "nginx"))

    assert isinstance(helper, Helper)
    assert helper.server == server


@pytest.mark.parametrize("document", ["", " \n", {}, {"auths": None, "credsStore": ""}])
def test_an_empty_file_has_nothing(tmp_path: Path, document: object) -> None:
    assert found(tmp_path, document) == []


WRAPPED = base64.encodebytes(b"bob:" + b"long-password-" * 9).decode()


@pytest.mark.parametrize(
    "text",
    [WRAPPED, WRAPPED.replace("\n", "\r\n"), f"\r\n{WRAPPED.strip()}", "Ym\n9iOn\nB3\n"],
)
def test_line_ends_in_base64_are_skipped(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, {"auths": {"host:5000": {"auth": text}}}) == ["bob"]


@pytest.mark.parametrize("text", ["Ym9i OnB3", "Ym9i\tOnB3", "Ym9iOnB", "Ym9iOnB3!"])
def test_anything_else_in_base64_is_not(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="is not a login"):
        found(tmp_path, {"auths": {"host:5000": {"auth": text}}})


@pytest.mark.parametrize(
    "around", ["\ufeff{}", "\r\n\t {}\r\n", "{}\n\n", "{}{{}}", "{} trailing", "\ufeff{}\0"]
)
def test_what_stands_around_the_document_does_not_matter(tmp_path: Path, around: str) -> None:
    document = json.dumps({"auths": {"host:5000": auth("bob:pw")}})

    assert found(tmp_path, around.format(document)) == ["bob"]


@pytest.mark.parametrize("text", ["\ufeff", "\ufeff \r\n", "\r\n", "null", "{}"])
def test_a_file_without_content_has_nothing(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text) == []


@pytest.mark.parametrize(
    "document",
    [
        {"AUTHS": {"host:5000": auth("bob:pw")}},
        {"Auths": {"host:5000": {"Auth": auth("bob:pw")["auth"]}}},
        {"auths": {"host:5000": {"USERNAME": "bob", "passWord": "pw"}}},
        {"auths": None, "Auths": {"host:5000": auth("bob:pw")}},
    ],
)
def test_names_are_found_whatever_their_case_is(tmp_path: Path, document: object) -> None:
    assert found(tmp_path, document) == ["bob"]


def test_an_identity_token_is_found_whatever_its_case_is(tmp_path: Path) -> None:
    document = {"auths": {"host:5000": {**auth("bob:"), "identityToken": "t"}}}
    (login,) = read(written(tmp_path, document), APP)

    assert isinstance(login, Credential)
    assert login.identity_token == Secret("t")


@pytest.mark.parametrize("names", ["credHelpers", "CREDHELPERS", "credhelpers"])
def test_a_helper_has_the_entries_of_its_registry_to_spare(tmp_path: Path, names: str) -> None:
    document = {"auths": {"host:5000": auth("bob:pw")}, names: {"host:5000": "x"}}
    (helper,) = read(written(tmp_path, document), APP)

    assert isinstance(helper, Helper)
    assert [each.username for each in helper.spare] == ["bob"]


def test_no_file_has_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "none.json", APP) == ()


@pytest.mark.parametrize(
    "document",
    [
        f'{{"auths": {{"host:5000": "{LEAK}',
        f'["{LEAK}"]',
        f'{{"auths": ["{LEAK}"]}}',
        f'{{"credHelpers": "{LEAK}"}}',
        f'{{"credHelpers": {{"other": ["{LEAK}"]}}}}',
        f'{{"credsStore": ["{LEAK}"]}}',
        "[" * 100_000,
    ],
    ids=["cut", "list", "auths", "credHelpers", "helper", "credsStore", "deep"],
)
def test_a_file_that_does_not_parse_is_named_and_not_quoted(tmp_path: Path, document: str) -> None:
    path = written(tmp_path, document)

    with pytest.raises(UsageError) as raised:
        read(path, APP)

    assert str(path) in raised.value.what
    assert LEAK not in str(raised.value)
    assert raised.value.__context__ is None  # the parser's error holds the text


def test_a_file_that_is_not_text_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "auth.json"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(UsageError, match=r"auth\.json"):
        read(path, APP)


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read(tmp_path, APP)


def test_a_session_folder_that_root_closed_has_no_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("dockless.credentials.auth_files.read_regular", refuse)

    assert read(Path("/run/containers/1000/auth.json"), APP) == ()
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        read(tmp_path / "auth.json", APP)


@pytest.mark.parametrize(
    "entry",
    [LEAK, {"auth": LEAK}, {"auth": base64.b64encode(LEAK.encode()).decode()}, {"auth": [LEAK]}],
    ids=["text", "not base64", "no colon", "list"],
)
def test_an_entry_that_is_no_login_is_named_and_not_quoted(tmp_path: Path, entry: object) -> None:
    path = written(tmp_path, {"auths": {"host:5000": entry}})

    with pytest.raises(UsageError, match=r"The entry for host:5000 in .* is not a login") as raised:
        read(path, APP)

    assert LEAK not in str(raised.value)
    assert raised.value.__context__ is None


def test_a_broken_entry_of_another_host_is_nobodys_business(tmp_path: Path) -> None:
    document = {"auths": {"other": {"auth": "?"}, "host:5000": auth("bob:pw")}}

    assert found(tmp_path, document) == ["bob"]


def test_dockers_file_is_in_the_home_folder_or_where_docker_config_says(tmp_path: Path) -> None:
    assert docker_file({}, tmp_path) == tmp_path / ".docker/config.json"
    assert docker_file({"DOCKER_CONFIG": ""}, tmp_path) == tmp_path / ".docker/config.json"
    assert docker_file({"DOCKER_CONFIG": "/x"}, tmp_path) == Path("/x/config.json")


@pytest.mark.parametrize(
    ("environment", "paths"),
    [
        (
            {"XDG_RUNTIME_DIR": "/run/user/7"},
            ("/run/user/7/containers/auth.json", "/home/bob/.config/containers/auth.json"),
        ),
        (
            {"XDG_RUNTIME_DIR": "/run/user/7", "XDG_CONFIG_HOME": "/c"},
            ("/run/user/7/containers/auth.json", "/c/containers/auth.json"),
        ),
        ({"XDG_RUNTIME_DIR": "/run/user/7", "REGISTRY_AUTH_FILE": "/a.json"}, ("/a.json",)),
    ],
)
def test_containers_files_are_where_podman_keeps_them(
    environment: dict[str, str], paths: tuple[str, ...]
) -> None:
    assert containers_files(environment, Path("/home/bob")) == tuple(map(Path, paths))


def test_without_a_login_session_containers_file_is_under_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.getuid", lambda: 1234)

    first, _ = containers_files({}, Path("/home/bob"))

    assert first == Path("/run/containers/1234/auth.json")


@pytest.mark.parametrize("name", ["x/evil", "../evil", "/opt/evil", "a\\b", "-x"])
@pytest.mark.parametrize("member", ["credsStore", "credHelpers"])
def test_a_path_in_place_of_a_helpers_name_is_refused(
    tmp_path: Path, member: str, name: str
) -> None:
    document = {member: name if member == "credsStore" else {"host:5000": name}}
    with pytest.raises(UsageError, match="not a helper's name"):
        read(written(tmp_path, document), APP)


@pytest.mark.parametrize("name", ["desktop.exe", "ecr-login"])
def test_usual_helpers_are_asked(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, {"credsStore": name}) == [f"docker-credential-{name}"]
