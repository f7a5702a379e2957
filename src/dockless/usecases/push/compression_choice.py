"""`--compression auto`: chosen by the registry, its readers and the throughput to it."""

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from dockless.concurrency import cores
from dockless.errors import PushError
from dockless.model.options import PushOptions
from dockless.oci.manifest import DOCKER_INDEX, DOCKER_MANIFEST, parse_document
from dockless.oci.packing import Packing
from dockless.oci.packing import chosen as chosen_packing
from dockless.usecases.push.repository_reader import RepositoryReader

_WORDS = re.compile(r"manifest.?invalid|unsupported|not supported|media.?type", re.IGNORECASE)


class RegistryRecord(Protocol):
    """What earlier pushes have found out about a registry."""

    @property
    def rate(self) -> float | None:
        """Bytes a second that went there; None when too few did."""

    @property
    def takes_zstd(self) -> bool:
        """Whether it has refused no image with layers in zstd."""

    @property
    def takes_oci(self) -> bool:
        """Whether OCI manifests may be offered."""


class RegistryMemory(Protocol):
    """What earlier pushes have found out about registries."""

    def of(self, host: str) -> RegistryRecord:
        """Return what is known of a registry."""

    def refused_zstd(self, host: str) -> None:
        """Store that a registry accepts no zstd."""


class Packs(Protocol):
    """What compresses layers."""

    packing: Packing
    """How."""


class CompressionChooser:
    """Chooses, for one staging area, before anything is staged.

    Args:
        options: What the command line asks for.
        staging: Gets the choice.
        throughput: The measured throughput of registries.
        note: Called with a line about the choice.
    """

    def __init__(
        self,
        options: PushOptions,
        staging: Packs,
        throughput: RegistryMemory,
        note: Callable[[str], None],
    ) -> None:
        self._chooses = options.compression == "auto"
        self._format = options.manifest_format
        self._staging = staging
        self._throughput = throughput
        self._note = note
        self._settled = False

    def settle(self, reader: RepositoryReader, tags: Sequence[str]) -> None:
        """Choose for the registry of a push, once."""
        if not self._chooses or self._settled:
            return
        self._settled = True
        host = reader.repository.host
        record = self._throughput.of(host)
        zstd = self._takes_zstd(record) and not _has_old_readers(reader, tags)
        chosen = chosen_packing(record.rate, cores(), zstd=zstd, where=host)
        self._staging.packing = chosen
        self._note(f"Compression: {chosen}")

    def _takes_zstd(self, record: RegistryRecord) -> bool:
        return record.takes_zstd and record.takes_oci and self._format != "docker"

    def note_refusal(self, host: str, error: PushError) -> PushError:
        """See whether a registry has refused zstd; if so, the next push is gzip.

        Returns:
            The error to raise: the same one, or one that says so.
        """
        zstd = self._staging.packing.compression == "zstd"
        if self._chooses and zstd and _WORDS.search(error.what):
            self._throughput.refused_zstd(host)
            remedy = "It may not accept zstd. Push again: the layers will be gzip."
            return error.with_context(remedy=remedy)
        return error


def _has_old_readers(reader: RepositoryReader, tags: Sequence[str]) -> bool:
    """Whether the first tag names an image in Docker's own format, which has no zstd."""
    for tag in tags[:1]:
        digest = reader.readable_tag(tag)
        data = reader.readable_manifest(digest) if digest else None
        if data:
            document = parse_document(data)
            return document.media_type in {DOCKER_INDEX, DOCKER_MANIFEST}
    return False
