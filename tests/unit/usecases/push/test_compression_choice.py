"""What layers become with `--compression auto`, by what is known of the registry."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dockless.errors import PushError
from dockless.model.options import PushOptions
from dockless.oci.digest import Digest
from dockless.oci.manifest import DOCKER_MANIFEST
from dockless.oci.packing import GZIP
from dockless.oci.reference import Repository
from dockless.registry.throughput import ThroughputRecords
from dockless.retry import RetryPolicy
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


@pytest.mark.parametrize("against", ["format", "zstd refused", "OCI refused", "an old image"])
def test_gzip_is_chosen_where_zstd_may_not_be_read(tmp_path: Path, against: str) -> None:
    form = "docker" if against == "format" else "auto"
    choice = Choice(tmp_path, compression="auto", manifest_format=form)
    if against == "zstd refused":
        choice.records.refused_zstd(SHOP.host)
    elif against == "OCI refused":
        choice.records.learn_oci(SHOP.host, takes_oci=False)
    elif against == "an old image":
        config = f'{{"digest":"{Digest.of(b"{}")}","size":2,"mediaType":"a/b"}}'
        data = (
            f'{{"schemaVersion":2,"mediaType":"{DOCKER_MANIFEST}","config":{config},"layers":[]}}'
        ).encode()
        held = choice.registry.repositories[SHOP]
        held.tags["v1"] = Digest.of(data)
        held.manifests[Digest.of(data)] = data
    assert choice.settle() == "gzip"


@pytest.mark.parametrize("words", ["manifest invalid", "unsupported layer", "the media type"])
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
