import copy
import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest

from dockless.errors import UsageError
from dockless.storage.receipt_merging import distinct, division_doubt, merged, parts_of
from dockless.storage.receipt_reading import Receipt, read_receipt, read_receipts

Json = dict[str, Any]
DIGEST, OTHER = (f"sha256:{each * 64}" for each in "ab")
ERROR = {"kind": "source", "message": "It is truncated.", "remedy": "", "exitCode": 3}
GOOD: Json = {
    "receiptVersion": 1,
    "target": "registry.inside:5000/m",
    "finished": "2026-11-30T01:02:03Z",
    "versions": {"dockless": "1.0"},
    "bundles": {"disk.tar": OTHER},
    "images": [
        {
            "source": "disk.tar",
            "otherSources": [],
            "name": "acme/web:v1",
            "references": ["registry.inside:5000/m/acme/web:v1"],
            "digest": DIGEST,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "unchanged": False,
            "arrived": None,
            "verified": True,
            "checked": True,
            "blobs": [{"digest": OTHER, "size": 0}],
        }
    ],
    "failures": [{"source": "x", "name": "", "references": [], "origin": None, "error": ERROR}],
    "pending": [{"source": "y", "name": "y:1", "references": ["registry.inside:5000/m/y:1"]}],
}


def changed(place: str, value: object) -> str:
    """Return a receipt in which the member at a place, as `images.0.digest`, is another value."""
    document = copy.deepcopy(GOOD)
    at: Any = document
    *way, last = (int(each) if each.isdigit() else each for each in place.split("."))
    for step in way:
        at = at[step]
    at[last] = value
    return json.dumps(document)


def lacking(place: str) -> str:
    document = copy.deepcopy(GOOD)
    at: Any = document
    *way, last = (int(each) if each.isdigit() else each for each in place.split("."))
    for step in way:
        at = at[step]
    del at[last]
    return json.dumps(document)


def test_a_good_receipt_says_what_is_there_and_what_is_not() -> None:
    found = read_receipt(json.dumps(GOOD), "r.json")
    ((reference, digest),) = ((str(each.reference), str(each.digest)) for each in found.items)
    assert (reference, digest) == ("registry.inside:5000/m/acme/web:v1", DIGEST)
    assert found.missing == (
        "An image of x did not arrive: It is truncated.",
        "y:1 of y as registry.inside:5000/m/y:1 had not been tried when r.json was written.",
    )


@pytest.mark.parametrize(
    ("source", "name", "references", "message", "said"),
    [
        ("d/x.tar", "", [], "d/x.tar is cut short.", "An image did not arrive: d/x.tar is"),
        ("x.tar", "web:1", [], "x.tar is cut short.", "web:1 did not arrive: x.tar is"),
        ("x.tar", "web:1", [], "It is cut.", "web:1 of x.tar did not arrive: It"),
        ("r.io/a:1", "r.io/a:1", [], "It is gone.", "r.io/a:1 did not arrive: It"),
        ("y", "b", ["r.io/b:1"], "r.io/b:1 is taken.", "b of y did not arrive: r.io/b:1 is"),
        ("y", "b", ["r.io/b:1"], "It is taken.", "b of y as r.io/b:1 did not arrive: It is"),
    ],
)
def test_a_failure_names_its_image_once(
    source: str, name: str, references: list[str], message: str, said: str
) -> None:
    line = {"source": source, "name": name, "references": references}
    text = json.dumps(GOOD | {"failures": [{**line, "error": {**ERROR, "message": message}}]})
    assert read_receipt(text, "r.json").missing[0].startswith(said)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "i0 did not arrive: It is lost."),
        (2, "i0 and i1 did not arrive: It is lost."),
        (3, "i0, i1 and i2 did not arrive: It is lost."),
        (9, "i0, i1, i2 and 6 more did not arrive: It is lost."),
    ],
)
def test_an_error_that_several_images_have_is_said_once(count: int, said: str) -> None:
    error = {**ERROR, "message": "It is lost."}
    failures = [
        {"source": f"i{number}", "name": f"i{number}", "references": [], "error": error}
        for number in range(count)
    ]
    other = {"source": "x", "name": "x", "references": [], "error": ERROR}
    text = json.dumps(GOOD | {"failures": [*failures, other], "pending": []})
    assert read_receipt(text, "r.json").missing == (said, "x did not arrive: It is truncated.")


@pytest.mark.parametrize(
    "place",
    [
        *(each for each in GOOD if each not in ("pending", "receiptVersion")),
        *(
            f"images.0.{each}"
            for each in GOOD["images"][0]
            if each not in ("otherSources", "checked")
        ),
        *(f"failures.0.{each}" for each in ("source", "name", "references", "error")),
        *(f"failures.0.error.{each}" for each in ERROR),
        *(f"pending.0.{each}" for each in GOOD["pending"][0]),
        "images.0.blobs.0.digest",
        "images.0.blobs.0.size",
    ],
)
def test_a_member_that_is_missing_is_named(place: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_receipt(lacking(place), "r.json")
    assert f"lacks {place.rpartition('.')[2]}" in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize(
    "place", ["pending", "images.0.checked", "images.0.otherSources", "failures.0.origin"]
)
def test_a_member_that_older_versions_did_not_write_may_be_missing(place: str) -> None:
    assert read_receipt(lacking(place), "r.json").items


@pytest.mark.parametrize(
    ("place", "values"),
    [
        ("finished", [False, True, "", [], 5, {}, "soon", "2026-11-30", "2026-13-01T00:00:00Z",
                      "2026-11-30T01:02:03", "2026-02-30T00:00:00Z", 1.5]),
        ("target", ["", None, 5, []]),
        ("versions", [[], None, {"dockless": 1}, {"crane": None}]),
        ("bundles", [[], None, {"x": "sha256:short"}, {"x": None}]),
        ("images", [{}, None, "", [None], [[]], ["x"]]),
        ("images.0.references", [[], None, "x", {}, [None], [""], ["no such name"], ["web:v1"],
                                 ["registry.inside:5000/m/acme/web"],
                                 [f"registry.inside:5000/m/acme/web@{OTHER}"]]),
        ("images.0.digest", ["", None, "sha256:xyz", DIGEST.upper(), 5, [DIGEST]]),
        ("images.0.mediaType", ["", None, 5]),
        ("images.0.unchanged", [None, 0, "false", []]),
        ("images.0.arrived", [False, "", 5, "now"]),
        ("images.0.verified", [None, 1, "true"]),
        ("images.0.checked", [None, 1, "true"]),
        ("images.0.blobs", [None, {}, "", [DIGEST]]),
        ("images.0.blobs.0.size", [-1, True, "5", 1.0, None, 1 << 64]),
        ("images.0.source", [None, 5, []]),
        ("images.0.otherSources", [None, "x", [5]]),
        ("failures", [None, {}, [None]]),
        ("failures.0.references", [None, "x", [5], ["no such name"]]),
        ("failures.0.origin", [5, [], False]),
        ("failures.0.error", [None, "x", []]),
        ("failures.0.error.exitCode", ["3", None, True, -1]),
        ("failures.0.error.message", [None, 5, ["x"]]),
        ("pending", [None, {}, 5, False, ""]),
        ("pending.0.references", [None, "x", [5]]),
    ],
)  # fmt: skip
def test_a_member_of_another_type_is_named_with_its_value(place: str, values: list[object]) -> None:
    name = ""
    for step in place.split("."):
        name += f"[{step}]" if step.isdigit() else f".{step}" if name else step
    for value in values:
        with pytest.raises(UsageError) as caught:
            read_receipt(changed(place, value), "r.json")
        assert name in caught.value.what, value


@pytest.mark.parametrize("version", [True, 1.0, "1", None, 2, 0, [1]])
def test_another_version_is_not_read(version: object) -> None:
    with pytest.raises(UsageError, match="receipt of version"):
        read_receipt(changed("receiptVersion", version), "r.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", '"x"', "{}", '{"images": []}'])
def test_what_is_no_receipt_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="is not a receipt"):
        read_receipt(text, "r.json")


def test_a_member_of_a_later_version_is_left_alone() -> None:
    assert read_receipt(changed("novelty", [1]), "r.json").items
    assert read_receipt(changed("images.0.novelty", {}), "r.json").items


def test_the_latest_end_counts_whatever_its_time_zone_and_lines_stand_once() -> None:
    ends = ("2026-11-30T01:02:03Z", "2026-11-30T02:00:00+02:00")
    parts = [read_receipt(changed("finished", each), "r.json") for each in ends]
    whole = merged(parts)
    assert whole["finished"] == ends[0]
    assert whole["images"] == GOOD["images"]
    assert read_receipt(json.dumps(whole), "whole.json").items == parts[0].items
    parts.append(read_receipt(changed("finished", None), "r.json"))
    assert merged(parts)["finished"] is None


def test_receipts_of_two_targets_are_not_one_mirror() -> None:
    targets = ("registry.inside:5000", "registry.inside:5000/m")
    parts = [read_receipt(changed("target", each), "r.json") for each in targets]
    with pytest.raises(UsageError, match="different places"):
        merged(parts)


@pytest.mark.parametrize(
    ("target", "reference"),
    [
        ("registry.inside:5000/m", "other.example/m/acme/web:v1"),
        ("registry.inside:5000/m", "registry.inside:5001/m/acme/web:v1"),
        ("registry.inside:5000/m", "registry.inside:5000/acme/web:v1"),
        ("registry.inside:5000/m", "registry.inside:5000/mm/acme/web:v1"),
        ("registry.inside:5000/m", "REGISTRY.inside:5000/m/acme/web:v1"),
        ("docker.io", "ghcr.io/acme/web:v1"),
    ],
)
def test_a_reference_that_is_not_in_the_target_is_refused(target: str, reference: str) -> None:
    document = json.loads(changed("images.0.references", [reference]))
    with pytest.raises(UsageError, match="which is not in the target"):
        read_receipt(json.dumps(document | {"target": target}), "r.json")


@pytest.mark.parametrize(
    ("target", "reference"),
    [("docker.io", "docker.io/acme/web:v1"), ("index.docker.io/acme", "docker.io/acme/web:v1")],
)
def test_every_name_of_docker_hub_is_the_same_target(target: str, reference: str) -> None:
    document = json.loads(changed("images.0.references", [reference]))
    assert read_receipt(json.dumps(document | {"target": target}), "r.json").items


def part(*shards: str) -> Receipt:
    return read_receipt(json.dumps(GOOD | {"shards": list(shards)}), "r.json")


@pytest.mark.parametrize("value", ["0", "3/3", "auto", "1/0", "01/3", 7, "0/3 ", "-1/3"])
def test_a_part_is_an_index_and_a_count(value: object) -> None:
    with pytest.raises(UsageError, match="shards"):
        read_receipt(json.dumps(GOOD | {"shards": [value]}), "r.json")


@pytest.mark.parametrize(
    ("given", "lost"),
    [
        ([["0/3"], ["1/3"]], "1 of 3 parts of the mirror has no receipt here: 2/3."),
        ([["1/4"]], "3 of 4 parts of the mirror have no receipt here: 0/4, 2/4, 3/4."),
        ([["0/2"], ["0/2"], []], "1 of 2 parts of the mirror has no receipt here: 1/2."),
        ([["0/9"]], "8 of 9 parts of the mirror have no receipt here: 1/9, 2/9, 3/9, 4/9, 5/9 and"),
        ([["0/3", "2/3"]], "1 of 3 parts of the mirror has no receipt here: 1/3."),
    ],
)
def test_a_part_without_a_receipt_is_missing(given: list[list[str]], lost: str) -> None:
    receipts = [part(*each) for each in given]
    assert distinct(receipts)[1][0].startswith(lost)
    again = read_receipt(json.dumps(merged(receipts)), "all.json")
    assert distinct([again])[1][0].startswith(lost)


@pytest.mark.parametrize("given", [[["0/2"], ["1/2"]], [["1/3", "0/3"], ["2/3"]], [[]]])
def test_all_parts_are_the_whole(given: list[list[str]]) -> None:
    receipts = [part(*each) for each in given]
    assert not any("receipt here" in line for line in distinct(receipts)[1])
    assert len(parts_of(receipts)) == len(list(itertools.chain.from_iterable(given)))


@pytest.mark.parametrize("given", [("0/2", "1/3"), ("0/3", "1/3", "2/4"), ("0/2", "0/1")])
def test_parts_of_different_divisions_are_not_one_mirror(given: tuple[str, ...]) -> None:
    receipts = [part(each) for each in given]
    for work in (merged, distinct):
        with pytest.raises(UsageError, match=r"mirrors in \d and in \d parts"):
            work(receipts)


ONE, TWO = (f"sha256:{each * 64}" for each in "cd")


def of_division(shard: str, division: str = "", target: str = GOOD["target"]) -> Receipt:
    divided = {"division": division} if division else {}
    document = {**GOOD, "images": [], "shards": [shard], "target": target, **divided}
    return read_receipt(json.dumps(document), "r.json")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((("0/2", ONE), ("1/2", TWO)), "between the runs of 0/2 and 1/2,"),
        ((("0/3", ONE), ("2/3", ONE), ("1/3", TWO)), "between the runs of 0/3 and 1/3,"),
        ((("1/2", ONE), ("1/2", TWO), ("0/2", ONE)), "between the runs of 1/2 and 1/2,"),
        ((("0/4", ONE), ("1/4", ""), ("2/4", TWO)), "between the runs of 0/4 and 2/4,"),
    ],
)
def test_parts_of_different_lists_are_not_one_mirror(
    given: tuple[tuple[str, str], ...], said: str
) -> None:
    receipts = [of_division(*each) for each in given]
    for work in (merged, distinct):
        with pytest.raises(UsageError, match="of different divisions") as caught:
            work(receipts)
        assert said in caught.value.what


@pytest.mark.parametrize("target", ["registry.inside:5000", "other.example/m", "docker.io/m"])
def test_parts_of_mirrors_to_different_places_are_not_one_mirror(target: str) -> None:
    receipts = [of_division("0/2"), of_division("1/2", target=target)]
    with pytest.raises(UsageError, match="parts of mirrors to "):
        distinct(receipts)


@pytest.mark.parametrize("shards", [("0/2", "1/2"), ("0/3", "2/3"), ("1/5",)])
def test_a_merged_receipt_keeps_the_division(shards: tuple[str, ...]) -> None:
    whole = merged([of_division(each, ONE) for each in shards])
    assert whole["division"] == ONE
    again = read_receipt(json.dumps(whole), "all.json")
    assert merged([again, of_division(shards[0], ONE)])["division"] == ONE
    with pytest.raises(UsageError, match="of different divisions"):
        merged([again, of_division(shards[0], TWO)])


@pytest.mark.parametrize(
    ("given", "merging", "said"),
    [
        ((("0/2", ""), ("1/2", "")), False, "one division cannot be known"),
        ((("0/3", ONE), ("2/3", "")), False, "one division cannot be known"),
        ((("0/2", ""), ("1/2", ONE)), True, "one division cannot be known"),
        ((("0/2", ONE), ("1/2", ONE)), True, ""),
        ((("0/2", ""),), False, ""),
        ((("1/2", ""), ("1/2", "")), True, ""),
    ],
)
def test_whether_older_parts_are_of_one_division_is_not_known(
    given: tuple[tuple[str, str], ...],
    merging: bool,  # noqa: FBT001 - a parameter of pytest
    said: str,
) -> None:
    receipts = [of_division(*each) for each in given]
    doubt = division_doubt(receipts, merging=merging)
    assert said in doubt
    assert bool(said) == bool(doubt)
    if said:
        assert "division" not in merged(receipts)
        again = read_receipt(json.dumps(merged(receipts)), "all.json")
        assert division_doubt([again], merging=False) == doubt


@pytest.mark.parametrize("count", [1, 2, 5])
def test_merging_receipts_that_name_no_part_says_what_is_not_known(count: int) -> None:
    receipts = [read_receipt(json.dumps(GOOD), "r.json")] * count
    assert ("part is missing cannot be known" in division_doubt(receipts, merging=True)) == (
        count > 1
    )
    assert not division_doubt(receipts, merging=False)


@pytest.mark.parametrize("value", [None, 5, "sha256:short", [], ""])
def test_a_division_is_a_digest(value: object) -> None:
    with pytest.raises(UsageError, match="division"):
        read_receipt(json.dumps(GOOD | {"shards": ["0/2"], "division": value}), "r.json")


def test_an_older_receipt_has_no_parts() -> None:
    assert "shards" not in merged([read_receipt(json.dumps(GOOD), "r.json")])


@pytest.mark.parametrize(
    ("member", "first"),
    [
        ("failures", "[1]"),
        ("finished", "null"),
        ("images", "[]"),
        ("digest", '"x"'),
        ("blobs", "0"),
    ],
)
def test_a_receipt_that_has_a_member_twice_is_refused(member: str, first: str) -> None:
    text = json.dumps(GOOD)
    read_receipt(text, "r.json")
    twice = text.replace(f'"{member}":', f'"{member}": {first}, "{member}":', 1)
    with pytest.raises(UsageError, match=f'an object in it has more than one "{member}"'):
        read_receipt(twice, "r.json")


@pytest.mark.parametrize("place", ["/dev/fd/{}", "/proc/self/fd/{}", "/dev/../dev/fd/{}"])
def test_a_receipt_may_come_from_a_pipe_that_is_open(place: str) -> None:
    reading, writing = os.pipe()
    os.write(writing, json.dumps(GOOD).encode())
    os.close(writing)
    (found,) = read_receipts([Path(place.format(reading))])
    os.close(reading)
    assert found.document == GOOD
