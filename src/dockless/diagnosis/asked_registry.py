"""The registry that `dockless doctor` is asked to check."""

from msgspec import Struct

from dockless.config.cascade import Settings
from dockless.config.registries import login_target
from dockless.config.setting import Setting
from dockless.errors import UsageError
from dockless.oci.reference import Name, Repository

DEFAULT_NAME = "dockless-doctor"
"""The last part of the repository for the trial upload when none is given."""


class Asked(Struct, frozen=True):
    """The registry to check.

    Attributes:
        repository: The repository in it.
        named: Whether it was named, and not only the registry.
    """

    repository: Repository
    named: bool


def asked_of(text: str) -> Asked:
    """Return the registry of the argument HOST[:PORT][/REPOSITORY[:TAG]].

    Raises:
        UsageError: It is none.
    """
    registry, slash, path = text.strip().removeprefix("https://").strip("/").partition("/")
    if slash and not text.lower().startswith("http://"):  # which is refused below
        try:
            path = Name.parse(f"{registry}/{path}").path
        except ValueError as error:
            raise UsageError(
                f"{text!r} is not a registry or a repository: {error}.",
                "Give it as HOST, HOST:PORT or HOST/REPOSITORY.",
            ) from None
        text = f"{registry}/{path}"
    target = login_target(text, Settings(project=lambda: Setting("", "")))
    path = target.scope.removeprefix(target.host).lstrip("/")
    return Asked(Repository.of(target.host, path or DEFAULT_NAME), named=bool(path))
