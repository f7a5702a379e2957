import base64
import re
from pathlib import Path

import pytest

from dockless.engines.releases import CRANE_SOURCE, crane_release, quirks


@pytest.mark.parametrize(
    ("system", "machine", "archive"),
    [
        ("Linux", "x86_64", "go-containerregistry_Linux_x86_64.tar.gz"),
        ("Linux", "aarch64", "go-containerregistry_Linux_arm64.tar.gz"),
        ("Darwin", "x86_64", "go-containerregistry_Darwin_x86_64.tar.gz"),
        ("Darwin", "arm64", "go-containerregistry_Darwin_arm64.tar.gz"),
    ],
)
def test_each_supported_machine_has_a_pinned_release(
    system: str, machine: str, archive: str
) -> None:
    release = crane_release(system, machine)
    assert release is not None
    assert release.url.endswith(f"/v{release.version}/{archive}")
    assert re.fullmatch("[0-9a-f]{64}", release.sha256)


def test_vendor_tools_md_has_every_pinned_checksum() -> None:
    text = (Path(__file__).parents[3] / "vendor-tools.md").read_text()
    for system in ("Linux", "Darwin"):
        for machine in ("x86_64", "arm64"):
            release = crane_release(system, machine)
            assert release is not None
            assert release.sha256 in text
            assert release.version in text
    assert CRANE_SOURCE.checksum in text
    assert f"crane {CRANE_SOURCE.version}" in text


def test_the_sum_of_the_source_is_one_that_a_go_sum_has() -> None:
    kind, _, encoded = CRANE_SOURCE.checksum.partition(":")
    assert kind == "h1"
    assert len(base64.b64decode(encoded, validate=True)) == 32


def test_other_machines_have_no_release() -> None:
    assert crane_release("Linux", "riscv64") is None
    assert crane_release("FreeBSD", "x86_64") is None


@pytest.mark.parametrize(
    ("name", "version", "count"),
    [
        ("skopeo", "1.9.3", 3),
        ("skopeo", "1.10.0", 2),
        ("skopeo", "1.17.0-dev", 1),
        ("skopeo", "1.22.0", 0),
        ("crane", "0.20.7", 1),
        ("crane", "0.21.7", 0),
        ("crane", "", 0),
    ],
)
def test_quirks_are_those_of_the_version(name: str, version: str, count: int) -> None:
    assert len(quirks(name, version)) == count
