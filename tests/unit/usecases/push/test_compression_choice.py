"""What layers become with `--compression auto`, by what is known of the registry."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dockless.errors import PushError
from dockless.model.options import PushOptions
from dockless.oci.digest import Digest
from dockless.oci.manifest import DOCKER_INDEX, DOCKER_MANIFEST
from dockless.oci.packing import GZIP, asked
from dockless.oci.reference import Repository
from dockless.registry.throughput import ThroughputRecords
from dockless.retry import RetryPolicy
from dockless.usecases.push import compression_choice
from dockless.usecases.push.compression_choice import CompressionChooser
from dockless.usecases.push.repository_reader import RepositoryReader
from fakes.progress import FakeProgress
from fakes.registry import FakeRegistry

SHOP = Repository.of("registry.example.com", "team/shop")


class Choice:
    """One choice, and what it is made for."""

    def __init__(self, folder: Path, **options: Any) -> None:  # noqa: ANN401 - any of the options
        self.registry = FakeRegistry()
        self.records = ThroughputRecords(folder)
        self.notes: list[str] = []
        self.staging = SimpleNamespace(packing=GZIP)
        self.chooser = CompressionChooser(
            PushOptions(**options), self.staging, self.records, self.notes.append
        )

    def settle(self) -> str:
        policy = RetryPolicy(attempts=1, deadline=None, note=FakeProgress().note)
        self.chooser.settle(RepositoryReader(self.registry, SHOP, policy), ("v1",))
        return str(self.staging.packing.compression)


def test_zstd_is_chosen_once_where_nothing_is_against_it(tmp_path: Path) -> None:
    choice = Choice(tmp_path, compression="auto")
    assert choice.settle() == choice.settle() == "zstd"
    assert len(choice.notes) == 1


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_what_was_asked_for_is_not_chosen(tmp_path: Path, compression: str) -> None:
    choice = Choice(tmp_path, compression=compression)
    choice.settle()
    assert choice.staging.packing is GZIP
    assert not choice.notes
    error = PushError("manifest invalid")
    assert choice.chooser.note_refusal(SHOP.host, error) is error


@pytest.mark.parametrize(
    "against", ["format", "zstd refused", "OCI refused", DOCKER_MANIFEST, DOCKER_INDEX]
)
def test_gzip_is_chosen_where_zstd_may_not_be_read(tmp_path: Path, against: str) -> None:
    form = "docker" if against == "format" else "auto"
    choice = Choice(tmp_path, compression="auto", manifest_format=form)
    if against == "zstd refused":
        choice.records.refused_zstd(SHOP.host)
    elif against == "OCI refused":
        choice.records.learn_oci(SHOP.host, takes_oci=False)
    elif against != "format":
        config = f'{{"digest":"{Digest.of(b"{}")}","size":2,"mediaType":"a/b"}}'
        parts = f'"config":{config},"layers":[]' if against == DOCKER_MANIFEST else '"manifests":[]'
        data = f'{{"schemaVersion":2,"mediaType":"{against}",{parts}}}'.encode()
        held = choice.registry.repositories[SHOP]
        held.tags["v1"] = Digest.of(data)
        held.manifests[Digest.of(data)] = data
    assert choice.settle() == "gzip"


@pytest.mark.parametrize(
    "words", ["manifest invalid", "MANIFEST_INVALID", "Unsupported layer", "the media type"]
)
def test_a_refusal_of_zstd_is_remembered_and_said(tmp_path: Path, words: str) -> None:
    choice = Choice(tmp_path, compression="auto")
    choice.settle()
    told = choice.chooser.note_refusal(SHOP.host, PushError(f"The registry says: {words}."))
    assert "Push again" in told.remedy
    assert not choice.records.of(SHOP.host).takes_zstd


def test_another_refusal_is_left_as_it_is(tmp_path: Path) -> None:
    choice = Choice(tmp_path, compression="auto")
    choice.settle()
    error = PushError("The disk is full.")
    assert choice.chooser.note_refusal(SHOP.host, error) is error
    assert choice.records.of(SHOP.host).takes_zstd


@pytest.mark.parametrize(
    ("choice", "packed"), [("auto", "gzip"), ("zstd", "zstd"), ("gzip", "gzip")]
)
def test_only_a_zstd_that_was_chosen_here_is_held_responsible(
    tmp_path: Path, choice: str, packed: str
) -> None:
    asked_for = Choice(tmp_path, compression=choice)
    asked_for.staging.packing = asked(packed)  # type: ignore[arg-type] # one of them
    error = PushError("manifest invalid")
    assert asked_for.chooser.note_refusal(SHOP.host, error) is error
    assert asked_for.records.of(SHOP.host).takes_zstd


class Measured:
    """What is known of a registry to which so many bytes a second went."""

    takes_zstd = True
    takes_oci = True

    def __init__(self, rate: float | None) -> None:
        self.rate = rate

    def of(self, host: str) -> "Measured":
        assert host == SHOP.host
        return self

    def refused_zstd(self, host: str) -> None:
        raise AssertionError(host)


@pytest.mark.parametrize(
    ("rate", "level", "why"),
    [
        (None, 3, f"the upload speed to {SHOP.host} is not known yet"),
        (5e9, 1, f"MB/s to {SHOP.host}"),
        (1e6, 9, f"1 MB/s to {SHOP.host}"),
    ],
)
def test_the_level_is_that_of_the_speed_to_the_registry(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rate: float | None,
    level: int,
    why: str,
) -> None:
    monkeypatch.setattr(compression_choice, "cores", lambda: 1)
    choice = Choice(tmp_path, compression="auto")
    notes: list[str] = []
    choice.chooser = CompressionChooser(
        PushOptions(compression="auto"), choice.staging, Measured(rate), notes.append
    )
    assert choice.settle() == "zstd"
    assert choice.staging.packing.level == level
    assert why in notes[0]
