"""A tag that was updated before its registry failed: what is said of it, by every later attempt."""

import json
from pathlib import Path

import pytest

from bed.dockless import Dockless
from bed.faults import Answer, Change, Drop, Effect, Fault, FaultyRegistry, Hang, status

_TAG = "/manifests/v1$"
_ALWAYS = 1_000


def fail_after_the_tag(proxy: FaultyRegistry, effect: Effect) -> None:
    """Let the update of the tag through, and let every later request about a manifest fail."""

    def arm(answer: Answer) -> Answer:
        proxy.faults += [
            Fault(method, "/manifests/", effect, _ALWAYS) for method in ("GET", "HEAD")
        ]
        return answer

    proxy.faults.append(Fault("PUT", _TAG, Change(arm)))


@pytest.mark.parametrize("code", [500, 502, 503])
def test_a_mirror_never_forgets_a_tag_that_it_updated(
    program: Dockless, faulty_registry: FaultyRegistry, packed: Path, tmp_path: Path, code: int
) -> None:
    fail_after_the_tag(faulty_registry, status(code))
    receipt = tmp_path / "r.json"
    to = f"{faulty_registry.host}/x"
    argv = ("mirror", packed, "--as", "app:v1", "--to", to, "--retries", "1", "--receipt", receipt)
    done = program.run(*argv)
    assert done.code == (1 if code == 500 else 6), done.stderr
    (failure,) = json.loads(receipt.read_text())["failures"]
    for said in (done.stderr, json.dumps(failure["error"])):
        assert f"{to}/app:v1 was updated" in said
        assert "No tag was changed" not in said
        assert "delete" not in said
        assert "damaged" not in said
    assert ("could not be read back" in done.stderr) == (code == 500)


@pytest.mark.parametrize("effect", [Drop(10), Hang()], ids=["reset", "late"])
@pytest.mark.parametrize("command", ["push", "mirror"])
def test_an_update_whose_answer_never_came_may_have_been_one(
    program: Dockless,
    faulty_registry: FaultyRegistry,
    packed: Path,
    tmp_path: Path,
    effect: Effect,
    command: str,
) -> None:
    proxy = faulty_registry
    proxy.faults.append(Fault("PUT", _TAG, effect, _ALWAYS))
    question = Fault("HEAD", _TAG, Drop(), _ALWAYS)

    def arm(answer: Answer) -> Answer:
        proxy.faults.append(question)
        return answer

    # the first question is before anything is sent
    proxy.faults.insert(0, Fault("HEAD", _TAG, Change(arm)))
    receipt = tmp_path / "r.json"
    argv: tuple[str | Path, ...] = ("--image", f"{proxy.host}/x/app:v1")
    if command == "mirror":
        argv = ("--as", "app:v1", "--to", f"{proxy.host}/x", "--receipt", receipt)
    limit = ("--timeout", "4s") if isinstance(effect, Hang) else ()
    done = program.run(command, packed, *argv, "--retries", "1", *limit)
    assert done.code == 6, done.stderr
    said = f"{proxy.host}/x/app:v1 may have been updated"
    assert said in done.stderr
    assert "No tag was changed" not in done.stderr
    if command == "mirror":
        (failure,) = json.loads(receipt.read_text())["failures"]
        assert said in failure["error"]["message"]


def test_an_update_that_was_never_tried_is_said_to_be_none(
    program: Dockless, faulty_registry: FaultyRegistry, packed: Path
) -> None:
    faulty_registry.faults += [
        Fault(method, "/manifests/sha256:", status(500), _ALWAYS) for method in ("GET", "HEAD")
    ]
    to = f"{faulty_registry.host}/x"
    done = program.run("mirror", packed, "--as", "app:v1", "--to", to, "--retries", "1")
    assert done.code == 1, done.stderr
    assert "No tag was changed" in done.stderr
    assert "could not be read back" in done.stderr
