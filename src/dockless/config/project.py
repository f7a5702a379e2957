"""The settings in a project's files. The cheap ones are read at once, the others on demand."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dockless.config import deploy, docker_config, files
from dockless.config.deploy import Deploy
from dockless.config.docker_config import ProjectSession
from dockless.config.secrets import Secrets
from dockless.config.setting import Setting, first
from dockless.errors import UsageError
from dockless.model.server import Server
from dockless.storage.user_folders import working_folder


class NamelessError(UsageError):
    """A project has no name: its files say none, and that of its folder is not one of an image."""


_MARKS = (
    deploy.FILE,
    docker_config.FILE,
    "deploy-servers.txt",
    "deploy-servers.json",
    "box.json",
    "pyproject.toml",
    "package.json",
    "go.mod",
    "Cargo.toml",
    "pom.xml",
    "composer.json",
    "Gemfile",
    "Dockerfile",
    "Containerfile",
    ".dockerignore",
    ".kamal",
    ".git",
)


class Project(Struct, frozen=True, kw_only=True):
    """A project's files.

    Attributes:
        folder: Its folder.
        environment: What its files may refer to.
        deploy: The content of `config/deploy.yml`.
        session: The content of `docker-config.json`.
        secrets: Where the secrets are that deploy.yml names.
    """

    folder: Path
    environment: Mapping[str, str]
    deploy: Deploy
    session: ProjectSession
    secrets: Secrets

    def __repr__(self) -> str:
        """Show no environment, which may hold secrets, and no file."""
        return f"Project(folder={self.folder!r})"

    def name(self) -> Setting[str]:
        """Return the project's name.

        Raises:
            NamelessError: There is none.
            UsageError: A file is wrong.
        """
        name = first(self._names())
        if name is None:
            problem = f"The folder {self.folder} has a name that is not valid for an image."
            raise NamelessError(problem, "Give the image's name with --image.")
        return name

    def _names(self) -> Iterator[Setting[str] | None]:
        self.deploy.require("project")
        yield self.deploy.project
        box = files.read_json(self.folder / "box.json", "box.json")
        if box:
            yield box.setting("slug")
            yield _slugged(box.setting("name"))
        yield _slugged(self._pyproject())
        package = files.read_json(self.folder / "package.json", "package.json")
        if package:
            yield _slugged(package.setting("name"))
        yield _slugged(Setting(self.folder.resolve().name, "folder name"))

    def _pyproject(self) -> Setting[str] | None:
        project = files.read_toml(self.folder / "pyproject.toml", "pyproject.toml")
        section = project.get("project") if project else None
        return section.setting("name") if section else None

    def version(self) -> Setting[str] | None:
        """Return the version that Kamal tags with; None when deploy.yml is not Kamal's.

        Raises:
            UsageError: The folder has no git commit.
            EngineError: git is missing.
        """
        if self.deploy.dialect != "kamal":
            return None
        from dockless.config import image_version  # noqa: PLC0415 - for Kamal's files only

        clones = not self.deploy.builder.context
        return image_version.read(self.folder, self.environment, clones=clones)

    def compose_images(self) -> tuple[Setting[str], ...]:
        """Return the names of the Compose service's image; raise UsageError for a wrong file."""
        from dockless.config import compose  # noqa: PLC0415 - where no name is given

        return compose.images(self.folder, self.environment)

    def servers(self) -> Setting[tuple[Server, ...]]:
        """Return the list of servers in use.

        Raises:
            UsageError: There is none, or it is wrong.
        """
        from dockless.config import server_list  # noqa: PLC0415 - for pushes from hosts only

        self.deploy.require("servers")
        found = self.deploy.servers or server_list.read(self.folder)
        if found is None or not found.value:
            problem = "No servers are configured."
            remedy = f"List them under `servers` in {deploy.FILE}, or give one with --host."
            raise UsageError(problem, remedy)
        return found

    def chosen_servers(self, hosts: Sequence[str], numbers: str | None) -> tuple[Server, ...]:
        """Return the servers to work on: those that are typed, else the list, all or by number.

        Args:
            hosts: Each `[user@]host[:port]`; none for the list.
            numbers: As for `server_list.select`; None for all.

        Raises:
            UsageError: One is not a server, or there is no list.
        """
        from dockless.config import server_list  # noqa: PLC0415 - for pushes from hosts only
        from dockless.model.typed_server import parse_host  # noqa: PLC0415 - the same

        if hosts:
            return tuple(dict.fromkeys(parse_host(host) for host in hosts))
        listed = self.servers().value
        return server_list.select(listed, numbers) if numbers is not None else listed


def read(folder: Path, environment: Mapping[str, str], destination: str | None) -> Project:
    """Return the project of a folder.

    Args:
        folder: The project's folder.
        environment: What `VERSION`, `$VAR` in secrets and `${VAR}` in Compose files refer to.
        destination: Kamal's destination, whose files are read as well; None for none.

    Raises:
        UsageError: `config/deploy.yml` or `docker-config.json` cannot be used.
    """
    deployed = deploy.read(folder, environment, destination)
    secrets = Secrets(folder=folder, environment=environment, destination=destination)
    if deployed.secrets_path:
        secrets = replace(secrets, path=deployed.secrets_path.value)
    secrets = replace(secrets, fault=deployed.unanswered.get("secrets_path"))
    return Project(
        folder=folder,
        environment=environment,
        deploy=deployed,
        session=docker_config.read(folder),
        secrets=secrets,
    )


def deployed_project(environment: Mapping[str, str], destination: str | None) -> Project:
    """Return the project of the current folder, as its deploy.yml says that it is deployed.

    Raises:
        UsageError: Its files cannot be used, or need a destination.
    """
    found = project_here(environment, destination)
    found.deploy.require("needs_destination")
    if destination is None and (why := found.deploy.needs_destination):
        raise UsageError(
            f"`require_destination` in {why.origin} is set: this project is deployed to a named "
            "destination only.",
            "Give --destination NAME, which stands for config/deploy.NAME.yml.",
        )
    return found


def project_in(folder: Path | None, environment: Mapping[str, str]) -> Project:
    """Return the project of a folder; one without files where it is gone, or cannot be read.

    Raises:
        UsageError: Its files cannot be used.
    """
    if folder is None or not os.access(folder, os.R_OK | os.X_OK):
        return nowhere(Path("/"), environment)  # no name comes from there
    return read(folder, environment, None)


def project_here(environment: Mapping[str, str], destination: str | None) -> Project:
    """Return the project of the current folder; one without files and name where that is gone.

    Raises:
        UsageError: Its files cannot be used.
    """
    folder = working_folder()
    return (
        nowhere(Path("/"), environment)
        if folder is None
        else read(folder, environment, destination)
    )


def nowhere(folder: Path, environment: Mapping[str, str]) -> Project:
    """Return a project without files, for a folder that has none that can be read."""
    return Project(
        folder=folder,
        environment=environment,
        deploy=Deploy(),
        session=ProjectSession(),
        secrets=Secrets(folder=folder, environment=environment),
    )


def is_project(folder: Path) -> bool:
    """Whether there is anything in a folder that projects have, as far as it can be seen."""
    from dockless.config import compose  # noqa: PLC0415 - a push does not ask it

    names = (*_MARKS, *compose.FILES)
    return any(os.path.exists(folder / name) for name in names)  # noqa: PTH110 - raises nothing


def slug(text: str) -> str:
    """Return the text as part of an image's name: `[a-z0-9-]`, no `-` at either end."""
    return re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")


def _slugged(name: Setting[str] | None) -> Setting[str] | None:
    text = slug(name.value) if name else ""
    return Setting(text, name.origin) if name and text else None
