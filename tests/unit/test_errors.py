import copy
import inspect

import pytest

from dockless import errors
from dockless.errors import DocklessError, NetworkError

CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, DocklessError) and each is not DocklessError
]


def test_every_kind_of_failure_has_a_code_of_its_own() -> None:
    kinds = [each for each in CLASSES if DocklessError in each.__bases__]
    assert sorted(each.exit_code for each in kinds) == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_says_what_happened_and_what_to_do(kind: type[DocklessError]) -> None:
    error = kind("It broke.", "Repair it.")
    assert (error.what, error.remedy, str(error)) == (
        "It broke.",
        "Repair it.",
        "It broke. Repair it.",
    )
    assert str(kind("It broke.")) == "It broke."


def test_trouble_with_the_network_passes_unless_it_is_said_not_to() -> None:
    assert NetworkError("It broke.").passing
    assert NetworkError("It broke.").retry_after is None
    assert not NetworkError("It broke.", passing=False).passing
    assert NetworkError("It broke.", retry_after=7).retry_after == 7


@pytest.mark.parametrize("kind", [DocklessError, *CLASSES])
@pytest.mark.parametrize("name", ["what", "remedy"])
def test_the_words_of_an_error_cannot_be_assigned(kind: type[DocklessError], name: str) -> None:
    error = kind("It broke.", "Repair it.")
    with pytest.raises(AttributeError, match=f"{name} of an error cannot be changed"):
        setattr(error, name, "Something else.")
    assert str(error) == "It broke. Repair it."


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (NetworkError("It broke."), "passing"),
        (NetworkError("It broke.", busy=True), "busy"),
        (errors.UnexplainedError("It broke.", answered=True), "answered"),
        (errors.ManifestRefusedError("It broke."), "about_type"),
    ],
)
def test_what_else_an_error_has_cannot_be_assigned(error: DocklessError, name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(error, name, False)


@pytest.mark.parametrize("kind", [DocklessError, *CLASSES])
def test_other_words_make_another_error_of_the_same_class(kind: type[DocklessError]) -> None:
    error = kind("It broke.", "Repair it.")
    told = error.with_context("It broke. One tag was updated.")
    assert type(told) is kind
    assert (told.what, told.remedy) == ("It broke. One tag was updated.", "Repair it.")
    assert told.args == ("It broke. One tag was updated.",)
    assert str(error.with_context(remedy="")) == "It broke."
    assert str(error) == "It broke. Repair it."


def test_other_words_keep_everything_else() -> None:
    error = NetworkError("It broke.", passing=False, retry_after=7, busy=True)
    told = error.with_context("It broke again.")
    assert (told.passing, told.retry_after, told.busy) == (False, 7, True)


def test_an_error_can_be_raised_again_with_a_cause_and_copied() -> None:
    error = NetworkError("It broke.", "Repair it.", passing=False)
    with pytest.raises(NetworkError) as caught:
        raise error.with_context("It broke there.") from error
    assert caught.value.__cause__ is error
    again = copy.copy(error)
    assert (again.what, again.remedy, again.passing) == ("It broke.", "Repair it.", False)


@pytest.mark.parametrize("password", ["Imgpassw0rd1", "p/w:d", "p@ss:w0rd", "q\"uo'te&<", "%40x#?"])
@pytest.mark.parametrize(
    "name",
    [
        "https://me:{}@ghcr.io/x:1",
        "http://{}@ghcr.io/x",
        "docker://me:{}@ghcr.io/x:1@sha256:abc",
        "me:{}@ghcr.io/x:1",
        "me:{}@ghcr.io",
        "'me:{}@127.0.0.1:5000/x'",
        "me:@1{}@ghcr.io/x",
        "me:{}@10",
    ],
)
def test_no_message_has_the_login_of_a_name(name: str, password: str) -> None:
    text = name.format(password)
    errors = [DocklessError(f"{text!r} is no name.", f"Write {text} otherwise.")]
    errors.append(DocklessError("x").with_context(f"{text!r} is no name.", f"Leave {text}."))
    for error in errors:
        for said in (str(error), repr(error), str(error.to_json()), str(error.args)):
            assert password not in said.replace("\\'", "'").replace("\\\\", "\\")
        assert "***@" in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "ghcr.io/acme/shop:v1@sha256:0123",
        "127.0.0.1:5000/x@sha512:0123",
        "docker://ghcr.io/acme/shop@sha256:0123",
        "oci-archive:/data/me@home.tar",
        "ssh://me@build1:22",
        "me@build1:22 cannot be reached: me@example.com",
        "image.tar:@0",
        "docker-archive:image.tar:@3 is not there",
        "'/data/a b/image.tar:@12'.",
        "list.txt:1:1: image.tar:@9: it has 2 images",
        "/srv/node:18/pkg@1.0/image.tar",
        "./a:b@c.tar",
    ],
)
def test_what_has_no_login_is_said_as_it_is(text: str) -> None:
    assert str(DocklessError(text)) == text
