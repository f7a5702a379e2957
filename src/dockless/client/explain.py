"""The rows of `--explain`: the settings of a push, without network or daemon."""

from collections.abc import Iterator

from dockless.client import accounts
from dockless.client.options import CommandOptions
from dockless.config.cascade import Settings
from dockless.config.naming import Target, local_candidates
from dockless.credentials.credential_sources import Given
from dockless.credentials.prompting import Prompter

_UNSET = ("(not set)", "")
Row = tuple[str, str, str]


def setting_rows(settings: Settings) -> Iterator[Row]:
    """Yield each setting, its value, and where it came from."""
    kind = settings.registry or settings.implied
    yield "registry", *((kind.value.name, kind.origin) if kind else _UNSET)
    for name, setting in (
        ("server", settings.server),
        ("image", settings.image),
        ("username", settings.username),
        ("namespace", settings.namespace),
    ):
        yield name, *((str(setting.value), setting.origin) if setting else _UNSET)
    project = settings.project()
    yield "project", project.value, project.origin


def target_rows(
    prompter: Prompter, options: CommandOptions, settings: Settings, target: Target
) -> Iterator[Row]:
    """Yield where the image goes, who pushes it, and where it is looked for.

    The password is never among them.
    """
    yield "kind", target.kind.value.name, target.kind.origin
    for tag in target.tags:
        yield "tag", tag.value, tag.origin
    yield from _credential(prompter, options, settings, target)
    for reference in target.references:
        yield "target", str(reference), target.repository.origin
    if options.source:
        yield "source", options.source, "SOURCE"
    else:
        for number, name in enumerate(local_candidates(settings, target), 1):
            yield "source", name, f"local image, candidate {number}"


def _credential(
    prompter: Prompter, options: CommandOptions, settings: Settings, target: Target
) -> Iterator[Row]:
    account = settings.username.value if settings.username else ""
    origin = "--password-stdin" if options.password_stdin else "--password"
    if options.password_stdin or options.password is not None:
        yield "credential", f"{account or '(no username)'} and a password", origin
        return
    given = Given(options.username or "", None, account)
    found = accounts.explain(prompter, settings, given, target.repository.value)
    for place in found.asked:
        yield "credential", place, "looked at"
    user = found.credential.username if found.credential else "anonymous"
    yield "credential", user, found.credential.origin if found.credential else "none was found"
