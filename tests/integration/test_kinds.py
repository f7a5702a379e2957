"""Each kind of registry, from what its users already have to a pushed image.

The registries are docker-registry under the kinds' own names, with certificates for these. AWS is
moto's server, asked by boto3 and by the real `aws` CLI; Google's library is the real one before a
token endpoint of the bed. `gcloud`, `az` and `gh` can log in nowhere here, so they are scripts.
"""

import base64
import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bed import aws
from bed.certificates import Certificates, make
from bed.dockless import SCRIPT, Dockless, Result
from bed.failures import complaint
from bed.names import Named, named
from bed.registry import Login
from bed.tokens import token_service
from bed.tools import crane

pytestmark = pytest.mark.sampled(5)

_SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"
_GCR, _ACR = "europe-docker.pkg.dev", "acme.azurecr.io"
_HUB = ("index.docker.io", "registry-1.docker.io", "docker.io")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("world")
    return make(folder, "ghcr.io", _GCR, _ACR, aws.HOST, "public.ecr.aws", *_HUB)


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A folder of programs that stands first on PATH."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    for name in ("gcloud", "az", "gh", "aws"):
        script(folder, name, "echo 'not logged in' >&2; exit 1")
    return folder


def script(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def run(program: Dockless, scripts: Path) -> Iterator["Runner"]:
    runner = Runner(replace(program, extra={"PATH": f"{scripts}:{_SYSTEM}"}))
    yield runner
    runner("logout", "--all")


class Runner:
    """dockless, with an environment that a test adds to."""

    def __init__(self, program: Dockless) -> None:
        self.program = program
        self.environment: dict[str, str] = {"DOCKLESS_KEYRING": "kernel-user"}

    def __call__(self, *arguments: str | Path, stdin: bytes = b"") -> Result:
        extra = {**self.program.extra, **self.environment}
        return replace(self.program, extra=extra).run(*arguments, stdin=stdin)

    def reaches(self, there: Named) -> None:
        self.environment |= there.environment
        self.trust = ("--ca-file", there.registry.ca_file)

    def push(self, archive: Path, image: str, *options: str | Path) -> Result:
        return self("push", archive, "--image", image, *self.trust, *options)

    def login(self, *options: str | Path, stdin: bytes = b"") -> Result:
        return self("login", *options, *self.trust, stdin=stdin)


@pytest.fixture
def cloud(aws_api: aws.Aws, run: Runner) -> aws.Aws:
    run.environment |= aws_api.environment
    return aws_api


@pytest.fixture(scope="session")
def aws_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[aws.Aws]:
    with aws.moto(tmp_path_factory.mktemp("moto")) as running:
        yield running


@pytest.fixture
def ecr(tmp_path: Path, world: Certificates, run: Runner) -> Iterator[Named]:
    login = Login("AWS", f"{aws.ACCOUNT}-auth-token")
    with named(tmp_path / "ecr", world, login, aws.HOST, "public.ecr.aws") as there:
        run.reaches(there)
        yield there


def without_boto3(run: Runner, tmp_path: Path) -> None:
    folder = tmp_path / "startup"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['boto3'] = None\n")
    run.environment["PYTHONPATH"] = str(folder)


def real_aws(scripts: Path) -> None:
    (scripts / "aws").unlink()
    (scripts / "aws").symlink_to(SCRIPT.with_name("aws"))


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
def test_docker_hub_from_login_to_push(
    run: Runner,
    tmp_path: Path,
    world: Certificates,
    login: Login,
    old_archive: Path,
    engine: str,
) -> None:
    with named(tmp_path / "hub", world, login, *_HUB) as there:
        run.reaches(there)
        user, password = login
        done = run.login(
            "--registry",
            "dockerhub",
            "--username",
            user,
            "--password-stdin",
            "--remember",
            stdin=password.encode(),
        )
        assert done.code == 0, done.stderr
        pushed = run("push", old_archive, *run.trust, "--engine", engine)
        assert pushed.code == 0, pushed.stderr
        assert pushed.stdout.startswith(f"docker.io/{user}/project@sha256:")
        for name in ("index.docker.io", "registry-1.docker.io"):
            assert run("whoami", name).code == 0
        assert run("logout", "https://index.docker.io/v1/").code == 0
        assert run("whoami", "docker.io").code == 4


@pytest.mark.parametrize("way", ["boto3", "aws"])
def test_ecr_pushes_with_a_token_of_aws(
    run: Runner,
    cloud: aws.Aws,
    ecr: Named,
    scripts: Path,
    tmp_path: Path,
    old_archive: Path,
    way: str,
) -> None:
    del ecr
    if way == "aws":
        without_boto3(run, tmp_path)
        real_aws(scripts)
    before = cloud.count()
    done = run.push(old_archive, f"{aws.HOST}/team/app:1")
    assert done.code == 0, done.stderr
    # by moto's word its tokens ended in 2015, as with a clock that is off: asked once all the same
    assert cloud.count() - before == 1


def test_a_token_of_ecr_is_kept_until_its_end_for_its_owner_alone(
    run: Runner, ecr: Named, scripts: Path, tmp_path: Path, old_archive: Path
) -> None:
    del ecr
    without_boto3(run, tmp_path)
    pair = base64.b64encode(f"AWS:{aws.ACCOUNT}-auth-token".encode()).decode()
    data = {"authorizationToken": pair, "expiresAt": "2099-01-01T00:00:00+00:00"}
    answer, log = json.dumps({"authorizationData": [data]}), tmp_path / "asked"
    script(scripts, "aws", f"echo \"$@\" >> '{log}'; echo '{answer}'")

    def asked() -> int:
        return len(log.read_text().splitlines())

    assert run.push(old_archive, f"{aws.HOST}/team/app:1").code == 0
    assert asked() == 1
    assert f"--region={aws.REGION} --registry-ids {aws.ACCOUNT}" in log.read_text()
    assert run.push(old_archive, f"{aws.HOST}/team/other:1").code == 0
    assert asked() == 1
    [kept] = json.loads(run("whoami", aws.HOST, "--format", "json").stdout)["logins"]
    assert (kept["username"], kept["ends"]) == ("AWS", "2099-01-01T00:00:00Z")
    run.environment["AWS_PROFILE"] = "somebody-else"
    assert run.push(old_archive, f"{aws.HOST}/team/third:1").code == 0
    assert asked() == 2
    assert run("logout", aws.HOST).code == 0
    assert run("whoami", aws.HOST).code == 4


def test_a_token_of_ecr_that_ends_during_a_push_is_renewed(
    run: Runner, ecr: Named, scripts: Path, tmp_path: Path, old_archive: Path
) -> None:
    del ecr
    without_boto3(run, tmp_path)
    pair = base64.b64encode(f"AWS:{aws.ACCOUNT}-auth-token".encode()).decode()
    log = tmp_path / "asked"
    # the first token has so little left that it is asked for again while the engine takes its time
    left = f"$([ $(wc -l < '{log}') = 1 ] && echo 123 || echo 7200)"
    ends = f'$(date --utc --date "{left} seconds" +%Y-%m-%dT%H:%M:%S+00:00)'
    data = f'{{\\"authorizationToken\\":\\"{pair}\\",\\"expiresAt\\":\\"$ends\\"}}'
    answer = f'{{\\"authorizationData\\":[{data}]}}'
    script(scripts, "aws", f"echo x >> '{log}'; ends={ends}; echo \"{answer}\"")
    engine = f'case $1 in push) [ $2 = --help ] || sleep 4;; esac; exec {crane()} "$@"'
    script(scripts, "crane", engine)
    done = run.push(old_archive, f"{aws.HOST}/team/app:1", "--engine", "crane")
    assert done.code == 0, done.stderr
    assert len(log.read_text().splitlines()) == 2


def test_ecr_pushes_with_a_token_of_its_helper(
    run: Runner, ecr: Named, scripts: Path, tmp_path: Path, old_archive: Path
) -> None:
    del ecr
    without_boto3(run, tmp_path)
    answer = json.dumps({"Username": "AWS", "Secret": f"{aws.ACCOUNT}-auth-token"})
    script(scripts, "docker-credential-ecr-login", f"cat > /dev/null; echo '{answer}'")
    assert run.push(old_archive, f"{aws.HOST}/team/app:1").code == 0


def test_ecr_login_checks_the_token_and_remembers_the_registry(
    run: Runner, cloud: aws.Aws, ecr: Named, old_archive: Path
) -> None:
    del cloud, ecr
    done = run.login(aws.HOST, "--remember")
    assert done.code == 0, done.stderr
    assert "a token from boto3" in done.stderr
    pushed = run("push", old_archive, *run.trust)
    assert pushed.code == 0
    assert pushed.stdout.startswith(f"{aws.HOST}/project@sha256:")


def test_the_public_ecr_has_tokens_of_its_own(
    run: Runner, scripts: Path, ecr: Named, tmp_path: Path, old_archive: Path
) -> None:
    del ecr
    without_boto3(run, tmp_path)
    pair = base64.b64encode(f"AWS:{aws.ACCOUNT}-auth-token".encode()).decode()
    answer = {
        "authorizationData": {"authorizationToken": pair, "expiresAt": "2099-01-01T00:00:00Z"}
    }
    asked = "ecr-public get-authorization-token --output=json --region=us-east-1"
    body = f"""[ "$*" = "{asked}" ] || exit 9\necho '{json.dumps(answer)}'"""
    script(scripts, "aws", body)
    assert run.push(old_archive, "public.ecr.aws/alias/app:1").code == 0


def test_a_missing_repository_is_made_when_asked_for(
    run: Runner, cloud: aws.Aws, ecr: Named, old_archive: Path
) -> None:
    del ecr
    made = run.push(old_archive, f"{aws.HOST}/made/by-us:1", "--create-repository")
    assert made.code == 0, made.stderr
    assert f"Created {aws.HOST}/made/by-us" in made.stderr
    again = run.push(old_archive, f"{aws.HOST}/made/by-us:2", "--create-repository")
    assert again.code == 0
    assert "Created" not in again.stderr
    assert "CreateRepository" in cloud.log.read_text() or cloud.count()


def test_without_any_token_of_aws_the_error_says_who_was_asked(
    run: Runner, ecr: Named, old_archive: Path
) -> None:
    del ecr
    run.environment["AWS_EC2_METADATA_DISABLED"] = "true"
    done = run.push(old_archive, f"{aws.HOST}/team/app:1")
    said = complaint(done, 4)
    assert "boto3 found no AWS credentials" in done.stderr
    assert "not logged in" in done.stderr
    assert aws.HOST in said
    refused = run.login(aws.HOST)
    assert "boto3 found no AWS credentials" in complaint(refused, 2)


class _Tokens(BaseHTTPRequestHandler):
    """The token endpoint of Google's OAuth2."""

    def do_POST(self) -> None:
        body = json.dumps({"access_token": "ya29.token", "expires_in": 3599}).encode()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextlib.contextmanager
def google_key(path: Path) -> Iterator[Mapping[str, str]]:
    """Write a service account's key whose tokens come from the bed; yield what is in it."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tokens)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    key = {
        "type": "service_account",
        "client_email": "pusher@project.iam.gserviceaccount.com",
        "private_key_id": "1",
        "private_key": private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        "token_uri": f"http://127.0.0.1:{server.server_address[1]}/token",
    }
    path.write_text(json.dumps(key))
    try:
        yield key
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def gcr(tmp_path: Path, world: Certificates, run: Runner) -> Iterator[Named]:
    with named(tmp_path / "gcr", world, Login("oauth2accesstoken", "ya29.token"), _GCR) as there:
        run.reaches(there)
        yield there


def test_gcr_pushes_with_a_token_of_gcloud(
    run: Runner, gcr: Named, scripts: Path, old_archive: Path
) -> None:
    del gcr
    body = '[ "$*" = "auth print-access-token --quiet" ] || exit 9\necho ya29.token'
    script(scripts, "gcloud", body)
    assert run.push(old_archive, f"{_GCR}/project/repo/app:1").code == 0
    done = run.login(f"{_GCR}/project", "--registry", "gcr")
    assert done.code == 0, done.stderr
    assert "a token from gcloud" in done.stderr


def test_gcr_pushes_with_application_default_credentials(
    run: Runner, gcr: Named, tmp_path: Path, old_archive: Path
) -> None:
    del gcr
    path = tmp_path / "key.json"
    with google_key(path):
        run.environment["GOOGLE_APPLICATION_CREDENTIALS"] = str(path)
        done = run.push(old_archive, f"{_GCR}/project/repo/app:1")
    assert done.code == 0, done.stderr
    [kept] = json.loads(run("whoami", _GCR, "--format", "json").stdout)["logins"]
    assert kept["username"] == "oauth2accesstoken"


def test_gcr_takes_a_service_account_s_key(
    run: Runner, tmp_path: Path, world: Certificates, old_archive: Path
) -> None:
    path = tmp_path / "key.json"
    with google_key(path):
        login = Login("_json_key", path.read_text())
        with (
            token_service(tmp_path, login, world) as tokens,
            named(tmp_path / "gcr", world, login, _GCR, auth=tokens.settings()) as there,
        ):
            run.reaches(there)
            done = run.login(_GCR, "--key-file", path)
            assert done.code == 0, done.stderr
            assert run.push(old_archive, f"{_GCR}/project/repo/app:1").code == 0
            piped = run.login(_GCR, "--password-stdin", stdin=path.read_bytes())
            assert piped.code == 0, piped.stderr


def test_a_key_inside_the_build_context_is_refused_unless_ignored(
    run: Runner, gcr: Named, tmp_path: Path
) -> None:
    del gcr
    path = run.program.project / "key.json"
    (run.program.project / "Dockerfile").touch()
    with google_key(path) as key:
        done = run.login(_GCR, "--key-file", path)
        assert "lies in the build context" in complaint(done, 2)
        (run.program.project / ".dockerignore").write_text("*.json\n")
        # from here on it is a key like any other, which this registry does not know
        refused = run.login(_GCR, "--key-file", path)
    assert complaint(refused, 4)
    assert key["private_key"][30:60] not in done.stderr + refused.stderr
    nothing = run.login(_GCR, "--key-file", tmp_path / "none.json")
    assert "There is no key file" in complaint(nothing, 2)
    (tmp_path / "other.json").write_text('{"type": "authorized_user"}')
    other = run.login(_GCR, "--key-file", tmp_path / "other.json")
    assert "is not the key of a service account" in complaint(other, 2)


def _jwt(life: float) -> str:
    now = time.time() + 1e6  # by a clock that is off
    claims = base64.urlsafe_b64encode(json.dumps({"iat": now, "exp": now + life}).encode())
    return f"e30.{claims.rstrip(b'=').decode()}.x"


def test_acr_pushes_with_a_token_of_az(
    run: Runner, tmp_path: Path, world: Certificates, scripts: Path, old_archive: Path
) -> None:
    token = _jwt(10800)
    asked = "acr login --name acme --suffix azurecr.io --expose-token --output=json"
    answer = json.dumps({"accessToken": token, "loginServer": _ACR})
    script(scripts, "az", f"""[ "$*" = "{asked}" ] || exit 9\necho '{answer}'""")
    login = Login("00000000-0000-0000-0000-000000000000", token)
    with (
        token_service(tmp_path, login, world) as tokens,
        named(tmp_path / "acr", world, login, _ACR, auth=tokens.settings()) as there,
    ):
        run.reaches(there)
        assert run.push(old_archive, f"{_ACR}/team/app:1").code == 0
        done = run.login(_ACR)
        assert done.code == 0, done.stderr
        [kept] = json.loads(run("whoami", _ACR, "--format", "json").stdout)["logins"]
        assert kept["ends"]


def test_acr_pushes_as_a_service_principal_and_as_a_user(
    run: Runner, tmp_path: Path, world: Certificates, login: Login, old_archive: Path
) -> None:
    user, password = login
    with named(tmp_path / "acr", world, login, _ACR) as there:
        run.reaches(there)
        run.environment |= {"AZURE_CLIENT_ID": user, "AZURE_CLIENT_SECRET": password}
        assert run.push(old_archive, f"{_ACR}/team/app:1").code == 0
        assert run("whoami", _ACR).code == 4  # what the environment has is kept nowhere
        del run.environment["AZURE_CLIENT_ID"]
        assert run.push(old_archive, f"{_ACR}/team/app:2").code == 4
        as_user = ("--username", user, "--password-stdin")
        done = run.login(_ACR, "--registry", "acr", *as_user, stdin=password.encode())
        assert done.code == 0
        assert run.push(old_archive, f"{_ACR}/team/app:2").code == 0


def test_ghcr_pushes_with_the_token_of_a_workflow_or_of_gh(
    run: Runner, tmp_path: Path, world: Certificates, scripts: Path, old_archive: Path
) -> None:
    with named(tmp_path / "ghcr", world, Login("octocat", "ghs_token"), "ghcr.io") as there:
        run.reaches(there)
        assert run.push(old_archive, "ghcr.io/acme/app:1").code == 4
        run.environment |= {"GITHUB_TOKEN": "ghs_token", "GITHUB_ACTOR": "octocat"}
        assert run.push(old_archive, "ghcr.io/acme/app:1").code == 0
        del run.environment["GITHUB_TOKEN"]
        assert run.push(old_archive, "ghcr.io/acme/app:2").code == 4
        script(scripts, "gh", '[ "$*" = "auth token" ] || exit 9\necho ghs_token')
        assert run.push(old_archive, "ghcr.io/acme/app:2").code == 0


@pytest.mark.parametrize(
    "body",
    [
        "exit 1",
        "echo 'ya29 is not one word'",
        "printf '\\377'",
        "exit 0",
        "echo; echo two; echo lines",
    ],
)
def test_a_program_that_writes_rubbish_is_passed_over_and_named(
    run: Runner, gcr: Named, scripts: Path, old_archive: Path, body: str
) -> None:
    del gcr
    script(scripts, "gcloud", body)
    done = run.push(old_archive, f"{_GCR}/project/repo/app:1")
    assert complaint(done, 4)
    assert "gcloud" in done.stderr
    assert "ya29 is" not in done.stderr
