"""The account that `config/deploy.yml` has for its registry, and the secrets of it."""

from dockless.config.deploy import FILE
from dockless.config.project import Project
from dockless.config.setting import Setting
from dockless.model.login import ConfiguredLogin
from dockless.model.secret import Secret
from dockless.oci.reference import DOCKER_HUB


def deploy_username(project: Project, *, allow: bool) -> Setting[str] | None:
    """Return the account, read from the secrets files where it is there; None for none.

    Args:
        project: The project.
        allow: Whether a secret may be the output of a command.

    Raises:
        UsageError: It is Ruby code, or a secret that cannot be had.
    """
    username = project.deploy.username
    project.deploy.require("username")
    if username is None:
        return None
    if isinstance(username.value, str):
        return Setting(username.value, username.origin)
    secret = project.secrets.find(username.value.name, allow_commands=allow)
    return Setting(secret.reveal(), username.origin)


def deploy_login(project: Project, *, allow: bool) -> ConfiguredLogin | None:
    """Return the login, whose secrets are read when they are used; None where there is none."""
    deploy = project.deploy
    password = deploy.password
    fault = deploy.unanswered.get("password")
    if deploy.kind is None or (password is None and fault is None):
        return None

    def reveal() -> Secret:
        if password is None:
            deploy.require("password")
            return Secret("")
        if isinstance(password.value, Secret):
            return password.value
        return project.secrets.find(password.value.name, allow_commands=allow)

    server = deploy.server.value if deploy.server else DOCKER_HUB
    return ConfiguredLogin(
        # Docker Hub has several hosts and is one registry
        host=deploy.kind.value.host or server,
        username=lambda: (
            account.value if (account := deploy_username(project, allow=allow)) else ""
        ),
        origin=password.origin if password else FILE,
        password=reveal,
        essential=fault is None,
    )
