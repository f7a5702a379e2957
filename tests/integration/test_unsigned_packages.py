"""A crane that nobody has signed is neither unpacked nor run, whatever apt's settings allow."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from dockless.engines.debian import unpack_crane
from dockless.errors import EngineError

INSECURE = (
    'Acquire::AllowInsecureRepositories "true"; APT::Get::AllowUnauthenticated "true";',
    (
        'Acquire { AllowWeakRepositories "1"; AllowInsecureRepositories "1"; }; '
        'APT::Get::AllowUnauthenticated "1";'
    ),
    'APT { Get { AllowUnauthenticated "1"; }; }; Acquire { AllowInsecureRepositories "yes"; };',
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with an unsigned crane."""
    root = tmp_path / "repository"
    package, tree = root / "crane_9.9.9_amd64.deb", tmp_path / "tree"
    for folder in (root, tree / "DEBIAN", tree / "usr/bin"):
        folder.mkdir(parents=True)
    program = tree / "usr/bin/crane"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    fields = (
        "Package: crane\nVersion: 9.9.9\nArchitecture: {}\nMaintainer: e <e@e>\nDescription: e\n"
    )
    architecture = subprocess.run(
        ("dpkg", "--print-architecture"), capture_output=True, text=True, check=True
    ).stdout.strip()
    index = root / f"dists/forky/main/binary-{architecture}/Packages"
    index.parent.mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(fields.format(architecture))
    subprocess.run(("dpkg-deb", "-b", tree, package), check=True, capture_output=True)
    data = package.read_bytes()
    index.write_text(
        f"{fields.format(architecture)}Filename: {package.name}\nSize: {len(data)}\n"
        f"SHA256: {hashlib.sha256(data).hexdigest()}\n\n"
    )
    listed = index.read_bytes()
    (root / "dists/forky/Release").write_text(
        f"Suite: testing\nCodename: forky\nArchitectures: {architecture}\nComponents: main\n"
        f"Date: Mon, 01 Jan 2024 00:00:00 UTC\nSHA256:\n {hashlib.sha256(listed).hexdigest()} "
        f"{len(listed)} main/binary-{architecture}/Packages\n"
    )
    return root


@pytest.mark.parametrize("settings", INSECURE)
@pytest.mark.parametrize("how", ["machine", "APT_CONFIG"])
def test_an_unsigned_package_is_not_unpacked(
    tmp_path: Path, repository: Path, settings: str, how: str
) -> None:
    sources, conf = tmp_path / "sources.list", tmp_path / "apt.conf"
    sources.write_text(f"deb [trusted=yes] file:{repository} bookworm main\n")
    conf.write_text(
        f'Dir::Etc::sourcelist "{sources}"; Dir::Etc::sourceparts "/dev/null"; {settings}\n'
    )
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    folder = tmp_path / "bin"
    folder.mkdir()
    wrapper = folder / "apt-get"
    # stands for a machine whose own settings say so
    wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/apt-get -c "{conf}" "$@"\n')
    wrapper.chmod(0o755)
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    if how == "APT_CONFIG":
        environment["APT_CONFIG"] = str(conf)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(EngineError):
        unpack_crane(scratch, environment)
    assert not (scratch / "root").exists()
