"""How a project's image is built, as its files say."""

from msgspec import Struct

from dockless.errors import UsageError


class Builder(Struct, frozen=True, kw_only=True):
    """How an image is built from a Dockerfile; empty for the usual.

    Attributes:
        context: The build context, relative to the project's folder; empty for that folder.
        dockerfile: The file to build from, relative to the folder; empty for the usual ones.
        args: Build arguments.
        target: The stage to build; empty for the last.
        unanswered: The errors of arguments that only Ruby could tell.
        unused: What else the file says of the build, which is not heeded here.
    """

    context: str = ""
    dockerfile: str = ""
    args: tuple[tuple[str, str], ...] = ()
    target: str = ""
    unanswered: tuple[UsageError, ...] = ()
    unused: tuple[str, ...] = ()
