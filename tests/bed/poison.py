"""Logins of other people in every place where an engine, or a program beside it, looks for one.

Each place has an account of its own, whose name says where it was found. The places are those of
go-containerregistry 0.22 (`pkg/authn/keychain.go`, `cmd/crane/cmd/root.go`) with docker/cli 29
(`cli/config`), and of containers/image 5.23 to 5.42 (`pkg/docker/config`, `pkg/sysregistriesv2`).
None of these reads the kernel's keyrings.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Json = dict[str, object]

HELPER = "poison"
_PASSWORD = "a password of somebody else"
# It has a login for every registry, and notes that it was asked.
_SCRIPT = """#!/bin/sh
read -r server
echo "$1 $server" >>'{log}'
echo '{{"ServerURL": "", "Username": "poison-helper", "Secret": "not yours"}}'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where the poison is put.

    Attributes:
        home: Its `HOME`.
        config: Its `XDG_CONFIG_HOME`.
        runtime: Its `XDG_RUNTIME_DIR`.
        scratch: A folder for files that only a variable leads to.
        programs: A folder on its `PATH`.
        uid: Its number.
    """

    home: str
    config: str
    runtime: str
    scratch: str
    programs: str
    uid: int = 0

    @property
    def asked(self) -> str:
        """The file in which the credential helper notes that it was asked."""
        return f"{self.scratch}/asked"


@dataclass(frozen=True, slots=True)
class Poison:
    """Files and variables with logins.

    Attributes:
        files: What each file holds, by its absolute path: JSON, or text.
        environment: The variables.
    """

    files: Mapping[str, Json | str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def texts(self) -> dict[str, str]:
        """Return the text of every file, by its path."""
        return {
            path: content if isinstance(content, str) else json.dumps(content)
            for path, content in self.files.items()
        }


_REGISTRIES = f'credential-helpers = ["{HELPER}"]\n'


Make = Callable[[Account, Sequence[str]], Poison]


def _docker(folder: str, content: Json) -> Poison:
    return Poison({f"{folder}/config.json": content})


def _docker_home(account: Account, hosts: Sequence[str]) -> Poison:
    return _docker(f"{account.home}/.docker", _logins(hosts, "docker-home"))


def _docker_config(account: Account, hosts: Sequence[str]) -> Poison:
    folder = f"{account.scratch}/docker"
    files = _docker(folder, _logins(hosts, "docker-config")).files
    return Poison(files, {"DOCKER_CONFIG": folder})


def _docker_variable(_: Account, hosts: Sequence[str]) -> Poison:
    return Poison({}, {"DOCKER_AUTH_CONFIG": json.dumps(_logins(hosts, "docker-variable"))})


def _docker_store(account: Account, _: Sequence[str]) -> Poison:
    return _docker(f"{account.home}/.docker", {"credsStore": HELPER})


def _docker_helpers(account: Account, hosts: Sequence[str]) -> Poison:
    return _docker(f"{account.home}/.docker", {"credHelpers": dict.fromkeys(hosts, HELPER)})


def _docker_headers(account: Account, _: Sequence[str]) -> Poison:
    who = "docker-headers"
    headers = {"Authorization": f"Basic {_pair(who)}", "X-Meta-Login": f"poison-{who}"}
    return _docker(f"{account.home}/.docker", {"HttpHeaders": headers})


def _dockercfg(account: Account, hosts: Sequence[str]) -> Poison:
    return Poison({f"{account.home}/.dockercfg": dict(_entries(hosts, "dockercfg"))})


def _auth_file(account: Account, hosts: Sequence[str]) -> Poison:
    path = f"{account.scratch}/auth.json"
    return Poison({path: _logins(hosts, "auth-file")}, {"REGISTRY_AUTH_FILE": path})


def _runtime(account: Account, hosts: Sequence[str]) -> Poison:
    path = f"{account.runtime}/containers/auth.json"
    return Poison({path: _logins(hosts, "runtime")}, {"XDG_RUNTIME_DIR": account.runtime})


def _session(account: Account, hosts: Sequence[str]) -> Poison:
    folders = (f"/run/containers/{account.uid}", f"/run/user/{account.uid}/containers")
    return Poison({f"{folder}/auth.json": _logins(hosts, "session") for folder in folders})


def _config(account: Account, hosts: Sequence[str]) -> Poison:
    path = f"{account.config}/containers/auth.json"
    return Poison({path: _logins(hosts, "config")}, {"XDG_CONFIG_HOME": account.config})


def _home_config(account: Account, hosts: Sequence[str]) -> Poison:
    path = f"{account.home}/.config/containers/auth.json"
    return Poison({path: _logins(hosts, "home-config")})


def _registries(*_: object) -> Poison:
    folder = "/etc/containers/registries.conf.d"
    return Poison({f"{folder}/{name}.conf": _REGISTRIES for name in ("00-first", "zz-last")})


def _user_registries(account: Account, _: Sequence[str]) -> Poison:
    folders = (f"{account.home}/.config", account.config)
    names = ("registries.conf", "registries.conf.d/zz-last.conf")
    paths = (f"{folder}/containers/{name}" for folder in folders for name in names)
    return Poison(dict.fromkeys(paths, _REGISTRIES))


def _registries_variable(account: Account, _: Sequence[str]) -> Poison:
    path = f"{account.scratch}/registries.conf"
    names = ("CONTAINERS_REGISTRIES_CONF", "CONTAINERS_REGISTRIES_CONF_OVERRIDE")
    return Poison({path: _REGISTRIES}, dict.fromkeys(names, path))


_WGET = "auth_no_challenge = on\nuser = poison-wget\npassword = no\n"


def _netrc(account: Account, hosts: Sequence[str]) -> Poison:
    """Return what curl, wget and others read; wget shows its login unasked."""
    names = {host.partition(":")[0] for host in hosts}
    text = "".join(f"machine {name} login poison-netrc password no\n" for name in names)
    return Poison(
        {
            f"{account.home}/.netrc": text,
            f"{account.home}/.curlrc": "netrc\n",
            f"{account.home}/.wgetrc": _WGET,
            f"{account.scratch}/netrc": text,
            f"{account.scratch}/wgetrc": _WGET,
        },
        {"NETRC": f"{account.scratch}/netrc", "WGETRC": f"{account.scratch}/wgetrc"},
    )


def _cloud(account: Account, _: Sequence[str]) -> Poison:
    """Return what the clouds' own libraries read; no registry here is one of theirs."""
    key = f"{account.scratch}/google.json"
    names = "GITHUB_TOKEN GH_TOKEN GITHUB_ACTOR AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"
    azure = "AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_TENANT_ID"
    return Poison(
        {key: {"type": "authorized_user", "client_id": "poison", "refresh_token": "poison-cloud"}},
        dict.fromkeys((*names.split(), *azure.split()), "poison-cloud")
        | {"GOOGLE_APPLICATION_CREDENTIALS": key},
    )


PLACES: Mapping[str, Make] = {
    "docker-home": _docker_home,
    "docker-config": _docker_config,
    "docker-variable": _docker_variable,
    "docker-store": _docker_store,
    "docker-helpers": _docker_helpers,
    "docker-headers": _docker_headers,
    "dockercfg": _dockercfg,
    "auth-file": _auth_file,
    "runtime": _runtime,
    "session": _session,
    "config": _config,
    "home-config": _home_config,
    "registries": _registries,
    "user-registries": _user_registries,
    "registries-variable": _registries_variable,
    "netrc": _netrc,
    "cloud": _cloud,
}
"""Every place, by its name."""


def poison(account: Account, hosts: Sequence[str], places: Iterable[str] = PLACES) -> Poison:
    """Return logins for these registries in some places."""
    script = _SCRIPT.format(log=account.asked)
    files: dict[str, Json | str] = {f"{account.programs}/docker-credential-{HELPER}": script}
    environment: dict[str, str] = {}
    for place in places:
        made = PLACES[place](account, hosts)
        environment |= made.environment
        for path, content in made.files.items():
            before = files.get(path)
            if isinstance(before, dict) and isinstance(content, dict):
                files[path] = {**before, **content}
            else:
                files[path] = content
    return Poison(files, environment)


def _logins(hosts: Sequence[str], place: str) -> Json:
    return {"auths": _entries(hosts, place)}


def _entries(hosts: Sequence[str], place: str) -> dict[str, Json]:
    """Return the entries for the registries and for a namespace of each."""
    keys = [key for host in hosts for key in (host, f"{host}/acme")]
    return {key: {"auth": _pair(place)} for key in keys}


def _pair(place: str) -> str:
    return base64.b64encode(f"poison-{place}:{_PASSWORD}".encode()).decode()


def shown(requests: Iterable[Mapping[str, str]]) -> set[str]:
    """Return who was named in the headers of requests: by a password, a token or otherwise.

    A token that names nobody does not count.

    Raises:
        LookupError: An Authorization header is of no known kind.
    """
    return {who for headers in requests for who in _who(headers)} - {""}


def _who(headers: Mapping[str, str]) -> list[str]:
    found = [text for name, text in headers.items() if "poison" in text and name != "Authorization"]
    scheme, _, said = headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "":
            return found
        case "basic":
            return [*found, base64.b64decode(said).decode().partition(":")[0]]
        case "bearer":
            claims = said.split(".")[1]
            return [*found, json.loads(base64.urlsafe_b64decode(f"{claims}==="))["sub"]]
    raise LookupError(scheme)


def write(made: Poison, below: Mapping[str, Path]) -> None:
    """Write the files.

    Args:
        made: The poison.
        below: Where this machine's folders are in fact; others are where they say.
    """
    for name, text in made.texts().items():
        path = Path(name)
        for folder, real in below.items():
            if path.is_relative_to(folder):
                path = real / path.relative_to(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if path.name.startswith("docker-credential-") else 0o600)
