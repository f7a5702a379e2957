"""The writer of `--engine auto`: the first program that works, else dockless itself.

A program may fail for two reasons. The registry refuses: then its error is reported, and no other
writer is tried. Or the program is at fault: a newer version refuses what it is given, it is
damaged, it cannot use this registry's token service. Then the next writer takes over, and one line
says so.

Programs print a registry's answer without its status where they do not know its code, so that a
refusal looks like trouble. Then the registry is asked whether it refuses uploads; what it says
counts where it is the same, as a program may have failed at another request.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from dockless.errors import (
    AuthError,
    ContentRefusedError,
    DocklessError,
    EngineDeniedError,
    EngineError,
    EngineTrustError,
    LostCopyError,
    StalledError,
    UnclearAnswerError,
    UnexplainedError,
)
from dockless.oci.content import Content, StagedImage
from dockless.oci.reference import Reference, Repository
from dockless.ports import ImageWriter, Reader, Task, Written
from dockless.storage.checks import difference

_Done = TypeVar("_Done")
_COMPARED = 100
_UNAUTHORIZED = re.compile(r"unauthorized|authentication required", re.IGNORECASE)
"""What programs print of status 401, other than of 403."""


class Whole(ImageWriter, Reader, Protocol):
    """What writes and reads images."""

    @property
    def name(self) -> str:
        """Its name: `crane`, `skopeo` or `direct`."""


class Trial(Protocol):
    """Pushes a small image to a registry in memory with a program, and stores the result."""

    def __call__(self) -> str:
        """Return why that failed, as a sentence; empty when it went well."""


class Program(Struct, frozen=True, kw_only=True):
    """A program that may write.

    Attributes:
        name: `crane` or `skopeo`.
        start: Returns it as a writer; raises EngineError where it cannot be used here.
        trial: Tests whether it works at all.
    """

    name: str
    start: Callable[[], Whole]
    trial: Trial


class Automatic:
    """Writes with the first program that works, as a `ports.ImageWriter`; tags without one.

    Args:
        programs: In the order in which they are tried.
        direct: Writes without a program.
        note: Called with one line when another writer takes over.
        refusal: Asks the registry whether it refuses uploads to a repository; returns its refusal,
            or None.
        has_none: Whether programs got no credential, as there is none, or the registry has required
            none so far.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        direct: Whole,
        note: Callable[[str], None],
        refusal: Callable[[Repository], DocklessError | None],
        has_none: Callable[[], bool] = lambda: False,
    ) -> None:
        self._programs = list(programs)
        self._direct = direct
        self._note = note
        self._refusal = refusal
        self._has_none = has_none

    @property
    def tagger(self) -> str:
        """The name of what puts tags."""
        return self._direct.name

    def write(self, image: StagedImage, repository: Repository, sending: Task) -> Written:
        """Write an image by digest.

        Manifests that refer to another one are written without a program: where the registry keeps
        no list of referrers, crane leaves out their type and annotations.

        Raises:
            LostCopyError: A blob is not what its digest says.
            DocklessError: The registry's error or refusal, or why the last writer failed.
        """
        if image.content.refers():
            self._programs.clear()
        image = replace(image, missing=None)  # one that fails may have sent some of it
        try:
            return self._try(
                lambda writer: writer.write(image, repository, sending),
                "writes",
                partial(_compare_blobs, image),
            )
        except AuthError as error:
            if not (_UNAUTHORIZED.search(error.what) and self._has_none()):
                raise self._in_own_words(error, repository) from None
            # some are open for reading, and say at the first write only what they require
            raise UnclearAnswerError(error.what, error.remedy) from error
        except (UnclearAnswerError, UnexplainedError) as error:
            if isinstance(error, UnexplainedError) and not error.answered:
                raise
            refusal = self._refusal(repository)
            words = _last_words(error.what)
            if refusal and words and words in refusal.what:
                raise refusal from None
            raise

    def _in_own_words(self, error: AuthError, repository: Repository) -> DocklessError:
        """Return what the registry answers this account, in place of a program's words for it."""
        if not isinstance(error, EngineDeniedError):
            return error
        asked = self._refusal(repository)
        if isinstance(asked, AuthError | ContentRefusedError):
            return asked
        if asked is None and error.refuses_put:  # 402 may have the code DENIED, too
            return UnclearAnswerError(error.what, error.remedy)
        return error

    def pull(self, source: Reference, layout: Path) -> None:
        """Pull an image or index into a new layout, unchanged."""
        self._try(lambda writer: writer.pull(source, layout), "reads", lambda: None)

    def _try(self, work: Callable[[Whole], _Done], does: str, check: Callable[[], None]) -> _Done:
        """Try one writer after the other; `check` raises errors that are no program's fault."""
        told: list[str] = []
        fault = ""
        while True:
            writer = self._next()
            if fault:
                told.append(f"{fault} {_going_on(writer, does)}")
            if told and does == "writes":
                self._note(told.pop())
            try:
                done = work(writer)
            except (EngineError, EngineTrustError, StalledError, UnexplainedError) as error:
                if writer is self._direct:
                    raise
                check()
                fault = self._fault(error)
            else:
                for line in told:  # who fails to read it, too, says why by itself
                    self._note(line)
                return done

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        """Tag the image, which the repository has by its digest."""
        self._direct.tag(content, repository, tag)

    def _next(self) -> Whole:
        """Return the first program that can be started here, else the writer without one."""
        while self._programs:
            try:
                return self._programs[0].start()
            except EngineError:
                del self._programs[0]
        return self._direct

    def _fault(self, error: DocklessError) -> str:
        """Return what is wrong with the first program, which is not used again; else raise."""
        program = self._programs[0]
        reason = program.trial()
        answered = isinstance(error, UnexplainedError) and error.answered
        if not reason and (answered or isinstance(error, StalledError)):
            raise error
        del self._programs[0]
        said = error.what.rstrip(".")
        if not reason:
            return f"{said}."
        return f"{said}; its push probe fails as well: {reason}"


def _last_words(said: str) -> str:
    """Return a registry's message as a program prints it, at the end, perhaps with details."""
    return said.rpartition(": ")[2].partition(";")[0].rstrip(".")[:_COMPARED]


def _compare_blobs(image: StagedImage) -> None:
    """Compare what is to be sent with its digests.

    Raises:
        LostCopyError: A blob is not what its digest says.
    """
    for blob in image.content.blobs:
        path = image.blobs.get(blob.digest)
        if path and (why := difference(path, blob)):
            raise LostCopyError(f"{path} {why}.", "Push again.")


def _going_on(writer: Whole, does: str) -> str:
    if writer.name == "direct":
        return f"dockless {does} the image itself."
    return f"{writer.name} {does} it instead."
