import pytest

from dockless.diagnosis.asked_registry import asked_of
from dockless.errors import UsageError


@pytest.mark.parametrize(
    ("text", "repository", "named"),
    [
        ("ghcr.io", "ghcr.io/dockless-doctor", False),
        ("GHCR.io/team", "ghcr.io/team", True),
        ("registry.example.com/team/app:v1", "registry.example.com/team/app", True),
        ("localhost:5000/app:v1", "localhost:5000/app", True),
        ("https://registry.example.com:5000/", "registry.example.com:5000/dockless-doctor", False),
        ("registry.example.com/team/app", "registry.example.com/team/app", True),
        ("docker.io", "docker.io/library/dockless-doctor", False),
        ("index.docker.io/me/app", "docker.io/me/app", True),
    ],
)
def test_a_registry_is_a_host_with_or_without_a_repository(
    text: str, repository: str, *, named: bool
) -> None:
    asked = asked_of(text)
    assert (str(asked.repository), asked.named) == (repository, named)


@pytest.mark.parametrize("text", ["", "ghcr", "http://ghcr.io", "ghcr.io/a:", "ghcr.io/a//b"])
def test_what_is_no_registry_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        asked_of(text)


def test_a_repository_in_upper_case_is_refused_as_by_a_push() -> None:
    with pytest.raises(UsageError, match=r"'UP' is not a repository name, which has no capital"):
        asked_of("ghcr.io/UP")
