import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from dockless.engines.on_host import CraneThere, RemoteEngineEnv, SkopeoThere, layout_root
from dockless.errors import AuthError, NetworkError, PushError, SourceError
from dockless.model.endpoint import Endpoint
from dockless.model.host import Exported
from dockless.model.pins import WrongPinError
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.processes.run import Finished

DIGEST = Digest.of(b"manifest")
OTHER = Digest.of(b"other")
REPOSITORY = Repository.of("registry.example.com", "team/shop")
ARCHIVE = Exported(path="/tmp/d/image.tar", is_layout=False)  # noqa: S108 - a path of a host
LAYOUT = Exported(path="/srv/layout", is_layout=True)
INDEX = f'{{"manifests": [{{"digest": "{DIGEST}"}}]}}'.encode()


@dataclass
class Host:
    """A host that answers what it is told to."""

    answers: list[Finished] = field(default_factory=list)
    argv: list[Sequence[str]] = field(default_factory=list)
    stdin: list[bytes] = field(default_factory=list)
    environment: list[Mapping[str, str]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def run(self, argv: Sequence[str], *, stdin: bytes, environment: Mapping[str, str]) -> Finished:
        self.argv.append(argv)
        self.stdin.append(stdin)
        self.environment.append(environment)
        return self.answers.pop(0) if self.answers else Finished(0, b"", "")

    def env(
        self,
        *,
        authfile: bytes | None = b'{"auths": {}}',
        certificates: str = "",
        plain: bool = False,
    ) -> RemoteEngineEnv:
        return RemoteEngineEnv(
            run=self.run,
            read=lambda path: self.files[path],
            program="/opt/engine",
            folder="/tmp/d",  # noqa: S108 - a path of a host
            endpoint=Endpoint(host="registry.example.com", plain_http=plain),
            authfile=lambda: authfile,
            certificates=certificates,
            environment={"HTTPS_PROXY": "http://127.0.0.1:1"},
        )


@pytest.fixture
def host() -> Host:
    return Host()


def test_crane_pushes_by_digest_with_the_credential_on_stdin_only(host: Host) -> None:
    blob = Digest.of(b"blob")
    host.answers = [
        Finished(0, f"{DIGEST}\n".encode(), ""),
        Finished(0, f"{REPOSITORY}@{DIGEST}\n".encode(), f"x pushed blob: {blob}\n"),
    ]
    crane = CraneThere(host.env(certificates="/tmp/d/certs"), ARCHIVE)  # noqa: S108 - the same
    assert crane.digest() == DIGEST
    assert crane.push(REPOSITORY, DIGEST) == {blob}
    assert host.argv == [
        ("/opt/engine", "digest", "--tarball", ARCHIVE.path),
        ("/opt/engine", "push", ARCHIVE.path, f"{REPOSITORY}@{DIGEST}"),
    ]
    assert host.stdin == [b"", b'{"auths": {}}']
    assert host.environment[1] == {
        "HOME": "/tmp/d/home",  # noqa: S108 - the same
        "XDG_CONFIG_HOME": "/tmp/d/home/.config",  # noqa: S108 - the same
        "XDG_DATA_HOME": "/tmp/d/home/.local/share",  # noqa: S108 - the same
        "XDG_RUNTIME_DIR": "/tmp/d/home",  # noqa: S108 - the same
        "TMPDIR": "/tmp/d",  # noqa: S108 - the same
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "REGISTRY_AUTH_FILE": "/dev/stdin",
        "SSL_CERT_DIR": "/tmp/d/certs:/etc/ssl/certs",  # noqa: S108 - the same
    }


def test_the_digest_of_a_layout_stands_in_its_index(host: Host) -> None:
    host.files["/srv/layout/index.json"] = INDEX
    assert CraneThere(host.env(), LAYOUT).digest() == DIGEST
    assert SkopeoThere(host.env(), LAYOUT).digest() == DIGEST
    assert host.argv == []


def test_crane_that_reports_another_digest_failed(host: Host) -> None:
    host.answers = [Finished(0, b"registry.example.com/team/shop@sha256:" + b"0" * 64, "")]
    with pytest.raises(PushError, match="crane reports that it pushed"):
        CraneThere(host.env(), ARCHIVE).push(REPOSITORY, DIGEST)


def test_skopeo_compresses_first_and_then_sends_what_it_made(host: Host) -> None:
    host.files["/tmp/d/dir/manifest.json"] = b"manifest"  # noqa: S108 - a path of a host  # noqa: S108 - a path of a host
    skopeo = SkopeoThere(host.env(plain=True), ARCHIVE)
    assert skopeo.digest() == DIGEST
    assert skopeo.push(REPOSITORY, DIGEST) == frozenset()
    first, second = host.argv
    assert first[1:] == (
        "--insecure-policy", "copy", "--quiet", "--dest-compress",
        f"docker-archive:{ARCHIVE.path}", "dir:/tmp/d/dir",
    )  # fmt: skip
    assert second[-2:] == ("dir:/tmp/d/dir", f"docker://{REPOSITORY}@{DIGEST}")
    assert {"--dest-tls-verify=false", "--preserve-digests"} < set(second)
    assert second[second.index("--dest-authfile") + 1] == "/dev/stdin"
    logins = "/tmp/d/home/.config/containers/registries.conf.d/dockless.conf"  # noqa: S108 - the same
    assert host.environment[1]["CONTAINERS_REGISTRIES_CONF_OVERRIDE"] == logins


def test_nobody_in_particular_has_no_authfile(host: Host) -> None:
    host.files["/srv/layout/index.json"] = INDEX
    SkopeoThere(host.env(authfile=None), LAYOUT).push(REPOSITORY, DIGEST)
    assert "--dest-no-creds" in host.argv[0]
    host.answers = [Finished(0, f"{REPOSITORY}@{DIGEST}".encode(), "")]
    CraneThere(host.env(authfile=None), LAYOUT).push(REPOSITORY, DIGEST)
    assert host.stdin == [b"", b"{}"]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("Error: UNAUTHORIZED: authentication required", AuthError),
        ("Error: dial tcp: connection refused", NetworkError),
        ("Error: file manifest.json not found in tar", PushError),
    ],
)
def test_an_engine_that_fails_is_told_apart_as_here(
    host: Host, said: str, error: type[Exception]
) -> None:
    host.answers = [Finished(1, b"", said)]
    with pytest.raises(error):
        CraneThere(host.env(), ARCHIVE).push(REPOSITORY, DIGEST)


@pytest.mark.parametrize("index", [b"{}", b"no JSON", b'{"manifests": [{}]}', b"[]"])
def test_an_index_that_is_none_is_a_bad_source(index: bytes) -> None:
    with pytest.raises(SourceError, match="is not the index of an OCI layout"):
        layout_root(index, "/srv/layout")


def test_a_layout_of_several_images_goes_by_relay() -> None:
    index = f'{{"manifests": [{{"digest": "{DIGEST}"}}, {{"digest": "{DIGEST}"}}]}}'.encode()
    with pytest.raises(SourceError, match="holds 2 images"):
        layout_root(index, "/srv/layout")


WRONG = [f"docker.io/a/bad@{OTHER}", f"ghcr.io/a/bad:t@{OTHER}", f"bad@sha512:{'2' * 128}"]


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("key", ["org.opencontainers.image.ref.name", "io.containerd.image.name"])
def test_a_layout_whose_name_pins_another_digest_is_refused(
    host: Host, name: str, key: str
) -> None:
    for engine in (CraneThere, SkopeoThere):
        for text, fits in ((name, False), (f"a/b:1@{DIGEST}", True), ("a/b:1", True), ("1", True)):
            index = {"manifests": [{"digest": str(DIGEST), "annotations": {key: text}}]}
            host.files["/srv/layout/index.json"] = json.dumps(index).encode()
            there = engine(host.env(), LAYOUT)
            if fits:
                assert there.digest() == DIGEST
                continue
            with pytest.raises(WrongPinError, match=f"named {name} whose digest is {DIGEST}"):
                there.digest()


@pytest.mark.parametrize("name", WRONG)
def test_an_archive_whose_name_pins_another_digest_than_an_engine_makes_is_refused(
    host: Host, name: str
) -> None:
    host.files["/tmp/d/dir/manifest.json"] = b"manifest"  # noqa: S108 - a path of a host
    for engine in (CraneThere, SkopeoThere):
        for text, fits in ((name, False), (f"a/b:1@{DIGEST}", True), ("a/b:1", True)):
            image = Exported(
                path=ARCHIVE.path, is_layout=False, names=(text,), source="docker on web1"
            )
            host.answers = [Finished(0, str(DIGEST).encode(), "")]
            there = engine(host.env(), image)
            if fits:
                assert there.digest() == DIGEST
                continue
            with pytest.raises(WrongPinError, match=f"docker on web1 has an image named {name}"):
                there.digest()
