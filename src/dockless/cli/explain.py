"""The rows of `--explain`: what a push would go by, without asking network or daemon."""

import os
from collections.abc import Iterator
from pathlib import Path

from dockless.cli.options import PushOptions
from dockless.credentials import chain
from dockless.credentials.chain import Given
from dockless.model.reference import Name
from dockless.settings.cascade import Settings
from dockless.settings.naming import Target, local_candidates
from dockless.settings.naming import target as find_target

_UNSET = ("(not set)", "")
Row = tuple[str, str, str]


def rows(options: PushOptions, settings: Settings, source_name: Name | None) -> Iterator[Row]:
    """Yield each setting, its value, and where it came from; the password's value is never one.

    Raises:
        UsageError: The settings name no target.
    """
    target = find_target(settings, source_name)
    project = settings.project()
    yield "registry", target.kind.value.name, target.kind.origin
    for name, setting in (
        ("server", settings.server),
        ("image", settings.image),
        ("username", settings.username),
        ("namespace", settings.namespace),
    ):
        yield name, *((_text(setting.value), setting.origin) if setting else _UNSET)
    yield "project", project.value, project.origin
    for tag in target.tags:
        yield "tag", tag.value, tag.origin
    yield from _credential(options, settings, target)
    for reference in target.references:
        yield "target", str(reference), target.repository.origin
    if options.source:
        yield "source", options.source, "SOURCE"
    else:
        for number, name in enumerate(local_candidates(settings, target), 1):
            yield "source", name, f"local image, looked for as number {number}"


def _credential(options: PushOptions, settings: Settings, target: Target) -> Iterator[Row]:
    account = settings.username.value if settings.username else ""
    origin = "--password-stdin" if options.password_stdin else "--password"
    if options.password_stdin or options.password is not None:
        yield "credential", f"{account or '(no username)'} and a password", origin
        return
    given = Given(options.username or "", None, account)
    found = chain.explain(target.repository.value, given, os.environ, Path.home())
    for place in found.asked:
        yield "credential", place, "looked at"
    user = found.credential.username if found.credential else "anonymous"
    yield "credential", user, found.credential.origin if found.credential else "none was found"


def _text(value: str | Name) -> str:
    if isinstance(value, Name):
        host = f"{value.host}/" if value.host else ""
        return f"{host}{value.path}{f':{value.tag}' if value.tag else ''}"
    return value
