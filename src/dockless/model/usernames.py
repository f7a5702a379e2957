"""Usernames as they are typed."""

from dockless.errors import UsageError


def check_username(username: str | None) -> None:
    """Check the value of `--username`; None for none.

    Raises:
        UsageError: It contains a colon, which no username of a registry has (RFC 7617). Nothing of
            it is in the error, as what follows may be a password.
    """
    if username and ":" in username:
        raise UsageError(
            "--username contains a colon, and no username of a registry has one.",
            "Give the username alone. If a password followed it, give that with --password-stdin, "
            "and change it if others may have seen it.",
        )
