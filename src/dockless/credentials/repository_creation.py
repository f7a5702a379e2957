"""Repositories that have to be created before a push, as ECR requires."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dockless.errors import RepositoryMissingError
from dockless.model.options import PushOptions
from dockless.oci.reference import Repository

if TYPE_CHECKING:
    from dockless.credentials.repositories import RepositoryOptions


def check(options: PushOptions, repository: Repository) -> None:
    """Raise UsageError for `--create-repository` at a registry where dockless creates none."""
    if options.create_repository:
        from dockless.credentials import repositories  # noqa: PLC0415 - for one kind

        repositories.ecr_of(repository)


def create(
    options: PushOptions,
    repository: Repository,
    environment: Mapping[str, str],
    note: Callable[[str], None],
) -> None:
    """Create the repository if `--create-repository` is given and it does not exist.

    Raises:
        AuthError: AWS does not allow it.
        UsageError: The repository is not at ECR.
    """
    if not options.create_repository or options.dry_run:
        return
    from dockless.credentials import repositories  # noqa: PLC0415 - for one kind

    if repositories.create(repository, _wanted(options), environment):
        note(f"Created {repository}.")


@contextmanager
def explained(options: PushOptions, repository: Repository) -> Iterator[None]:
    """Give the error for a missing repository the command that makes it."""
    try:
        yield
    except RepositoryMissingError as error:
        from dockless.credentials import repositories  # noqa: PLC0415 - for one kind

        command = repositories.creation_command(repository, _wanted(options))
        if command:
            remedy = f"Push with --create-repository, or have it created: {command}"
            raise error.with_context(remedy=remedy) from error
        raise


def _wanted(options: PushOptions) -> "RepositoryOptions":
    from dockless.credentials.repositories import RepositoryOptions  # noqa: PLC0415 - the same

    return RepositoryOptions(options.scan_on_push, options.immutable_tags)
