"""What callers of the library give, as what the client works with."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from dockless.client.connections import Find
from dockless.credentials.resolve import FoundCredential
from dockless.errors import UsageError
from dockless.oci.reference import (
    DOCKER_HUB,
    DOCKER_HUB_HOSTS,
    Name,
    Reference,
    Repository,
    is_tag,
)
from dockless.ports import Progress
from dockless.report.callback import CallbackProgress, ProgressEvent
from dockless.report.progress import QuietProgress
from dockless.sources.spec import SourceSpec, parse_source

Source = str | os.PathLike[str]
"""A source: a text as the command line takes it, or the path of a file or folder."""

Shown = Progress | Callable[[ProgressEvent], object] | None
"""Where progress goes: to an object, to a function, or nowhere."""

_FORM = "Write it as HOST/PATH:TAG."


def no_login(hosts: Iterable[str]) -> Find:
    """Return what finds no credential for any registry, whichever are named."""
    del hosts
    return lambda _: FoundCredential(None, ())


def shown_progress(shown: Shown) -> Progress:
    """Return where progress goes, as the port."""
    if shown is None:
        return QuietProgress()
    return CallbackProgress(shown, time.monotonic) if callable(shown) else shown


def registry_host(text: str) -> str:
    """Return a registry's host as repositories have it: Docker Hub's three are one."""
    return DOCKER_HUB if text in DOCKER_HUB_HOSTS else text


def source_spec(source: Source) -> SourceSpec:
    """Return a parsed source; relative paths begin at the current folder."""
    return parse_source(source_text(source), Path.cwd())


def registries(spec: SourceSpec) -> tuple[str, ...]:
    """Return the registry that a source names; nothing for another kind, or an invalid name."""
    with contextlib.suppress(ValueError):  # which is said where it is read
        if spec.kind == "registry":
            return (Reference.parse(spec.name).repository.host,)
    return ()


def destination(target: str, tags: Sequence[str]) -> tuple[Repository, tuple[str, ...]]:
    """Return the repository of a target and the tags, each once; raise UsageError for a wrong one.

    Args:
        target: `host/path[:tag]`; without any tag it is `latest`.
        tags: Further tags.
    """
    try:
        reference, name = Reference.parse(target), Name.parse(target)
    except ValueError as error:  # the target is not shown, as a password may be in it
        raise UsageError(f"The target is no image name: {error}.", _FORM) from None
    if not name.host:
        raise UsageError(f"The target {target} names no registry.", _FORM)
    if reference.digest:
        raise UsageError(f"The target {target} has a digest, and only a tag can be set.", _FORM)
    for tag in tags:
        if not is_tag(tag):
            raise UsageError(f"{tag!r} is no tag.", "Give letters, digits, '_', '.' and '-'.")
    first = (reference.tag,) if reference.tag or tags else ("latest",)
    return reference.repository, tuple(dict.fromkeys(filter(None, (*first, *tags))))


def source_text(source: Source) -> str:
    """Return a source as the command line would take it: a path object is a file or folder."""
    return source if isinstance(source, str) else os.fspath(Path(source).absolute())
