"""Every error dockless raises on purpose: what happened, to what, and what to do next.

Each class is one kind of failure and carries that kind's exit code, so that the command line
needs no table of its own.
"""

import re
from typing import ClassVar, Self

_LOGIN = re.compile(
    # of an address
    r"(?:(?<=://)(?<!ssh://)\S*"
    # or of a host: the transports of skopeo are followed by paths, which may have such signs
    r"|(?<![\w./-])(?!(?:oci|oci-archive|docker-archive|docker-daemon|containers-storage|ssh|dockless:ssh):)"
    # the number of an image follows an archive's colon at once, as in `image.tar:@0`
    r"[^\s/:@'\"`(,]+:(?!@\d+(?:$|[\s'\"`,;)\]]|[.:](?:\s|$)))\S+)"
    # a name with a digest has no login
    r"@(?!sha\d)"
)


def without_login(text: str) -> str:
    """Return text without the logins of addresses and names, as in `https://me:secret@host/`.

    Somebody may take an image's name for an address, and what is typed is quoted in messages.
    """
    # what is not text by mistake, such as a secret, is refused where it would be written
    return _LOGIN.sub("***@", text) if "@" in str(text) else text


class DocklessError(Exception):
    """A failure that dockless understands. Its attributes cannot be assigned again.

    Args:
        what: One sentence: what happened, and to what.
        remedy: One sentence: what to do next; empty when there is nothing to say.
    """

    exit_code: ClassVar[int] = 1
    refuses_put: bool = False
    """Whether a registry refused the PUT of a manifest with a status that a rule about the tag may
    have, such as 400, 403 or 409; what cannot be one, such as 404, and what is not known, is no."""

    def __init__(self, what: str, remedy: str = "") -> None:
        what = without_login(what)
        super().__init__(what)
        self.what = what
        self.remedy = without_login(remedy)

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()

    def __setattr__(self, name: str, value: object) -> None:
        # Python itself assigns `__traceback__` and its like
        if name in vars(self) and not name.startswith("__"):
            raise AttributeError(f"{name} of an error cannot be changed: use with_context")
        super().__setattr__(name, value)

    def __setstate__(self, state: dict[str, object] | None) -> None:
        vars(self).update(state or {})

    def with_context(self, what: str | None = None, remedy: str | None = None) -> Self:
        """Return an error of the same class with other words, to be raised `from` this one.

        Args:
            what: What happened, and to what; None for the words of this one.
            remedy: What to do next; None for the words of this one.
        """
        told = {"what": what, "remedy": remedy}
        changed = {name: without_login(text) for name, text in told.items() if text is not None}
        made = type(self).__new__(type(self), changed.get("what", self.what))
        vars(made).update(vars(self) | changed)
        made.__cause__ = self  # also where it is kept, and raised later
        return made

    def to_json(self) -> dict[str, object]:
        """Return its members in JSON; its kind is the class that has an exit code of its own."""
        kinds = (each for each in type(self).__mro__ if DocklessError in each.__bases__)
        kind = next(kinds, DocklessError)
        return {
            "kind": kind.__name__.removesuffix("Error").lower(),
            "message": self.what,
            "remedy": self.remedy,
            "exitCode": self.exit_code,
        }


class PushError(DocklessError):
    """The push failed, and no other kind says why."""


class RepositoryMissingError(PushError):
    """The registry has no such repository, and does not create it automatically."""


class ManifestRefusedError(PushError):
    """The registry accepts no manifest or index of this media type.

    Args:
        what: What happened, and to what.
        remedy: What to do next.
        about_type: Whether the registry says that the media type is why. Otherwise it only
            calls the manifest invalid, as older registries do, which may concern only this one.
    """

    def __init__(self, what: str, remedy: str = "", *, about_type: bool = True) -> None:
        super().__init__(what, remedy)
        self.about_type = about_type


class ContentRefusedError(PushError):
    """The registry refuses the content under any name: for its size, its digest or a quota."""


class ImmutableTagError(PushError):
    """The registry does not allow tags of the repository to be overwritten."""

    exit_code = 5


class PolicyError(PushError):
    """The signature policy of this machine rejects the push of an engine, or cannot be read."""


class UnexplainedError(PushError):
    """An engine failed, and its message is of no known kind.

    Args:
        what: What happened, and to what.
        remedy: What to do next.
        answered: Whether its message shows a response of the registry, which may be the cause.
    """

    def __init__(self, what: str, remedy: str = "", *, answered: bool = False) -> None:
        super().__init__(what, remedy)
        self.answered = answered


class DamagedManifestError(PushError):
    """A registry returns content that does not match its digest."""


class LostCopyError(PushError):
    """What was staged on this machine is missing or damaged; it can be staged again."""


class DiskError(PushError):
    """A disk of this machine is full, or cannot be written, whatever is to be done next."""


class UsageError(DocklessError):
    """The command line or a configuration file is invalid or contradictory."""

    exit_code = 2


class NoFolderError(UsageError):
    """There is no folder that this user may write to."""


class SourceError(DocklessError):
    """The source of the image is missing, damaged or dangerous."""

    exit_code = 3


class AbsentError(SourceError):
    """A source leaves out a blob that its image needs; the registry may have it elsewhere."""


class AuthError(DocklessError):
    """The registry rejects the credential, or does not allow this with it."""

    exit_code = 4


class EngineDeniedError(AuthError):
    """An engine reports, in its words, that the registry does not allow the push."""


class WrongAnswerError(AuthError):
    """The registry rejects a credential that was typed at a prompt."""


class ConflictError(DocklessError):
    """A tag exists with another digest, and tags must not be changed."""

    exit_code = 5


class NetworkError(DocklessError):
    """The registry could not be reached, or kept failing.

    Args:
        what: What happened, and to what.
        remedy: What to do next.
        passing: Whether it may be temporary, so that a retry makes sense.
        retry_after: Seconds the registry asked us to wait, when it said so.
        busy: Whether the registry asked for a pause.
    """

    exit_code = 6

    def __init__(
        self,
        what: str,
        remedy: str = "",
        *,
        passing: bool = True,
        retry_after: float | None = None,
        busy: bool = False,
    ) -> None:
        super().__init__(what, remedy)
        self.passing = passing
        self.retry_after = retry_after
        self.busy = busy


class ServerError(NetworkError):
    """The registry responds with 500: it failed at this one request."""


class NoSlotError(NetworkError):
    """A registry accepts no further request now, as this thread itself is in the midst of one."""


class UnclearAnswerError(NetworkError):
    """An engine reports a registry's answer without its status, which may be trouble or refusal."""


class EngineTrustError(NetworkError):
    """An engine does not trust the registry's certificate, which dockless does trust."""


class StrayError(NetworkError):
    """A registry points to a host to which nothing may be sent."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy, passing=False)


class StalledError(NetworkError):
    """An engine transferred no byte for too long; it or the network may be at fault."""


class HostLostError(NetworkError):
    """A host cannot be reached over SSH, or the connection to it broke."""


def out_of_time(host: str) -> NetworkError:
    """Return the error for work with a registry that `--timeout` ended."""
    return NetworkError(
        f"The request to {host} did not finish within --timeout.",
        "Give it more time, and run it again: completed work is kept.",
        passing=False,
    )


def time_is_over(what: str) -> NetworkError:
    """Return the error for a wait that `--timeout` ended.

    Args:
        what: What was waited for, as the subject of a sentence.
    """
    return NetworkError(
        f"{what} did not finish within --timeout.",
        "Give it more time, and run it again.",
        passing=False,
    )


class EngineError(DocklessError):
    """An engine, or another program that is needed, is missing or cannot be used."""

    exit_code = 7


class EngineRefusedError(EngineError):
    """An engine refuses by its own rules, independent of the registry."""


class PartialError(DocklessError):
    """Some of several images, or hosts, were done, and some were not."""

    exit_code = 8
