"""Creating repositories at ECR, which, unlike others, accepts no push to a missing one."""

import importlib.util
import shlex
from collections.abc import Mapping

from msgspec import Struct

from dockless.credentials import programs
from dockless.credentials.cloud.aws import EcrHost, boto3_failure, client, ecr_host
from dockless.errors import AuthError, UsageError
from dockless.oci.reference import Repository

_EXISTS = "RepositoryAlreadyExistsException"


class RepositoryOptions(Struct, frozen=True):
    """How a repository is made.

    Attributes:
        scan_on_push: Whether images are scanned when they are pushed.
        immutable_tags: Whether a tag, once pushed, names its image for ever.
    """

    scan_on_push: bool = False
    immutable_tags: bool = False


def creation_command(repository: Repository, options: RepositoryOptions) -> str:
    """Return the command that makes a repository, for a person to run; empty when it is not ECR's.

    A public repository is made without options, since the public API has none of them.
    """
    host = ecr_host(repository.host)
    return shlex.join(_argv(host, repository, options)) if host else ""


def ecr_of(repository: Repository) -> EcrHost:
    """Return the ECR that a repository is at; raise UsageError where it is at another registry."""
    host = ecr_host(repository.host)
    if host is None:
        raise UsageError(
            f"{repository.host} is not ECR, so dockless cannot create {repository} there.",
            "Leave out --create-repository; most registries create repositories by themselves.",
        )
    return host


def create(
    repository: Repository, options: RepositoryOptions, environment: Mapping[str, str]
) -> bool:
    """Create a repository; return whether it was missing.

    Raises:
        AuthError: AWS does not allow it, or no program to query AWS is available.
        UsageError: The repository is not at ECR.
    """
    host = ecr_of(repository)
    if importlib.util.find_spec("boto3"):
        failure = _by_boto3(host, repository, options)
    else:
        failure = _by_cli(host, repository, options, environment)
    if failure and _EXISTS not in failure:
        raise AuthError(
            f"{repository} cannot be created: {failure}.",
            f"Request the permission, or have it created: {creation_command(repository, options)}",
        )
    return not failure


def _by_boto3(host: EcrHost, repository: Repository, options: RepositoryOptions) -> str:
    """Return what went wrong; empty when the repository was created."""
    settings: dict[str, object] = {"repositoryName": _name(host, repository)}
    if host.account:
        settings |= {
            "registryId": host.account,
            "imageTagMutability": "IMMUTABLE" if options.immutable_tags else "MUTABLE",
            "imageScanningConfiguration": {"scanOnPush": options.scan_on_push},
        }
    try:
        client(host).create_repository(**settings)
    except Exception as error:  # noqa: BLE001 - botocore's errors are made as it goes, too
        return boto3_failure(error)
    return ""


def _by_cli(
    host: EcrHost,
    repository: Repository,
    options: RepositoryOptions,
    environment: Mapping[str, str],
) -> str:
    if absent := programs.missing("aws", environment):
        return f"neither boto3 nor aws is available ({absent})"
    fips = {"AWS_USE_FIPS_ENDPOINT": "true"} if host.fips else {}
    answer = programs.ask(
        _argv(host, repository, options), {**environment, "AWS_PAGER": "", **fips}
    )
    return answer if isinstance(answer, str) else ""


def _argv(host: EcrHost, repository: Repository, options: RepositoryOptions) -> tuple[str, ...]:
    argv = ["aws", host.service, "create-repository", f"--region={host.region}"]
    argv += ["--repository-name", _name(host, repository)]
    if host.account:
        argv += ["--registry-id", host.account]
        if options.scan_on_push:
            argv += ["--image-scanning-configuration", "scanOnPush=true"]
        if options.immutable_tags:
            argv += ["--image-tag-mutability", "IMMUTABLE"]
    return tuple(argv)


def _name(host: EcrHost, repository: Repository) -> str:
    """Return the repository's name at AWS; a public one is named without its registry's alias."""
    return repository.path if host.account else repository.path.partition("/")[2]
