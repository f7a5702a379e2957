"""Which of a project's files are about the registry that was asked for."""

from msgspec.structs import replace

from dockless.config.deploy import Deploy
from dockless.config.docker_config import ProjectSession, host_of, stored
from dockless.config.setting import Setting
from dockless.model import kinds
from dockless.model.kinds import Kind
from dockless.oci.reference import Name, registry_host


def overriding_host(deploy: Deploy, kind: Setting[Kind] | None, image: Setting[Name] | None) -> str:
    """Return the registry's host of a setting that overrides the session; empty for none."""
    if image and image.value.host:
        return image.value.host
    if kind:
        return kind.value.host
    if deploy.server:
        return deploy.server.value
    return deploy.kind.value.host if deploy.kind else ""


def is_deploy_about(deploy: Deploy, kind: Setting[Kind] | None, host: str) -> bool:
    """Whether the registry section of deploy.yml is about the registry that was asked for.

    Args:
        deploy: The file.
        kind: The kind that was asked for.
        host: The host of the image that was asked for; empty for none.
    """
    if "server" in deploy.unanswered:
        return not host and kind is None
    its = deploy.server.value if deploy.server else deploy.kind.value.host if deploy.kind else ""
    if not its:
        return True
    if host:
        return _normalized(host) == _normalized(its)
    return kind is None or kind.value.agrees(its)


def session_about(session: ProjectSession, kind: Setting[Kind] | None, host: str) -> ProjectSession:
    """Return a session, or an empty one where a setting above it is for another registry.

    Args:
        session: What the last login here remembers.
        kind: The kind that was asked for.
        host: The host that was asked for; empty for none.
    """
    session = _completed(session)
    if not session.registry:
        return session
    try:
        remembered = kinds.named(session.registry)
    except ValueError:  # which is told where no kind stands above it
        return ProjectSession(registry=session.registry)
    host, its = _normalized(host), host_of(session)
    if host:
        fits = host == its if its else remembered.agrees(host)
    elif kind:
        fits = kind.value.agrees(its) if its else remembered is kind.value
    else:
        fits = True
    return session if fits else ProjectSession()


def server_of(session: ProjectSession) -> Setting[str] | None:
    """Return the host that a session is about where its kind has none of its own."""
    try:
        own = kinds.named(session.registry).host
    except ValueError:
        return None
    return None if own else stored(host_of(session))


def _completed(session: ProjectSession) -> ProjectSession:
    """Return a session that names its registry, where only its image tells which one that is."""
    try:
        image = Name.parse(session.image) if session.image and not session.registry else None
    except ValueError:  # which is told where the image counts
        return session
    if image is None or not image.host:
        return session
    return replace(session, registry=kinds.infer(image.host).name)


def _normalized(host: str) -> str:
    return registry_host(host.lower())
