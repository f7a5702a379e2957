from urllib.parse import quote

import pytest

from dockless.diagnosis.upload import _CHUNK, _NOWHERE, Tried, check, judge
from dockless.model.finding import Finding, State
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from fakes.http import StubHttp

HOST = "registry.example.com"
REPOSITORY = Repository.of(HOST, "team/app")
BASE = f"https://{HOST}/v2/"
BEGIN = f"POST {BASE}team/app/blobs/uploads/?mount={quote(str(_NOWHERE))}&from=team%2Fapp"
SESSION = f"{BASE}team/app/blobs/uploads/1"
GOOD = Tried(begun=202, location=True, chunk=202, received=f"0-{len(_CHUNK) - 1}", cancelled=204)


def _found(http: StubHttp, *, named: bool = True) -> dict[str, Finding]:
    http.on(f"GET {BASE}", 200)
    found = list(check(RegistryClient(http, lambda: None), REPOSITORY, named=named))
    assert all(one.remedy for one in found if one.state == "problem")
    return {one.subject: one for one in found}


def test_an_upload_is_begun_with_a_mount_and_cancelled() -> None:
    http = StubHttp()
    http.on(BEGIN, 202, b"", {"Location": SESSION, "OCI-Chunk-Min-Length": "5242880"})
    http.on(
        f"PATCH {SESSION}",
        202,
        b"",
        {"Location": f"{SESSION}?s=2", "Range": f"0-{len(_CHUNK) - 1}"},
    )
    http.on(f"DELETE {SESSION}?s=2", 204)
    found = _found(http)
    assert {name: one.state for name, one in found.items()} == {
        "mounts": "ok",
        "chunks": "ok",
        "session": "ok",
    }
    assert found["chunks"].facts["leastChunkBytes"] == 5242880
    assert [asked.what.split()[0] for asked in http.asked] == ["GET", "POST", "PATCH", "DELETE"]
    assert http.asked[2].headers["Content-Range"] == f"0-{len(_CHUNK) - 1}"


def test_a_registry_without_chunks_is_worth_a_note_and_the_session_is_cancelled_all_the_same() -> (
    None
):
    http = StubHttp()
    http.on(BEGIN, 202, b"", {"Location": SESSION})
    http.on(f"PATCH {SESSION}", 405)
    http.on(f"DELETE {SESSION}", 204)
    found = _found(http)
    assert (found["chunks"].state, found["chunks"].facts["chunks"]) == ("note", False)
    assert found["session"].state == "ok"


@pytest.mark.parametrize(
    ("begun", "named", "state"),
    [(404, True, "problem"), (404, False, "note"), (405, True, "problem"), (405, False, "problem")],
)
def test_a_repository_that_does_not_exist_is_a_problem_only_when_somebody_named_it(
    begun: int, state: State, *, named: bool
) -> None:
    http = StubHttp()
    http.on(BEGIN, begun)
    [found] = _found(http, named=named).values()
    assert (found.subject, found.state) == (str(REPOSITORY), state)


@pytest.mark.parametrize(("named", "state"), [(True, "problem"), (False, "note")])
def test_a_repository_that_is_not_allowed_likewise(state: State, *, named: bool) -> None:
    http = StubHttp()
    http.on(BEGIN, 403)
    [found] = _found(http, named=named).values()
    assert (found.state, bool(found.remedy)) == (state, True)


def test_what_is_not_cancelled_or_not_told_is_worth_a_note() -> None:
    unsaid = Tried(begun=202, location=True, chunk=204, received="", cancelled=404)
    states = [(one.subject, one.state) for one in judge(unsaid, REPOSITORY, named=True)]
    assert states == [("mounts", "ok"), ("chunks", "note"), ("session", "note")]
    assert [one.state for one in judge(GOOD, REPOSITORY, named=True)] == ["ok"] * 3


@pytest.mark.parametrize("named", [True, False])
def test_an_upload_without_a_location_is_said(*, named: bool) -> None:
    (found,) = judge(Tried(begun=202, location=False), REPOSITORY, named=named)
    assert "no Location" in found.what
    assert found.state == "problem"
