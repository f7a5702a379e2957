import hashlib
from pathlib import Path
from urllib.parse import quote

import pytest

from dockless.engines.debian import unpack_crane
from dockless.engines.tampering import TamperedError
from dockless.errors import EngineError

TARGETS = """\
main bookworm http://user:hunter2@mirror.test/debian/
main bookworm http://user:hunter2@mirror.test/debian/
contrib bookworm http://contrib.test/debian/
main bookworm-updates http://updates.test/debian/
main buster/updates http://security.test/
main stable http://second.test/debian/
"""
PACKAGE = "crane_0.20.7+ds1-5_amd64.deb"
DOWNLOAD = f"touch {PACKAGE}"
EMPTY = hashlib.sha256().hexdigest()


KEPT = """\
Acquire::http::Proxy "http://user:hunter2@proxy.test:3128";
Acquire::http::Proxy::mirror.test "DIRECT";
Acquire::https::CaInfo "/etc/ca.pem";
Acquire::https::second.test::SslCert "/etc/cert.pem";
Acquire::Check-Valid-Until "false";
"""
DUMP = f"""\
APT "";
APT::Architecture "amd64";
APT::Default-Release "stable";
APT::Update::Pre-Invoke:: "touch /evil";
Apt::Key::gpgvcommand "/evil";
Dir::State::lists "/evil";
Dir::Cache "/evil";
Dir::Bin::methods "/evil";
DPkg::Pre-Install-Pkgs:: "/evil";
Acquire::AllowInsecureRepositories "1";
Acquire::http::ProxyAutoDetect "/evil";
Acquire::http::Proxy-Auto-Detect "/evil";
Acquire::https::Verify-Peer "false";
Acquire::https::mirror.test::Verify-Host "false";
{KEPT}"""
SIGNED = "allow-insecure=no allow-weak=no allow-downgrade-to-insecure=no"


class FakeDebian:
    """Stand-ins for apt-get and dpkg, which write down how they are called."""

    def __init__(self, root: Path) -> None:
        self.bin = root / "bin"
        self.scratch = root / "scratch"
        self.calls = root / "calls"
        self.keyring = root / "keyring.gpg"
        self.environment = {"PATH": f"{self.bin}:/usr/bin:/bin"}
        for folder in (self.bin, self.scratch):
            folder.mkdir()
        self.keyring.touch()
        self.apt_get()
        self.script("apt-config", f"cat <<'END'\n{DUMP}END")
        self.script("dpkg", "")
        self.script("dpkg-deb", 'mkdir -p "$3/usr/bin"; touch "$3/usr/bin/crane"')

    def script(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.calls}\n{text}\n')
        path.chmod(0o755)

    def apt_get(
        self, targets: str = TARGETS, download: str = DOWNLOAD, digest: str = f"SHA256:{EMPTY}"
    ) -> None:
        uri = f"'http://m.test/crane.deb' {PACKAGE} 0 {digest}"
        listed = "".join(f"{line} .\n" for line in targets.splitlines())
        choices = f"*indextargets*) cat <<'END'\n{listed}END\n;; *--print-uris*) "
        choices += f"test -e {PACKAGE} || cat <<'END'\n"  # what is there already is not listed
        choices += f"{uri}\nEND\n;; *download*) {download};;"
        self.script("apt-get", f'case "$*" in {choices} *) exit 100;; esac')

    def unpack(self) -> tuple[Path, str]:
        return unpack_crane(self.scratch, self.environment, self.keyring)


@pytest.fixture
def fake(tmp_path: Path) -> FakeDebian:
    return FakeDebian(tmp_path)


def test_the_package_is_unpacked_into_the_scratch_folder(fake: FakeDebian) -> None:
    program, version = fake.unpack()
    assert program == fake.scratch / "root/usr/bin/crane"
    assert version == "0.20.7+ds1-5"


def test_the_sources_are_the_machines_main_mirrors_under_debians_key(fake: FakeDebian) -> None:
    fake.unpack()
    assert (fake.scratch / "sources.list").read_text().splitlines() == [
        f"deb [signed-by={fake.keyring} {SIGNED}] {uri} forky main"
        for uri in ("http://user:hunter2@mirror.test/debian/", "http://second.test/debian/")
    ]


def test_apt_writes_to_the_scratch_folder_only(fake: FakeDebian) -> None:
    fake.unpack()
    update = next(line for line in fake.calls.read_text().splitlines() if line.endswith(" update"))
    for option in ("Dir::State", "Dir::State::status", "Dir::Cache", "Dir::Etc::sourcelist"):
        assert f"-o{option}={fake.scratch}/" in update
    assert "-oDir::Etc::sourceparts=/dev/null" in update


@pytest.mark.parametrize("name", ["apt-get", "apt-config", "dpkg", "dpkg-deb"])
def test_without_debians_tools_it_says_which_is_missing(fake: FakeDebian, name: str) -> None:
    (fake.bin / name).unlink()
    (fake.bin / "cat").symlink_to("/usr/bin/cat")
    fake.environment = {"PATH": str(fake.bin)}
    with pytest.raises(EngineError, match=f"{name} does not exist"):
        fake.unpack()


def test_without_debians_keyring_nothing_is_fetched(fake: FakeDebian) -> None:
    fake.keyring.unlink()
    with pytest.raises(EngineError, match="cannot be checked"):
        fake.unpack()
    assert not fake.calls.exists()


def test_sources_without_a_main_suite_are_no_debian_mirror(fake: FakeDebian) -> None:
    fake.apt_get(targets="main bookworm-security http://security.test/\n")
    with pytest.raises(EngineError, match="name no Debian mirror"):
        fake.unpack()


@pytest.mark.parametrize(
    "odd",
    [
        "main bookworm http://m.test/a\nb/ .\n",
        "main bookworm http://m.test/\n\n/ .\n",
        "\n",
        "main\n",
        "main bookworm\n",
        "main bookworm  .\n",
        "main bookworm .\n",
        "main bookworm http://m.test/cut\n",
        "W: of some kind\n",
    ],
)
def test_odd_lines_of_apt_are_no_mirrors(fake: FakeDebian, odd: str) -> None:
    good = "main bookworm http://mirror.test/debian/ .\n"
    fake.script("apt-get", f"cat <<'END'\n{odd}{good}{odd}END")
    with pytest.raises(EngineError, match="cannot be obtained"):  # that apt has no package
        fake.unpack()
    sources = (fake.scratch / "sources.list").read_text()
    assert sources == f"deb [signed-by={fake.keyring} {SIGNED}] {good[14:-3]} forky main\n"


@pytest.mark.parametrize("character", ["\x0b", "\x85", "\u2028", "\r", "\t", "é"])
def test_any_character_of_a_mirror_is_passed_on_encoded(fake: FakeDebian, character: str) -> None:
    fake.apt_get()
    fake.script("apt-get", f"printf '%s\\n' 'main bookworm http://m.test/a{character}b/ .'")
    with pytest.raises(EngineError):
        fake.unpack()
    sources = (fake.scratch / "sources.list").read_text()
    assert f" http://m.test/a{quote(character)}b/ forky main\n" in sources


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("E: Syntax error /etc/apt/apt.conf.d/9:1: Extra junk", "Syntax error /etc/apt/apt.conf.d"),
        ("E: Malformed entry 1 in list file /x (URI parse)", "Malformed entry 1 in list file /x"),
        ("E: Type 'dob' is not known on line 1 in source list /x", "Type 'dob' is not known"),
        ("E: http://u:hunter2@m.test/ is wrong", "E: http://m.test/ is wrong"),
        ("E: http://u:hunt/er2@hunter2@m.test/ is wrong", "E: http://m.test/ is wrong"),
        ("E: " + "x" * 100_000, "(shortened)"),
        ("", "no reason given"),
    ],
)
def test_apts_own_words_say_why_its_sources_cannot_be_read(
    fake: FakeDebian, said: str, expected: str
) -> None:
    fake.script("apt-get", f"cat >&2 <<'END'\n{said}\nEND\nexit 100")
    with pytest.raises(EngineError) as caught:
        fake.unpack()
    assert expected in caught.value.what
    assert "name no Debian mirror" not in caught.value.what
    assert "hunter2" not in str(caught.value)
    assert len(caught.value.what) < 2_000


def test_apts_complaint_is_passed_on_without_the_mirrors_password(fake: FakeDebian) -> None:
    complaint = "E: Failed to fetch http://user:hunter2@mirror.test/debian/x"
    fake.apt_get(download=f"echo Reading... >&2; echo '{complaint}' >&2; exit 100")
    with pytest.raises(EngineError) as caught:
        fake.unpack()
    assert "Failed to fetch http://mirror.test/debian/x." in caught.value.what
    assert "hunter2" not in str(caught.value)


def test_a_package_without_the_program_is_an_error(fake: FakeDebian) -> None:
    fake.script("dpkg-deb", "echo 'dpkg-deb: error: not a package' >&2; exit 2")
    with pytest.raises(EngineError, match="cannot be unpacked: dpkg-deb: error: not a package"):
        fake.unpack()


@pytest.mark.parametrize(
    "digest",
    [
        f"SHA256:{'0' * 64}",
        f"SHA256:{hashlib.sha256(b'x').hexdigest()}",
        f"SHA512:{hashlib.sha512(b'x').hexdigest()}",
        f"SHA256:{hashlib.sha512().hexdigest()}",
        f"SHA1:{hashlib.sha1().hexdigest()}",  # noqa: S324 - what is not enough
        f"MD5Sum:{hashlib.md5().hexdigest()}",  # noqa: S324 - the same
        "",
        "SHA256:abc",
    ],
)
def test_what_the_signed_index_does_not_have_is_not_unpacked(fake: FakeDebian, digest: str) -> None:
    fake.apt_get(digest=digest)
    with pytest.raises(TamperedError, match="signed index"):
        fake.unpack()
    assert "dpkg-deb -x" not in fake.calls.read_text()


def test_a_package_that_the_index_has_with_sha_512_is_unpacked(fake: FakeDebian) -> None:
    fake.apt_get(digest=f"SHA512:{hashlib.sha512().hexdigest()}")
    assert fake.unpack()[0].is_file()


def test_of_the_machines_settings_only_the_way_to_its_mirrors_counts(fake: FakeDebian) -> None:
    fake.script(
        "apt-get", f"echo $APT_CONFIG >>{fake.calls}.conf\n{(fake.bin / 'apt-get').read_text()}"
    )
    fake.unpack()
    conf = fake.scratch / "apt.conf"
    nothing = 'Dir::Etc::main "/dev/null";\nDir::Etc::parts "/dev/null";\n'
    assert conf.read_text() == nothing + KEPT
    assert conf.stat().st_mode & 0o777 == 0o600
    # only what asks for the machine's mirrors is run with its settings
    assert set(Path(f"{fake.calls}.conf").read_text().split("\n")[1:-1]) == {str(conf)}
    assert "hunter2" not in fake.calls.read_text()


def test_a_mirror_with_blanks_or_brackets_spoils_no_other(fake: FakeDebian) -> None:
    fake.apt_get(targets="main stable file:/sp ace/x[1]\nmain stable http://m.test/%20/d?a=1\n")
    fake.unpack()
    uris = [line.split()[-3] for line in (fake.scratch / "sources.list").read_text().splitlines()]
    assert uris == ["file:/sp%20ace/x%5B1%5D", "http://m.test/%2520/d?a=1"]


def test_no_setting_of_the_environment_reaches_apt(fake: FakeDebian) -> None:
    fake.environment |= {"APT_CONFIG": "/evil", "DPKG_ROOT": "/evil", "http_proxy": "http://p:1"}
    fake.script("dpkg-deb", 'mkdir -p "$3/usr/bin"; env >"$3/usr/bin/crane"')
    fake.script("apt-get", f"env >>{fake.calls}.env; {(fake.bin / 'apt-get').read_text()}")
    program, _ = fake.unpack()
    for seen in (program.read_text(), Path(f"{fake.calls}.env").read_text()):
        assert "/evil" not in seen
        assert "http_proxy=http://p:1" in seen


@pytest.mark.parametrize(
    "option",
    [
        "APT::Get::AllowUnauthenticated=false",
        "Acquire::AllowInsecureRepositories=false",
        "Acquire::AllowWeakRepositories=false",
        "Acquire::AllowDowngradeToInsecureRepositories=false",
    ],
)
@pytest.mark.parametrize("command", ["update", "download crane"])
def test_apt_is_told_to_take_nothing_unsigned(fake: FakeDebian, option: str, command: str) -> None:
    fake.unpack()
    calls = [line for line in fake.calls.read_text().splitlines() if line.endswith(command)]
    assert calls
    assert all(f"-o{option}" in call for call in calls)
