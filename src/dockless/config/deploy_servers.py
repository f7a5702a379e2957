"""The `servers` of a deploy.yml, in both dialects."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from dockless.config.document import Scalar, Value
from dockless.config.server_list import checked, port_of, required
from dockless.config.setting import Setting
from dockless.model.secret import Secret
from dockless.model.server import SSH_PORT, Server

_KAMAL_USER = "root"
_ADDRESS = re.compile(r"[\w.:%-]+")
_BRACKETED = re.compile(r"\[(?P<address>[^\[\]]+)\](?::(?P<port>.*))?")


def read(document: Value, *, kamal: bool) -> Setting[tuple[Server, ...]] | None:
    """Return the servers in the file's order, each once; None when the file has none.

    Raises:
        UsageError: A server, or Kamal's `ssh` section, has a wrong type or a dangerous name.
    """
    value = document.get("servers")
    ssh = _ssh(document.get("ssh")) if kamal else None
    if value is None:
        return None
    servers = _kamal_servers(value, ssh) if ssh else map(_wheels_server, value.items())
    unique: dict[tuple[str, str, int], Server] = {}
    for server in servers:
        unique.setdefault((server.address, server.user, server.port), server)
    return Setting(tuple(unique.values()), value.origin)


def _wheels_server(item: Value) -> Server:
    key, proxy = item.optional("key"), item.get("proxy")
    return Server(
        address=required(item, "host"),
        user=required(item, "user"),
        port=port_of(item),
        keys=(key,) if key else (),
        proxy=checked(proxy.text(), "proxy", proxy) if proxy else "",
        role=item.optional("role"),
    )


class _SshSection(Struct, frozen=True, kw_only=True):
    user: str = _KAMAL_USER
    port: int = SSH_PORT
    keys: tuple[str, ...] = ()
    keys_only: bool = False
    proxy: str = ""
    proxy_command: str = ""
    key_data: tuple[Secret, ...] = ()
    config: tuple[str, ...] = ()


def _ssh(section: Value | None) -> _SshSection:
    if section is None:
        return _SshSection()
    user, proxy = section.get("user"), section.get("proxy")
    key_data = section.get("key_data")
    keys, keys_only = section.get("keys"), section.get("keys_only")
    return _SshSection(
        user=checked(user.text(), "user", user) if user else _KAMAL_USER,
        port=port_of(section),
        keys=keys.texts() if keys else (),
        keys_only=keys_only.boolean() if keys_only else False,
        proxy=_jump_host(proxy) if proxy else "",
        # Kamal asks for it where there is no proxy
        proxy_command="" if proxy else section.optional("proxy_command"),
        key_data=tuple(map(Secret, key_data.texts())) if key_data else (),
        config=_config(section.get("config")),
    )


def _config(value: Value | None) -> tuple[str, ...]:
    """Return Kamal's `config`: true for the user's own, false for none, else a file or several."""
    if value is None or value.is_null:
        return ()
    if isinstance(value.data, tuple):
        return value.texts()
    if isinstance(value.data, Scalar) and value.data.type == "text":
        return (value.text(),)
    return () if value.boolean() else ("none",)


def _jump_host(proxy: Value) -> str:
    host = checked(proxy.text(), "proxy", proxy)
    return host if "@" in host else f"{_KAMAL_USER}@{host}"


def _kamal_servers(value: Value, ssh: _SshSection) -> Iterator[Server]:
    for role, host in _kamal_hosts(value):
        user, address, port = _host_parts(host)
        yield Server(
            address=address,
            user=user or ssh.user,
            port=port or ssh.port,
            keys=ssh.keys,
            keys_only=ssh.keys_only,
            proxy=ssh.proxy,
            proxy_command=ssh.proxy_command,
            key_data=ssh.key_data,
            config=ssh.config,
            role=role,
        )


def _kamal_hosts(value: Value) -> Iterator[tuple[str, Value]]:
    """Give every host with its role; a plain list has none."""
    if isinstance(value.data, tuple):
        yield from (("", host) for host in value.data)
        return
    for role, member in value.mapping().items():
        hosts = member.get("hosts") if _is_map(member) else member
        if hosts and not hosts.is_null:
            yield from ((role, host) for host in hosts.items())


def _host_parts(host: Value) -> tuple[str, str, int | None]:
    """Return user, address and port of a host, as SSHKit reads them for Kamal.

    What is not written is empty, or None. An IPv6 address is taken without brackets, too, where
    SSHKit takes what precedes its first colon for the host.
    """
    text = _tagged(host) if _is_map(host) else host.text()
    user, at, rest = text.rpartition("@")
    if bracketed := _BRACKETED.fullmatch(rest):
        address, port = bracketed["address"], bracketed["port"] or ""
    elif rest.count(":") == 1:
        address, _, port = rest.partition(":")
    else:
        address, port = rest, ""
    if at:
        checked(user, "user", host)
    checked(address, "host", host)
    if ":" in user or "/" in user or not _ADDRESS.fullmatch(address):
        raise host.wrong(
            "is not [USER@]HOST[:PORT]", "Write it so; a password or a scheme has no place in it."
        )
    if not port and not rest.endswith(":"):
        return user, address, None
    return user, address, replace(host, data=Scalar("text", port)).port()


def _tagged(host: Value) -> str:
    """Return the one key of a `{host: tags}` map."""
    names = tuple(host.mapping())
    if len(names) != 1:
        remedy = "Write the address alone, or `ADDRESS: TAG`."
        raise host.wrong("has several keys, where Kamal has one host with its tags", remedy)
    return names[0]


def _is_map(value: Value) -> bool:
    return isinstance(value.data, Mapping)
