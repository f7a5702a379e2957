"""The checks of `bundle verify`: problems of a bundle, and files that do not belong to it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from dockless.errors import SourceError, UsageError
from dockless.model.counts import counted
from dockless.sources import bundle as reading
from dockless.sources.bundle_shape import Shape, shape_of_archive, shape_of_folder
from dockless.sources.not_images import recipe
from dockless.sources.opener import Opener
from dockless.sources.parts import Part, joined, read_parts
from dockless.sources.parts import altered as parts_altered
from dockless.sources.parts import problems as parts_problems
from dockless.sources.source_file import SourceFile
from dockless.sources.source_paths import PARTS_ENDING
from dockless.sources.spec import SourceSpec, parse_source
from dockless.storage.blocks import ReadableStream
from dockless.storage.decompression import MAGIC_BYTES, decompressing, sniff

_MOST_NAMED = 5
_GIVE = "Give what `dockless bundle create` wrote."


class Findings(Struct, frozen=True):
    """The result of checking a bundle.

    Attributes:
        problems: A sentence for each problem.
        notes: A sentence for each harmless extra file.
    """

    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def error(self, label: str) -> SourceError | None:
        """Return the error that counts the problems; None where there are none.

        Args:
            label: The bundle's name in messages.
        """
        if not self.problems:
            return None
        count = counted(len(self.problems), "problem")
        return SourceError(f"{label} failed verification: {count}.", "Copy or create it again.")


def bundle_spec(text: str, folder: Path) -> SourceSpec:
    """Return where a bundle is.

    Args:
        text: What the user typed.
        folder: What relative paths start from.

    Raises:
        SourceError: There is no such file.
        UsageError: It is not a file, or names one image of one.
    """
    try:
        spec = parse_source(text, folder)
        if spec.here:  # a bundle is no container tool's image, whatever it is called
            spec = parse_source(f"./{text}", folder)
    except SourceError:
        if recipe(text, folder / text):
            raise SourceError(f"{text} is not a bundle.", _GIVE) from None
        raise
    if spec.kind == "local" and spec.bare:
        raise SourceError(f"There is no file {text}.", "Check the path of the bundle.")
    if spec.kind in ("local", "registry"):
        raise UsageError(
            f"{text} is not a bundle: it names an image elsewhere.", "Give a bundle's path."
        )
    if spec.selector:
        raise UsageError(
            f"{text} names one image of a bundle.", f"Give the whole bundle: {spec.path}."
        )
    return spec


def examined(opener: Opener, spec: SourceSpec) -> Findings:
    """Read every byte of a bundle.

    Raises:
        SourceError: It cannot be read at all.
    """
    spec = opener.kept(spec)
    parts = read_parts(spec.path) if spec.path.name.endswith(PARTS_ENDING) else ()
    if wrong := tuple(problem.what for problem in parts_problems(parts)):
        return Findings(wrong)
    files = opener.files(spec)
    reading.refuse_others(files)
    problems = (*reading.problems(files), *(shape := _shape(spec, parts)).problems)
    if parts and (of_list := parts_altered(spec.path, parts)):
        problems = (*problems, of_list)
    extra = sorted(shape.names - reading.belonging(files)) if shape.names else []
    notes = [f"{spec.label} has {_listed(extra, 'file')} of none of its images."] if extra else []
    if absent := reading.left_out(files):
        notes.append(
            f"{spec.label} leaves out {counted(absent, 'layer')}, which an older bundle has: "
            "it is complete only together with that one."
        )
    if others := _other_parts(spec, parts):
        notes.append(f"{_listed(others, 'file')} next to {spec.label}, which does not list it.")
    return Findings(problems, tuple(notes))


def _shape(spec: SourceSpec, parts: tuple[Part, ...]) -> Shape:
    if spec.kind == "layout":
        return shape_of_folder(spec.path, spec.label)
    if parts:
        return shape_of_archive(partial(joined, parts), spec.label)
    return shape_of_archive(partial(_plain, spec), spec.label)


@contextmanager
def _plain(spec: SourceSpec) -> Iterator[ReadableStream]:
    with SourceFile(spec.path) as file:
        packed = sniff(file.read(MAGIC_BYTES))
        file.seek(0)
        with decompressing(file, packed, spec.label) as plain:
            yield plain


def _other_parts(spec: SourceSpec, parts: tuple[Part, ...]) -> list[str]:
    """Return the files that are named like parts of a bundle but do not belong to it."""
    if not parts:
        return []
    whole = spec.path.name.removesuffix(PARTS_ENDING)
    known = {part.path.name for part in parts}
    named = re.compile(re.escape(whole) + r"\.\d{3,}")
    names = (each.name for each in spec.path.absolute().parent.iterdir())
    return sorted(name for name in names if named.fullmatch(name) and name not in known)


def _listed(names: list[str], noun: str) -> str:
    more = len(names) - _MOST_NAMED
    shown = ", ".join(names[:_MOST_NAMED])
    return f"{counted(len(names), noun)} ({shown}{f' and {more} more' if more > 0 else ''})"
