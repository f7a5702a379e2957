"""The names under which a push without SOURCE looks for its image on this machine or a host."""

from collections.abc import Iterator

from dockless.config.cascade import TYPED_IMAGES, TYPED_TAGS, Settings
from dockless.config.naming import Target
from dockless.config.project import NamelessError
from dockless.oci.reference import Name, is_image_name

_LATEST = "latest"


def local_candidates(settings: Settings, target: Target) -> tuple[str, ...]:
    """Return the names under which to look for the local image when SOURCE is not given.

    They are in the order in which the first that exists is taken. An image that was asked for by
    name: that repository alone, under the target's name, without the host, and by its last part,
    with the tags that were asked for, else `latest`. A tag that was asked for: the project with
    it, else the project's latest, and nothing that files name. Nothing: the target itself, the
    project with its tags, the configured image, the project's latest, the Compose service's.
    """
    if settings.image and settings.image.origin in TYPED_IMAGES:
        names = _of_the_image(settings.image.value, target)
    elif _typed_tags(target):
        names = _of_the_tags(settings, target)
    else:
        names = _of_the_files(settings, target)
    return tuple(name for name in dict.fromkeys(names) if is_image_name(name))


def project_name(settings: Settings, target: Target) -> str:
    """Return the project's name; the last part of the target's where its folder has none.

    Raises:
        UsageError: A file of the project is wrong.
    """
    try:
        return settings.project().value
    except NamelessError:  # such as the root folder
        return target.repository.value.path.rpartition("/")[2]


def called_otherwise(name: str, target: Target) -> str:
    """Return a sentence where a local image does not have the name of its target; else nothing."""
    try:
        own = Name.parse(name)
    except ValueError:
        return ""
    called = (own.path.rpartition("/")[2], own.tag or _LATEST)
    repository = target.repository.value
    if any(called == (repository.path.rpartition("/")[2], tag.value) for tag in target.tags):
        return ""
    return f"The local image {name} does not have the name of the target, {target.references[0]}."


def _typed_tags(target: Target) -> tuple[str, ...]:
    return tuple(tag.value for tag in target.tags if tag.origin in TYPED_TAGS)


def _of_the_image(image: Name, target: Target) -> Iterator[str]:
    tags = (image.tag,) if image.tag else _typed_tags(target) or (_LATEST,)
    repository = target.repository.value
    path = image.path if image.host else repository.path
    for tag in tags:
        yield f"{repository}:{tag}"
        yield f"{path}:{tag}"
        yield f"{path.rpartition('/')[2]}:{tag}"


def _of_the_tags(settings: Settings, target: Target) -> Iterator[str]:
    project = project_name(settings, target)
    yield from (f"{project}:{tag}" for tag in _typed_tags(target))
    yield f"{project}:{_LATEST}"


def _of_the_files(settings: Settings, target: Target) -> Iterator[str]:
    project = project_name(settings, target)
    yield from (str(reference) for reference in target.references)
    yield from (f"{project}:{tag.value}" for tag in target.tags)
    if filed := settings.filed or settings.image:
        name = filed.value
        host = f"{name.host}/" if name.host else ""
        yield f"{host}{name.path}:{name.tag or _LATEST}"
    yield f"{project}:{_LATEST}"
    yield from (name.value for name in settings.compose_images())
