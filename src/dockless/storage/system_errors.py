"""Errors of the system as errors with what the user can do."""

from dockless.errors import DocklessError, UsageError
from dockless.processes.limits import limit_reached, mistaken_for
from dockless.storage.user_folders import working_folder


def understood(error: BaseException) -> BaseException:
    """Return an error with what the user can do, for one of the system that is not a bug."""
    if _is_homeless(error):
        return UsageError(
            "The current folder was removed.",
            "Change to a folder that is there, or give absolute paths.",
        )
    if isinstance(error, DocklessError):
        return mistaken_for(error) or error
    if isinstance(error, Exception) and not isinstance(error, BrokenPipeError):
        return limit_reached(error) or error
    return error


def _is_homeless(error: BaseException) -> bool:
    """Whether a relative path was to be used, and the current folder is gone."""
    if not isinstance(error, FileNotFoundError) or error.filename is not None:
        return False
    return working_folder() is None
