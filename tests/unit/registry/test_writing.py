"""What one session writes to registries with."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeVar

from dockless.errors import NetworkError
from dockless.oci.content import StagedImage, single
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_CONFIG, OCI_MANIFEST, Descriptor, compact_json
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.registry.throughput import ThroughputRecords
from dockless.registry.writing import RegistryWriting
from dockless.retry import RetryPolicy
from dockless.transport.bodies import Body, BodySink
from dockless.transport.http import Response
from dockless.transport.rate_limit import RateLimiter
from fakes.http import StubHttp
from fakes.progress import FakeTask

T = TypeVar("T")
URL = "https://registry.example.com/v2/team/shop/"
SHOP = Repository.of("registry.example.com", "team/shop")
SUBJECT = Digest.of(b"an image")
NO_RETRIES = RetryPolicy(attempts=1, deadline=None, note=print)
LIST = f"manifests/sha256-{SUBJECT.hex}"


def referrer() -> StagedImage:
    config = b'{"rootfs": {"diff_ids": []}}'
    described = Descriptor(media_type=OCI_CONFIG, digest=Digest.of(config), size=len(config))
    subject = Descriptor(media_type=OCI_MANIFEST, digest=SUBJECT, size=8)
    data = compact_json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": described.to_json(),
            "layers": [],
            "subject": subject.to_json(),
        }
    )
    root = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(data), size=len(data))
    return StagedImage(
        content=single(root, data, config), blobs={}, layout=Path, missing=frozenset()
    )


class Keeping(StubHttp):
    """A registry that keeps one list."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: Body = None

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        sink: BodySink | None = None,
    ) -> Response:
        response = super().ask(method, url, headers, body, sink)
        if url != f"{URL}{LIST}":
            return response
        if method == "PUT":
            self.kept = body
        data = self.kept if isinstance(self.kept, bytes) else b""
        return Response(status=200 if data else 404, headers={}, body=data)


def test_what_a_referrers_tag_lists_is_checked_at_the_end(tmp_path: Path) -> None:
    http, turns = Keeping(), []

    def turn(name: str) -> AbstractContextManager[object]:
        turns.append(name)
        return nullcontext()

    http.on("GET https://registry.example.com/v2/")
    image = referrer()
    http.on(f"PUT {URL}manifests/{image.content.root.digest}", 201)
    writing = RegistryWriting(RateLimiter(None), ThroughputRecords(tmp_path), turn)
    _, direct = writing.to(RegistryClient(http, lambda: None))
    direct.write(image, SHOP, FakeTask("uploading", None))
    assert turns
    assert isinstance(http.kept, bytes)
    (listed,) = json.loads(http.kept)["manifests"]
    assert listed["digest"] == str(image.content.root.digest)
    checked: list[str] = []

    class Noting(RetryPolicy, frozen=True, kw_only=True):
        def call(self, step: Callable[[], T], only: type[NetworkError] = NetworkError) -> T:
            del only
            checked.append(step.__qualname__)
            return None  # type: ignore[return-value] # what the check returns is not read

    writing.settle(Noting(attempts=1, deadline=None, note=print))
    assert checked == ["ReferrersLists.settle"]


def test_one_registry_has_one_meter_for_all_that_is_sent_there(tmp_path: Path) -> None:
    throughput = ThroughputRecords(tmp_path)
    writing = RegistryWriting(RateLimiter(None), throughput, lambda _: nullcontext())
    client = RegistryClient(StubHttp(), lambda: None)
    first, other = writing.to(client)[0], writing.to(client)[0]
    assert first is not other
    assert list(throughput._meters) == ["registry.example.com"]


def test_nothing_is_asked_at_the_end_where_no_list_was_written(tmp_path: Path) -> None:
    http = StubHttp()
    writing = RegistryWriting(
        RateLimiter(None), ThroughputRecords(tmp_path), lambda _: nullcontext()
    )
    writing.to(RegistryClient(http, lambda: None))
    writing.settle(NO_RETRIES)
    assert not http.asked
