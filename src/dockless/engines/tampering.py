"""The error for a file that does not match its checksum."""

from dockless.errors import EngineError


class TamperedError(EngineError):
    """The file does not match its checksum."""


def tampered(what: str) -> TamperedError:
    """Return the error, from one sentence that says what is wrong."""
    return TamperedError(
        what,
        "It was changed or damaged during the transfer, and nothing was installed. Find out why, "
        "or get the file over another connection and run `dockless tools install --from FILE "
        "--sha256 HEX`.",
    )
