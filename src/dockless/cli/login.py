"""`dockless login`: from the command line to a checked login in the keyring."""

import os
import time
from pathlib import Path

import click
from msgspec import Struct
from msgspec.structs import replace

from dockless.cli import prompts, stops
from dockless.cli.options import INSECURE_REALM, Seconds
from dockless.client import accounts
from dockless.client.login_credential import GivenLogin, login_credential
from dockless.config import project
from dockless.config.cascade import Flags, Settings, resolve
from dockless.config.login_memory import Memory
from dockless.config.naming import ServerNeeded
from dockless.config.project import Project
from dockless.config.registries import LoginTarget, login_target
from dockless.credentials.cloud import token_sources
from dockless.credentials.keyring_logins import KeyringLogins
from dockless.credentials.user_keyrings import open_keyring_logins
from dockless.errors import NetworkError, UsageError
from dockless.model import kinds
from dockless.model.secret import Credential
from dockless.processes.terminal import say
from dockless.storage.user_folders import home_folder, working_folder

_PATH = click.Path(path_type=Path)


class LoginOptions(Struct, frozen=True):
    """The arguments of `dockless login`, named like the options."""

    host: str | None
    registry: str | None
    username: str | None
    password_stdin: bool
    key_file: Path | None
    namespace: str | None
    image: str | None
    keyring: str
    ttl: float | None
    configure_docker: bool
    configure_containers: bool
    insecure: bool
    ca_file: Path | None
    cert_dir: Path | None
    insecure_realms: tuple[str, ...] = ()
    remember: bool = False
    timeout: float | None = None

    def asks_to_remember(self) -> bool:
        """Whether docker-config.json was requested."""
        return self.remember or self.image is not None or self.namespace is not None

    def given(self) -> GivenLogin:
        """Return the options for the credential."""
        return GivenLogin(self.username or "", self.password_stdin, self.key_file)

    def check(self) -> None:
        """Raise UsageError when two options contradict each other."""
        if self.key_file and (self.password_stdin or self.username):
            raise UsageError(
                "--key-file does not go with --username or --password-stdin.",
                "Remove one of them.",
            )


@click.command(
    epilog="""\b
HOST is a registry, such as ghcr.io or registry.example.com:5000, or a namespace
in one, such as ghcr.io/acme. Without it: the registry of config/deploy.yml or
docker-config.json, else Docker Hub.

\b
Examples:
  dockless login
  dockless login ghcr.io --username me
  pass show registry | dockless login registry.example.com --username me --password-stdin
  dockless login 123456789012.dkr.ecr.eu-west-1.amazonaws.com
  dockless login europe-docker.pkg.dev --key-file ~/keys/pusher.json
  dockless login registry.example.com --keyring kernel --ttl 8h
  dockless login ghcr.io --configure-docker

\b
Keyrings: secret-service, macos, kernel, kernel-user, file (encrypted; needs
dockless[file]), or MODULE.CLASS of the keyring library. Without --keyring and
DOCKLESS_KEYRING the first available one, never the file.
"""
)
@click.argument("host", required=False)
@click.option(
    "--registry",
    metavar="KIND",
    help=f"{', '.join(kind.name for kind in kinds.KINDS)}; otherwise inferred from HOST.",
)
@click.option(
    "--username", metavar="NAME", help="Account at the registry; prompted for at a terminal."
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--key-file", type=_PATH, help="Service-account key of Google Cloud (JSON).")
@click.option("--namespace", metavar="NAME", help="Namespace to remember for pushes from here.")
@click.option("--image", metavar="NAME", help="Image name to remember for pushes from here.")
@click.option(
    "--remember",
    is_flag=True,
    help="Write docker-config.json even where there is no project; --image and --namespace imply "
    "it.",
)
@click.option(
    "--keyring",
    default="",
    metavar="NAME",
    help="Keyring to store the login in; see below.",
    show_default=False,
)
@click.option(
    "--ttl",
    type=Seconds(),
    help="Expire the login in the kernel keyring after this time, such as 8h.",
)
@click.option(
    "--configure-docker",
    is_flag=True,
    help="Let docker use this login, through a credential helper.",
)
@click.option(
    "--configure-containers",
    is_flag=True,
    help="Let podman, skopeo and buildah use this login, through a credential helper.",
)
@click.option("--insecure", is_flag=True, help="Use plain HTTP (automatic for loopback addresses).")
@click.option("--ca-file", type=_PATH, help="Also trust this certificate authority (PEM).")
@click.option(
    "--cert-dir",
    type=_PATH,
    help="Folder with CA certificates (*.crt) and client certificates (*.cert with *.key).",
)
@click.option(
    "--timeout", type=Seconds(), help="Time limit for the whole command, such as 90s or 5m."
)
@INSECURE_REALM
def login(**arguments: object) -> None:
    """Check a login at a registry, and store it in the OS keyring.

    The password goes to the keyring and nowhere else. In the folder of a project, or with
    --remember, docker-config.json gets the rest, so that a push from here needs no more options.
    """
    options = LoginOptions(**arguments)  # type: ignore[arg-type] # click made them by these names
    options.check()
    _login(options, working_folder())


def _login(options: LoginOptions, folder: Path | None) -> None:
    until = None if options.timeout is None else time.monotonic() + options.timeout
    stops.end_by(until)
    files = _files(options, folder)
    flags = Flags(options.registry, options.image, options.username, namespace=options.namespace)
    settings = resolve(flags, os.environ, files)
    target = _target(options, settings)
    if target.scope != target.host and (options.configure_docker or options.configure_containers):
        raise UsageError(
            "Other tools ask a credential helper for a host, not for a namespace such as "
            f"{target.scope}.",
            f"Log in to {target.host}, or leave --configure-docker and --configure-containers out.",
        )
    memory = Memory(folder, files, asked=options.asks_to_remember())
    memory.check(settings, target)
    kept = _keyring_logins(options)
    context = folder if folder not in (Path("/"), home_folder()) else None
    credential, way = login_credential(prompts, options.given(), settings, target, context)
    asked = _checked(options, target, credential, until)
    if way:
        kept.cache(target.host, credential, f"{way} {token_sources.identity(os.environ)}")
    else:
        ends = None if options.ttl is None else time.time() + options.ttl
        kept.put(target.scope, credential, ends)
    _say(kept, target, credential, way)
    _remark(memory.remember(settings, target, credential))
    if not asked:
        _remark(f"{target.host} asks for no password, so the login could not be checked.")
    _configure(options, target)


def _files(options: LoginOptions, folder: Path | None) -> Project:
    """Return the project's settings; none where it has no readable files.

    With HOST none of them is needed, so an error in a file does not stop the login.
    """
    if folder is None or not os.access(folder, os.R_OK | os.X_OK):
        return project.nowhere(Path("/"), os.environ)  # no name comes from there
    try:
        return project.read(folder, os.environ, None)
    except UsageError as error:
        if options.host is None:
            raise
        _remark(f"Warning: {error.what} This login continues without it.")
        return project.nowhere(folder, os.environ)


def _target(options: LoginOptions, settings: Settings) -> LoginTarget:
    try:
        return login_target(options.host, settings)
    except ServerNeeded:
        if not prompts.at_terminal():
            raise
        return login_target(prompts.line("Registry (HOST or HOST:PORT)"), settings)


def _keyring_logins(options: LoginOptions) -> KeyringLogins:
    """Return the keyring for the login; opened before the user or the registry is asked."""
    ttl = None if options.ttl is None else max(1, int(options.ttl))
    found = open_keyring_logins(options.keyring, os.environ, accounts.prompt(prompts), ttl)
    found.logins()  # a keyring that is locked is found out before anything is asked
    return found


def _checked(
    options: LoginOptions, target: LoginTarget, credential: Credential, until: float | None
) -> bool:
    """Check that the registry accepts a credential; return whether it requires one.

    Raises:
        AuthError: It rejects it.
        NetworkError: It does not respond, or not before `until` on the clock of `time.monotonic`.
    """
    from dockless.registry.client import RegistryClient  # noqa: PLC0415 - after all questions
    from dockless.transport.endpoints import reach  # noqa: PLC0415 - the same
    from dockless.transport.http import HttpClient  # noqa: PLC0415 - the same
    from dockless.transport.trust import find_trust  # noqa: PLC0415 - the same

    trust = find_trust(target.host, options.ca_file, options.cert_dir, home_folder())
    endpoint = reach(target.host, insecure=options.insecure, trust=trust, until=until)
    endpoint = replace(endpoint, insecure_realms=options.insecure_realms)
    http = HttpClient(endpoint, os.environ, until, by_option=False)
    try:
        return RegistryClient(http, lambda: credential).check()
    except NetworkError:
        if until is None or time.monotonic() < until:
            raise
        raise NetworkError(
            f"The login to {target.host} could not be checked within --timeout.",
            f"Nothing was stored. Give more time, or run: dockless doctor {target.host}",
            passing=False,
        ) from None


def _say(kept: KeyringLogins, target: LoginTarget, credential: Credential, way: str) -> None:
    user = credential.username or "the owner of an identity token"
    if way:
        _remark(
            f"Logged in to {target.scope} as {user} with a token from {way}, fetched again for "
            "each push."
        )
    else:
        _remark(
            f"Logged in to {target.scope} as {user}. The password is stored in the {kept.name}."
        )


def _configure(options: LoginOptions, target: LoginTarget) -> None:
    files = []
    if options.configure_docker:
        files.append(accounts.helper_file("docker"))
    if options.configure_containers:
        files.append(accounts.helper_file("containers"))
    for file in files:
        warning = file.add(target.host)
        _remark(f"{file.path} now uses docker-credential-dockless for {target.host}.")
        if warning:
            _remark(f"Warning: {warning}")


def _remark(text: str) -> None:
    say(text, err=True)
