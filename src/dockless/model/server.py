"""Machines that are reached over SSH."""

from msgspec import Struct

from dockless.model.secret import Secret

SSH_PORT = 22


class Server(Struct, frozen=True, kw_only=True):
    """A machine that is reached over SSH.

    Attributes:
        address: Its host name or IP address.
        user: The account there; empty for the one of ssh_config(5).
        port: The TCP port of its SSH server.
        keys: The private key files to offer, as written in the file.
        keys_only: Whether no other key may be offered.
        proxy: The jump host, as `user@host:port`; empty for none.
        proxy_command: What the project has SSH spoken through, with ssh_config(5)'s tokens; empty
            for nothing. It is a program of the project's, and run with the user's consent only.
        key_data: The private keys to offer, each itself or the name of a secret that holds it.
        config: The ssh_config(5) files that replace the user's own; `none` for no file,
            and nothing for the user's.
        role: Its role, in Wheels' sense; empty when not set.
        remote_dir: The project's folder there; empty for the default.
        image_name: The image's name there; empty for the default.
    """

    address: str
    user: str
    port: int = SSH_PORT
    keys: tuple[str, ...] = ()
    keys_only: bool = False
    proxy: str = ""
    proxy_command: str = ""
    key_data: tuple[Secret, ...] = ()
    config: tuple[str, ...] = ()
    role: str = ""
    remote_dir: str = ""
    image_name: str = ""

    @property
    def short_name(self) -> str:
        """Its name in front of what is said of it: its address, and its port if that is unusual."""
        return self.address if self.port == SSH_PORT else f"{self.address}:{self.port}"

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        address = f"[{self.address}]" if ":" in self.address else self.address
        role = f" ({self.role})" if self.role else ""
        return f"{user}{address}:{self.port}{role}"
