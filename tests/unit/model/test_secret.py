import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable

import msgspec
import pytest

from dockless.model.secret import Credential, Secret

TEXT = "hunter2-known"


@pytest.fixture
def secret() -> Secret:
    return Secret(TEXT)


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        ascii,
        lambda secret: f"{secret!s}",
        lambda secret: f"{secret!r}",
        lambda secret: "%s" % secret,  # noqa: UP031  # the old way is what is tested
        lambda secret: json.dumps({"password": secret}, default=str),
        lambda secret: repr([secret, {"password": secret}]),
        lambda secret: repr(Credential(username="bob", password=secret, identity_token=secret)),
        lambda secret: repr(Exception("no", secret)),
    ],
)
def test_prints_as_stars(show: Callable[[Secret], str], secret: Secret) -> None:
    shown = show(secret)

    assert "***" in shown
    assert TEXT not in shown


@pytest.mark.parametrize(
    "leak",
    [
        lambda secret: f"{secret}",
        lambda secret: f"{secret:>20}",
        lambda secret: ",".join(["user", *[secret]]),
        lambda secret: "Basic " + secret,
        list,
        vars,
        json.dumps,
        copy.copy,
        copy.deepcopy,
        lambda secret: secret.__getstate__(),
        lambda secret: secret.__reduce__(),
        lambda secret: object.__reduce_ex__(secret, 2),
        lambda secret: copy.deepcopy(Credential(username="bob", password=secret)),
        lambda secret: pickle.dumps(Credential(username="bob", password=secret)),
        lambda secret: msgspec.to_builtins(Credential(username="bob", password=secret)),
        lambda secret: msgspec.json.encode(Credential(username="bob", password=secret)),
        *(
            lambda secret, protocol=protocol: pickle.dumps(secret, protocol)
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
    ],
)
def test_refuses_to_be_written_out(leak: Callable[[Secret], object], secret: Secret) -> None:
    with pytest.raises(TypeError) as raised:
        leak(secret)

    assert TEXT not in str(raised.value)


def test_is_not_in_a_log_record(secret: Secret, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").warning(
        "the credential is %s", Credential(username="bob", password=secret)
    )

    assert "bob" in caplog.text
    assert TEXT not in caplog.text


def test_is_not_in_a_traceback_that_shows_locals(secret: Secret) -> None:
    def fail(credential: Credential) -> None:
        raise ValueError(credential)

    with pytest.raises(ValueError, match="bob") as raised:
        fail(Credential(username="bob", password=secret))
    frames = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    shown = "".join(frames.format())

    assert "credential = Credential(username='bob', password=***" in shown
    assert TEXT not in shown


def test_reveals_its_text_when_told_to(secret: Secret) -> None:
    assert secret.reveal() == TEXT


def test_equals_only_a_secret_of_the_same_text(secret: Secret) -> None:
    assert secret == Secret(TEXT)
    assert secret != Secret("other")
    assert secret != TEXT


def test_hash_finds_equal_secrets_and_tells_nothing_of_the_text(secret: Secret) -> None:
    assert {secret: "found"}[Secret(TEXT)] == "found"
    assert hash(secret) == hash(Secret("other"))


def test_is_true_when_it_has_text(secret: Secret) -> None:
    assert secret
    assert not Secret("")


@pytest.mark.parametrize(
    ("origin", "source"),
    [("command line", "the command line"), ("environment", "the environment"), ("gh", "gh")],
)
def test_where_a_credential_came_from_reads_well(secret: Secret, origin: str, source: str) -> None:
    assert Credential(username="bob", password=secret, origin=origin).source == source


def test_a_credential_can_be_replaced_in_part(secret: Secret) -> None:
    moved = msgspec.structs.replace(
        Credential(username="bob", password=secret), origin="environment"
    )

    assert moved == Credential(
        username="bob", password=secret, identity_token=None, origin="environment"
    )


@pytest.mark.parametrize(
    ("username", "password", "basic"),
    [
        ("Aladdin", "open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("test", "123\u00a3", "dGVzdDoxMjPCow=="),
        ("test", "a:b", "dGVzdDphOmI="),
        ("test", "\udcff", "dGVzdDr/"),
    ],
    ids=["rfc 7617, 2", "rfc 7617, 2.1", "colon", "not utf-8"],
)
def test_basic_is_as_in_rfc_7617(username: str, password: str, basic: str) -> None:
    assert Credential(username=username, password=Secret(password)).basic() == Secret(basic)


@pytest.mark.parametrize("name", ["password", "identity_token", "registry_token"])
@pytest.mark.parametrize("wrong", ["hunter2-known", b"hunter2-known", 7])
def test_a_credential_takes_no_secret_as_plain_text(name: str, wrong: object) -> None:
    members: dict[str, object] = {"username": "bob", "password": Secret(TEXT), name: wrong}
    with pytest.raises(
        TypeError, match=rf"{name} .* dockless\.Secret, not {type(wrong).__name__}:"
    ) as failed:
        msgspec.structs.replace(Credential(username="", password=Secret("")), **members)
    assert TEXT not in str(failed.value)


def test_a_credential_has_a_password_even_if_it_is_empty() -> None:
    password: object = None
    with pytest.raises(TypeError, match=r"password .* not NoneType"):
        Credential(username="bob", password=password)  # type: ignore[arg-type] # as an untyped caller
