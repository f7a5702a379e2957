"""Which registry a login is for, by the rules of the project's naming."""

from dockless.config.cascade import TYPED_IMAGES, Settings
from dockless.config.deploy import FILE as DEPLOY
from dockless.config.docker_config import ProjectSession, host_of
from dockless.config.naming import ServerNeeded
from dockless.errors import UsageError
from dockless.model import kinds
from dockless.model.kinds import Kind
from dockless.model.login import LoginTarget
from dockless.model.schemes import without_scheme
from dockless.oci.reference import Name, is_registry, registry_host


def login_target(text: str | None, settings: Settings) -> LoginTarget:
    """Return the registry that a login is for.

    Args:
        text: HOST as a person writes it, with `https://` in front or not; None when it is left
            out, which means the registry of the settings, and else Docker Hub.
        settings: The settings.

    Raises:
        ServerNeeded: The registry's host is missing, and may be asked for.
        UsageError: HOST is none, or does not belong to the kind that was asked for by name.
    """
    if text is None:
        return _configured(settings)
    asked = settings.registry
    host, namespace = _parsed(text, asked.value if asked else kinds.PRIVATE)
    if asked is None or asked.origin == "docker-config.json":
        kind = kinds.infer(host)
    else:
        kind = asked.value
        _agree(kind, host, asked.origin)
    return LoginTarget(kind, host, f"{host}/{namespace}" if namespace else host)


def account_for(settings: Settings, target: LoginTarget) -> str:
    """Return the username that the project's settings have for this registry."""
    known = settings.registry or settings.implied
    if settings.username is None or (known and known.value is not target.kind):
        return ""
    return settings.username.value


def remembers(session: ProjectSession, host: str) -> bool:
    """Whether the project's session is about the registry with this `host[:port]`."""
    return bool(host) and host == host_of(session)


def _configured(settings: Settings) -> LoginTarget:
    image, named = settings.image, settings.registry or settings.implied
    host = image.value.host.lower() if image else ""
    typed = image is not None and image.origin in TYPED_IMAGES
    if host and typed and (settings.registry is None or not settings.registry.value.host):
        # what was typed goes before what a file has of another registry
        kind = settings.registry.value if settings.registry else kinds.infer(host)
        _agree(kind, host, "--image")
        host = registry_host(host)
        return LoginTarget(kind, host, host)
    if named is None or not named.value.host:
        settings.require("server")
    kind = named.value if named else kinds.DOCKERHUB
    if kind.host:
        return LoginTarget(kind, kind.host, kind.host)
    candidates = [settings.server.value if settings.server else "", host]
    for host in candidates:
        if host and is_registry(host) and kind.agrees(host):
            return LoginTarget(kind, host.lower(), host.lower())
    raise (ServerNeeded if kind.may_ask else UsageError)(
        f"The host of the {kind.name} registry is not known.",
        f"Give it: dockless login HOST, or set `registry.server` in {DEPLOY}.",
    )


def _parsed(text: str, kind: Kind) -> tuple[str, str]:
    """Return host and namespace, in lower case; the short name of a kind is completed."""
    plain = without_scheme(text.strip().lower(), "HOST").strip("/")
    host, _, namespace = plain.partition("/")
    namespace = "" if namespace in {"v1", "v2"} else namespace
    host = registry_host(kind.host_of(host))
    if not is_registry(host) or (namespace and not _is_path(host, namespace)):
        raise UsageError(
            f"{text!r} is not a registry host.",
            "Give it as HOST.DOMAIN, HOST:PORT or HOST/NAMESPACE.",
        )
    return host, namespace


def _is_path(host: str, namespace: str) -> bool:
    try:
        return Name.parse(f"{host}/{namespace}") == Name(host=host, path=namespace)
    except ValueError:
        return False


def _agree(kind: Kind, host: str, origin: str) -> None:
    if not kind.agrees(host):
        raise UsageError(
            f"{origin} asks for {kind.name}, but {host} is {kinds.infer(host).name}.",
            "Give the --registry that the host belongs to, or `private`, which is any host.",
        )
