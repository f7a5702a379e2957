from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dockless.errors import ConflictError, NetworkError, PushError
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.retry import RetryPolicy
from dockless.usecases.hosts.remote_push import RemotePushContext, already_there, deliver_there
from dockless.usecases.push.context import PushRequest
from fakes.image import FakeImage
from fakes.registry import FakeRegistry

REPOSITORY = Repository.of("registry.example.com", "team/shop")
ORDER = PushRequest(repository=REPOSITORY, tags=("v1", "v2"))
PATIENCE = RetryPolicy(attempts=3, deadline=None, note=lambda _: None, sleep=lambda _: None)
OTHER = Digest.of(b"other")


@dataclass
class Engine:
    """An engine on a host, which brings this content."""

    registry: FakeRegistry
    content: Content
    fails: list[NetworkError] = field(default_factory=list)
    loses: Digest | None = None
    pushes: int = 0
    name: str = "crane"

    def digest(self) -> Digest:
        return self.content.root.digest

    def push(self, repository: Repository, digest: Digest) -> frozenset[Digest]:
        assert digest == self.content.root.digest
        self.pushes += 1
        if self.fails:
            raise self.fails.pop()
        self.registry.hold(repository, self.content)
        held = self.registry.repositories[repository]
        held.blobs.discard(self.loses or OTHER)
        held.manifests.pop(self.loses or OTHER, None)
        return frozenset({self.content.blobs[0].digest})


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(FakeRegistry(), FakeImage(tmp_path).content())


def context(engine: Engine) -> RemotePushContext:
    return RemotePushContext(
        registry=engine.registry, engine=engine, retry_policy=PATIENCE, clock=lambda: 0.0
    )


def test_an_image_is_delivered_and_no_tag_moves(engine: Engine) -> None:
    delivery = deliver_there(ORDER, engine.content.image_id, context(engine))
    assert delivery.plan.content.root.digest == engine.content.root.digest
    assert [tag.action for tag in delivery.plan.tags] == ["create", "create"]
    assert delivery.moving
    assert [blob.digest for blob in delivery.plan.missing] == [engine.content.blobs[0].digest]
    assert engine.registry.repositories[REPOSITORY].tags == {}


def test_trouble_that_passes_is_waited_for(engine: Engine) -> None:
    engine.fails = [NetworkError("Busy.", retry_after=0.0)]
    deliver_there(ORDER, None, context(engine))
    assert engine.pushes == 2


def test_a_tag_that_would_move_is_refused_before_anything_is_sent(engine: Engine) -> None:
    engine.registry.repositories[REPOSITORY].tags["v1"] = OTHER
    request = PushRequest(repository=REPOSITORY, tags=("v1",), immutable=True)
    with pytest.raises(ConflictError, match="v1 exists"):
        deliver_there(request, None, context(engine))
    assert engine.pushes == 0


def test_an_image_of_another_id_is_not_the_one_that_was_meant(engine: Engine) -> None:
    with pytest.raises(PushError, match=f"not {OTHER}"):
        deliver_there(ORDER, OTHER, context(engine))


def test_what_did_not_arrive_is_an_error(engine: Engine) -> None:
    engine.loses = engine.content.root.digest
    with pytest.raises(PushError, match="does not have"):
        deliver_there(ORDER, None, context(engine))
    engine.loses = engine.content.blobs[-1].digest
    with pytest.raises(PushError, match=f"does not have the blob {engine.loses}"):
        deliver_there(ORDER, None, context(engine))


def test_an_image_that_every_tag_names_is_already_there(engine: Engine) -> None:
    image_id = engine.content.image_id
    assert image_id is not None
    registry = engine.registry
    registry.hold(REPOSITORY, engine.content, "v1")
    assert already_there(ORDER, image_id, registry, PATIENCE) is None, "one tag lacks"
    registry.hold(REPOSITORY, engine.content, "v2")
    for known_as in (image_id, engine.content.root.digest):  # classic, and containerd's store
        there = already_there(ORDER, known_as, registry, PATIENCE)
        assert there
        assert (there.root.digest, there.image_id) == (engine.content.root.digest, image_id)
    assert already_there(ORDER, OTHER, registry, PATIENCE) is None
    registry.repositories[REPOSITORY].tags["v2"] = OTHER
    assert already_there(ORDER, image_id, registry, PATIENCE) is None
