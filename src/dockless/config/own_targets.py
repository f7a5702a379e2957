"""Where the images of an archive go that are pushed by their own names."""

import contextlib
from collections.abc import Iterable

from msgspec.structs import replace

from dockless.config.cascade import Settings
from dockless.config.naming import OWN_NAME, Target
from dockless.config.naming import target as find_target
from dockless.config.setting import Setting
from dockless.errors import DocklessError, SourceError, UsageError
from dockless.oci.reference import Name, Repository


def own_target(settings: Settings, name: str) -> Target:
    """Return the target of an image by its own name; a bare tag is a tag of the project's image.

    Raises:
        SourceError: It is not an image name.
        UsageError: The settings and the name are no target together.
    """
    try:
        own = Name.parse(name).without_localhost()
    except ValueError as error:
        raise SourceError(f"{name!r} is not an image name: {error}.") from None
    if ":" not in name and "/" not in name:
        return find_target(replace(settings, tags=(Setting(name, "ref.name"),)), None)
    if own.digest and not own.tag:
        raise SourceError(
            f"{name} is pinned by digest, and has no tag to set.",
            "Push it by itself, with --image HOST/NAME:TAG.",
        )
    tags = (Setting(own.tag, OWN_NAME),) if own.tag else ()
    return find_target(replace(settings, image=Setting(own, OWN_NAME), tags=tags), None)


def own_place(settings: Settings, name: str) -> tuple[Repository, tuple[str, ...]]:
    """Return the repository and the tags of `own_target`."""
    target = own_target(settings, name)
    return target.repository.value, target.tag_names


def check_one_password(settings: Settings, names: Iterable[str]) -> None:
    """Raise UsageError where the one password given would go to every host that an archive names.

    An invalid name is a failure of that image, later.
    """
    hosts = set()
    for name in names:
        with contextlib.suppress(DocklessError):
            hosts.add(own_target(settings, name).repository.value.host)
    if len(hosts) > 1:
        raise UsageError(
            f"The images of this source go to several registries, {', '.join(sorted(hosts))}, but "
            "only one password was given.",
            "Log in to each with `dockless login HOST`, or push them one by one.",
        )
