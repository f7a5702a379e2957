"""The errors for responses 401 and 403 to a request about a repository."""

from dockless.errors import AuthError, DocklessError
from dockless.model.endpoint import Endpoint
from dockless.model.secret import Credential
from dockless.oci.reference import Repository
from dockless.registry.refusals import forbidden
from dockless.transport.http import Response
from dockless.transport.origins import goes_along, shown


def storage_denial(response: Response, url: str, endpoint: Endpoint) -> AuthError | None:
    """Return the error where a storage service refused, which knows nothing of the account.

    Args:
        response: The response.
        url: What was requested.
        endpoint: The registry.
    """
    last = response.via[-1] if response.via else url
    if goes_along(endpoint.url, last):
        return None
    return AuthError(
        f"{shown(last)}, to which {endpoint.host} redirects, responds with {response.status}.",
        "The registry's storage refuses what the registry allows: tell the registry's operator.",
    )


def account_denial(
    response: Response,
    repository: Repository,
    credential: Credential | None,
    put: str | None = None,
) -> DocklessError:
    """Return the error for an account that may not do what was requested.

    Args:
        response: The response.
        repository: What was requested of.
        credential: The account's; None for anonymous.
        put: The digest or tag of the manifest that was put; empty for another request that
            writes, and None for one that reads.
    """
    user = (credential.username or "this token") if credential else "anonymous"
    return forbidden(response, repository, user, put)
