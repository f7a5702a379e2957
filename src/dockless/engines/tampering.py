"""The error for what arrived, and is not what its checksum stands for."""

from dockless.errors import EngineError


class TamperedError(EngineError):
    """What arrived is not what the checksum stands for."""


def tampered(what: str) -> TamperedError:
    """Return the error, from one sentence that says what is wrong."""
    return TamperedError(
        what,
        "It was changed or damaged on its way, and nothing was installed. Find out why, or get "
        "the file over another way and run `dockless tools install --from FILE --sha256 HEX`.",
    )
