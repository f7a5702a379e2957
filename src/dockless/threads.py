"""Threads of which others can tell that they ended, however they did.

`threading.Thread` is not used: its `start` waits for the thread's first step, which never comes
where there is no memory for it; and an executor waits for such a thread for ever, too.
"""

import _thread
import contextlib
import math
import time
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Event, Semaphore
from typing import Any, Self, TypeVar

Returned = TypeVar("Returned")

NO_THREAD = (RuntimeError, MemoryError)
"""What starting a thread raises where the system allows no further one."""

_LOOK_SECONDS = 0.5
_LOST = "a thread ended for lack of memory"


class _Life:
    """Belongs to a thread alone, so it is gone when the thread is."""

    __slots__ = ("__weakref__",)


class DaemonThread:
    """A thread that runs from here on, and does not keep the process alive.

    Args:
        work: What it does. A MemoryError of it is not shown: whoever waits sees `failed`.

    Raises:
        RuntimeError: The system allows no further thread.
        MemoryError: The memory does not suffice for one.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self._returned = False
        self._over = False
        self._ended = Event()
        life = _Life()
        self._life = weakref.ref(life)
        _thread.start_new_thread(self._carry_out, (work, life))

    def _carry_out(self, work: Callable[[], object], _life: _Life) -> None:
        # not reached where there is no memory for this call: then its arguments are gone
        try:
            work()
            self._returned = True
        except MemoryError:
            pass
        finally:
            self._over = True  # which takes no memory
            self._ended.set()

    def is_alive(self) -> bool:
        """Whether it has not ended yet."""
        return not self._over and self._life() is not None

    @property
    def failed(self) -> bool:
        """Whether it ended before it was done, as for lack of memory."""
        return not self.is_alive() and not self._returned

    def join(self, seconds: float) -> None:
        """Wait until it has ended, at most this many seconds."""
        end = time.monotonic() + seconds
        while self.is_alive() and (left := end - time.monotonic()) > 0:
            self._ended.wait(min(left, _LOOK_SECONDS))


class LoneStep(Future[Returned]):
    """The future of a step that a daemon thread of its own takes.

    A caller that waits with a limit abandons it afterwards. Its waits raise MemoryError when the
    thread ended before the step did.

    Args:
        step: What is done.

    Raises:
        RuntimeError: The system allows no further thread.
        MemoryError: The memory does not suffice for one.
    """

    def __init__(self, step: Callable[[], Returned]) -> None:
        super().__init__()
        self._threads = (DaemonThread(lambda: _fill(self, step)),)

    def result(self, timeout: float | None = None) -> Returned:
        """Return the step's result or raise its error; TimeoutError when it takes longer."""
        _settle(self, self._threads, math.inf if timeout is None else timeout)
        return super().result(0)

    def is_done(self, seconds: float) -> bool:
        """Wait for the step at most so long; return whether it has ended."""
        try:
            _settle(self, self._threads, seconds)
        except TimeoutError:
            return False
        return True

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return the step's error, None for none; raise TimeoutError when it takes longer."""
        _settle(self, self._threads, math.inf if timeout is None else timeout)
        return super().exception(0)


class ThreadPool:
    """Takes steps in the order in which they are given, in daemon threads.

    Where the system allows no thread, whoever gives a step takes it.

    Args:
        most: How many threads at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads: list[DaemonThread] = []
        self._idle = Semaphore(0)
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, step: Callable[[], Returned]) -> Future[Returned]:
        """Return the future of a step; `result` waits for it.

        Raises:
            MemoryError: A thread ended, so that steps may be left undone.
        """
        future: Future[Returned] = Future()
        if any(thread.failed for thread in self._threads):
            raise MemoryError(_LOST)
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._most:
            try:
                self._threads.append(DaemonThread(self._work))
            except NO_THREAD:
                self._most = len(self._threads)
        if self._threads:
            self._waiting.put((future, step))
        else:
            _fill(future, step)
        return future

    def result(self, future: Future[Returned]) -> Returned:
        """Return the result of a step, or raise its error.

        Raises:
            MemoryError: A thread ended, so that it may be left undone.
        """
        return taken(future, self._threads)

    def close(self, *, cancel: bool = False) -> None:
        """Wait until the threads have taken all steps, and end them.

        Args:
            cancel: Whether steps that were not begun are left out.
        """
        if cancel:
            with contextlib.suppress(Empty):
                while task := self._waiting.get_nowait():
                    task[0].cancel()
        for _ in self._threads:
            self._waiting.put(None)
        await_end(self._threads)

    def _work(self) -> None:
        while task := self._waiting.get():
            _fill(*task)
            del task  # and with it what the step holds
            self._idle.release()


def _fill(future: Future[Returned], step: Callable[[], Returned]) -> None:
    """Take a step, and give its result or error to a future that nobody has cancelled."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        made = step()
    except BaseException as error:  # noqa: BLE001 - whoever waits for it is told
        future.set_exception(error)
    else:
        future.set_result(made)


def _settle(
    future: Future[Any], threads: Iterable[DaemonThread], seconds: float = math.inf
) -> None:
    """Wait until a future is done.

    Raises:
        TimeoutError: It takes longer than this many seconds.
        MemoryError: One of the threads that may have begun it ended.
    """
    end = time.monotonic() + seconds
    while not future.done():
        # whoever fails to tell the result may have set it, or fail to wake us
        if any(thread.failed for thread in threads) and not future.done():
            raise MemoryError(_LOST)
        if (left := end - time.monotonic()) <= 0:
            raise TimeoutError
        with contextlib.suppress(TimeoutError):
            Future.exception(future, min(left, _LOOK_SECONDS))


def taken(future: Future[Returned], threads: Iterable[DaemonThread]) -> Returned:
    """Wait for the result of a future, and return it, or raise its error.

    Args:
        future: What one of the threads is to complete.
        threads: They.

    Raises:
        MemoryError: One of the threads ended, which may have begun it.
    """
    _settle(future, threads)
    return future.result(0)


def await_end(threads: Iterable[DaemonThread]) -> None:
    """Wait until all of the threads have ended."""
    for thread in threads:
        while thread.is_alive():
            thread.join(_LOOK_SECONDS)
