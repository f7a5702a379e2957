"""Real keyrings: gnome-keyring on a bus of its own, and the kernel's."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bed.process import output, running

PASSWORD = "the password of the bed's keyring"
_START_SECONDS = 120.0
_POLL_SECONDS = 0.02
_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  {services}
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@dataclass(frozen=True, slots=True)
class SecretService:
    """A Secret Service that is running.

    Attributes:
        environment: Leads programs to it.
        folder: Holds its files, encrypted.
    """

    environment: dict[str, str]
    folder: Path

    def lock(self) -> None:
        """Lock the collection that new secrets go to, for good: there is nobody to unlock it."""
        output(
            (
                "dbus-send",
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.secrets",
                "/org/freedesktop/secrets",
                "org.freedesktop.Secret.Service.Lock",
                "array:objpath:/org/freedesktop/secrets/collection/login",
            ),
            environment={"PATH": os.defpath} | self.environment,
        )


@contextlib.contextmanager
def bus(folder: Path, services: Path | None = None) -> Iterator[str]:
    """Run a session bus for as long as the block lasts; yield its address.

    Args:
        folder: For its files.
        services: Holds the services that it can start; None for none.
    """
    socket, config = folder / "bus", folder / "bus.conf"
    startable = f"<servicedir>{services}</servicedir>" if services else ""
    config.write_text(_CONFIG.format(socket=socket, services=startable))
    argv = ("dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1")
    with running(argv, folder / "bus.log") as daemon:
        yield daemon.wait_for(r"(unix:path=\S+)")[1]


@contextlib.contextmanager
def secret_service(folder: Path) -> Iterator[SecretService]:
    """Run gnome-keyring, unlocked, on a bus of its own for as long as the block lasts."""
    folder.mkdir(exist_ok=True)
    with bus(folder) as address:
        environment = {
            "DBUS_SESSION_BUS_ADDRESS": address,
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_RUNTIME_DIR": str(folder),
        }
        argv = ("gnome-keyring-daemon", "--unlock", "--components=secrets", "--foreground")
        with subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath, "HOME": str(folder)} | environment,
        ) as child:
            try:
                if child.stdin is None:
                    raise RuntimeError("the daemon's stdin is not a pipe")
                child.stdin.write(PASSWORD.encode())
                child.stdin.close()
                _wait_for("org.freedesktop.secrets", address)
                yield SecretService({"DBUS_SESSION_BUS_ADDRESS": address}, folder)
            finally:
                child.terminate()


def _wait_for(name: str, address: str) -> None:
    """Wait until somebody on a bus has a name."""
    argv = ("dbus-send", "--session", "--print-reply=literal", "--dest=org.freedesktop.DBus")
    question = ("/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner", f"string:{name}")
    environment = {"PATH": os.defpath, "DBUS_SESSION_BUS_ADDRESS": address}
    deadline = time.monotonic() + _START_SECONDS
    while "true" not in output((*argv, *question), environment=environment):
        if time.monotonic() > deadline:
            raise RuntimeError(f"nobody became {name}")
        time.sleep(_POLL_SECONDS)
