"""`config/deploy.yml`, in the dialects of Kamal and Wheels, as one value."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeVar

from msgspec import Struct, field

from dockless.config import files
from dockless.config.document import NeedsRubyError, Scalar, Value, merge
from dockless.config.secrets import SecretName
from dockless.config.setting import Setting
from dockless.errors import UsageError
from dockless.model import kinds
from dockless.model.builder import Builder
from dockless.model.kinds import Kind
from dockless.model.schemes import without_scheme
from dockless.model.secret import Secret
from dockless.model.server import Server
from dockless.oci.reference import is_registry

FILE = "config/deploy.yml"
_NEWEST_KAMAL = (2, 12)
_UNREAD_BUILDER = ("arch", "cache", "driver", "pack", "remote", "sbom", "secrets", "ssh")
_DESTINATION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

T = TypeVar("T")


class Deploy(Struct, frozen=True, kw_only=True):
    """The values of `config/deploy.yml`; None where it has none.

    Attributes:
        dialect: Whose file it is; empty when there is no file.
        project: The project's name, verbatim.
        image: The image's name, as written.
        server: The registry's host, as written.
        kind: The kind of registry that its registry section means.
        username: The account there, or the secret that holds it.
        password: The password, or the secret that holds it.
        servers: The servers in the file's order, each once.
        builder: How to build the image.
        secrets_path: Where the secrets files are.
        needs_destination: Whether it is deployed to a destination only.
        warnings: Warnings about the file, one sentence each.
        unanswered: The errors of those of these that only Ruby can tell, by their names here.
    """

    dialect: Literal["kamal", "wheels", ""] = ""
    project: Setting[str] | None = None
    image: Setting[str] | None = None
    server: Setting[str] | None = None
    kind: Setting[Kind] | None = None
    username: Setting[str | SecretName] | None = None
    password: Setting[Secret | SecretName] | None = None
    servers: Setting[tuple[Server, ...]] | None = None
    builder: Builder = Builder()
    secrets_path: Setting[str] | None = None
    needs_destination: Setting[bool] | None = None
    warnings: tuple[str, ...] = ()
    unanswered: Mapping[str, UsageError] = {}

    def require(self, name: str) -> None:
        """Raise UsageError where only Ruby, which is not run, can tell this value."""
        if error := self.unanswered.get(name):
            raise error


class _DeployParts(Struct):
    """Reads the parts of a file; `unanswered` gets the error of each that only Ruby can tell."""

    unanswered: dict[str, UsageError] = field(default_factory=dict)

    def read(self, name: str, read: Callable[[], T | None]) -> T | None:
        try:
            return read()
        except NeedsRubyError as error:
            self.unanswered[name] = error
            return None


def read(folder: Path, environment: Mapping[str, str], destination: str | None) -> Deploy:
    """Return what the file says, with that of the destination merged over it.

    Args:
        folder: The project's folder.
        environment: The variables that `ENV` in the file's ERB has.
        destination: Whose file is merged over it; None for none.

    Raises:
        UsageError: A file is not YAML, has a wrong type, mixes the dialects, needs Ruby for what
            is used of it, or the destination has no file.
    """
    tagged: dict[str, str] = {}
    document = _load(folder, FILE, environment, tagged)
    if destination is not None:
        if not _DESTINATION.fullmatch(destination):
            raise UsageError(
                f"{destination!r} is not the name of a destination.",
                "Write it as in config/deploy.NAME.yml: letters, digits, '_', '.' and '-'.",
            )
        name = f"config/deploy.{destination}.yml"
        over = _load(folder, name, environment, tagged)
        if document is None or over is None:
            missing = FILE if document is None else name
            raise UsageError(
                f"The destination {destination} needs {missing}, which does not exist.",
                "Write that file, or leave --destination out.",
            )
        document = merge(document, over)
    return _deploy(document, tagged) if document else Deploy()


def _load(
    folder: Path, name: str, environment: Mapping[str, str], tagged: dict[str, str]
) -> Value | None:
    """Return a file's document; `tagged` gets its lines with ERB as written, by `file:line`."""
    text = files.read_text(folder / name, name)
    if text is None:
        return None
    if "<%" in text:
        from dockless.config.erb import answered  # noqa: PLC0415 - rare

        lines = enumerate(text.split("\n"), 1)
        tagged |= {f"{name}:{number}": line for number, line in lines if "<%=" in line}
        text = answered(text, name, environment)
    return files.parse_yaml(text, name)


def _deploy(document: Value, tagged: Mapping[str, str]) -> Deploy:
    from dockless.config import deploy_servers  # noqa: PLC0415 - many projects have no such file

    kamal = _is_kamal(document)
    registry = document.get("registry") or Value(data={}, file=FILE, line=0, key="registry")
    parts = _DeployParts()
    server, path = parts.read("server", lambda: _server(registry)) or (None, "")
    password = parts.read("password", lambda: _secret(registry, "password", Secret))
    image = parts.read("image", lambda: _below(path, document.setting("image")))
    known = "server" not in parts.unanswered
    if image and not known:  # the server may have a path, below which it is
        image, parts.unanswered["image"] = None, parts.unanswered["server"]
    return Deploy(
        dialect="kamal" if kamal else "wheels",
        project=parts.read("project", lambda: document.setting("service" if kamal else "name")),
        image=image,
        server=server,
        kind=_kind(server, registry, kamal=kamal) if known else None,
        username=parts.read("username", lambda: _secret(registry, "username", str)),
        password=password,
        servers=parts.read("servers", lambda: deploy_servers.read(document, kamal=kamal)),
        builder=_builder(document.get("builder")) if kamal else Builder(),
        secrets_path=parts.read("secrets_path", lambda: document.setting("secrets_path"))
        if kamal
        else None,
        needs_destination=parts.read(
            "needs_destination", lambda: _true(document, "require_destination")
        )
        if kamal
        else None,
        warnings=(*_warnings(password, tagged), *(_read_otherwise(document) if kamal else ())),
        unanswered=parts.unanswered,
    )


def _is_kamal(document: Value) -> bool:
    service, name = document.get("service"), document.get("name")
    if service and name:
        raise name.wrong(
            f"conflicts with `service` of {service.origin}: the file mixes the formats of Wheels "
            "and Kamal",
            "Keep `service` for Kamal or `name` for Wheels.",
        )
    return service is not None


def _server(registry: Value) -> tuple[Setting[str] | None, str]:
    """Return the registry's host, and the path after it, below which Kamal has the image."""
    server = registry.setting("server")
    if server is None:
        return None, ""
    whole = without_scheme(server.value, server.origin).rstrip("/")
    host, _, path = whole.partition("/")
    if not is_registry(host):
        raise UsageError(
            f"`registry.server` in {server.origin} is {whole!r}, which is not a host.",
            "Write HOST.DOMAIN or HOST:PORT, and perhaps a path after it.",
        )
    return Setting(host, server.origin), path


def _below(path: str, image: Setting[str] | None) -> Setting[str] | None:
    return Setting(f"{path}/{image.value}", image.origin) if path and image else image


def _true(document: Value, key: str) -> Setting[bool] | None:
    value = document.get(key)
    return Setting(True, value.origin) if value and value.boolean() else None  # noqa: FBT003 - the value


def _kind(server: Setting[str] | None, registry: Value, *, kamal: bool) -> Setting[Kind] | None:
    if server:
        return Setting(kinds.infer(server.value), server.origin)
    # to Kamal, a registry without a server is Docker Hub
    return Setting(kinds.DOCKERHUB, registry.origin) if kamal and registry.line else None


def _secret(
    registry: Value, key: str, literal: Callable[[str], T]
) -> Setting[T | SecretName] | None:
    value = registry.get(key)
    if value is None:
        return None
    if not isinstance(value.data, tuple):
        text = value.text()
        return Setting(literal(text), value.origin) if text else None
    names = value.texts()
    if len(names) != 1:
        raise value.wrong("is a list, which has to name exactly one secret", "Write `[NAME]`.")
    return Setting(SecretName(names[0]), value.origin)


def _warnings(
    password: Setting[Secret | SecretName] | None, tagged: Mapping[str, str]
) -> tuple[str, ...]:
    if password is None or isinstance(password.value, SecretName):
        return ()
    line = tagged.get(password.origin)
    if line is not None and password.value.reveal() not in line:  # a variable's value
        return ()
    remedy = "Write `password: [NAME]` there, and keep the secret NAME in .kamal/secrets."
    return (f"{password.origin} holds the registry's password as plain text. {remedy}",)


def _read_otherwise(document: Value) -> Iterator[str]:
    """Yield a warning for what newer Kamals, or this one, may read in another way."""
    least = document.get("minimum_version")
    if least and not least.needs_ruby:
        numbers = tuple(map(int, re.findall(r"\d+", least.scalar())[:2]))
        if numbers > _NEWEST_KAMAL:
            yield (
                f"`minimum_version` in {least.origin} asks for Kamal {least.scalar()}; the file is "
                f"read as Kamal {'.'.join(map(str, _NEWEST_KAMAL))} reads it."
            )
    ssh = document.get("ssh")
    data = ssh.get("key_data") if ssh and not ssh.needs_ruby else None
    if data and isinstance(data.data, tuple):
        for item in data.data:
            if isinstance(item.data, Scalar) and "-----BEGIN" in item.data.text:
                yield (
                    f"{item.origin} holds a private key as plain text. Write the name of a secret "
                    "there, and keep the key in .kamal/secrets."
                )


def _builder(builder: Value | None) -> Builder:
    if builder is None:
        return Builder()
    args = builder.get("args")
    members = args.mapping().items() if args else ()
    return Builder(
        context=builder.optional("context"),
        dockerfile=builder.optional("dockerfile"),
        args=tuple((name, value.scalar()) for name, value in members if not value.needs_ruby),
        target=builder.optional("target"),
        unanswered=tuple(value.unanswered() for _, value in members if value.needs_ruby),
        unused=tuple(key for key in _UNREAD_BUILDER if builder.get(key)),
    )
