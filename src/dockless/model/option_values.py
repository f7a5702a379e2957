"""Whether what a caller of the library gives has the types and values that are documented."""

import math
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec.structs import replace

from dockless.errors import UsageError
from dockless.model.options import MirrorOptions, PushOptions
from dockless.model.printable import shortened
from dockless.model.registry_access import FilePath
from dockless.model.secret import Credential
from dockless.oci.platform import Platform

Typed = TypeVar("Typed", bound=PushOptions)

_LEAST = {"timeout": 0.0, "stall_timeout": 0.001, "retries": 0}
_MOST = {"retries": 100}
_KINDS = {"source": FilePath, "target": str, "receipt": FilePath | None, "cache": FilePath | None}

_CHANGE = "Change it, or leave it out."
_WORDS = {
    bool: "True or False",
    int: "a whole number",
    float: "a number of seconds",
    str: "a text",
    Platform: "a Platform, such as dockless.Platform.parse('linux/arm64')",
}


def checked_options(options: Typed | None) -> Typed | None:
    """Return options whose values have their documented types: paths are `Path`, lists are tuples.

    Raises:
        UsageError: A value is of another type, or out of range.
    """
    if options is None:
        return None
    allowed = (PushOptions, MirrorOptions)
    if not isinstance(options, PushOptions):
        raise _wrong("options", options, " or ".join(each.__name__ for each in allowed))
    changes: dict[str, object] = {}
    for name, hint in _hints(type(options)).items():
        value = getattr(options, name)
        if not _fits(value, hint):
            raise _wrong(f"The option {name}", value, _in_words(hint))
        least, most = _LEAST.get(name, -math.inf), _MOST.get(name, math.inf)
        if isinstance(value, int | float) and not least <= value <= most:
            bounds = f"from {least} to {most}" if name in _MOST else f"{least} or more"
            raise _wrong(f"The option {name}", value, bounds)
        if isinstance(value, list):
            changes[name] = tuple(value)
        elif isinstance(value, str | os.PathLike) and os.PathLike in _paths(hint):
            changes[name] = Path(value)
    return replace(options, **changes) if changes else options


def texts(name: str, given: object) -> tuple[str, ...]:
    """Return the texts of an argument that takes several.

    Raises:
        UsageError: It is one text, whose letters would be the values, or one is of another type.
    """
    return _several(name, given, str)


def paths(name: str, given: object) -> tuple[FilePath, ...]:
    """Return the paths of an argument that takes several; `sources` may be one path.

    Raises:
        UsageError: It is one path, or one is of another type.
    """
    if name == "sources" and _fits(given, FilePath):
        given = (given,)
    return _several(name, given, FilePath)


def _several(name: str, given: object, kind: object) -> tuple[Any, ...]:
    if isinstance(given, str | bytes | os.PathLike | Mapping) or not isinstance(given, Iterable):
        raise _wrong(name, given, "a list or tuple", f"Write {name}=[…], also for one.")
    found = tuple(given)
    for each in found:
        if not _fits(each, kind):
            raise _wrong(f"A value of {name}", each, _in_words(kind), f"Correct {name}.")
    return found


def check_arguments(**given: object) -> None:
    """Check the types of arguments, by their names in the library.

    Raises:
        UsageError: One is of another type; a credential is not quoted.
    """
    for name, value in given.items():
        if name not in _KINDS:
            _check_credentials(name, value)
        elif not _fits(value, _KINDS[name]):
            raise _wrong(name, value, _in_words(_KINDS[name]), f"Correct {name}.")


def _check_credentials(name: str, value: object) -> None:
    if value is None or isinstance(value, Credential):
        return
    if name == "credential":
        raise UsageError(
            f"credential is a {type(value).__name__}, and must be a Credential.",
            "Write credential=dockless.Credential(username=…, password=dockless.Secret(…)).",
        )
    if not isinstance(value, Mapping) or not all(
        isinstance(host, str) and isinstance(each, Credential) for host, each in value.items()
    ):
        raise UsageError(
            "credentials must give a Credential for each HOST[:PORT].",
            "Write credentials={'registry.example.com': dockless.Credential(…)}.",
        )


def _wrong(name: str, value: object, allowed: str, remedy: str = _CHANGE) -> UsageError:
    return UsageError(f"{name} is {shortened(repr(value))}, and must be {allowed}.", remedy)


@cache
def _hints(options: type[PushOptions]) -> dict[str, object]:
    return get_type_hints(options)


def _fits(value: object, hint: object) -> bool:
    """Whether a value is of a type; a bool is no number."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in inner)
    if origin is Literal:
        return isinstance(value, str) and value in inner
    if origin is tuple:
        return isinstance(value, tuple | list) and all(_fits(each, inner[0]) for each in value)
    if hint in (int, float):
        return type(value) in ((int,) if hint is int else (int, float)) and value == value  # noqa: PLR0124 - nan is none
    return isinstance(value, origin or hint)  # type: ignore[arg-type] # it is a class


def _paths(hint: object) -> set[object]:
    return {get_origin(each) for each in get_args(hint)}


def _in_words(hint: object) -> str:
    """Return what a type allows, in words."""
    origin, inner = get_origin(hint), get_args(hint)
    if os.PathLike in _paths(hint):
        return "a path"
    if origin in (Union, UnionType):
        words = (_in_words(each) for each in inner if each is not NoneType)
        return ", or ".join((*words, *(("None",) if NoneType in inner else ())))
    if origin is Literal:
        return f"one of {', '.join(map(str, inner))}"
    if origin is tuple:
        return f"a tuple of values that are each {_in_words(inner[0])}"
    return next(words for kind, words in _WORDS.items() if kind is hint)
