"""A keyring in memory, as a `keyrings.Backend`."""


class MemoryKeyring:
    """Secrets by service and username.

    Attributes:
        secrets: What is kept.
    """

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret, or None."""
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret."""
        self.secrets[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget a secret; raise KeyError where there is none."""
        del self.secrets[service, username]
