"""Where the programs start: a signal ends them without a traceback, from here to their last line.

Whatever takes time to import is imported inside, under that protection.
"""

import signal
from importlib import import_module
from types import FrameType

from dockless.processes.ending import STATUS, leave, leave_at_once


def main() -> None:
    """Run the command line, and exit with its code."""
    _run("dockless.cli.main")


def credential_helper() -> None:
    """Run `docker-credential-dockless`, and exit with its code."""
    _run("dockless.cli.credential_helper")


def _run(module: str) -> None:
    for number in _handled():
        signal.signal(number, _leave)
    try:
        import_module(module).main()
    except KeyboardInterrupt:  # after the program has said how it ended
        leave(STATUS[signal.SIGINT])
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        leave(end.code)
    finally:
        # all is torn down, and the interpreter's own end would show a traceback
        for number in _handled():
            signal.signal(number, signal.SIG_DFL)


def _handled() -> tuple[signal.Signals, ...]:
    """Return the signals to be heeded; one that was ignored from the start, as by nohup, is not."""
    return tuple(each for each in STATUS if signal.getsignal(each) is not signal.SIG_IGN)


def _leave(number: int, frame: FrameType | None) -> None:
    """End at once: nothing has been begun yet, or all is torn down."""
    del frame
    leave_at_once(STATUS[signal.Signals(number)])


if __name__ == "__main__":
    main()
