"""What became of one of many images or hosts that a command works on."""

from typing import Literal

from msgspec import Struct

UPLOADING = "uploading"
SENDING_AGAIN = "sending it again"
SENDING = (UPLOADING, SENDING_AGAIN)
"""The tasks whose bytes go to a registry; those of others are only read, or stay here."""

Fate = Literal["arrived", "there", "tagged", "planned", "failed", "skipped"]


class ItemEnd(Struct, frozen=True, kw_only=True):
    """An image or host that is done.

    Attributes:
        name: What it is called, as the row of its work is.
        fate: Whether it arrived, was there before, had its tags while its blobs were not checked
            (dry run), would be pushed (the same), failed, or was not tried.
        sent: Bytes that were sent or written for it, or would be.
        seconds: How long that took; 0 for unknown.
        how: How it was done, such as `by relay`; empty where there is one way only.
        has_line: Whether it gets a line where each gets one; not where its error is one already.
    """

    name: str
    fate: Fate
    sent: int = 0
    seconds: float = 0.0
    how: str = ""
    has_line: bool = True


class RunWords(Struct, frozen=True, kw_only=True):
    """How the work on many things is called.

    Attributes:
        noun: What each of them is.
        arrived: What a good end of one is called.
        sent: What happened to the bytes.
        is_whole: Whether nothing is left of the work if it fails, so that there is no summary then.
    """

    noun: str
    arrived: str
    sent: str
    is_whole: bool = False


MIRRORED = RunWords(noun="image", arrived="arrived", sent="sent")
BUNDLED = RunWords(noun="image", arrived="added", sent="written", is_whole=True)
HOSTS = RunWords(noun="host", arrived="pushed", sent="sent")
