"""Logins: whether their files can be read, and the credential for one registry."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dockless.credentials import auth_files, resolve
from dockless.credentials.credential_sources import Given, Keyring, Sources
from dockless.credentials.resolve import FoundCredential
from dockless.errors import DocklessError, UsageError
from dockless.model.finding import Finding
from dockless.model.secret import Credential
from dockless.oci.reference import Repository

AREA = "logins"
# these write files of their own, such as logs and caches, whenever they run
_WRITERS = frozenset({"aws", "az", "gcloud"})
# these open a dialog, or start a service, when what they keep is locked
_DIALOGS = frozenset(
    f"docker-credential-{name}"
    for name in ("secretservice", "gnome-keyring", "osxkeychain", "pass", "wincred", "desktop")
)


class ReadOnly:
    """A keyring of logins that is read and never written to, as a `credential_sources.Keyring`.

    Args:
        keyring_logins: The keyring.
    """

    def __init__(self, keyring_logins: Keyring) -> None:
        self._keyring_logins = keyring_logins

    @property
    def name(self) -> str:
        """Its name."""
        return self._keyring_logins.name

    def get(self, scope: str, username: str = "") -> Credential | None:
        """Return the login of this user, or of the scope's default one, or None."""
        return self._keyring_logins.get(scope, username)

    def cached(self, scope: str, identity: str) -> Credential | None:
        """Return the token that is kept, or None."""
        return self._keyring_logins.cached(scope, identity)

    def cache(self, scope: str, credential: Credential, identity: str) -> None:
        """Keep nothing."""


def check_files(environment: Mapping[str, str], home: Path) -> Iterator[Finding]:
    """Check docker's variable, and every file in which docker, podman and skopeo store logins."""
    if environment.get(auth_files.VARIABLE):
        yield _check_variable(environment)
    files = (
        auth_files.docker_file(environment, home),
        *auth_files.containers_files(environment, home),
    )
    nobody = Repository.of("registry.invalid", "any")
    there, broken = [], False
    for file in files:
        try:
            auth_files.read(file, nobody)
        except UsageError as error:
            yield Finding(
                area=AREA,
                subject=str(file),
                state="problem",
                what=error.what.removeprefix(f"{file} "),  # the subject says it
                remedy=error.remedy,
            )
            broken = True
        else:
            there += [str(file)] if _is_there(file) else []
    if broken and not there:
        return
    what = f"can be read: {', '.join(there)}" if there else "there are none"
    yield Finding(area=AREA, subject="files", state="ok", what=what, facts={"files": tuple(there)})


def _check_variable(environment: Mapping[str, str]) -> Finding:
    subject, unread = auth_files.VARIABLE, list[UsageError]()
    logins = list(auth_files.listed_variable(environment, unread))
    for error in unread:
        what = error.what.removeprefix(f"{subject} ")
        return Finding(area=AREA, subject=subject, state="problem", what=what, remedy=error.remedy)
    hosts = ", ".join(login.scope for login in logins) or "no registry"
    return Finding(area=AREA, subject=subject, state="ok", what=f"has logins for {hosts}")


def check_project(read: Callable[[], object]) -> Iterator[Finding]:
    """Check the project's configuration, which may name a registry and its login.

    Args:
        read: Reads and resolves all of it; raises UsageError for a file that is wrong.
    """
    try:
        read()
    except DocklessError as error:
        remedy = error.remedy or "Repair the file named above."
        yield Finding(area=AREA, subject="project", state="problem", what=error.what, remedy=remedy)
    else:
        yield Finding(
            area=AREA, subject="project", state="ok", what="its configuration can be read"
        )


class Search(Struct, frozen=True, kw_only=True):
    """How a credential is searched for without a dialog and without writing.

    Attributes:
        given: The credential options of the command line.
        sources: Where else to look; its keyrings are read only.
        keyrings: The keyrings that may be asked.
        terminal: Whether a dialog can be answered.
        write: Whether programs may run that write files of their own.
    """

    given: Given
    sources: Sources
    keyrings: Sequence[Keyring]
    terminal: bool
    write: bool

    def __call__(self, repository: Repository) -> FoundCredential:
        """Return the credential for the registry of a repository."""
        quiet = tuple(ReadOnly(keyring) for keyring in self.keyrings)
        sources = replace(self.sources, keyrings=lambda: quiet)
        return resolve.find(repository, self.given, sources, self.may_ask)

    def may_ask(self, program: str) -> bool:
        """Whether a program may be run for a credential."""
        if program in _WRITERS:
            return self.write
        return self.terminal or program not in _DIALOGS


def _is_there(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:
        return False
