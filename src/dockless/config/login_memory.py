"""What a login stores in a project for later pushes: docker-config.json, never a password."""

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dockless.config import docker_config, project
from dockless.config.cascade import Settings
from dockless.config.docker_config import ProjectSession
from dockless.config.project import Project
from dockless.config.registries import remembers
from dockless.errors import UsageError
from dockless.model.login import LoginTarget
from dockless.oci.reference import Repository, registry_host

_ELSEWHERE = "Log in from another folder, or without --remember, --image and --namespace."


class Memory(Struct, frozen=True):
    """Where a login is remembered, if it is.

    Attributes:
        folder: The folder that the login was made in; None where that is gone.
        files: The project's files.
        asked: Whether it was requested, with a project or without.
    """

    folder: Path | None
    files: Project
    asked: bool

    def check(self, settings: Settings, target: LoginTarget) -> None:
        """Check, before anything is stored, that the request can be carried out.

        Raises:
            UsageError: It cannot.
        """
        if not self.asked:
            return
        _check_namespace(settings, target)
        _check_scope(settings, target)
        image, folder = settings.image, self.folder
        if image and image.origin == "--image" and image.value.host:
            host = registry_host(image.value.host.lower())
            if host != registry_host(target.host):
                raise UsageError(
                    f"--image is at {host}, and this login is for {target.host}.",
                    "Log in to the registry of the image, or leave --image out.",
                )
        why = docker_config.why_not_written(folder) if folder else "this folder no longer exists"
        if why:
            raise UsageError(f"{docker_config.FILE} cannot be written here: {why}.", _ELSEWHERE)
        if folder:
            try:
                docker_config.refuse_foreign(folder)
            except UsageError as error:
                raise error.with_context(remedy=f"Move that file. {_ELSEWHERE}") from None
        self._image(settings, target)

    def remember(self, settings: Settings, target: LoginTarget, username: str) -> str:
        """Write the file where there is a project, or where it was asked for.

        Returns:
            The outcome, as one sentence; empty where nothing was to be written. It does not affect
            the login itself.
        """
        folder = self.folder
        if folder is None or not (self.asked or project.is_project(folder)):
            return ""
        try:
            session = self._session(settings, target, username)
            path = docker_config.write(folder, session)
        except UsageError as error:
            return f"Warning: {docker_config.FILE} was not written. {error}"
        except OSError as error:
            return f"Warning: {docker_config.FILE} was not written: {error.strerror}."
        image = f", and the image name {session.image}," if session.image else ""
        return f"{path} records the registry and the account{image} for pushes from this folder."

    def _session(self, settings: Settings, target: LoginTarget, username: str) -> ProjectSession:
        """Return what is stored; data of another registry is dropped."""
        namespace, before = settings.namespace, self._before(target)
        given = namespace.value if namespace and namespace.origin == "--namespace" else None
        return replace(
            before,
            registry=target.kind.name,
            username=username,
            image=self._image(settings, target),
            namespace=before.namespace if given is None else given,
        )

    def _before(self, target: LoginTarget) -> ProjectSession:
        before = self.files.session
        return before if before.registry in ("", target.kind.name) else ProjectSession()

    def _image(self, settings: Settings, target: LoginTarget) -> str:
        image = self._before(target).image
        if settings.image and settings.image.origin == "--image":
            return str(settings.image.value)
        if not target.kind.host and not image.startswith(f"{target.host}/"):
            # such a registry is known by the image's name alone
            return f"{target.scope}/{settings.project().value}"
        return image


def _check_namespace(settings: Settings, target: LoginTarget) -> None:
    """Check that pushes could use the namespace that was typed, as it is stored for them.

    Raises:
        UsageError: No repository may have such a name.
    """
    namespace = settings.namespace
    if not (namespace and namespace.value and namespace.origin == "--namespace"):
        return
    path = namespace.value.lower() if target.kind.lowers_prefix else namespace.value
    try:
        Repository.of(target.host, f"{path}/image")
    except ValueError as error:
        raise UsageError(
            f"--namespace {namespace.value!r} cannot be the beginning of a repository's name: "
            f"{error}.",
            "Write it as in the address of an image, such as acme or acme/team.",
        ) from None


def _check_scope(settings: Settings, target: LoginTarget) -> None:
    """Check that a login for a namespace serves the pushes that it is remembered for.

    Raises:
        UsageError: They would go to another namespace of the registry.
    """
    own, typed = target.scope.partition("/")[2], []
    if settings.namespace and settings.namespace.origin == "--namespace":
        typed.append((settings.namespace.origin, settings.namespace.value))
    image = settings.image
    if image and image.origin == "--image" and "/" in str(image.value):
        typed.append((image.origin, image.value.path))
    for option, path in typed:
        if own and path and not f"{path.lower()}/".startswith(f"{own}/"):
            raise UsageError(
                f"This login is for {target.scope} alone, and {option} is {path}.",
                f"Log in to {target.host}, or to the namespace of the pushes; or leave {option} "
                "out.",
            )


def forget(folder: Path | None, files: Project, host: str) -> str:
    """Remove what docker-config.json has of a registry; return a warning, or empty.

    A file that is not dockless's stays as it is.
    """
    if folder is None or not remembers(files.session, host):
        return ""
    path = folder / docker_config.FILE
    try:
        docker_config.clear(folder)
    except UsageError as error:
        return f"{error.what} Pushes from this folder still take {host} from it."
    except OSError as error:
        return f"{path} could not be removed: {error.strerror}. It holds no password."
    return ""
