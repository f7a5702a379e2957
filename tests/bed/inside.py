"""Run a program in a place that is the same on every machine; `bed.place` starts this file.

The caller has put us into user and mount namespaces of our own. The working folder becomes `/mnt`,
the machine's boot has the ID that is given, and the user's kernel keyring holds the keys of a file
and nothing else, since it belongs to the user namespace. Standard library and libkeyutils only.
"""

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

_USER_KEYRING = -4
_TYPE = b"user"
_LONGEST = 1 << 16
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


def main(boot: str, before: str, after: str, *argv: str) -> int:
    """Run `argv`, and return its exit status.

    Args:
        boot: A file with the ID of the boot.
        before: A JSON list of keys, each with `description` and `payload`; empty for none.
        after: Where the keys are written afterwards, in the same form; empty for nowhere.
        argv: The program and its arguments.
    """
    subprocess.run(("mount", "--bind", boot, _BOOT_ID), check=True)
    subprocess.run(("mount", "--bind", ".", "/mnt"), check=True)
    os.chdir("/mnt")
    library = ctypes.CDLL("libkeyutils.so.1", use_errno=True)
    if before:
        for key in json.loads(Path(before).read_text()):
            _add(library, key["description"].encode(), key["payload"].encode())
    if not after:
        os.execv(argv[0], argv)  # noqa: S606 - the program takes our place, and signals reach it
    code = subprocess.run(argv, check=False).returncode
    Path(after).write_text(json.dumps(_keys(library), indent=2) + "\n")
    return code


def _add(library: ctypes.CDLL, description: bytes, payload: bytes) -> None:
    serial = library.add_key(
        _TYPE, description, payload, ctypes.c_size_t(len(payload)), _USER_KEYRING
    )
    if serial < 0:
        raise OSError(ctypes.get_errno(), "add_key", description)


def _keys(library: ctypes.CDLL) -> list[dict[str, str]]:
    serials = memoryview(_read(library, _USER_KEYRING)).cast("i")
    found = []
    for serial in serials:
        # the type, uid, gid, permissions, and what the key is called
        fields = _described(library, serial).split(";", 4)
        found.append({"description": fields[4], "payload": _read(library, serial).decode()})
    return sorted(found, key=lambda key: key["description"])


def _read(library: ctypes.CDLL, serial: int) -> bytes:
    buffer = ctypes.create_string_buffer(_LONGEST)
    size = library.keyctl_read(serial, buffer, ctypes.c_size_t(_LONGEST))
    if size < 0:
        raise OSError(ctypes.get_errno(), "keyctl_read", serial)
    return buffer.raw[:size]


def _described(library: ctypes.CDLL, serial: int) -> str:
    buffer = ctypes.create_string_buffer(_LONGEST)
    if library.keyctl_describe(serial, buffer, ctypes.c_size_t(_LONGEST)) < 0:
        raise OSError(ctypes.get_errno(), "keyctl_describe", serial)
    return buffer.value.decode()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
