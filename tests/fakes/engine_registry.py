"""A registry as engines see it."""

from dockless.errors import AuthError, DocklessError
from dockless.model.endpoint import Endpoint
from dockless.model.secret import Credential, Grant
from dockless.oci.reference import Repository


class FakeEngineRegistry:
    """A registry, as an `engine_registry.EngineRegistry`.

    Args:
        endpoint: How it is reached.
        credential: What engines get; None for anonymous.
    """

    def __init__(self, endpoint: Endpoint, credential: Credential | None = None) -> None:
        self.endpoint = endpoint
        self._credential = credential

    def exposed_by(self, program: str, written: Repository | None = None) -> str:
        """Return that skopeo would expose the credential, and crane not."""
        of = f" of {written.path}" if written else ""
        return f"skopeo would show the password{of}" if program == "skopeo" else ""

    def login(self) -> Credential | None:
        """Return the credential."""
        return self._credential

    def upload_refusal(self, repository: Repository) -> DocklessError | None:
        """Return that nobody may upload to a repository whose name ends in `locked`."""
        locked = repository.path.endswith("locked")
        return AuthError(f"{repository} is locked.", "") if locked else None

    def grant(self, repository: Repository) -> Grant:
        """Return a grant that ends, for one repository."""
        assert repository.path
        return Grant(self._credential, 77.0)
