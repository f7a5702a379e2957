from pathlib import Path

import pytest

from dockless.credentials import programs
from dockless.credentials.cloud.aws import EcrHost, ecr_host
from dockless.credentials.repositories import RepositoryOptions, create, creation_command
from dockless.errors import UsageError
from dockless.oci.reference import Repository

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (HOST, EcrHost("123456789012", "eu-west-1")),
        ("1.dkr.ecr-fips.us-gov-west-1.amazonaws.com", EcrHost("1", "us-gov-west-1", fips=True)),
        ("1.dkr.ecr.cn-north-1.amazonaws.com.cn", EcrHost("1", "cn-north-1")),
        ("public.ecr.aws", EcrHost("", "us-east-1")),
        ("host.example", None),
    ],
)
def test_account_and_region_are_read_from_the_host(host: str, expected: EcrHost | None) -> None:
    assert ecr_host(host) == expected


@pytest.mark.parametrize(
    ("host", "path", "options", "expected"),
    [
        (
            HOST,
            "team/app",
            RepositoryOptions(),
            (
                "aws ecr create-repository --region=eu-west-1 --repository-name team/app "
                "--registry-id 123456789012"
            ),
        ),
        (
            HOST,
            "app",
            RepositoryOptions(scan_on_push=True, immutable_tags=True),
            (
                "aws ecr create-repository --region=eu-west-1 --repository-name app "
                "--registry-id 123456789012 --image-scanning-configuration scanOnPush=true "
                "--image-tag-mutability IMMUTABLE"
            ),
        ),
        (
            "public.ecr.aws",
            "alias/team/app",
            RepositoryOptions(),
            "aws ecr-public create-repository --region=us-east-1 --repository-name team/app",
        ),
        ("ghcr.io", "acme/app", RepositoryOptions(), ""),
    ],
)
def test_the_command_that_makes_a_repository_is_exact(
    host: str, path: str, options: RepositoryOptions, expected: str
) -> None:
    assert creation_command(Repository.of(host, path), options) == expected


def test_only_ecr_s_repositories_are_made() -> None:
    with pytest.raises(UsageError, match="is not ECR"):
        create(Repository.of("ghcr.io", "acme/app"), RepositoryOptions(), {})


def test_a_program_s_reason_is_its_first_line_and_never_its_output(tmp_path: Path) -> None:
    program = tmp_path / "cloud"
    program.write_text("#!/bin/sh\necho s3cret; echo 'not logged in' >&2; echo more >&2; exit 3\n")
    program.chmod(0o755)
    environment = {"PATH": str(tmp_path)}
    assert programs.missing("cloud", environment) == ""
    said = programs.ask((str(program),), environment)
    assert said == f"{program} ended with status 3: not logged in"
    assert programs.missing("none", environment) == "none is not installed"
