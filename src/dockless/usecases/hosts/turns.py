"""One host at a time transfers the same image through this machine."""

import contextlib
import threading
from collections.abc import Iterator

from msgspec import Struct, field

from dockless.concurrency import waited_for
from dockless.errors import PushError, time_is_over


class Turns(Struct):
    """A lock for each image."""

    locks: dict[object, threading.Lock] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def of(self, image: object, aborted: threading.Event) -> Iterator[None]:
        """Lock an image while the block lasts.

        Args:
            image: What tells it from others.
            aborted: Ends waiting for it.

        Raises:
            PushError: That is set.
            NetworkError: The command's time is over.
        """
        with self.guard:
            turn = self.locks.setdefault(image, threading.Lock())
        held = False

        def look(seconds: float) -> bool:
            nonlocal held
            held = turn.acquire(timeout=seconds)
            return held or aborted.is_set()

        if not waited_for(look):
            raise time_is_over("The turn to transfer the image through this machine")
        if not held:
            raise PushError("The push was interrupted.")
        try:
            yield
        finally:
            turn.release()
