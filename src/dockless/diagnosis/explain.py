"""The rows of `--explain`: the settings of a push, without network or daemon."""

from collections.abc import Callable, Iterable, Iterator

from dockless.config.cascade import Settings
from dockless.config.deploy import FILE as DEPLOY
from dockless.config.document import NeedsRubyError
from dockless.config.local_names import local_candidates
from dockless.config.naming import Target
from dockless.config.naming import target as find_target
from dockless.config.project import NamelessError
from dockless.credentials.credential_finder import CredentialFinder
from dockless.credentials.credential_sources import Given
from dockless.credentials.prompting import Prompter
from dockless.credentials.resolve import OPEN, FoundCredential
from dockless.errors import DocklessError
from dockless.model.options import CommandOptions
from dockless.oci.reference import Name

_UNSET = ("(not set)", "")
_RUBY = "(needs Ruby)"
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
        if setting is None and name in settings.unanswered:
            yield name, _RUBY, DEPLOY
        else:
            yield name, *((str(setting.value), setting.origin) if setting else _UNSET)
    if settings.to:
        to = settings.to.value
        yield "to", f"{to.host}/{to.prefix}" if to.prefix else to.host, settings.to.origin
    try:
        project = settings.project()
    except NeedsRubyError:  # which is told where the name is needed
        yield "project", _RUBY, DEPLOY
    except NamelessError:
        yield "project", *_UNSET
    else:
        yield "project", project.value, project.origin


def target_rows(
    settings: Settings, target: Target, source: str | None, credential: Iterable[Row]
) -> Iterator[Row]:
    """Yield where the image goes, who pushes it, and where it is looked for.

    The password is never among them.

    Args:
        settings: The settings.
        target: Where the image goes.
        source: SOURCE of the command line; None where it is left out.
        credential: The rows about who pushes it.
    """
    yield "kind", target.kind.value.name, target.kind.origin
    for tag in target.tags:
        yield "tag", tag.value, tag.origin
    yield from credential
    for reference in target.references:
        yield "target", str(reference), target.repository.origin
    if source:
        yield "source", source, "SOURCE"
    else:
        for number, name in enumerate(local_candidates(settings, target), 1):
            yield "source", name, f"local image, candidate {number}"


def all_targets_row(settings: Settings) -> Row:
    """Return where every image of a source goes, which its own name decides."""
    if settings.to:
        to = settings.to.value
        return "target", f"{'/'.join(filter(None, (to.host, to.prefix)))}/NAME:TAG", "each image"
    return "target", "by its own name", "each image"


def credential_rows(
    options: CommandOptions, account: str, explain: Callable[[Given], FoundCredential]
) -> Iterator[Row]:
    """Yield the rows about who pushes; no program is run.

    Args:
        options: The command line.
        account: The username of the settings; empty for none.
        explain: Returns the credential that a push would find, running no program.
    """
    if options.password_stdin or options.password is not None:
        origin = "--password-stdin" if options.password_stdin else "--password"
        yield from given_rows(account, origin)
        return
    yield from found_rows(explain(Given(username=options.username or "", account=account)))


def given_rows(account: str, origin: str) -> Iterator[Row]:
    """Yield the credential whose password an option gives, and nothing of the password."""
    yield "credential", f"{account or '(no username)'} and a password", origin


def found_rows(found: FoundCredential) -> Iterator[Row]:
    """Yield where a credential was looked for, and whose was found.

    No program is started to explain, so what only a program knows stays open.
    """
    for place in found.asked:
        yield "credential", place, "not asked yet" if place.endswith(OPEN) else "searched"
    if found.credential:
        yield "credential", found.credential.username, found.credential.origin
    elif any(place.endswith(OPEN) for place in found.asked):
        yield "credential", "not known yet", "a push queries the above, and else is anonymous"
    else:
        yield "credential", "anonymous", "none was found"


def explained(
    options: CommandOptions, settings: Settings, source_name: Name | None, prompter: Prompter
) -> tuple[list[Row], DocklessError | None]:
    """Return the rows of `--explain`, and why the settings name no target; None where they do.

    Args:
        options: The command line.
        settings: The settings.
        source_name: SOURCE, when it is the name of an image.
        prompter: Asks for the passphrase of an encrypted keyring.
    """
    rows = list(setting_rows(settings))
    if options.all_images:
        return [*rows, all_targets_row(settings)], None
    try:
        target = find_target(settings, source_name)
        credential = credential_rows(
            options,
            settings.account,
            lambda given: CredentialFinder.of_user(prompter, settings.login, given).explain(
                target.repository.value
            ),
        )
        rows += target_rows(settings, target, options.source, credential)
    except DocklessError as error:  # the settings are what the user came to see
        return rows, error
    return rows, None
