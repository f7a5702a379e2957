"""A crane that nobody has signed is neither unpacked nor run, whatever apt's settings allow."""

import hashlib
import subprocess
import sys
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


@pytest.mark.sampled(3)
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


_ALONE = 'mount --make-rprivate / && mount --bind "$0" /etc/apt/apt.conf.d && exec "$@"'
_UNPACK = """
import os, sys
from pathlib import Path
from dockless.engines.debian import unpack_crane
from dockless.errors import EngineError
try:
    unpack_crane(Path(sys.argv[1]), os.environ)
except EngineError as error:
    sys.exit(error.what)
"""


@pytest.mark.sampled(7)
@pytest.mark.parametrize(
    "setting",
    [
        'APT::Update::Pre-Invoke {{ "touch {marker}"; }};',
        'APT::Update::Post-Invoke {{ "rm -f {lists}/kept"; }};',
        'APT::Update::Post-Invoke-Success {{ "touch {marker}"; }};',
        'Apt::Key::gpgvcommand "{gpgv}";',
        'Dir::State::lists "{lists}";',
        'Dir::Cache::archives "{lists}"; Dir::Cache::pkgcache "{lists}/kept";',
        'Dir::Bin::dpkg "{gpgv}"; DPkg::Pre-Install-Pkgs {{ "{gpgv}"; }};',
        'Acquire::http::Proxy-Auto-Detect "{gpgv}"; Acquire::http::ProxyAutoDetect "{gpgv}";',
    ],
)
def test_no_setting_of_the_machine_moves_runs_or_deletes_anything(
    tmp_path: Path, repository: Path, setting: str
) -> None:
    settings, lists, scratch = (tmp_path / each for each in ("apt.conf.d", "lists", "scratch"))
    for folder in (settings, lists / "partial", scratch):
        folder.mkdir(parents=True)
    marker, gpgv, sources = tmp_path / "ran", tmp_path / "gpgv", tmp_path / "sources.list"
    gpgv.write_text(f"#!/bin/sh\ntouch {marker}\n")
    gpgv.chmod(0o755)
    (lists / "kept").write_text("kept")
    # a file with a signature, and a server that does not answer
    (repository / "dists/forky/Release.gpg").write_text("none")
    sources.write_text(
        f"deb file:{repository} bookworm main\ndeb http://127.0.0.1:1/ bookworm main\n"
    )
    (settings / "99x").write_text(
        f'Dir::Etc::sourcelist "{sources}"; Dir::Etc::sourceparts "/dev/null";\n'
        + setting.format(marker=marker, gpgv=gpgv, lists=lists)
    )
    program = (sys.executable, "-c", _UNPACK, str(scratch))
    done = subprocess.run(
        ("unshare", "--mount", "sh", "-c", _ALONE, str(settings), *program),
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "Debian's package cannot be obtained" in done.stderr
    assert not marker.exists()
    assert [each.name for each in sorted(lists.iterdir())] == ["kept", "partial"]
    assert (lists / "kept").read_text() == "kept"
