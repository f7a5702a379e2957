import json
from pathlib import Path

import pytest

from dockless.registry.throughput import ThroughputMeter, ThroughputRecord, ThroughputRecords

HOST = "registry.inside:5000"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_time_of_several_senders_is_counted_once() -> None:
    clock = Clock()
    meter = ThroughputMeter(clock)
    with meter.sending():
        clock.now = 1.0
        with meter.sending():
            clock.now = 3.0
        meter.count(8_000_000)
        clock.now = 4.0
    clock.now = 50.0
    assert meter.rate == 2_000_000


def test_a_few_bytes_say_nothing() -> None:
    clock = Clock()
    meter = ThroughputMeter(clock)
    with meter.sending():
        clock.now = 1.0
        meter.count(1000)
    assert meter.rate is None


def _measured(throughput: ThroughputRecords, bytes_: int) -> None:
    clock = Clock()
    meter = throughput.meter(HOST)
    meter.__init__(clock)  # type: ignore[misc] # with a clock of the test's
    with meter.sending():
        clock.now = 1.0
        meter.count(bytes_)


def test_what_was_measured_is_known_to_the_next_push_and_settles(tmp_path: Path) -> None:
    assert ThroughputRecords(tmp_path).of(HOST) == ThroughputRecord()
    first = ThroughputRecords(tmp_path)
    _measured(first, 10_000_000)
    first.keep()
    assert ThroughputRecords(tmp_path).of(HOST) == ThroughputRecord(10_000_000)
    second = ThroughputRecords(tmp_path)
    _measured(second, 20_000_000)
    second.keep()
    assert ThroughputRecords(tmp_path).of(HOST) == ThroughputRecord(15_000_000)
    assert ThroughputRecords(tmp_path).of("elsewhere") == ThroughputRecord()


def test_a_refusal_of_zstd_is_remembered_beside_the_rate(tmp_path: Path) -> None:
    throughput = ThroughputRecords(tmp_path)
    _measured(throughput, 10_000_000)
    throughput.keep()
    throughput.refused_zstd(HOST)
    assert ThroughputRecords(tmp_path).of(HOST) == ThroughputRecord(10_000_000, takes_zstd=False)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"rate": "fast"}', "\x00",
     *(f'{{"rate": {rate}, "takes_zstd": true, "oci_refused": null}}'
       for rate in ("true", "NaN", "Infinity", "-1", "[1]"))],
)  # fmt: skip
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    throughput = ThroughputRecords(tmp_path)
    throughput.refused_zstd(HOST)
    (path,) = tmp_path.iterdir()
    path.write_text(text)
    assert ThroughputRecords(tmp_path).of(HOST) == ThroughputRecord()


def test_where_nothing_can_be_written_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    throughput = ThroughputRecords(tmp_path / "file" / "links")
    throughput.refused_zstd(HOST)
    assert throughput.of(HOST) == ThroughputRecord()


@pytest.mark.parametrize("said", ["true", "NaN", '"1"', "1e999"])
def test_only_a_moment_says_that_oci_manifests_were_refused(tmp_path: Path, said: str) -> None:
    records = ThroughputRecords(tmp_path / "links")
    records.learn_oci(HOST, takes_oci=False)
    (file,) = (tmp_path / "links").iterdir()
    text = json.dumps(json.loads(file.read_text()))
    file.write_text(text.replace("}", f', "oci_refused": {said}}}'))
    assert records.of(HOST).oci_refused is None
