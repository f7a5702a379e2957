"""The scope of a login: a registry, or a namespace in it."""

from dockless.oci.reference import Repository, registry_host


def scopes(repository: Repository) -> tuple[str, ...]:
    """Return `host/a/b`, `host/a` and `host` for the repository `host/a/b`, in lower case."""
    parts = str(repository).lower().split("/")
    return tuple("/".join(parts[:length]) for length in range(len(parts), 0, -1))


def scope(key: str) -> str:
    """Return the scope of a login's key, as `host[/namespace]` in lower case.

    Keys may be URLs of a registry's API, as Docker's own are.
    """
    scheme, _, rest = key.rpartition("://")
    host, _, path = rest.strip("/").partition("/")
    host = registry_host(host.lower())
    is_api = scheme and path in {"v1", "v2"}
    return (f"{host}/{path}" if path and not is_api else host).lower()
