"""What the library is given in a wrong form is a UsageError that names it."""

import math
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

import dockless
from dockless import Credential, MirrorOptions, Platform, PushOptions, Secret, UsageError
from dockless.model.option_values import checked_options

Wrong = Any
"""What type checkers would refuse."""

TARGET = "127.0.0.1:1/acme/shop:v1"
AMD64 = Platform.parse("linux/amd64")
CALLS: dict[str, Callable[..., object]] = {
    "push": lambda **given: dockless.push("none.tar", TARGET, **given),
    "mirror": lambda **given: dockless.mirror("none.tar", "127.0.0.1:1/acme", **given),
    "verify": lambda **given: dockless.verify("none.json", **given),
    "open_image": lambda **given: dockless.open_image("none.tar", **given).__enter__(),
    "Client": dockless.Client,
    "from_environment": dockless.Client.from_environment,
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("compression", "brotli", "auto, gzip, zstd, none"),
        ("compression", None, "auto, gzip, zstd, none"),
        ("engine", "docker", "auto, crane, skopeo, direct"),
        ("manifest_format", "v2", "auto, oci, docker"),
        ("platform", "linux/riscv64", "Platform.parse"),
        ("platform", (AMD64,), "Platform.parse"),
        ("timeout", "90s", "number of seconds"),
        ("timeout", -3, "0.0 or more"),
        ("timeout", math.nan, "number of seconds"),
        ("stall_timeout", 0, "or more"),
        ("stall_timeout", None, "number of seconds"),
        ("retries", -2, "from 0 to 100"),
        ("retries", 101, "from 0 to 100"),
        ("retries", "3", "whole number"),
        ("retries", True, "whole number"),
        ("rate", 2.5, "whole number"),
        ("max_connections", "4", "whole number"),
        ("dry_run", "no", "True or False"),
        ("verify", None, "True or False"),
        ("ca_file", 7, "a path"),
        ("cert_dir", ["certs"], "a path"),
        ("insecure_realms", "tokens.example.com", "a tuple"),
        ("insecure_realms", (None,), "a text"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_allowed(
    call: str, name: str, value: object, allowed: str
) -> None:
    wrong: Wrong = {name: value}
    options = PushOptions(**wrong)
    with pytest.raises(UsageError) as caught:
        CALLS[call](options=options)
    assert f"The option {name} is " in caught.value.what
    assert allowed in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("strip", "docker.io/library"),
        ("maps", "a/*=b/*"),
        ("maps", [1]),
        ("platforms", "linux/amd64"),
        ("platforms", AMD64),
        ("platforms", ("linux/amd64",)),
        ("parallel", 2.0),
        ("named", 3),
        ("shard", (0, 4)),
        ("flatten", "yes"),
    ],
)
def test_a_wrong_option_of_a_mirror_is_named(name: str, value: object) -> None:
    wrong: Wrong = {name: value}
    options = MirrorOptions(**wrong)
    with pytest.raises(UsageError, match=f"The option {name} is "):
        dockless.mirror("none.tar", "127.0.0.1:1/acme", options=options)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("options", [{"dry_run": True}, "dry_run", 1, PushOptions])
def test_what_is_no_options_is_refused(call: str, options: object) -> None:
    with pytest.raises(UsageError, match="must be PushOptions or MirrorOptions"):
        CALLS[call](options=options)


@pytest.mark.parametrize("value", ["stable", "v1.2", b"stable", "", Path("stable"), None, 3, {}])
@pytest.mark.parametrize(("call", "name"), [("push", "tags"), ("mirror", "lists")])
def test_one_value_is_not_taken_for_its_letters(call: str, name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"{name} is .*, and must be a list or tuple") as caught:
        CALLS[call](**{name: value})
    assert f"{name}=[" in caught.value.remedy


@pytest.mark.parametrize(
    ("call", "given"),
    [
        ("push", {"tags": ["stable", 2]}),
        ("push", {"tags": [None]}),
        ("push", {"receipt": 3}),
        ("mirror", {"receipt": b"r.json"}),
        ("mirror", {"lists": ["images.txt", None]}),
        ("Client", {"cache": 3}),
        ("Client", {"progress": "bar"}),
        ("push", {"progress": 3}),
    ],
)
def test_other_arguments_of_a_wrong_type_are_named(call: str, given: dict[str, object]) -> None:
    (name,) = given
    with pytest.raises(UsageError, match=name):
        CALLS[call](**given)


@pytest.mark.parametrize("value", [None, 3, b"a.tar", ["a.tar"]])
def test_sources_targets_and_receipts_are_texts_or_paths(value: Wrong) -> None:
    with pytest.raises(UsageError, match="source"):
        dockless.push(value, TARGET)
    with pytest.raises(UsageError, match="target"):
        dockless.push("a.tar", value)
    with pytest.raises(UsageError, match="target"):
        dockless.mirror("a.tar", value)
    with pytest.raises(UsageError, match="sources"):
        dockless.mirror([value], "127.0.0.1:1")
    with pytest.raises(UsageError, match="receipts"):
        dockless.verify(value)


@pytest.mark.parametrize("value", ["hunter2", b"hunter2", ("me", "hunter2"), Secret("hunter2")])
def test_a_credential_of_a_wrong_type_is_not_shown(value: Wrong) -> None:
    for call in ("push", "mirror"):
        with pytest.raises(UsageError, match="Credential") as caught:
            CALLS[call](credential=value)
        assert "hunter2" not in f"{caught.value!r} {caught.value.remedy}"
    wrong: Wrong
    for wrong in (value, {"registry.example.com": value}, {3: value}):
        with pytest.raises(UsageError, match="Credential") as caught:
            dockless.Client(credentials=wrong)
        assert "hunter2" not in f"{caught.value!r} {caught.value.remedy}"


@pytest.mark.parametrize("path", ["ca.crt", Path("ca.crt"), PurePosixPath("ca.crt")])
def test_paths_are_texts_or_path_objects(path: Wrong) -> None:
    for name in ("ca_file", "cert_dir"):
        given: Wrong = {name: path}
        options = checked_options(PushOptions(**given))
        assert getattr(options, name) == Path("ca.crt")
        assert isinstance(getattr(options, name), Path)


def test_right_options_stay_as_they_are_and_lists_become_tuples() -> None:
    given = PushOptions(timeout=5, retries=0, platform=AMD64, engine="direct", rate=10**6)
    assert checked_options(given) is given
    assert checked_options(None) is None
    several: Wrong = {"platforms": [AMD64], "strip": ["a"], "maps": []}
    lists = MirrorOptions(**several)
    assert checked_options(lists) == MirrorOptions(platforms=(AMD64,), strip=("a",))


def test_every_field_has_words_for_what_it_allows() -> None:
    for options in (PushOptions, MirrorOptions):
        for name in options.__struct_fields__:
            given: Wrong = {name: object()}
            wrong = options(**given)
            with pytest.raises(UsageError, match=f"The option {name} is .*, and must be "):
                checked_options(wrong)


def test_a_credential_is_taken() -> None:
    credential = Credential(username="me", password=Secret("x"))
    dockless.Client(credentials={"registry.example.com": credential}).close()
