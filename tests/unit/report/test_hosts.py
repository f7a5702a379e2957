import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from dockless.errors import AuthError, HostLostError, NetworkError
from dockless.model.builder import BuildPlan
from dockless.model.host import HostResult
from dockless.model.server import Server
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.report.hosts import (
    Checked,
    check_document,
    check_text,
    host_error_texts,
    list_document,
    outcome_document,
    outcome_table,
    plan_text,
    residue_lines,
)

DIGEST = Digest.of(b"image")
ONE, TWO, THREE = (
    Server(address="one", user="me"),
    Server(address="two", user="", port=2222),
    Server(address="three", user="root"),
)
RESULTS = (
    HostResult(
        server=ONE,
        way="relay",
        why="it can",
        digest=DIGEST,
        sent=2_280_000,
        seconds=1.23,
        residue=(),
    ),
    HostResult(
        server=TWO,
        way="none",
        why="already there",
        digest=DIGEST,
        unchanged=True,
        residue=("/tmp/x",),  # noqa: S108 - a path of a host
    ),
    HostResult(server=THREE, error=HostLostError("It is gone.", "Push again.")),
)


def test_every_host_has_a_line() -> None:
    lines = outcome_table(RESULTS).splitlines()
    short = f"sha256:{DIGEST.hex[:12]}"
    assert [line.split() for line in lines] == [
        ["HOST", "METHOD", "DIGEST", "SENT", "TIME", "RESULT"],
        ["me@one:22", "relay", short, "2.28", "MB", "1.2", "s", "pushed"],
        ["two:2222", "none", short, "0", "B", "0.0", "s", "already", "there"],
        ["root@three:22", "-", "-", "0", "B", "0.0", "s", "failed", "(6)"],
    ]


def test_the_document_follows_the_schema() -> None:
    schema = json.loads(Path("docs/push-result.schema.json").read_text())
    found = outcome_document(RESULTS)
    Draft202012Validator(schema).validate(json.loads(json.dumps(found)))
    hosts = found["hosts"]
    assert isinstance(hosts, list)
    assert hosts[2]["error"]["kind"] == "network"
    assert hosts[1]["residue"] == ["/tmp/x"]  # noqa: S108 - a host's
    assert hosts[2]["residue"] is None


def test_the_audit_says_what_it_found() -> None:
    said = [residue_lines(each) for each in RESULTS]
    assert said == [
        ("one: no files left behind.",),
        ("two: left behind: /tmp/x",),
        ("three: could not be checked for files left behind.",),
    ]


def checked(*found: Checked) -> dict[str, Any]:
    """Return the document of what hosts have, once its schema has accepted it."""
    read: dict[str, Any] = json.loads(json.dumps(check_document(found)))
    Draft202012Validator(json.loads(Path("docs/hosts.schema.json").read_text())).validate(read)
    return read


BUILD = BuildPlan(image="shop:1", tool="docker", program="docker compose", file="/srv/compose.yml")
PLANNED = (
    HostResult(server=ONE, way="relay", why="it lacks crane", image_id=DIGEST, residue=()),
    HostResult(server=TWO, way="invoke", why="crane is there", build=BUILD, residue=()),
    HostResult(server=TWO, way="none", why="already there", digest=DIGEST, unchanged=True),
    HostResult(server=THREE, error=HostLostError("It is gone.", "Push again.")),
)


def test_a_plan_has_a_line_for_each_host() -> None:
    said = plan_text(Repository.of("ghcr.io", "acme/shop"), ["1", "stable"], PLANNED)
    assert said.splitlines() == [
        "Target  ghcr.io/acme/shop:1",
        "Target  ghcr.io/acme/shop:stable",
        "",
        f"HOST           IMAGE{' ' * 68}DRY RUN",
        f"me@one:22      {DIGEST}  would push, by relay: it lacks crane",
        f"two:2222       -{' ' * 72}would build {BUILD}, and then push, by invoke: crane is there",
        f"two:2222       unknown{' ' * 66}would do nothing: already there",
        f"root@three:22  -{' ' * 72}would fail (6)",
    ]


def test_the_plans_of_hosts_follow_the_schema() -> None:
    schema = json.loads(Path("docs/push-result.schema.json").read_text())
    found = json.loads(json.dumps(outcome_document(PLANNED)))
    Draft202012Validator(schema).validate(found)
    assert [each["imageId"] for each in found["hosts"]] == [str(DIGEST), None, None, None]
    assert found["hosts"][1]["build"]["program"] == "docker compose"


def test_what_a_host_has_is_a_paragraph_and_a_document() -> None:
    found = Checked(
        server=ONE,
        error=None,
        account="me on Linux x86_64",
        tools=(("docker", "20.10"),),
        image="docker has shop:1",
        engines=(("crane", ""), ("skopeo", "not installed")),
        free=5_000_000,
        clock=-2.2,
        reaches=True,
    )
    lines = [line.split() for line in check_text(3, found).splitlines()]
    assert lines[0] == ["3", "me@one:22"]
    assert ["crane", "can", "push"] in lines
    assert ["skopeo", "not", "installed"] in lines
    assert ["clock", "-2", "s"] in lines
    assert ["registry", "reached"] in lines
    (members,) = checked(found)["hosts"]
    assert members["engines"]["skopeo"] == {"usable": False, "lacks": "not installed"}
    assert (members["clockAheadSeconds"], members["reachesRegistry"]) == (-2, True)


def test_a_host_that_nobody_gets_to_has_its_error() -> None:
    found = Checked(server=TWO, error=AuthError("It lets nobody in.", "Add a key."))
    assert check_text(1, found).splitlines()[1].strip() == "It lets nobody in. Add a key."
    assert "Add a key" not in check_text(1, found, alone=True)  # the command's error says it
    (members,) = checked(found)["hosts"]
    assert members["error"]["exitCode"] == 4


def test_a_list_has_numbers() -> None:
    assert list_document([(2, ONE)]) == {
        "schemaVersion": 1,
        "hosts": [{"number": 2, "host": "one", "user": "me", "port": 22}],
    }


def test_an_error_of_several_hosts_stands_once() -> None:
    common = NetworkError("The registry is down.", "Wait.")
    results = [
        HostResult(server=ONE, error=common),
        HostResult(server=TWO, digest=DIGEST),
        HostResult(server=THREE, error=AuthError("It wants a login.")),
        HostResult(server=TWO, error=NetworkError("The registry is down.", "Wait.")),
    ]
    assert host_error_texts(results) == (
        "one, two:2222: Error: The registry is down.\nWait.",
        "three: Error: It wants a login.",
    )
