"""Where the images of an archive go that are pushed by their own names."""

import contextlib
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from dockless.config.cascade import Settings
from dockless.config.naming import OWN_NAME, Target
from dockless.config.naming import target as find_target
from dockless.config.setting import Setting
from dockless.errors import DocklessError, SourceError, UsageError
from dockless.model import kinds
from dockless.model.renaming import Renaming
from dockless.oci.reference import Name, Reference, Repository

_REMEDY = "Give --to HOST[/PREFIX], the registry and path below which every image keeps its path."


def own_target(settings: Settings, name: str) -> Target:
    """Return the target of an image by its own name; a bare tag is a tag of the project's image.

    With `--to` it keeps its path below that, as in a mirror.

    Raises:
        SourceError: It is not an image name.
        UsageError: The settings and the name are no target together.
    """
    try:
        return _target(settings, name)
    except UsageError as error:  # what it advises otherwise is for one image
        raise UsageError(error.what, _REMEDY) from None


def pushed_names(settings: Settings, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names by which an image goes: all; with `--to` its bare tags only without others.

    An archive may have both for one image, and a mirror takes the whole ones then.
    """
    if settings.to is None:
        return tuple(names)
    return tuple(name for name in names if ":" in name or "/" in name) or tuple(names)


def _target(settings: Settings, name: str) -> Target:
    try:
        own = Name.parse(name).without_localhost()
    except ValueError as error:
        raise SourceError(f"{name!r} is not an image name: {error}.") from None
    if ":" not in name and "/" not in name:
        if settings.to is None:
            return find_target(replace(settings, tags=(Setting(name, "ref.name"),)), None)
        own = replace(own, path=settings.project().value, tag=name)
    if own.digest and not own.tag:  # see own_reference
        own = replace(own, digest=None)
    if settings.to:
        return _below(settings.to, own)
    tags = (Setting(own.tag, OWN_NAME),) if own.tag else ()
    return find_target(replace(settings, image=Setting(own, OWN_NAME), tags=tags), None)


def own_reference(settings: Settings, name: str) -> Reference:
    """Return the reference of `own_target`; one without a tag for what is pinned by digest only."""
    target = own_target(settings, name)
    own = Name.parse(name)
    if own.digest and not own.tag:
        return Reference(target.repository.value, digest=own.digest)
    return target.references[0]


class OwnTargets:
    """Where the images of one source go by their own names.

    Args:
        settings: The settings.
        stem: The source's own name; with `--to` a bare tag is one of that name, as in a mirror.

    Attributes:
        host: The registry that all go to, by `--to`; None where each has its own.
        home: The repository of bare tags; the source's name where there is none.
    """

    def __init__(self, settings: Settings, stem: str) -> None:
        self.host = settings.to.value.host if settings.to else None
        self.home = stem
        if settings.to and stem:
            settings = replace(settings, project=lambda: Setting(stem, "SOURCE"))
        elif not settings.to:
            with contextlib.suppress(DocklessError):
                self.home = str(own_target(settings, "latest").repository.value)
        self._settings = settings

    def names(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the names by which an image goes; see `pushed_names`."""
        return pushed_names(self._settings, names)

    def reference(self, name: str) -> Reference:
        """Return where an image of a name goes; see `own_reference`."""
        return own_reference(self._settings, name)


def _below(to: Setting[Renaming], own: Name) -> Target:
    try:
        reference = to.value.target(own)
    except ValueError as error:
        raise SourceError(
            f"{own} has no valid name at {to.value.host}: {error}.",
            "Push it by itself, with --image HOST/NAME:TAG.",
        ) from None
    kind = Setting(kinds.infer(reference.repository.host), to.origin)
    tag = Setting(reference.tag, OWN_NAME if own.tag else "default")
    return Target(kind, Setting(reference.repository, to.origin), (tag,))


def check_one_password(repositories: Iterable[Repository]) -> None:
    """Raise UsageError where the one password given would go to every host that an archive names.

    Args:
        repositories: Where its images go.
    """
    hosts = {each.host for each in repositories}
    if len(hosts) > 1:
        raise UsageError(
            f"The images of this source go to several registries, {', '.join(sorted(hosts))}, but "
            "only one password was given.",
            "Log in to each with `dockless login HOST`, or push them one by one.",
        )
