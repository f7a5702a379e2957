"""The types of options, for click: durations, platforms, secrets and hosts; and completion."""

import os
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from dockless.model.byte_sizes import bytes_of
from dockless.model.durations import seconds_of
from dockless.model.secret import Secret
from dockless.oci.platform import Platform
from dockless.storage.user_folders import home_folder, source_folder

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Meant = TypeVar("Meant")
Completions = list["CompletionItem[Any]"]

# a name or an IPv4 address, or an IPv6 address in brackets
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-z:.%]+\])(?::\d{1,5})?")


class PathType(click.Path):
    """A path, never an empty one; `is_file` where a file is written, whose name has no slash."""

    is_file = False

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401 - as click's
        """Return the path."""
        if not os.fspath(value):
            self.fail("A path is empty", param, ctx)
        if self.is_file and os.fspath(value).endswith("/") and not os.path.isdir(value):  # noqa: PTH112
            self.fail(f"{value!r} is the path of a folder", param, ctx)
        return super().convert(value, param, ctx)


class _Meaning(click.ParamType[Meant]):
    """A text that stands for a value.

    Args:
        parse: Returns the value of a text; raises ValueError.
    """

    def __init__(self, name: str, parse: Callable[[str], Meant]) -> None:
        self.name = name
        self._parse = parse

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Meant:
        """Return the value."""
        try:
            return self._parse(value) if isinstance(value, str) else cast("Meant", value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


SECONDS = _Meaning("duration", seconds_of)
"""A duration: `90`, `90s`, `5m`, `1h30m`."""
POSITIVE_SECONDS = _Meaning("duration", partial(seconds_of, positive=True))
PLATFORM = _Meaning("os/arch", Platform.parse)
"""A platform: `linux/arm64`."""
SIZE = _Meaning("size", bytes_of)
"""A size in bytes: `4000000000`, `700M`, `4G`, in decimal units."""


class SecretType(click.ParamType[Secret]):
    """A password, which no repr of the options shows."""

    name = "text"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002 - the same
    ) -> Secret:
        """Return it as a secret."""
        return value if isinstance(value, Secret) else Secret(str(value))


class HostType(click.ParamType[str]):
    """A `host[:port]`; a scheme in front of it is dropped."""

    name = "host"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the host."""
        host = re.sub("^(https?|docker)://", "", str(value).strip().lower()).rstrip("/")
        if not _HOST.fullmatch(host):
            self.fail(f"{value!r} is not a HOST or HOST:PORT", param, ctx)
        return host


def completing(what: str) -> Callable[[click.Context, click.Parameter, str], Completions]:
    """Return what completes the value of a parameter: with one of `diagnosis.candidates.WORDS`."""

    def complete(ctx: click.Context, param: click.Parameter, text: str) -> Completions:
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - for shells only

        from dockless.diagnosis.candidates import TypedWord, candidates  # noqa: PLC0415 - the same

        del ctx, param
        folder = source_folder()
        asked = TypedWord(text=text, environment=os.environ, home=home_folder(), folder=folder)
        found = candidates(what, asked)
        if not found and what in ("sources", "files"):  # the shell knows these best
            return [CompletionItem(text, "file")]
        return [CompletionItem(each) for each in found]

    return complete
