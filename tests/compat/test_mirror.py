"""Receipts, bundles and journals of an older version."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bed.dockless import Dockless
from bed.place import HOST, Place
from bed.pushes import Pusher

Json = dict[str, Any]

RECEIPTS = ("finished", "unchanged", "unfinished", "failures", "part-0", "part-1")
BUNDLES = ("disk", "disk.tar", "parts.tar.parts.json")


def read(path: Path) -> Json:
    found: Json = json.loads(path.read_text())
    return found


def references(receipt: Json) -> list[str]:
    return [name for image in receipt["images"] for name in image["references"]]


def mirror(there: Place, program: Dockless, source: str, target: str = f"{HOST}/m") -> None:
    done = program.run("mirror", source, "--to", target, *there.trust)
    assert done.code == 0, done.stderr


@pytest.fixture
def pusher(there: Place, ours: Dockless, tmp_path: Path) -> Pusher:
    return Pusher(ours, there.registry, tmp_path)


@pytest.mark.parametrize("name", RECEIPTS)
def test_a_receipt_is_verified(there: Place, ours: Dockless, wrote: Path, name: str) -> None:
    path = wrote / "receipts" / f"{name}.json"
    receipt = read(path)
    count = len(references(receipt))
    assert count, "there is something to verify"
    nothing = ours.run("verify", path, *there.trust)
    assert nothing.code != 0
    assert f"0 of {count} " in nothing.stdout
    mirror(there, ours, "disk", receipt["target"])
    done = ours.run("verify", path, *there.trust)
    whole = receipt["finished"] and not receipt["failures"]
    assert done.code == (0 if whole else 8), done.stderr
    assert f"{count} of {count} " in done.stdout


def test_the_receipts_are_what_their_names_say(wrote: Path) -> None:
    held = {name: read(wrote / "receipts" / f"{name}.json") for name in RECEIPTS}
    assert held["unfinished"]["finished"] is None
    assert all(held[name]["finished"] for name in RECEIPTS if name != "unfinished")
    assert [name for name in RECEIPTS if held[name]["failures"]] == ["failures"]
    assert all(image["unchanged"] for image in held["unchanged"]["images"])


def test_the_receipts_of_all_parts_become_one(there: Place, ours: Dockless, wrote: Path) -> None:
    parts = [wrote / "receipts" / f"part-{number}.json" for number in (0, 1)]
    mirror(there, ours, "disk", f"{HOST}/p")
    done = ours.run("verify", *parts, "--merge", "whole.json", *there.trust)
    assert done.code == 0, done.stderr
    whole = read(there.program.project / "whole.json")
    assert references(whole) == [name for part in parts for name in references(read(part))]
    assert whole["finished"] == max(read(part)["finished"] for part in parts)
    again = ours.run("verify", "whole.json", *there.trust)
    assert (again.code, again.stdout) == (0, done.stdout)


@pytest.mark.parametrize("source", BUNDLES)
def test_a_bundle_is_listed_verified_and_mirrored(
    there: Place, ours: Dockless, pusher: Pusher, source: str
) -> None:
    locked = read(there.program.project / "disk" / "bundle.lock.json")["images"]
    shown = ours.run("bundle", "list", source, "--format", "json")
    listed = json.loads(shown.stdout)["images"]
    told = [(each["name"], each["digest"], each["platforms"]) for each in listed]
    assert told == [(each["name"], each["digest"], each["platforms"]) for each in locked]
    checked = ours.run("bundle", "verify", source)
    assert checked.code == 0, checked.stderr
    mirror(there, ours, source)
    assert len(locked) > len(list(_tagged(locked))), "a referrer is among them, by digest"
    for name, digest in _tagged(locked):
        assert pusher.digest(f"m/{name}") == digest


def _tagged(locked: list[Json]) -> Iterator[tuple[str, str]]:
    for each in locked:
        if "@" not in each["name"]:
            yield each["name"].partition("/")[2], each["digest"]


def test_the_lock_and_the_parts_are_what_a_bundle_is_compared_with(
    there: Place, ours: Dockless
) -> None:
    lock = there.program.project / "disk" / "bundle.lock.json"
    lock.write_text(lock.read_text().replace("acme/web", "acme/wab"))
    assert "ghcr.io/acme/wab:v1" in ours.run("bundle", "verify", "disk").stderr
    part = there.program.project / "parts.tar.001"
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    done = ours.run("bundle", "verify", "parts.tar.parts.json")
    assert done.code == 3
    assert "parts.tar.001" in done.stderr


def test_a_bundle_of_what_is_new_follows_the_older_one(
    there: Place, ours: Dockless, pusher: Pusher
) -> None:
    checked = ours.run("bundle", "verify", "news")
    assert checked.code == 0, checked.stderr
    for source in ("disk", "news"):
        mirror(there, ours, source)
    locked = read(there.program.project / "news" / "bundle.lock.json")["images"]
    (digest,) = (each["digest"] for each in locked if "acme/more" in each["name"])
    assert pusher.digest("m/acme/more:v1") == digest


def test_a_bundle_is_made_since_an_older_version_s_lock(
    there: Place, ours: Dockless, wrote: Path
) -> None:
    project = there.program.project
    shutil.copytree(wrote / "more", project / "more")
    argv = ("images", "more", "--since", "disk/bundle.lock.json")
    done = ours.run("bundle", "create", "-o", "later", *argv)
    assert done.code == 0, done.stderr
    then, now = (read(project / name / "bundle.lock.json") for name in ("news", "later"))
    assert then["elsewhere"]
    assert now["elsewhere"] == then["elsewhere"]
    blobs = {path.name for path in (project / "later/blobs/sha256").iterdir()}
    assert not {digest.partition(":")[2] for digest in now["elsewhere"]} & blobs


def test_an_interrupted_mirror_goes_on(
    there: Place, ours: Dockless, pusher: Pusher, wrote: Path
) -> None:
    journals = there.store_as_found / "journals"
    shutil.copytree(wrote / "interrupted" / "journals", journals)
    (journal,) = journals.iterdir()
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    begun = lines[0]["begun"]
    arrived = {place: when for line in lines[1:] for place, when in line.items()}
    for name in arrived:  # what had arrived is there, and nothing else
        image = name.partition("@")[0].rpartition("/")[2].partition(":")[0]
        source = f"images/{image}.tar" if image == "shop" else f"images/{image}"
        done = ours.run("mirror", source, "--to", f"{HOST}/m", *there.trust, "--no-referrers")
        assert done.code == 0, done.stderr
    argv = ("mirror", "images", "--to", f"{HOST}/m", *there.trust, "--receipt", "receipt.json")
    done = ours.run(*argv)
    assert done.code == 0, done.stderr
    assert f"{begun}: {len(arrived)} of " in done.stderr
    images = read(there.program.project / "receipt.json")["images"]
    assert len(images) > len(arrived)
    told = {f"{each['references'][0]}@{each['digest']}": each["arrived"] for each in images}
    assert {place: told[place] for place in arrived} == arrived
    assert min(told[place] for place in told.keys() - arrived.keys()) > max(arrived.values())
    assert not journal.exists(), "all has arrived"
    assert not list((there.store / "journals").iterdir())
    assert pusher.digest("m/acme/web:v1")
