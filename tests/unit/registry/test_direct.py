from pathlib import Path

import pytest

from dockless.oci.content import Content, StagedImage
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_MANIFEST, Descriptor, compact_json
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.registry.direct import Direct
from fakes.http import StubHttp
from fakes.image import FakeImage
from fakes.journal import Journal
from fakes.progress import FakeTask
from fakes.registry import FakeRegistry
from fakes.uploader import FakeUploader

SHOP = Repository.of("registry.example.com", "team/shop")


class ListingUploader(FakeUploader):
    """Uploads to a registry that may list referrers by itself."""

    def __init__(self, journal: Journal, *, lists: bool) -> None:
        super().__init__(FakeRegistry(), journal)
        self._lists = lists

    def put_manifest(self, repository: Repository, name: str, data: bytes, media_type: str) -> bool:
        super().put_manifest(repository, name, data, media_type)
        return self._lists


class Lists:
    """Writes down what it is to list."""

    def __init__(self) -> None:
        self.listed: list[Digest] = []

    def add(self, repository: Repository, data: bytes) -> None:
        assert repository == SHOP
        self.listed.append(Digest.of(data))


def image_of(content: Content, files: dict[Digest, Path]) -> StagedImage:
    return StagedImage(
        content=content,
        blobs=files,
        layout=lambda: Path("no layout is read"),
        missing=frozenset(files),
    )


@pytest.mark.parametrize("subject", [True, False])
@pytest.mark.parametrize("lists", [True, False])
def test_a_referrer_is_listed_where_the_registry_does_not_do_it(
    tmp_path: Path, *, subject: bool, lists: bool
) -> None:
    image = FakeImage(tmp_path)
    plain = image.content()
    members = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": []}
    members |= {"config": plain.blobs[0].to_json()}
    if subject:
        members |= {
            "subject": Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(b"x"), size=1).to_json()
        }
    data = compact_json(members)
    root = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(data), size=len(data))
    config = plain.blobs[:1]
    content = Content(
        root=root, documents={root.digest: data}, blobs=config, image_id=None, platforms=()
    )
    kept = Lists()
    client = RegistryClient(StubHttp(), lambda: None)
    writer = Direct(client, ListingUploader(Journal(), lists=lists), lambda: kept)  # type: ignore[arg-type,return-value] # only `add` is called
    files = dict(image.paths([config[0].digest]))
    written = writer.write(image_of(content, files), SHOP, FakeTask("uploading", None))
    assert written.writer == "direct"
    assert kept.listed == ([root.digest] if subject and not lists else [])


def test_blobs_are_uploaded_before_the_manifests_and_nothing_is_asked(tmp_path: Path) -> None:
    image, journal, http = FakeImage(tmp_path), Journal(), StubHttp()
    content = image.content()
    client = RegistryClient(http, lambda: None)
    writer = Direct(
        client, ListingUploader(journal, lists=False), lambda: pytest.fail("no subject")
    )
    files = dict(image.paths([blob.digest for blob in content.blobs]))
    writer.write(image_of(content, files), SHOP, FakeTask("uploading", None))
    *uploads, put = journal.steps
    assert sorted(uploads) == sorted(f"upload {blob.digest}" for blob in content.blobs)
    assert put == f"put {content.root.digest}"
    assert not http.asked
