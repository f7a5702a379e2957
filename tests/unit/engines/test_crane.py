from pathlib import Path

import pytest

from dockless.engines.crane import push_argv, reported_digest, tag_argv
from dockless.model.endpoint import Endpoint
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository

DIGEST = Digest.of(b"manifest")
TARGET = Reference(Repository.of("registry.example.com", "team/shop"), digest=DIGEST)
TLS = Endpoint(host="registry.example.com")
PLAIN = Endpoint(host="registry.example.com", plain_http=True)


@pytest.mark.parametrize(("endpoint", "insecure"), [(TLS, ()), (PLAIN, ("--insecure",))])
def test_a_layout_is_pushed_by_digest(endpoint: Endpoint, insecure: tuple[str, ...]) -> None:
    assert push_argv(Path("/run/layout"), TARGET, endpoint) == (
        "push",
        *insecure,
        "/run/layout",
        f"registry.example.com/team/shop@{DIGEST}",
    )


@pytest.mark.parametrize(("endpoint", "insecure"), [(TLS, ()), (PLAIN, ("--insecure",))])
def test_a_tag_is_made_of_a_digest(endpoint: Endpoint, insecure: tuple[str, ...]) -> None:
    assert tag_argv(TARGET, "v1", endpoint) == ("tag", *insecure, str(TARGET), "v1")


@pytest.mark.parametrize(
    ("stdout", "expected"),
    [(f"{TARGET}\n", DIGEST), ("", None), ("registry.example.com/team/shop:v1\n", None)],
)
def test_the_digest_is_read_from_what_crane_prints(stdout: str, expected: Digest | None) -> None:
    assert reported_digest(stdout) == expected
