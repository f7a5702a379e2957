"""The state of the session's Secret Service, determined without starting or unlocking it.

The `keyring` library unlocks what is locked, and makes a collection where there is none, each with
a dialog. So code that must not cause one checks here first. The interfaces are those of the Secret
Service API and of the D-Bus specification; every message forbids the bus to start a service.
"""

import contextlib
from collections.abc import Mapping
from typing import Any, Literal

SecretServiceState = Literal[
    "unknown", "no service", "not running", "no collection", "locked", "open"
]

_SECONDS = 4.0
_NAME = "org.freedesktop.secrets"
_SERVICE = "/org/freedesktop/secrets"
_PREFERRED = "KEYRING_PROPERTY_PREFERRED_COLLECTION"
_NOTHING = "/"


def state(environment: Mapping[str, str]) -> SecretServiceState:
    """Return the current state of the Secret Service.

    Args:
        environment: For the bus, and for the collection that the `keyring` library is set to
            prefer.

    Returns:
        `no service` where none runs and the bus knows none; `not running` where the first question
        would start it; `no collection` and `locked` where the first question would open a dialog;
        `open` where secrets are read without one; `unknown` where the bus does not answer.
    """
    try:
        # what the keyring library itself uses; it is not there on other systems than Linux
        from jeepney.io.blocking import open_dbus_connection  # noqa: PLC0415

        with contextlib.closing(open_dbus_connection(_bus(environment))) as bus:
            return _state(bus, environment)
    except (ImportError, OSError, KeyError, ValueError, TypeError, IndexError):
        return "unknown"


def _bus(environment: Mapping[str, str]) -> str:
    address = environment.get("DBUS_SESSION_BUS_ADDRESS", "")
    return address or f"unix:path={environment['XDG_RUNTIME_DIR']}/bus"


def _state(bus: Any, environment: Mapping[str, str]) -> SecretServiceState:  # noqa: ANN401 - jeepney has no name for it
    driver = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
    if not _asked(bus, driver, "NameHasOwner", "s", _NAME)[0]:
        startable = _asked(bus, driver, "ListActivatableNames")[0]
        return "not running" if _NAME in startable else "no service"
    service = (_NAME, _SERVICE, "org.freedesktop.Secret.Service")
    path = environment.get(_PREFERRED) or _asked(bus, service, "ReadAlias", "s", "default")[0]
    if path == _NOTHING:
        return "no collection"
    properties = (_NAME, path, "org.freedesktop.DBus.Properties")
    interface = "org.freedesktop.Secret.Collection"
    [(_, locked)] = _asked(bus, properties, "Get", "ss", interface, "Locked")
    return "locked" if locked else "open"


def _asked(
    bus: Any,  # noqa: ANN401 - as above
    where: tuple[str, str, str],
    method: str,
    signature: str | None = None,
    *arguments: str,
) -> tuple[Any, ...]:
    """Return the body of an answer.

    Raises:
        ValueError: The answer is an error.
    """
    import jeepney  # noqa: PLC0415 - as above

    name, path, interface = where
    address = jeepney.DBusAddress(path, bus_name=name, interface=interface)
    message = jeepney.new_method_call(address, method, signature, arguments)
    message.header.flags |= jeepney.MessageFlag.no_auto_start
    answer = bus.send_and_get_reply(message, timeout=_SECONDS)
    if answer.header.message_type is not jeepney.MessageType.method_return:
        raise ValueError(f"the bus responds to {method} with an error")
    body: tuple[Any, ...] = answer.body
    return body
