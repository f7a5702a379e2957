from pathlib import Path

import pytest

from dockless.registry.throughput import Gauge, Link, Links

HOST = "registry.inside:5000"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_time_of_several_senders_is_counted_once() -> None:
    clock = Clock()
    gauge = Gauge(clock)
    with gauge.sending():
        clock.now = 1.0
        with gauge.sending():
            clock.now = 3.0
        gauge.count(8_000_000)
        clock.now = 4.0
    clock.now = 50.0
    assert gauge.rate == 2_000_000


def test_a_few_bytes_say_nothing() -> None:
    clock = Clock()
    gauge = Gauge(clock)
    with gauge.sending():
        clock.now = 1.0
        gauge.count(1000)
    assert gauge.rate is None


def _measured(links: Links, bytes_: int) -> None:
    clock = Clock()
    gauge = links.gauge(HOST)
    gauge.__init__(clock)  # type: ignore[misc] # with a clock of the test's
    with gauge.sending():
        clock.now = 1.0
        gauge.count(bytes_)


def test_what_was_measured_is_known_to_the_next_push_and_settles(tmp_path: Path) -> None:
    assert Links(tmp_path).of(HOST) == Link()
    first = Links(tmp_path)
    _measured(first, 10_000_000)
    first.keep()
    assert Links(tmp_path).of(HOST) == Link(10_000_000)
    second = Links(tmp_path)
    _measured(second, 20_000_000)
    second.keep()
    assert Links(tmp_path).of(HOST) == Link(15_000_000)
    assert Links(tmp_path).of("elsewhere") == Link()


def test_a_refusal_of_zstd_is_remembered_beside_the_rate(tmp_path: Path) -> None:
    links = Links(tmp_path)
    _measured(links, 10_000_000)
    links.keep()
    links.refused_zstd(HOST)
    assert Links(tmp_path).of(HOST) == Link(10_000_000, takes_zstd=False)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rate": "fast"}', "\x00"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    links = Links(tmp_path)
    links.refused_zstd(HOST)
    (path,) = tmp_path.iterdir()
    path.write_text(text)
    assert Links(tmp_path).of(HOST) == Link()


def test_where_nothing_can_be_written_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    links = Links(tmp_path / "file" / "links")
    links.refused_zstd(HOST)
    assert links.of(HOST) == Link()
