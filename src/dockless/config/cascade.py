"""The precedence of command line, environment and project files, for each setting."""

import contextlib
import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from dockless.config import applicable
from dockless.config.deploy import Deploy
from dockless.config.deploy_login import deploy_login, deploy_username
from dockless.config.docker_config import stored
from dockless.config.project import Project, project_here
from dockless.config.setting import Setting, first
from dockless.errors import DocklessError, UsageError
from dockless.model import kinds
from dockless.model.kinds import Kind
from dockless.model.login import ConfiguredLogin
from dockless.model.schemes import without_scheme
from dockless.oci.reference import Name, is_registry, is_tag

if TYPE_CHECKING:
    from dockless.model.renaming import Renaming

TYPED_IMAGES = frozenset({"--image", "DOCKLESS_IMAGE"})
TYPED_TAGS = frozenset({"--tag", "DOCKLESS_TAG"})
TYPED_NAMESPACES = frozenset({"--namespace", "DOCKLESS_NAMESPACE"})
TYPED_KINDS = frozenset({"--registry", "DOCKLESS_REGISTRY"})
"""The origins of explicit settings, which files do not override."""
_LEVELS = frozenset({("--tag", "--image"), ("DOCKLESS_TAG", "DOCKLESS_IMAGE")})


class Flags(Struct, frozen=True, kw_only=True):
    """The settings of the command line; None, or no tags, where not given."""

    registry: str | None = None
    image: str | None = None
    username: str | None = None
    tags: tuple[str, ...] = ()
    namespace: str | None = None
    destination: str | None = None
    allow_secret_commands: bool = False
    to: str | None = None

    @classmethod
    def of(cls, options: object) -> "Flags":
        """Return the settings that a record of options has, by these names."""
        given = {each: getattr(options, each, None) for each in cls.__struct_fields__}
        return cls(**{name: value for name, value in given.items() if value is not None})


class Settings(Struct, frozen=True, kw_only=True):
    """Every setting, with its origin; None where it is not set.

    Attributes:
        registry: The kind of registry that was asked for by name.
        implied: The kind of the registry section of deploy.yml.
        server: The host of a private registry.
        image: The image's name, without a digest.
        filed: The same as a file has it, be its registry another one: so it is called locally.
        tags: The tags asked for, each once; with the origin of an image where they are its own,
            for which alone they count.
        username: The account at the registry.
        namespace: The path before the project's name.
        project: Gives the project's name.
        version: Gives the tag that takes the place of `latest`, or None. It may start git.
        compose_images: Gives what the Compose service's image may be called, the likeliest first.
        login: The account that deploy.yml has for its registry.
        warnings: Warnings about the files, one sentence each.
        to: Where every image of a source goes, each with its own path.
        unanswered: The errors of settings that only Ruby can tell: `image`, `server` and
            `username`; what stands below deploy.yml does not take their place.
    """

    project: Callable[[], Setting[str]]
    registry: Setting[Kind] | None = None
    implied: Setting[Kind] | None = None
    server: Setting[str] | None = None
    image: Setting[Name] | None = None
    filed: Setting[Name] | None = None
    tags: tuple[Setting[str], ...] = ()
    username: Setting[str] | None = None
    namespace: Setting[str] | None = None
    version: Callable[[], Setting[str] | None] = lambda: None
    compose_images: Callable[[], tuple[Setting[str], ...]] = tuple
    login: ConfiguredLogin | None = None
    warnings: tuple[str, ...] = ()
    to: "Setting[Renaming] | None" = None
    unanswered: Mapping[str, UsageError] = {}

    def require(self, name: str) -> None:
        """Raise UsageError where deploy.yml has this setting as Ruby code, which is not run."""
        if error := self.unanswered.get(name):
            raise error

    @property
    def account(self) -> str:
        """The account at the registry; empty where none is set."""
        return self.username.value if self.username else ""


def resolve(flags: Flags, environment: Mapping[str, str], project: Project) -> Settings:
    """Return the settings: command line, then environment, then deploy.yml, then the session.

    Args:
        flags: The command line.
        environment: Where `DOCKLESS_*` is looked up; an empty variable counts as unset.
        project: What the files of the project say.

    Raises:
        UsageError: A value is empty or malformed, two contradict each other, or a secret that
            holds the username cannot be had.
    """
    deploy, allow = project.deploy, flags.allow_secret_commands
    registry, image, username, namespace = (
        (_option(name, getattr(flags, name)), _variable(name, environment))
        for name in ("registry", "image", "username", "namespace")
    )
    kind, named = _kind(first(registry)), _name(first(image))
    filed = _name(deploy.image) if named is None else None
    written = _fitting(filed, kind)
    deploy_counts = applicable.is_deploy_about(deploy, kind, named.value.host if named else "")
    overriding = applicable.overriding_host(deploy, kind, named or written)
    session = applicable.session_about(project.session, kind, overriding)
    # what deploy.yml implies stands above what the session asked for
    unanswered = _unanswered(deploy, named, counts=deploy_counts)
    known = not deploy.kind and "server" not in unanswered
    kind = kind or _kind(stored(session.registry) if known else None)
    known = not (named or written) and "image" not in unanswered
    remembered = _name(stored(session.image)) if known else None

    def filed_username() -> Setting[str] | None:
        if "username" in unanswered:
            return None
        own = deploy_username(project, allow=allow) if deploy_counts else None
        return own or stored(session.username)

    return Settings(
        project=project.name,
        registry=kind,
        implied=deploy.kind,
        server=deploy.server or (None if "server" in unanswered else applicable.server_of(session)),
        image=named or written or remembered,
        filed=filed or remembered,
        tags=_tags(flags, environment),
        username=first(username) or filed_username(),
        namespace=first((*namespace, stored(session.namespace))),
        # once, since an uncommitted tree gets another number at every call
        version=functools.cache(project.version),
        compose_images=project.compose_images,
        login=deploy_login(project, allow=allow),
        warnings=deploy.warnings,
        to=_to(flags.to, kind),
        unanswered=unanswered,
    )


def _unanswered(
    deploy: Deploy, named: Setting[Name] | None, *, counts: bool
) -> Mapping[str, UsageError]:
    """Return what deploy.yml has as Ruby code and nothing above it says."""
    wanted = {"server": True, "image": named is None, "username": counts}
    return {name: error for name, error in deploy.unanswered.items() if wanted.get(name)}


def project_settings(username: str | None, environment: Mapping[str, str]) -> Settings:
    """Return the settings of the project here for credentials, for commands without one image."""
    return resolve(Flags(username=username), environment, project_here(environment, None))


def readable_settings(username: str | None, environment: Mapping[str, str]) -> Settings:
    """Return the same; without any but the username where the project cannot be read."""
    with contextlib.suppress(DocklessError, OSError):
        return project_settings(username, environment)
    account = Setting(username, "--username") if username else None
    return Settings(project=lambda: Setting("", ""), username=account)


def _fitting(image: Setting[Name] | None, kind: Setting[Kind] | None) -> Setting[Name] | None:
    """Return a file's image, of which only the last part counts where its host is another kind's.

    A file never overrides explicit settings; it supplies missing ones.
    """
    if image is None or kind is None or not image.value.host or kind.value.agrees(image.value.host):
        return image
    name = image.value.path.rpartition("/")[2]
    return Setting(Name(host="", path=name, tag=image.value.tag), image.origin)


def _to(text: str | None, kind: Setting[Kind] | None) -> "Setting[Renaming] | None":
    to = _option("to", text)
    if to is None:
        return None
    from dockless.model.renaming import Renaming  # noqa: PLC0415 - for pushes of all images

    host, slash, prefix = to.value.partition("/")
    host = kind.value.host_of(host) if kind else host
    renaming = Renaming.into(f"{host}{slash}{prefix}")
    if kind and kind.origin in TYPED_KINDS and not kind.value.agrees(renaming.host):
        raise UsageError(
            f"{kind.origin} asks for {kind.value.name}, but {renaming.host} of --to is "
            f"{kinds.infer(renaming.host).name}.",
            f"Leave {kind.origin} out.",
        )
    return Setting(renaming, to.origin)


def _option(name: str, text: str | None) -> Setting[str] | None:
    if text is None:
        return None
    if not text.strip():
        raise UsageError(f"--{name} is empty.", f"Give it a value, or leave --{name} out.")
    return Setting(text.strip(), f"--{name}")


def _variable(name: str, environment: Mapping[str, str]) -> Setting[str] | None:
    variable = f"DOCKLESS_{name.upper()}"
    text = environment.get(variable, "").strip()
    return Setting(text, variable) if text else None


def _kind(name: Setting[str] | None) -> Setting[Kind] | None:
    if name is None:
        return None
    try:
        return Setting(kinds.named(name.value), name.origin)
    except ValueError as error:
        remedy = kinds.advice(name.value, name.origin)
        raise UsageError(f"{name.origin}: {error}.", remedy) from None


def _name(text: Setting[str] | None) -> Setting[Name] | None:
    if text is None:
        return None
    try:
        name = Name.parse(without_scheme(text.value, text.origin))
    except ValueError as error:
        if is_registry(without_scheme(text.value, text.origin)):  # an IPv6 address with a port
            raise UsageError(
                f"{text.value!r} from {text.origin} is a registry's host without an image's name.",
                f"Write {text.value}/NAME[:TAG].",
            ) from None
        problem = f"{text.value!r} from {text.origin} is not an image name: {error}."
        raise UsageError(problem, "Write [HOST/]NAME[:TAG].") from None
    if name.digest:
        problem = (
            f"The image {text.value!r} from {text.origin} has a digest, which a push cannot choose."
        )
        raise UsageError(problem, "Leave out what follows the `@`.")
    return Setting(name, text.origin)


def _tags(flags: Flags, environment: Mapping[str, str]) -> tuple[Setting[str], ...]:
    """Return the tags of the first level that has any, be it only in its image's name."""
    options = tuple(Setting(tag, "--tag") for tag in flags.tags)
    variable = _variable("tag", environment)
    words = variable.value.split(",") if variable else []
    variables = tuple(Setting(tag.strip(), "DOCKLESS_TAG") for tag in words)
    for tags, image in (
        (options, _option("image", flags.image)),
        (variables, None if flags.image else _variable("image", environment)),
    ):
        name = _name(image)
        own = (Setting(name.value.tag, name.origin),) if name and name.value.tag else ()
        if tags or own:
            found = tuple(dict.fromkeys(map(_checked, tags))) or own
            # whether the variable's image is used at all depends on SOURCE
            return agreed(found, name) if name and name.origin == "--image" else found
    return ()


def _checked(tag: Setting[str]) -> Setting[str]:
    if is_tag(tag.value):
        return tag
    problem = f"{tag.value!r} is not a tag." if tag.value else "It is empty."
    remedy = (
        "A tag has letters, digits, '_', '.' and '-', at most 128, and does not begin with '.' or "
        "'-'."
    )
    raise UsageError(f"{tag.origin}: {problem}", remedy)


def agreed(tags: tuple[Setting[str], ...], image: Setting[Name]) -> tuple[Setting[str], ...]:
    """Return the tags, unless the image that was typed at their level has another one."""
    own, values = image.value.tag, {tag.value for tag in tags}
    if tags and own and own not in values and (tags[0].origin, image.origin) in _LEVELS:
        raise UsageError(
            f"{image.origin} has the tag {own!r}, and {tags[0].origin} asks for "
            f"{', '.join(sorted(values))}.",
            f"Give it once: leave the tag out of {image.origin}, or leave out {tags[0].origin}.",
        )
    return tags
