"""Lists of referrers that others write to at the same time."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping

import pytest

from dockless.errors import ImmutableTagError, NetworkError, PushError, ServerError
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_INDEX, OCI_MANIFEST
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.registry.referrers import ATTEMPTS, FAILURES, ReferrersLists
from dockless.transport.bodies import Body, BodySink
from dockless.transport.http import Response
from fakes.http import StubHttp

URL = "https://registry.example.com/v2/"
SHOP = Repository.of("registry.example.com", "team/shop")
SUBJECT = Digest.of(b"an image")
LIST = f"{URL}team/shop/manifests/sha256-{SUBJECT.hex}"


def manifest(name: str) -> bytes:
    empty = {"mediaType": "a/config", "digest": str(Digest.of(b"{}")), "size": 2}
    subject = {"mediaType": OCI_MANIFEST, "digest": str(SUBJECT), "size": 8}
    whole = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": empty, "layers": []}
    return json.dumps({**whole, "subject": subject, "annotations": {"name": name}}).encode()


def index(*names: str) -> bytes:
    entries = [
        {
            "mediaType": OCI_MANIFEST,
            "digest": str(Digest.of(manifest(name))),
            "size": len(manifest(name)),
            "artifactType": "a/config",
            "annotations": {"name": name},
        }
        for name in names
    ]
    whole = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    return json.dumps(whole, separators=(",", ":")).encode()


class Shared(StubHttp):
    """A registry with one list, whose moments others may use.

    Attributes:
        body: The list.
        puts: How often it was written by us.
        now: The time, in seconds.
        slept: How long we waited, each time.
        after_put: What happens after each of our next writes, before we can read again.
        at: What happens at a moment.
        answers: Answers to the next requests, in place of what they would get.
    """

    def __init__(self, body: bytes | None = None) -> None:
        super().__init__()
        self.body = body
        self.puts = 0
        self.now = 0.0
        self.slept: list[float] = []
        self.after_put: list[Callable[[], None]] = []
        self.at: list[tuple[float, Callable[[], None]]] = []
        self.answers: list[Response | NetworkError] = []

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        sink: BodySink | None = None,
    ) -> Response:
        assert sink is None
        if url != LIST:
            return Response(status=200, headers={}, body=b"")
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, NetworkError):
                raise answer
            return answer
        if method == "PUT":
            assert isinstance(body, bytes)
            assert (headers or {})["Content-Type"] == OCI_INDEX
            self.body, self.puts = body, self.puts + 1
            if self.after_put:
                self.after_put.pop(0)()
            return Response(status=201, headers={}, body=b"")
        return (
            Response(status=404, headers={}, body=b"")
            if self.body is None
            else Response(status=200, headers={}, body=self.body)
        )

    def overwrite(self, *names: str) -> Callable[[], None]:
        """Return what writes the list as another did who had read it before."""

        def write() -> None:
            self.body = index(*names)

        return write

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        due = [event for moment, event in self.at if moment <= self.now]
        self.at = [(moment, event) for moment, event in self.at if moment > self.now]
        for event in due:
            event()

    def names(self) -> set[str]:
        assert self.body is not None
        return {each["annotations"]["name"] for each in json.loads(self.body)["manifests"]}


def lists(http: Shared, **more: object) -> ReferrersLists:
    return ReferrersLists(
        RegistryClient(http, lambda: None),
        sleep=http.sleep,
        clock=lambda: http.now,
        jitter=lambda: 0.5,
        **more,  # type: ignore[arg-type]  # a turn, in one test
    )


def test_a_manifest_without_a_subject_is_not_listed() -> None:
    http = Shared()
    data = json.dumps({**json.loads(manifest("a")), "subject": None}).encode()
    lists(http).add(SHOP, data)
    assert http.body is None


def test_a_list_is_made_and_added_to() -> None:
    http = Shared()
    kept = lists(http)
    for name in ("a", "b", "a"):
        kept.add(SHOP, manifest(name))
    assert http.body == index("a", "b")
    assert http.puts == 2
    assert not http.slept


def test_what_another_overwrites_at_once_is_written_again_with_theirs() -> None:
    http = Shared(index("x"))
    http.after_put = [http.overwrite("x", "theirs"), http.overwrite("more")]
    lists(http).add(SHOP, manifest("a"))
    assert http.names() == {"more", "a"}
    assert len(http.slept) == 2
    assert http.slept[0] < http.slept[1]


def test_the_next_of_ours_brings_back_those_before_it() -> None:
    http = Shared()
    kept = lists(http)
    kept.add(SHOP, manifest("a"))
    http.overwrite("theirs")()
    kept.add(SHOP, manifest("b"))
    assert http.names() == {"theirs", "a", "b"}


def test_what_is_overwritten_after_our_last_look_is_found_at_the_end() -> None:
    http = Shared()
    kept = lists(http)
    kept.add(SHOP, manifest("a"))
    http.at = [(0.2, http.overwrite("theirs")), (1.2, http.overwrite("theirs", "more"))]
    kept.settle()
    assert http.names() == {"theirs", "more", "a"}


@pytest.mark.parametrize(("seconds", "waited"), [(0, 0.2), (2, 8.0), (60, 10.0)])
def test_a_slow_registry_is_given_longer_to_be_quiet_within_bounds(
    seconds: float, waited: float
) -> None:
    http = Shared()
    http.after_put = [lambda: http.sleep(seconds)]
    kept = lists(http)
    kept.add(SHOP, manifest("a"))
    http.slept.clear()
    kept.settle()
    assert sum(http.slept) == waited


def test_a_list_that_stayed_the_same_for_long_is_not_waited_for() -> None:
    http = Shared()
    kept = lists(http)
    kept.add(SHOP, manifest("a"))
    http.now += 60
    kept.settle()
    assert not http.slept


def test_a_list_that_we_did_not_write_is_not_waited_for() -> None:
    http = Shared(index("a"))
    kept = lists(http)
    kept.add(SHOP, manifest("a"))
    kept.settle()
    assert not http.slept
    assert not http.puts


def test_others_who_overwrite_it_every_time_are_an_error_at_the_end() -> None:
    http = Shared()
    http.after_put = [http.overwrite("theirs")] * 1000
    kept = lists(http)
    kept.add(SHOP, manifest("a"))
    assert http.puts == ATTEMPTS
    with pytest.raises(NetworkError, match="1 of 1 manifest that this run pushed") as caught:
        kept.settle()
    assert caught.value.passing


def test_a_list_that_keeps_moving_with_ours_in_it_is_right() -> None:
    http = Shared()
    kept = lists(http)
    kept.add(SHOP, manifest("a"))
    http.at = [(float(moment), http.overwrite("a", str(moment))) for moment in range(1, 100)]
    kept.settle()
    assert "a" in http.names()


TORN = ServerError("It answers 500.")


def test_a_registry_that_fails_at_one_request_is_asked_again() -> None:
    http = Shared(index("x"))
    http.answers = [TORN, TORN]
    lists(http).add(SHOP, manifest("a"))
    assert http.names() == {"x", "a"}


@pytest.mark.parametrize(
    ("error", "times"),
    [
        (TORN, FAILURES),
        (NetworkError("No such host.", passing=False), 1),
        (NetworkError("429.", retry_after=7.0), 1),
    ],
)
def test_a_registry_that_stays_in_trouble_is_an_error(error: NetworkError, times: int) -> None:
    http = Shared()
    http.answers = [error] * FAILURES
    with pytest.raises(type(error)) as caught:
        lists(http).add(SHOP, manifest("a"))
    assert caught.value is error
    assert len(http.answers) == FAILURES - times


@pytest.mark.parametrize("body", [b"junk", manifest("a"), b" " * (4 * 1024 * 1024 + 1)])
def test_what_is_no_list_is_one_error_and_stays_as_it_is(body: bytes) -> None:
    http = Shared(body)
    with pytest.raises(PushError, match=f"team/shop:sha256-{SUBJECT.hex} is not a list") as caught:
        lists(http).add(SHOP, manifest("a"))
    assert "left unchanged" in caught.value.remedy
    assert http.body == body


def test_a_registry_that_lets_no_tag_be_moved_is_an_error() -> None:
    http = Shared()
    http.answers = [
        Response(status=404, headers={}, body=b""),
        Response(status=409, headers={}, body=b""),
    ]
    with pytest.raises(ImmutableTagError):
        lists(http).add(SHOP, manifest("a"))


def test_a_lock_is_held_from_read_to_read_and_not_while_we_wait() -> None:
    http = Shared()
    http.after_put = [http.overwrite("theirs")]
    moments: list[tuple[str, float]] = []

    @contextlib.contextmanager
    def turn(name: str) -> Iterator[None]:
        assert name.startswith("referrers-")
        assert "/" not in name
        moments.append(("held", http.now))
        yield
        moments.append(("free", http.now))

    lists(http, turn=turn).add(SHOP, manifest("a"))
    assert [kind for kind, _ in moments] == ["held", "free"] * 2
    assert moments[0][1] == moments[1][1] < moments[2][1] == moments[3][1]
