"""`dockless login`: from the command line to a checked login in the keyring."""

import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import click

from dockless.cli import accounts, ask, ways
from dockless.cli.options import Seconds
from dockless.cli.vaults import vault
from dockless.credentials import chain
from dockless.credentials.vault import Vault
from dockless.model import kinds
from dockless.model.errors import UsageError
from dockless.model.secret import Credential, Secret
from dockless.settings import project, session
from dockless.settings.cascade import Flags, Settings, resolve
from dockless.settings.naming import ServerNeeded
from dockless.settings.registries import LoginTarget, login_target
from dockless.settings.session import Session

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True)
class LoginOptions:
    """What the command line asks of a login; the names are the options' own."""

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

    def check(self) -> None:
        """Raise UsageError when two options contradict each other."""
        if self.key_file and (self.password_stdin or self.username):
            raise UsageError(
                "--key-file does not go with --username or --password-stdin.",
                "Leave one of them out.",
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
DOCKLESS_KEYRING the first of them that is here, never the file.
"""
)
@click.argument("host", required=False)
@click.option(
    "--registry",
    metavar="KIND",
    help=f"{', '.join(kind.name for kind in kinds.KINDS)}; else inferred from HOST.",
)
@click.option("--username", metavar="NAME", help="Account; asked for at a terminal.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--key-file", type=_PATH, help="Service-account key of Google Cloud (JSON).")
@click.option("--namespace", metavar="NAME", help="Namespace to remember for pushes from here.")
@click.option("--image", metavar="NAME", help="Image name to remember for pushes from here.")
@click.option(
    "--keyring", default="", metavar="NAME", help="Where to keep it; see below.", show_default=False
)
@click.option("--ttl", type=Seconds(), help="Let the kernel keyring forget it after this long: 8h.")
@click.option(
    "--configure-docker", is_flag=True, help="Let docker use this login, by a credHelper."
)
@click.option("--configure-containers", is_flag=True, help="Let podman, skopeo and buildah use it.")
@click.option("--insecure", is_flag=True, help="Speak plain HTTP; loopback needs no saying.")
@click.option("--ca-file", type=_PATH, help="Trust this certificate authority, too (PEM).")
@click.option(
    "--cert-dir", type=_PATH, help="Folder with *.crt, and *.cert with *.key for a client."
)
def login(**arguments: object) -> None:
    """Check a login at a registry, and keep it in the OS keyring.

    The password goes to the keyring and nowhere else. docker-config.json in this folder gets the
    rest, so that a push from here needs no further options.
    """
    options = LoginOptions(**arguments)  # type: ignore[arg-type] # click made them by these names
    options.check()
    _login(options, Path.cwd())


def _login(options: LoginOptions, folder: Path) -> None:
    files = project.read(folder, os.environ, None)
    flags = Flags(options.registry, options.image, options.username, namespace=options.namespace)
    settings = resolve(flags, os.environ, files)
    target = _target(options, settings)
    if target.scope != target.host and (options.configure_docker or options.configure_containers):
        raise UsageError(
            f"Other tools ask a helper for a host, not for a namespace such as {target.scope}.",
            f"Log in to {target.host}, or leave the configuring out.",
        )
    kept = _vault(options)
    credential = _obtain(options, settings, target, folder)
    asked = _checked(options, target, credential)
    _keep(kept, target, credential, options.ttl)
    session.write(folder, _session(settings, target, credential, files.session))
    _say(kept, target, credential)
    if not asked:
        _remark(f"{target.host} asks nobody for a password, so it could not be checked.")
    _configure(options, target)


def _target(options: LoginOptions, settings: Settings) -> LoginTarget:
    try:
        return login_target(options.host, settings)
    except ServerNeeded:
        if not ask.at_terminal():
            raise
        return login_target(ask.line("Registry (HOST or HOST:PORT)"), settings)


def _vault(options: LoginOptions) -> Vault:
    """Return where the login goes; found before anything is asked of people or the registry."""
    ttl = None if options.ttl is None else max(1, int(options.ttl))
    found = vault(options.keyring, os.environ, accounts.prompt(), ttl)
    found.logins()  # a keyring that is locked is found out before anything is asked
    return found


def _obtain(
    options: LoginOptions, settings: Settings, target: LoginTarget, folder: Path
) -> Credential:
    if options.key_file:
        from dockless.credentials.gcr import read_key  # noqa: PLC0415 - for one kind

        return read_key(options.key_file, folder)
    username = options.username or os.environ.get("DOCKLESS_USERNAME", "")
    if options.password_stdin:
        password = Secret(sys.stdin.read().rstrip("\r\n"))
        return chain.login(
            username or _account(settings, target) or target.kind.token_user,
            password,
            "standard input",
        )
    password = Secret(os.environ.get("DOCKLESS_PASSWORD", ""))
    if password and username:
        return chain.login(username, password, "environment")
    reasons = []
    if not username:
        for way in ways.ways(target.host, os.environ):
            found = way.missing or way.ask()
            if isinstance(found, Credential):
                return found
            reasons.append(f"{way.name}: {found}")
    if target.kind is kinds.ECR:
        raise UsageError(
            f"No token for {target.host} can be had. {'; '.join(reasons)}.",
            "Install `dockless[aws]` or the aws CLI, and configure it.",
        )
    if not ask.at_terminal():
        raise UsageError(
            f"There is no terminal to ask for a username and a password for {target.scope}.",
            "Give --username and --password-stdin.",
        )
    username = username or ask.line(
        f"Username for {target.scope}", _account(settings, target) or target.kind.token_user
    )
    return chain.login(username, ask.hidden(f"Password for {username} at {target.scope}"), "prompt")


def _account(settings: Settings, target: LoginTarget) -> str:
    """Return the username that the project's settings have for this registry."""
    known = settings.registry or settings.implied
    if settings.username is None or (known and known.value is not target.kind):
        return ""
    return settings.username.value


def _checked(options: LoginOptions, target: LoginTarget, credential: Credential) -> bool:
    from dockless.registry.client import RegistryClient  # noqa: PLC0415 - after all questions
    from dockless.registry.http import Http, reach  # noqa: PLC0415 - the same
    from dockless.registry.trust import find_trust  # noqa: PLC0415 - the same

    trust = find_trust(target.host, options.ca_file, options.cert_dir, Path.home())
    endpoint = reach(target.host, insecure=options.insecure, trust=trust)
    return RegistryClient(Http(endpoint, os.environ), lambda: credential).check()


def _keep(kept: Vault, target: LoginTarget, credential: Credential, ttl: float | None) -> None:
    if credential.expires is not None:
        kept.cache(target.host, credential, f"{credential.origin} {ways.identity(os.environ)}")
    else:
        kept.put(target.scope, credential, None if ttl is None else time.time() + ttl)


def _session(
    settings: Settings, target: LoginTarget, credential: Credential, before: Session
) -> Session:
    """Return what the project remembers; what belonged to another registry is forgotten."""
    if before.registry not in ("", target.kind.name):
        before = Session()
    image = before.image
    if settings.image and settings.image.origin == "--image":
        image = str(settings.image.value)
    elif not target.kind.host and not image.startswith(f"{target.host}/"):
        # such a registry is known by the image's name alone
        image = f"{target.scope}/{settings.project().value}"
    namespace = settings.namespace
    given = namespace.value if namespace and namespace.origin == "--namespace" else before.namespace
    username = credential.username
    return replace(
        before, registry=target.kind.name, username=username, image=image, namespace=given
    )


def _say(kept: Vault, target: LoginTarget, credential: Credential) -> None:
    user = credential.username or "the owner of an identity token"
    if credential.expires is None:
        _remark(f"Logged in to {target.scope} as {user}. The password is in the {kept.name}.")
    else:
        _remark(
            f"Logged in to {target.scope} as {user}, with a token of {credential.origin}; every "
            "push gets a new one by itself when it has ended."
        )


def _configure(options: LoginOptions, target: LoginTarget) -> None:
    files = []
    if options.configure_docker:
        files.append(accounts.helper_file("docker"))
    if options.configure_containers:
        files.append(accounts.helper_file("containers"))
    for file in files:
        warning = file.add(target.host)
        _remark(f"{file.path} names docker-credential-dockless for {target.host} now.")
        if warning:
            _remark(f"Warning: {warning}")


def _remark(text: str) -> None:
    click.echo(text, err=True)
