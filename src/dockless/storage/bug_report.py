"""What is told of an internal error, with its traceback in a file."""

import os
import traceback

from dockless.storage.user_folders import log_folder


def bug_report(error: BaseException) -> str:
    """Write the traceback of an error to a file, if possible; return what to print."""
    trace = "".join(traceback.format_exception(error))
    last = trace.strip().splitlines()[-1]
    try:
        path = log_folder() / f"bug-{os.getpid()}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(trace)
    except (OSError, RuntimeError):  # the latter where the user has no home
        return f"Internal error in dockless: {last}"
    return f"Internal error in dockless: {last}\nPlease report it with {path}."
