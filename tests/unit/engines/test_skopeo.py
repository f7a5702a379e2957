from pathlib import Path

from dockless.engines.skopeo import (
    LOGINS_PATH,
    SkopeoFiles,
    logins_environment,
    push_argv,
    tag_argv,
)
from dockless.model.endpoint import Endpoint
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository

TARGET = Reference(
    Repository.of("registry.example.com", "team/shop"), digest=Digest.of(b"manifest")
)
TLS = Endpoint(host="registry.example.com")
PLAIN = Endpoint(host="registry.example.com", plain_http=True)
BARE = SkopeoFiles(authfile=None, certificates=None, policy=None, digest=Path("/run/digest"))
FULL = SkopeoFiles(
    authfile="/dev/fd/9",
    certificates=Path("/run/certs"),
    policy=Path("/etc/policy.json"),
    digest=Path("/run/digest"),
)


def test_a_manifest_is_pushed_by_digest_with_all_that_it_needs() -> None:
    assert push_argv(Path("/run/dir"), TARGET, TLS, FULL, is_index=False) == (
        *("--policy", "/etc/policy.json"),
        *("copy", "--quiet", "--preserve-digests"),
        *("--dest-authfile", "/dev/fd/9"),
        *("--dest-cert-dir", "/run/certs"),
        *("--digestfile", "/run/digest"),
        "dir:/run/dir",
        f"docker://{TARGET}",
    )


def test_without_credential_policy_and_tls_it_says_so() -> None:
    assert push_argv(Path("/run/dir"), TARGET, PLAIN, BARE, is_index=True) == (
        "--insecure-policy",
        *("copy", "--quiet", "--preserve-digests", "--multi-arch=index-only"),
        *("--dest-no-creds", "--dest-tls-verify=false"),
        *("--digestfile", "/run/digest"),
        "dir:/run/dir",
        f"docker://{TARGET}",
    )


def test_a_tag_is_copied_from_the_digest_inside_of_the_registry() -> None:
    target = TARGET.tagged("v1")
    assert tag_argv(TARGET, target, PLAIN, FULL, is_index=True) == (
        *("--policy", "/etc/policy.json"),
        *("copy", "--quiet", "--preserve-digests", "--multi-arch=index-only"),
        *("--src-authfile", "/dev/fd/9", "--src-tls-verify=false"),
        *("--src-cert-dir", "/run/certs"),
        *("--dest-authfile", "/dev/fd/9", "--dest-tls-verify=false"),
        *("--dest-cert-dir", "/run/certs"),
        f"docker://{TARGET}",
        f"docker://{target}",
    )


def test_a_policy_of_the_machine_is_never_bypassed() -> None:
    for argv in (
        push_argv(Path("/run/dir"), TARGET, TLS, FULL, is_index=False),
        tag_argv(TARGET, TARGET.tagged("v1"), TLS, FULL, is_index=False),
    ):
        assert "--insecure-policy" not in argv


def test_the_drop_in_for_logins_is_one_of_its_home_and_comes_last() -> None:
    environment = logins_environment("/run/home")
    assert environment == {"CONTAINERS_REGISTRIES_CONF_OVERRIDE": f"/run/home/{LOGINS_PATH}"}
