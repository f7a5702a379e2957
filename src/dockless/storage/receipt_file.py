"""The file of a receipt, which one run at a time writes."""

import contextlib
import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from dockless.errors import DocklessError, PushError, UsageError
from dockless.oci.untrusted_json import parse_json
from dockless.processes import pipes
from dockless.storage.drafts import open_draft, sweep_drafts
from dockless.storage.output_files import refuse_inputs, refuse_stream

_BEGINNING = re.compile(rb'\s*\{\s*"receiptVersion"\s*:')
_LOOKED_AT = 4096
_READER_SECONDS = 3.0
_LOOK_SECONDS = 0.02
_NO_FAULT_OF_THE_PATH = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def refuse_other_files(path: Path) -> None:
    """See that a file that is to be replaced is a receipt, or empty, or not there.

    Raises:
        UsageError: It is something else, such as an image or a list of them.
        OSError: It cannot be read.
    """
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        data = file.read(_LOOKED_AT)
        if data and not _BEGINNING.match(data) and not _is_receipt(data, file):
            raise UsageError(
                f"{path} exists and is not a receipt.", "Give another path, or move that file."
            )


def _is_receipt(beginning: bytes, file: IO[bytes]) -> bool:
    """Whether a file is a receipt whose members were reordered."""
    if not beginning.lstrip().startswith(b"{"):
        return False
    try:
        document = parse_json(beginning + file.read())
    except ValueError:
        return False
    return isinstance(document, dict) and type(document.get("receiptVersion")) is int


class ReceiptFile:
    """A file that belongs to this run until it is closed, or the process ends, however it ends.

    The lock is an flock(2) of the file itself. A receipt is replaced as a whole, so that what takes
    its place is locked before. Where the file system has no locks, there is none.

    Args:
        path: The file, or what a link to it leads to; a device or pipe, such as /dev/stdout, is
            written as it is and not locked.
        option: The option that names it.
        inputs: What is read, and may not be overwritten.
        patience: How many seconds the reader of a pipe may take nothing.

    Raises:
        UsageError: It is one of the inputs, another run has it, it is another kind of file, or it
            cannot be written.
    """

    def __init__(
        self,
        path: Path,
        option: str = "--receipt",
        *,
        inputs: Iterable[Path] = (),
        patience: float = pipes.PATIENCE_SECONDS,
    ) -> None:
        refuse_stream(path, option)
        refuse_inputs(path, option, inputs)
        self._option = option
        self._patience = patience
        self._was_written = self._made = False
        device = path.absolute().parts[1:2] in (("dev",), ("proc",))
        self._path = path if device else Path(os.path.realpath(path))
        try:
            self._plain = not device and (not self._path.exists() or self._path.is_file())
            if self._plain:
                refuse_other_files(self._path)
            elif self._path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            elif self._path.is_socket():
                raise FileExistsError(errno.EEXIST, "it is a socket")
            elif not pipes.may_write(self._path):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            self._descriptor = self._opened() if self._plain else None
            if self._plain:
                sweep_drafts(self._path)
            # what is replaced stays locked, since it may have other names
            self._first = self._descriptor
        except OSError as error:
            raise UsageError(*self._unwritable(error)) from None

    @property
    def is_replaced(self) -> bool:
        """Whether a write replaces the one before; a device or pipe gets one after the other."""
        return self._plain

    def write(self, text: str) -> None:
        """Replace what is in the file.

        Raises:
            UsageError: The path does not allow that.
            PushError: The disk is full or fails, the file cannot be replaced any more, or the
                reader of a pipe takes nothing.
            NetworkError: The reader of a pipe stopped, and the command's time is over.
        """
        try:
            if self._plain:
                self._replace(text)
            elif self._path.is_fifo():
                self._pipe(text)
            else:
                flags = os.O_CREAT | os.O_TRUNC
                with os.fdopen(pipes.open_to_write(self._path, flags), "w") as file:
                    file.write(text)
        except OSError as error:
            passing = error.errno in _NO_FAULT_OF_THE_PATH | {errno.ETIMEDOUT}
            kind: type[DocklessError] = PushError if passing or self._was_written else UsageError
            raise kind(*self._unwritable(error)) from None
        self._was_written = True

    def _pipe(self, text: str) -> None:
        """Write to a pipe that has a reader, or gets one within a moment.

        Raises:
            OSError: Nobody reads it.
        """
        end, descriptor = time.monotonic() + _READER_SECONDS, -1
        while descriptor < 0:
            try:
                descriptor = pipes.open_to_write(self._path, os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO or time.monotonic() > end:
                    raise
                time.sleep(_LOOK_SECONDS)
        try:
            pipes.write(descriptor, text.encode(), str(self._path), self._patience)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Unlock the file; one that was only created for its lock is removed."""
        if self._descriptor is None:
            return
        with contextlib.suppress(OSError):
            empty = not os.fstat(self._descriptor).st_size
            if empty and self._made and self._is_there(self._descriptor):
                self._path.unlink()
        if self._first is not None and self._first != self._descriptor:
            os.close(self._first)
        os.close(self._descriptor)
        self._descriptor = self._first = None

    def _opened(self) -> int:
        while True:
            try:
                self._made = not os.path.lexists(self._path)
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            except PermissionError:  # it is replaced, and need not be writable
                descriptor = os.open(self._path, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise UsageError(
                    f"Another run is writing the receipt {self._path}.",
                    f"Wait for it, or give {self._option} another path.",
                ) from None
            except OSError:
                return descriptor
            if self._is_there(descriptor):
                return descriptor
            os.close(descriptor)  # it was replaced or removed at this moment

    def _is_there(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def _replace(self, text: str) -> None:
        descriptor, draft = open_draft(self._path, 0o666)
        try:
            with contextlib.suppress(OSError):  # of what it replaces
                os.fchmod(descriptor, stat.S_IMODE(self._path.stat().st_mode))
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with os.fdopen(descriptor, "w", closefd=False) as file:
                file.write(text)
            self._refuse_others()
            draft.replace(self._path)
        except BaseException:
            os.close(descriptor)
            draft.unlink(missing_ok=True)
            raise
        old, self._descriptor = self._descriptor, descriptor
        if old is not None and old != self._first:
            os.close(old)

    def _refuse_others(self) -> None:
        """See that what is there now may be replaced: others may have put another file there.

        Raises:
            DocklessError: It is no receipt.
            OSError: It is no file, or cannot be read.
        """
        if self._path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if self._path.exists() and not self._path.is_file():
            raise FileExistsError(errno.EEXIST, "it is not a regular file any more")
        try:
            refuse_other_files(self._path)
        except UsageError as error:
            if self._was_written:
                raise PushError(error.what, error.remedy) from None
            raise

    def _unwritable(self, error: OSError) -> tuple[str, str]:
        """Return what happened, and what to do next."""
        why, remedy = error.strerror, f"Give {self._option} a writable path."
        if error.errno == errno.ENOENT:
            why, remedy = f"there is no folder {self._path.parent}", "Make it first."
        if error.errno == errno.EISDIR:
            why, remedy = "it is a folder", f"Give {self._option} the path of a file."
        if error.errno in _NO_FAULT_OF_THE_PATH:
            remedy = f"Free some space there, or give {self._option} a path on another disk."
        return f"The receipt {self._path} cannot be written: {why}.", remedy


def write_once(path: Path, option: str, text: str) -> None:
    """Write a whole receipt; raise UsageError where that is not possible.

    Args:
        path: The file.
        option: What names it on the command line.
        text: Its content.
    """
    with contextlib.closing(ReceiptFile(path, option)) as file:
        file.write(text)
