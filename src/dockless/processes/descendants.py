"""What a program has started, and what that has: it is ended along with the program.

They are found in /proc, so on Linux only. What was started by a process that has ended meanwhile
belongs to process 1, and is not found. Each is held by a pidfd, as its number may be given to
another process once it has ended.
"""

import contextlib
import os
import select
import signal
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_PROCESSES = Path("/proc")
_MOST_LOOKS = 50


class Descendants:
    """The processes below one; to be left as a context.

    Args:
        root: The number of a child of ours that was not waited for yet.
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._held: dict[int, int] = {}

    def __enter__(self) -> Self:
        self.find()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for descriptor in self._held.values():
            os.close(descriptor)

    def find(self) -> bool:
        """Look for more of them; return whether there were any."""
        if not hasattr(os, "pidfd_open"):
            return False
        parents = _parents()
        above = {self._root, *(pid for pid in self._held if not self._has_ended(pid))}
        before = len(self._held)
        while new := {pid for pid, parent in parents.items() if parent in above} - above:
            above |= new
            for pid in new - self._held.keys():
                with contextlib.suppress(OSError):  # it has ended, or may not be opened
                    self._held[pid] = os.pidfd_open(pid)
        return len(self._held) > before

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to each."""
        for descriptor in self._held.values():
            with contextlib.suppress(OSError):  # it has ended, or belongs to another user
                signal.pidfd_send_signal(descriptor, number)

    def kill(self) -> None:
        """Kill each, and what they start meanwhile; the root has to be stopped before."""
        for _ in range(_MOST_LOOKS):
            self.signal(signal.SIGSTOP)  # what is stopped starts nothing more
            if not self.find():
                break
        self.signal(signal.SIGKILL)

    def wait(self, seconds: float) -> None:
        """Wait until all have ended, at most this long."""
        end = time.monotonic() + seconds
        for pid in self._held:
            if not self._has_ended(pid, max(0.0, end - time.monotonic())):
                return

    def _has_ended(self, pid: int, seconds: float = 0.0) -> bool:
        look = select.poll()
        look.register(self._held[pid], select.POLLIN)
        return bool(look.poll(seconds * 1000))


def _parents() -> dict[int, int]:
    """Return the number of each process, with that of its parent."""
    found = {}
    with contextlib.suppress(OSError):
        for name in os.listdir(_PROCESSES):  # noqa: PTH208 - names alone, of many
            if name.isdecimal():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    # the name in brackets may have brackets and blanks itself
                    fields = (_PROCESSES / name / "stat").read_bytes().rpartition(b")")[2].split()
                    found[int(name)] = int(fields[1])
    return found
