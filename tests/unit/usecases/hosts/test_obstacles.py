"""Why a method cannot be used from a host: the first obstacle is named, and no more is asked."""

from pathlib import Path
from typing import Any

import pytest

from dockless.model.endpoint import Endpoint, Trust
from dockless.model.host import Facts, TransferMethod
from dockless.model.options import PushOptions
from dockless.oci.platform import Platform
from dockless.oci.reference import Repository
from dockless.usecases.hosts.obstacles import Obstacles, RemoteWish

SHOP = Repository.of("registry.example.com", "team/shop")


class Answers:
    """Answers that let everything pass, but for those that are given; what was asked is kept."""

    def __init__(self, **answers: Any) -> None:  # noqa: ANN401 - any of the answers
        self._answers = answers
        self.asked: list[str] = []

    def exposed_by(self, engine: str, repository: Repository | None) -> str:
        self.asked.append(f"exposed_by {engine} {'written' if repository else 'read'}")
        return str(self._answers.get("exposed_by", ""))

    def has_registry_token(self) -> bool:
        return bool(self._answers.get("has_registry_token"))

    def unusable(self, engine: str) -> str:
        self.asked.append(f"unusable {engine}")
        return str(self._answers.get("unusable", ""))

    def misfit(self) -> str:
        self.asked.append("misfit")
        return str(self._answers.get("misfit", ""))

    def missing_here(self) -> str:
        return str(self._answers.get("missing_here", ""))

    def reaches(self) -> bool | None:
        self.asked.append("reaches")
        answer: bool | None = self._answers.get("reaches", True)
        return answer


def obstacles(
    answers: Answers,
    *,
    programs: tuple[str, ...] = ("crane", "skopeo"),
    runs: bool = True,
    **wish: Any,  # noqa: ANN401 - any member of the wish
) -> Obstacles:
    facts = Facts(
        user="me",
        home="/home/me",
        system="Linux",
        machine="x86_64",
        libc="2.36",
        clock=0.0,
        folder="/tmp/ours",  # noqa: S108 - nothing is written there
        runs=runs,
        free=1,
        programs={name: f"/usr/bin/{name}" for name in programs},
    )
    usual: dict[str, Any] = {
        "options": PushOptions(),
        "via": "auto",
        "repository": SHOP,
        "endpoint": Endpoint(host=SHOP.host),
        "one_of_several": False,
    }
    return Obstacles(RemoteWish(**(usual | wish)), facts, answers)


@pytest.mark.parametrize("method", ["invoke", "copy", "tunnel", "relay"])
def test_a_host_that_has_everything_has_no_obstacle(method: TransferMethod) -> None:
    assert not obstacles(Answers()).of(method)


@pytest.mark.parametrize("method", ["invoke", "copy", "tunnel"])
@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"options": PushOptions(platform=Platform.parse("linux/amd64"))}, "--platform"),
        ({"options": PushOptions(compression="zstd")}, "--compression zstd"),
        ({"options": PushOptions(compression="none")}, "--compression none"),
        ({"options": PushOptions(compression="auto")}, "--compression auto"),
        ({"options": PushOptions(engine="direct")}, "--engine direct"),
        ({"one_of_several": True}, "selected on this machine"),
        (
            {"endpoint": Endpoint(host=SHOP.host, trust=Trust(client_cert=Path("a.cert")))},
            "client certificate",
        ),
    ],
)
def test_what_only_this_machine_does_is_an_obstacle(
    method: TransferMethod, wish: dict[str, Any], says: str
) -> None:
    answers = Answers()
    found = obstacles(answers, **wish)
    assert says in found.of(method)
    assert not found.of("relay")
    assert not answers.asked


@pytest.mark.parametrize(("engine", "how"), [("auto", "written"), ("crane", "read")])
def test_an_engine_that_exposes_the_credential_is_an_obstacle(engine: str, how: str) -> None:
    answers = Answers(exposed_by="it would show it")
    options = PushOptions(engine=engine)  # type: ignore[arg-type] # both are engines
    assert obstacles(answers, options=options).of("copy") == "it would show it"
    assert answers.asked == [f"exposed_by crane {how}"]


@pytest.mark.parametrize(
    ("engine", "says"),
    [("auto", "neither crane nor skopeo"), ("crane", "no crane"), ("skopeo", "no skopeo")],
)
def test_a_host_without_an_engine_cannot_be_invoked(engine: str, says: str) -> None:
    options = PushOptions(engine=engine)  # type: ignore[arg-type] # all are engines
    assert says in obstacles(Answers(), programs=(), options=options).of("invoke")


def test_crane_is_copied_where_there_is_no_engine() -> None:
    assert not obstacles(Answers(), programs=()).of("tunnel")
    assert obstacles(Answers(misfit="it is for macOS"), programs=()).of("tunnel") == (
        "it is for macOS"
    )
    assert "no folder" in obstacles(Answers(), runs=False).of("copy")
    assert "only crane" in obstacles(Answers(), options=PushOptions(engine="skopeo")).of("copy")


def test_skopeo_of_a_host_is_looked_at_and_gets_no_registry_token() -> None:
    skopeo = ("skopeo",)
    assert "registry token" in obstacles(Answers(has_registry_token=True), programs=skopeo).of(
        "invoke"
    )
    answers = Answers(unusable="it is too old")
    assert obstacles(answers, programs=skopeo).of("invoke") == "it is too old"
    assert "unusable skopeo" in answers.asked


@pytest.mark.parametrize(
    ("wish", "reaches", "says"),
    [
        ({}, True, ""),
        ({}, None, ""),
        ({}, False, "does not reach"),
        ({"via": "invoke"}, False, ""),
        ({"endpoint": Endpoint(host="localhost:5000")}, True, "loopback"),
        ({"endpoint": Endpoint(host="127.0.0.1:5000"), "via": "copy"}, True, "loopback"),
    ],
)
def test_the_registry_must_be_reached_from_the_host(
    wish: dict[str, Any], reaches: object, says: str
) -> None:
    found = obstacles(Answers(reaches=reaches), **wish)
    methods: tuple[TransferMethod, ...] = ("invoke", "copy")
    for method in methods:
        told = found.of(method)
        assert says in told
        assert bool(told) == bool(says)
    assert not found.of("tunnel")


@pytest.mark.parametrize("why", ["crane is not installed", "skopeo is too old", ""])
def test_what_this_machine_lacks_is_an_obstacle_to_relay_alone(why: str) -> None:
    found = obstacles(Answers(missing_here=why))
    assert found.of("relay") == why
    assert not found.of("invoke")


@pytest.mark.parametrize(
    ("programs", "engine", "asked"),
    [
        ((), "auto", "crane"),
        ((), "skopeo", "crane"),
        (("skopeo",), "auto", "skopeo"),
        (("skopeo",), "crane", "crane"),
        (("crane", "skopeo"), "skopeo", "skopeo"),
    ],
)
def test_the_engine_that_would_be_used_is_asked_of_once(
    programs: tuple[str, ...], engine: str, asked: str
) -> None:
    answers = Answers(exposed_by="it would show it")
    options = PushOptions(engine=engine)  # type: ignore[arg-type] # all are engines
    found = obstacles(answers, programs=programs, options=options)
    methods: tuple[TransferMethod, ...] = ("invoke", "copy", "tunnel")
    assert {found.of(method) for method in methods} == {"it would show it"}
    assert answers.asked == [f"exposed_by {asked} {'written' if engine == 'auto' else 'read'}"]


def test_crane_of_a_host_is_not_looked_at_and_may_have_a_registry_token() -> None:
    answers = Answers(has_registry_token=True, unusable="it is too old")
    assert not obstacles(answers, programs=("crane", "skopeo")).of("invoke")
    assert "unusable crane" not in answers.asked


@pytest.mark.parametrize(
    ("method", "programs", "engine", "is_copied"),
    [
        ("invoke", ("crane", "skopeo"), "crane", False),
        ("invoke", ("skopeo",), "skopeo", False),
        ("copy", ("skopeo",), "crane", True),
        ("tunnel", ("skopeo",), "skopeo", False),
        ("tunnel", (), "crane", True),
    ],
)
def test_a_method_uses_the_engine_there_or_a_copy(
    method: TransferMethod, programs: tuple[str, ...], engine: str, *, is_copied: bool
) -> None:
    found = obstacles(Answers(), programs=programs)
    assert found.engine_for(method) == (engine, is_copied)


def test_a_tunnel_serves_a_copy_where_the_engine_there_is_unusable() -> None:
    found = obstacles(Answers(unusable="too old"), programs=("skopeo",))
    assert found.engine_for("tunnel") == ("crane", True)
