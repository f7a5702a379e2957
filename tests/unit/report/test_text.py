from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from dockless.errors import AuthError, DocklessError, SourceError
from dockless.model.plan import Plan, PushResult
from dockless.model.secret import Secret
from dockless.oci.reference import Repository
from dockless.report.text import (
    closing_text,
    error_text,
    error_texts,
    explain_text,
    plan_text,
    result_text,
    total_text,
)

PLAN = f"""\
Target    localhost:5000/team/shop:v2
Target    localhost:5000/team/shop:stable
Target    localhost:5000/team/shop:latest
Image ID  sha256:{"c" * 64}
Platform  linux/amd64
Digest    sha256:{"d" * 64}
          new manifest digest; image ID unchanged
Layers    gzip, level 1

Config  sha256:cccccccccccc  1.52 kB  missing
Layer   sha256:111111111111  76.4 MB  present
Layer   sha256:222222222222  5.31 MB  missing

Would send 5.31 MB (2 of 3 blobs)

Tag v2: would be created
Tag stable: would be updated from sha256:eeeeeeeeeeee to sha256:dddddddddddd
Tag latest: would stay unchanged"""


def test_a_plan_says_where_to_what_and_how_much(plan: Plan) -> None:
    assert plan_text(plan) == PLAN


def test_a_plan_says_nothing_of_a_new_digest_when_it_is_the_sources(plan: Plan) -> None:
    kept = replace(plan, digest_is_new=False)

    added = "          new manifest digest; image ID unchanged\nLayers    gzip, level 1\n"
    assert plan_text(kept) == PLAN.replace(added, "")


def test_a_plan_for_an_index_has_no_image_id(plan: Plan) -> None:
    index = replace(plan, content=replace(plan.content, image_id=None))

    assert "Image ID  " not in plan_text(index)


def test_a_plan_with_everything_there_sends_nothing(plan: Plan) -> None:
    there = replace(plan, blobs=tuple(replace(blob, present=True) for blob in plan.blobs))

    assert "\nWould send 0 B (0 of 3 blobs)\n" in plan_text(there)


def test_the_result_is_repository_at_digest(result: PushResult) -> None:
    assert result_text(result) == f"localhost:5000/team/shop@sha256:{'d' * 64}"


TARGETS = "localhost:5000/team/shop:v2, :stable, :latest"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, f"Pushed {TARGETS} (1 layer sent, 5.31 MB, 1.9 s, verified)"),
        (
            {"verified": False, "attempts": 3},
            f"Pushed {TARGETS} (1 layer sent, 5.31 MB, 1.9 s, 3 attempts, not verified)",
        ),
        ({"unchanged": True}, f"{TARGETS}: already there, nothing to do (1.9 s)"),
        (
            {"unchanged": True, "dry_run": True},
            f"{TARGETS}: already there, nothing to do (1.9 s)",
        ),
        ({"dry_run": True}, f"{TARGETS}: nothing was sent, this was a dry run"),
    ],
)
def test_the_closing_line_says_what_was_done(
    result: PushResult, changes: dict[str, Any], text: str
) -> None:
    assert closing_text(replace(result, **changes)) == text


def test_a_push_that_only_moves_tags_sends_no_layers(result: PushResult) -> None:
    blobs = tuple(replace(blob, present=True) for blob in result.plan.blobs)
    moved = replace(result, plan=replace(result.plan, blobs=blobs), sent=0)

    assert closing_text(moved) == f"Pushed {TARGETS} (no layers sent, 1.9 s, verified)"


def test_an_error_has_its_remedy_on_the_next_line() -> None:
    error = AuthError("ghcr.io does not accept the password.", "Log in again.")

    assert error_text(error) == "Error: ghcr.io does not accept the password.\nLog in again."


def test_an_error_without_a_remedy_is_one_line() -> None:
    assert error_text(SourceError("a.tar is not a tar.")) == "Error: a.tar is not a tar."


def test_an_error_cannot_command_the_terminal() -> None:
    error = SourceError("The member 'x\x1b[2J' climbs out.", "Look at \udcff.")

    assert error_text(error) == "Error: The member 'x\\x1b[2J' climbs out.\nLook at \\udcff."


def test_explain_lines_up_settings_values_and_origins() -> None:
    rows = [("registry", "ghcr", "command line"), ("image", "", "not set")]

    assert explain_text(rows) == (
        "SETTING   VALUE  FROM\n"
        "registry  ghcr   command line\n"
        "image            not set"
    )  # fmt: skip


SECRET: Any = Secret("hunter2")


def _with_secret_tag(plan: Plan) -> Plan:
    return replace(plan, tags=(replace(plan.tags[0], tag=SECRET),))


@pytest.mark.parametrize(
    "show",
    [
        lambda result: plan_text(_with_secret_tag(result.plan)),
        lambda result: closing_text(replace(result, plan=_with_secret_tag(result.plan))),
        lambda result: result_text(
            replace(
                result,
                plan=replace(result.plan, repository=replace(result.plan.repository, host=SECRET)),
            )
        ),
        lambda _: error_text(DocklessError(SECRET)),
        lambda _: error_text(DocklessError("It failed.", SECRET)),
        lambda _: explain_text([("password", SECRET, "environment")]),
    ],
)
def test_a_secret_is_refused_not_shown(
    result: PushResult, show: Callable[[PushResult], str]
) -> None:
    with pytest.raises(TypeError):
        show(result)


def test_what_several_images_share_would_be_sent_once(result: PushResult) -> None:
    other = replace(result.plan, repository=Repository.of("localhost:5000", "team/other"))
    elsewhere = replace(result, plan=other)
    assert total_text([result]) == "Altogether would send 5.31 MB (2 blobs)"
    assert total_text([result, result]) == "Altogether would send 5.31 MB (2 blobs)"
    assert total_text([result, elsewhere]) == "Altogether would send 10.6 MB (4 blobs)"


@pytest.mark.parametrize("count", [1, 2, 40])
def test_an_error_that_many_have_stands_once(count: int) -> None:
    down = AuthError("It is down.", "Wait.")
    outcomes = [(f"a:{number}", AuthError(down.what, down.remedy)) for number in range(count)]
    names = ", ".join(name for name, _ in outcomes)
    texts = error_texts([*outcomes, ("b:1", None), ("c:1", SourceError("Gone."))])
    assert texts == (f"{names}: Error: It is down.\nWait.", "c:1: Error: Gone.")
