"""A bundle while it is written: locked against other runs, with an error that says which."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from dockless.errors import PushError, UsageError
from dockless.oci.digest import Digest
from dockless.storage.locks import lock_file
from dockless.storage.user_store import store


@contextlib.contextmanager
def alone(out: Path) -> Iterator[None]:
    """Lock a bundle against other runs; the lock of a killed run is free.

    One lock is in the store, which works where the folder of the bundle has no locks; the other is
    next to the bundle, for runs with other stores.

    Raises:
        UsageError: Another run is writing it.
    """
    with _turn(out), _locked(out):
        yield


@contextlib.contextmanager
def _turn(out: Path) -> Iterator[None]:
    name = f"bundle-{Digest.of(os.fsencode(out.absolute())).hex[:32]}"
    try:
        turn = store(os.environ).turn_if_free(name)
    except OSError:  # the error of a store that cannot be used follows
        yield
        return
    if turn is None:
        raise _taken(out)
    with turn:
        yield


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Lock a file next to the bundle, and delete it at the end unless it has content."""
    real = Path(os.path.realpath(out))
    if not real.name:  # the root folder, which is refused later
        yield
        return
    path = real.with_name(f".{real.name}.lock")
    try:
        lock = lock_file(path, wait=False)
    except BlockingIOError:
        raise _taken(out) from None
    except OSError:  # no folder, which is reported later, or one without locks, or not writable
        yield
        return
    with lock:
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                if not os.fstat(lock.fileno()).st_size:
                    path.unlink()


def _taken(out: Path) -> UsageError:
    return UsageError(
        f"Another run is writing the bundle {out}.", "Wait for it, or give another -o."
    )


@contextlib.contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn the OSError of writing the bundle into a PushError."""
    try:
        yield
    except OSError as error:
        raise PushError(
            f"The bundle {out} cannot be written: {error.strerror}.",
            "Check the free space and the permissions.",
        ) from None
