"""The Linux kernel's keyrings, through their system calls (keyctl(2), keyrings(7)).

Keys live in the kernel's memory, are never written to disk, and need neither D-Bus nor a desktop.
"""

import ctypes
import errno
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

from dockless.errors import AuthError

# add_key and keyctl, by machine: the tables of the kernel's arch/*/kernel/syscalls
_NUMBERS = {
    "x86_64": (248, 250),
    "aarch64": (217, 219),
    "riscv64": (217, 219),
    "loongarch64": (217, 219),
    "armv7l": (309, 311),
    "armv6l": (309, 311),
    "ppc64le": (269, 271),
    "s390x": (278, 280),
    "i686": (286, 288),
}
_GET_KEYRING_ID = 0
_SETPERM, _DESCRIBE, _UNLINK, _SEARCH, _READ = 5, 6, 9, 10, 11
_SET_TIMEOUT, _GET_PERSISTENT = 15, 22
_PROCESS_KEYRING, _USER_KEYRING = -2, -4
_OWN_UID = -1
# all rights for the possessor and the owner of the key, none for others
_OWNER_ONLY = 0x3F3F0000
_TYPE = b"user"
_LONGEST_SECRET = 32767
_LONGEST_DESCRIPTION = 8192  # the kernel's are shorter than a page
_NUMBER_BYTES = 4
_GONE = frozenset({errno.ENOKEY, errno.EKEYEXPIRED, errno.EKEYREVOKED})
_UID_MAP, _KEYS = Path("/proc/self/uid_map"), Path("/proc/keys")
_EVERY_UID = (1 << 32) - 1
_KEYS_COLUMNS = 9  # of /proc/keys: see proc_keys(5)
_NAMES = {"persistent": "_persistent", "user": "_uid"}

SpecialKeyring = Literal["persistent", "user"]


class Keyctl:
    """Secrets in one keyring of this user, by service and username.

    A user has keyrings of their own in every user namespace (user_namespaces(7)). In one such as
    that of rootless podman, which starts credential helpers in it, what the user stored outside is
    read in place of them where it can be seen, and nothing is changed.

    Args:
        keyring: `persistent` outlives every session, until it was not used for three days (or
            what `/proc/sys/kernel/keys/persistent_keyring_expiry` says); `user` ends with the
            user's last process.
        ttl: Seconds after which what is stored from now on ends; None for no limit from dockless.
        lasting: A service whose entries have no such limit, such as the list of all logins.
    """

    def __init__(self, keyring: SpecialKeyring, ttl: int | None = None, lasting: str = "") -> None:
        self._keyring: SpecialKeyring = keyring
        self._lasting = lasting
        self._ttl = ttl

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret, or None.

        Raises:
            AuthError: The kernel denies it.
        """
        key = self._find(service, username)
        if key is None:
            return None
        buffer = ctypes.create_string_buffer(_LONGEST_SECRET)
        try:
            size = _keyctl(_READ, key, buffer, len(buffer))
        except OSError as error:
            if error.errno in _GONE:
                return None
            raise _failure(error) from None
        # what another program stored there may not be text
        return buffer.raw[:size].decode(errors="surrogateescape")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret in place of what was there.

        Raises:
            AuthError: It is too long, or the kernel denies it.
        """
        payload = password.encode(errors="surrogateescape")
        if not payload or len(payload) > _LONGEST_SECRET:
            raise AuthError(
                f"A secret of {len(payload)} bytes does not fit into the kernel keyring, which "
                f"takes 1 to {_LONGEST_SECRET}.",
                "Choose another keyring with --keyring.",
            )
        self._check_writable()
        try:
            key = _add_key(_description(service, username), payload, self._ring())
            _keyctl(_SETPERM, key, _OWNER_ONLY)
            _keyctl(_SET_TIMEOUT, key, 0 if service == self._lasting else self._ttl or 0)
        except OSError as error:
            raise _failure(error) from None

    def delete_password(self, service: str, username: str) -> None:
        """Delete a secret; a missing one is not an error.

        Raises:
            AuthError: The kernel denies it.
        """
        key = self._find(service, username)
        if key is None:
            return
        self._check_writable()
        try:
            _keyctl(_UNLINK, key, self._ring())
        except OSError as error:
            if error.errno not in _GONE:
                raise _failure(error) from None

    def entries(self) -> tuple[tuple[str, str], ...]:
        """Return the service and username of every secret that this user can read there.

        Raises:
            AuthError: The kernel refuses.
        """
        try:
            numbers = _numbers(self._outside() or self._ring())
        except OSError as error:
            raise _failure(error) from None
        described = [_described(number) for number in numbers]
        return tuple(entry for entry in described if entry)

    def _find(self, service: str, username: str) -> int | None:
        try:
            if outside := self._outside():
                # searched by hand, as only a keyring that is possessed can be searched
                wanted = _description(service, username)
                return next((key for key in _numbers(outside) if _is_ours(key, wanted)), None)
            return _keyctl(_SEARCH, self._ring(), _TYPE, _description(service, username), 0)
        except OSError as error:
            if error.errno in _GONE:
                return None
            raise _failure(error) from None

    def _check_writable(self) -> None:
        if self._outside():
            raise AuthError(
                "The logins in the kernel keyring can only be read in a user namespace, such as "
                "that of rootless podman.",
                "Log in and out with dockless itself, outside of it.",
            )

    def _outside(self) -> int | None:
        """Return this user's keyring outside of a user namespace, if it is seen and has secrets."""
        uid = _uid_outside()
        if uid is None:
            return None
        try:
            here = _keyctl(_GET_KEYRING_ID, self._ring(), 0)
            if _has_secrets(here):  # of a login in the namespace itself
                return None
            rings = _own_rings(f"{_NAMES[self._keyring]}.{uid}")
            return next((ring for ring in rings if ring != here and _has_secrets(ring)), None)
        except OSError:  # a container may hide the list of keys
            return None

    def _ring(self) -> int:
        if self._keyring == "user":
            return _USER_KEYRING
        # linked to the process keyring, because only what is possessed can be read
        return _keyctl(_GET_PERSISTENT, _OWN_UID, _PROCESS_KEYRING)


def usable(keyring: SpecialKeyring) -> bool:
    """Whether this kernel has keyrings and permits their use; containers often forbid it."""
    if sys.platform != "linux" or platform.machine() not in _NUMBERS:
        return False
    try:
        Keyctl(keyring).get_password("dockless", "any")
    except (AuthError, OSError):
        return False
    return True


def _uid_outside() -> int | None:
    """Return this user's number outside of the user namespace; None where there is none."""
    user = os.geteuid()
    try:
        lines = _UID_MAP.read_text().splitlines()
    except OSError:
        return None
    for inside, outside, count in (map(int, line.split()) for line in lines):
        if inside <= user < inside + count:
            return None if count == _EVERY_UID else outside + user - inside
    return None


def _own_rings(name: str) -> Iterator[int]:
    """Yield the keyrings of this user with this name, of every user namespace."""
    for line in _KEYS.read_text(errors="replace").splitlines():
        columns = line.split(None, _KEYS_COLUMNS - 1)
        if len(columns) == _KEYS_COLUMNS:
            number, owner, kind, text = columns[0], columns[5], columns[7], columns[8]
            # others may have given one of theirs this name
            if kind == "keyring" and owner == str(os.geteuid()) and text.startswith(f"{name}: "):
                yield int(number, 16)


def _has_secrets(ring: int) -> bool:
    described = filter(None, map(_described, _numbers(ring)))
    return any(service.startswith("dockless") for service, _ in described)


def _is_ours(key: int, description: bytes) -> bool:
    """Whether a key is this user's and has this description."""
    buffer = ctypes.create_string_buffer(_LONGEST_DESCRIPTION)
    try:
        _keyctl(_DESCRIBE, key, buffer, len(buffer))
    except OSError:
        return False
    kind, owner, *_, text = buffer.value.split(b";", 4)
    return (kind, owner, text) == (_TYPE, str(os.geteuid()).encode(), description)


def _numbers(ring: int) -> list[int]:
    """Return the numbers of the keys in a keyring."""
    data, held = b"", _NUMBER_BYTES
    while held > len(data):  # again, if more were added since
        buffer = ctypes.create_string_buffer(held)
        held = _keyctl(_READ, ring, buffer, len(buffer))
        data = buffer.raw
    data = data[:held]
    return [
        int.from_bytes(data[at : at + _NUMBER_BYTES], sys.byteorder, signed=True)
        for at in range(0, len(data), _NUMBER_BYTES)
    ]


def _described(key: int) -> tuple[str, str] | None:
    """Return whose secret a key is; None for a key of others, or one that has ended."""
    buffer = ctypes.create_string_buffer(_LONGEST_DESCRIPTION)
    try:
        _keyctl(_DESCRIBE, key, buffer, len(buffer))
    except OSError:
        return None
    kind, _, rest = buffer.value.decode(errors="surrogateescape").partition(";")
    service, space, username = rest.split(";", 3)[-1].partition(" ")
    if kind != _TYPE.decode() or not space:
        return None
    return unquote(service), unquote(username)


def _description(service: str, username: str) -> bytes:
    """Return the key's name: both parts, quoted so that they stay distinguishable."""
    return f"{quote(service, safe=':/')} {quote(username, safe='')}".encode()


def _add_key(description: bytes, payload: bytes, ring: int) -> int:
    return _call(_NUMBERS[platform.machine()][0], _TYPE, description, payload, len(payload), ring)


def _keyctl(operation: int, *arguments: object) -> int:
    return _call(_NUMBERS[platform.machine()][1], operation, *arguments)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    # a bare int would go as 32 bits, while the calls take longs
    words = (ctypes.c_long(one) if isinstance(one, int) else one for one in arguments)
    result = int(libc.syscall(ctypes.c_long(number), *words))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _failure(error: OSError) -> AuthError:
    if error.errno == errno.EDQUOT:
        return AuthError(
            "The kernel keyring of this user is full.",
            "Log out somewhere, or raise kernel.keys.maxbytes (root: kernel.keys.root_maxbytes).",
        )
    return AuthError(
        f"The kernel keyring cannot be used: {error.strerror}.",
        "Choose another one with --keyring or DOCKLESS_KEYRING.",
    )
