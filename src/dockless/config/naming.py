"""From settings to the target: where an image goes, by the rules of the project's naming."""

from msgspec import Struct

from dockless.config.cascade import TYPED_IMAGES, TYPED_NAMESPACES, TYPED_TAGS, Settings, agreed
from dockless.config.deploy import FILE as DEPLOY
from dockless.config.docker_config import FILE as SESSION
from dockless.config.setting import Setting
from dockless.errors import UsageError
from dockless.model import kinds
from dockless.model.kinds import Kind
from dockless.oci.reference import (
    DOCKER_HUB,
    Name,
    Reference,
    Repository,
    is_registry,
    is_surely_host,
    is_tag,
)

OWN_NAME = "its own name"
"""The origin of a name that an image has in an archive; a namespace is for those without one."""

_LATEST = "latest"
_SOURCE = "SOURCE"


class ServerNeeded(UsageError):  # noqa: N818 - it says what would help
    """The host of a private registry is not configured; asking for it may help."""


class Target(Struct, frozen=True):
    """Where an image goes.

    Attributes:
        kind: The kind of registry.
        repository: The repository, and what its name comes from.
        tags: The tags, at least one, each once.
    """

    kind: Setting[Kind]
    repository: Setting[Repository]
    tags: tuple[Setting[str], ...]

    @property
    def tag_names(self) -> tuple[str, ...]:
        """The tags without their origins."""
        return tuple(tag.value for tag in self.tags)

    @property
    def references(self) -> tuple[Reference, ...]:
        """The fully qualified references, one a tag."""
        return tuple(Reference(self.repository.value, tag.value) for tag in self.tags)


def target(settings: Settings, source_name: Name | None) -> Target:
    """Return where the image goes.

    Beyond the written rules, a SOURCE that is the bare name of an image names the target too,
    when `--image` is not given: with a registry's host it counts as `--image`; without, it
    counts below every configured image and above the project's name. Its tag counts below
    `--tag`, and does not contradict it. One that is pinned by digest names no tag to set: that has
    to be typed.

    Args:
        settings: The settings.
        source_name: SOURCE, when it is the name of an image; None for a path or a transport.

    Raises:
        ServerNeeded: The registry's host is missing, and may be asked for.
        UsageError: The settings name no target, or contradict each other.
        EngineError: The tag is the git commit, and git is missing.
    """
    image = _image(settings, source_name)
    if source_name and source_name.digest and not _is_typed(settings, image):
        raise UsageError(
            f"SOURCE {source_name} is pinned by digest, and no tag was given to set.",
            "Give it with --tag, or the whole target with --image HOST/NAME:TAG.",
        )
    kind = _kind(settings, image)
    repository = _repository(_place(kind.value, settings, image))
    if kind is settings.registry and not kind.value.agrees(repository.value.host):
        named = image if image and image.value.host else settings.server or repository
        raise UsageError(
            f"{kind.origin} asks for {kind.value.name}, but {repository.value.host} of "
            f"{named.origin} is {kinds.infer(repository.value.host).name}.",
            "Give the --registry that the host belongs to, or `private`, which is any host.",
        )
    return Target(kind, repository, _tags(settings, image, source_name))


def _is_typed(settings: Settings, image: Setting[Name] | None) -> bool:
    """Whether the target's image or any tag of it was typed, other than as SOURCE."""
    if image and image.origin in TYPED_IMAGES:
        return True
    return any(tag.origin in TYPED_TAGS for tag in settings.tags)


def _image(settings: Settings, source: Name | None) -> Setting[Name] | None:
    configured = settings.image
    source = source.without_localhost() if source else None
    if configured is None and not (source and source.host):
        settings.require("image")
    if source is None or (configured and configured.origin == "--image"):
        return configured
    if source.host or configured is None:
        return Setting(source, _SOURCE)
    return configured


def _kind(settings: Settings, image: Setting[Name] | None) -> Setting[Kind]:
    named = settings.registry
    host = image.value.host if image else ""
    if named and not (named.origin == SESSION and host and not named.value.agrees(host)):
        return named
    if image and image.value.host:
        return Setting(kinds.infer(image.value.host), f"host of {image.origin}")
    settings.require("server")
    return settings.implied or Setting(kinds.DOCKERHUB, "default")


def _place(kind: Kind, settings: Settings, image: Setting[Name] | None) -> Setting[tuple[str, str]]:
    """Return host and path, not yet normalised, and what they come from."""
    if image is None:
        prefix = _project_prefix(kind, settings)
        host, project = _host(kind, settings), settings.project()
        return Setting((host, prefix + project.value), project.origin)
    name, within = image.value, _within(kind, settings, image)
    if name.host:
        return Setting((name.host, within), image.origin)
    _refuse_host(settings, image)
    host, path = _host(kind, settings, name.path), _prefixed(kind, settings, within)
    if host == DOCKER_HUB and "/" not in path:
        problem = (
            f"{path!r} from {image.origin} would go to docker.io/library, which belongs to Docker."
        )
        raise UsageError(
            problem, f"Give --namespace or --username, or write library/{path} if that is intended."
        )
    return Setting((host, path), image.origin)


def _refuse_host(settings: Settings, image: Setting[Name]) -> None:
    """Raise UsageError for the host of a registry whose image's name was forgotten.

    A name with a dot may be an image's where a registry is asked for.
    """
    name = image.value
    asked = settings.registry or settings.implied
    if not is_registry(name.path) or (asked and not is_surely_host(name.path)):
        return
    host = str(name) if is_registry(str(name)) else name.path
    raise UsageError(
        f"{str(name)!r} from {image.origin} is a registry's host without an image's name.",
        f"Write {host}/NAME[:TAG].",
    )


_HOSTS = {
    "ecr": "ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME",
    "private": "registry.example.com/NAME",
}
"""Examples of what is to be given where a registry's host is not known, by its kind."""


def _host(kind: Kind, settings: Settings, path: str = "") -> str:
    """Return the registry's host; the path is that of the image, for the error without one."""
    if kind.host:
        return kind.host
    settings.require("server")
    server = settings.server
    if server is None:
        short, slash, rest = path.partition("/")
        likely = (
            f"{short}{kind.domain}/{rest}" if slash else f"REGISTRY{kind.domain}/{path or 'NAME'}"
        )
        likely = likely.rstrip("/") if kind.domain else _HOSTS.get(kind.name, "")
        example = f", such as {likely}" if likely else ""
        raise (ServerNeeded if kind.may_ask else UsageError)(
            f"The host of the {kind.name} registry is not known.",
            f"Give the full name with --image HOST/NAME{example}, or set `registry.server` in "
            f"{DEPLOY}.",
        )
    host = kind.host_of(server.value)
    if not is_registry(host):
        problem = f"{server.value!r} from {server.origin} is not a registry host."
        raise UsageError(problem, "Give it as HOST.DOMAIN or HOST:PORT.")
    return host


def _within(kind: Kind, settings: Settings, image: Setting[Name]) -> str:
    """Return an image's path in the namespace that was typed, if one was.

    A file's image gets it in place of its own; a name that was typed has to be in it, and gets it
    only where it has neither host nor namespace.

    Raises:
        UsageError: Both were typed, and differ.
    """
    name, namespace = image.value, settings.namespace
    if namespace is None or namespace.origin not in TYPED_NAMESPACES:
        return name.path
    prefix = _prefix(kind, namespace)
    bare = not name.host and "/" not in name.path
    if name.path.startswith(prefix) or (image.origin == OWN_NAME and not bare):
        return name.path
    filed = settings.filed and image.origin == settings.filed.origin
    if filed or bare:
        return prefix + name.path.rpartition("/")[2]
    raise UsageError(
        f"{image.origin} is {_without_tag(name)}, which is not in the namespace "
        f"{namespace.value!r} of {namespace.origin}.",
        f"Give the whole name with --image, and leave out {namespace.origin}.",
    )


def _without_tag(name: Name) -> str:
    return f"{name.host}/{name.path}" if name.host else name.path


def _prefixed(kind: Kind, settings: Settings, path: str) -> str:
    """Return a configured name, with the prefix before it if it has no slash."""
    if "/" in path or kind.prefix == "namespace":
        return path
    return _prefix(kind, _account(settings)) + path


def _account(settings: Settings) -> Setting[str] | None:
    if settings.namespace is None and settings.username is None:
        settings.require("username")
    return settings.namespace or settings.username


def _project_prefix(kind: Kind, settings: Settings) -> str:
    if kind.prefix == "namespace":
        return _prefix(kind, settings.namespace)
    prefix = _account(settings)
    if prefix is None and kind.prefix == "required":
        if not (settings.registry or settings.implied):
            raise UsageError(
                f"No target was given, and for the default, {kind.host}, no account.",
                "Give --image HOST/NAME:TAG, or --namespace or --username for the default.",
            )
        raise UsageError(
            f"The image would go to {kind.host}, where it belongs to an account, and none was "
            "given.",
            "Give the account with --namespace or --username, or the image's full name with "
            "--image HOST/NAME:TAG.",
        )
    return _prefix(kind, prefix)


def _prefix(kind: Kind, prefix: Setting[str] | None) -> str:
    if prefix is None:
        return ""
    return f"{prefix.value.lower() if kind.lowers_prefix else prefix.value}/"


def _repository(place: Setting[tuple[str, str]]) -> Setting[Repository]:
    host, path = place.value
    try:
        return Setting(Repository.of(host, path), place.origin)
    except ValueError as error:
        problem = (
            f"{host}/{path}, the target according to {place.origin}, is not a repository: {error}."
        )
        raise UsageError(problem, "Give another name with --image.") from None


def _tags(
    settings: Settings, image: Setting[Name] | None, source: Name | None
) -> tuple[Setting[str], ...]:
    # the tag of an image belongs to it, and is none of another one that takes its place
    others = TYPED_IMAGES - {image.origin if image else ""}
    typed = tuple(tag for tag in settings.tags if tag.origin not in others)
    if typed:
        return agreed(typed, image) if image else typed
    if source and source.tag:
        return (Setting(source.tag, _SOURCE),)
    if image and image.value.tag:
        return (Setting(image.value.tag, image.origin),)
    tag = settings.version() or Setting(_LATEST, "default")
    if not is_tag(tag.value):
        problem = f"{tag.value!r}, the tag according to {tag.origin}, is not a tag."
        raise UsageError(problem, "Give another one with --tag.")
    return (tag,)
