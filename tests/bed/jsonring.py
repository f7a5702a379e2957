"""A keyring of the `keyring` library in a JSON file, as plain as its entries are: for tests only.

`DOCKLESS_KEYRING=bed.jsonring.JsonKeyring` chooses it, and `JSON_KEYRING` names the file.
"""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend


class JsonKeyring(KeyringBackend):
    """Secrets by service and username; each is `service`, `username` and `secret` in the file."""

    priority = 0.1

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret, or None."""
        return _read().get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret."""
        _write(_read() | {(service, username): password})

    def delete_password(self, service: str, username: str) -> None:
        """Forget a secret; raise KeyError where there is none."""
        kept = _read()
        del kept[service, username]
        _write(kept)


def _file() -> Path:
    return Path(os.environ["JSON_KEYRING"])


def _read() -> dict[tuple[str, str], str]:
    entries = json.loads(_file().read_text()) if _file().exists() else []
    return {(each["service"], each["username"]): each["secret"] for each in entries}


def _write(kept: dict[tuple[str, str], str]) -> None:
    entries = [
        {"service": service, "username": username, "secret": secret}
        for (service, username), secret in sorted(kept.items())
    ]
    _file().write_text(json.dumps(entries, indent=2) + "\n")
