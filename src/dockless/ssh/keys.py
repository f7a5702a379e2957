"""The keys and certificates offered to a host, in OpenSSH's order."""

import os
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct

from dockless.model.secret import Secret
from dockless.processes.regular import read_regular
from dockless.ssh.agent import Agent, NoSignatureError, agent
from dockless.ssh.config import Route
from dockless.ssh.private_keys import LockedKeyError, load_private, public_half
from dockless.ssh.signatures import (
    PrivateKey,
    algorithm_for,
    certificate,
    plain_key,
    public_blob,
    rsa_bits,
    sign,
)
from dockless.ssh.wire import from_line, kind_of

Passphrase = Callable[[str], Secret | None]
"""Gives the passphrase of a key, by its file or secret, or None when it is not available."""

KeyOf = Callable[[Secret], Secret]
"""Gives a private key of a project, which is named by a secret or written there."""

Sign = Callable[[bytes, str], bytes]
"""Signs data in a way, such as `rsa-sha2-512`; raises NoSignatureError."""

_TRIES = 3
_KEY_DATA = "ssh.key_data"
_OTHERS = 0o077


class Offer(Struct, frozen=True):
    """A key, or a certificate, that a host is asked to accept.

    Attributes:
        blob: It, in SSH's wire format.
        sign: Signs with its private half, which is read and unlocked for the first signature.
    """

    blob: bytes
    sign: Sign

    @property
    def kind(self) -> str:
        """What it is, such as `ssh-ed25519`."""
        return kind_of(self.blob)


class _ProjectKey(Struct, frozen=True):
    """A private key that the project itself has, and what it is called."""

    name: str
    data: bytes


class _Identity(Struct, frozen=True):
    """What an IdentityFile is: a private key's file, and its public half or a certificate of it."""

    path: Path
    blob: bytes | None


def as_written(key: Secret) -> Secret:
    """Return a private key as it was written."""
    return key


class KeyFiles:
    """Key files, each read once and unlocked once, whatever the number of hosts.

    Args:
        passphrase: Gives the passphrases of keys.
        key_of: Gives the private keys that the project itself has.

    Attributes:
        troubles: Why key files could not be used, one sentence each.
        key_troubles: The same of private keys that the project itself has.
    """

    def __init__(self, passphrase: Passphrase, key_of: KeyOf = as_written) -> None:
        self._passphrase = passphrase
        self._key_of = key_of
        self._project_keys: dict[Secret, _ProjectKey] = {}
        self._of_project: dict[Secret, PrivateKey | None] = {}
        self.key_troubles: dict[Secret, str] = {}
        self._lock = threading.Lock()
        self._keys: dict[Path, PrivateKey | None] = {}
        self.troubles: dict[Path, str] = {}

    def offers(self, route: Route) -> Generator[Offer]:
        """Yield the keys to offer; a locked file is only unlocked when it has to sign.

        A file whose public half is not known is unlocked when its turn comes.
        """
        with agent(route.agent) as connected:
            for offer in self._in_order(route, connected):
                bits = rsa_bits(offer.blob)
                if algorithm_for(offer.kind, route.key_algorithms, None) and (
                    not bits or bits >= route.rsa_bits
                ):
                    yield offer

    def _in_order(self, route: Route, connected: Agent) -> Iterator[Offer]:
        held = connected.keys()
        files = [each for path in route.identities for each in _identities(path, route)]
        public = {each.blob for each in files}
        for blob in filter(None, map(_public, route.certificates)):
            if signer := self._signer(blob, held, files, connected):
                yield Offer(blob, signer)
        named = [blob for blob in held if blob in public]
        others = [] if route.identities_only else [blob for blob in held if blob not in public]
        yield from (Offer(blob, partial(connected.sign, blob)) for blob in (*named, *others))
        for each in files:
            if each.blob is None:
                if key := self._loaded(each.path):
                    yield Offer(public_blob(key), partial(sign, key))
            elif each.blob not in held:
                plain = plain_key(each.blob)
                of_agent = plain in held
                signer = partial(connected.sign, plain) if of_agent else self._of(each.path)
                yield Offer(each.blob, signer)
        for named_key in route.key_data:
            yield from self._of_the_project(named_key)

    def _signer(
        self, blob: bytes, held: Sequence[bytes], files: Sequence[_Identity], connected: Agent
    ) -> Sign | None:
        """Return what signs for a certificate; None where its private half is not here."""
        if certificate(blob) is None:
            return None
        plain = plain_key(blob)
        if of_agent := next((each for each in (plain, blob) if each in held), None):
            return partial(connected.sign, of_agent)
        path = next((each.path for each in files if each.blob == plain), None)
        if path:
            return self._of(path)
        unknown = [self._loaded(each.path) for each in files if each.blob is None]
        keys = (key for key in unknown if key and public_blob(key) == plain)
        return next((partial(sign, key) for key in keys), None)

    def _of(self, path: Path) -> Sign:
        """Return what signs with the key of a file."""

        def signed(data: bytes, algorithm: str) -> bytes:
            key = self._loaded(path)
            if key is None:
                raise NoSignatureError(self.troubles.get(path, f"{path} is no private key."))
            return sign(key, data, algorithm)

        return signed

    def _of_the_project(self, named: Secret) -> Iterator[Offer]:
        """Yield a private key that the project has; see `offers`."""
        with self._lock:
            if named not in self._project_keys:
                self._project_keys[named] = _project_key(named, self._key_of(named))
            blob = public_half(self._project_keys[named].data)
        if blob:
            yield Offer(blob, partial(self._signed_by_project, named))
        elif key := self._project_loaded(named):
            yield Offer(public_blob(key), partial(sign, key))

    def _signed_by_project(self, named: Secret, data: bytes, algorithm: str) -> bytes:
        key = self._project_loaded(named)
        if key is None:
            raise NoSignatureError(self.key_troubles[named])
        return sign(key, data, algorithm)

    def _project_loaded(self, named: Secret) -> PrivateKey | None:
        """Return a private key of the project; what is wrong with it is among the troubles."""
        with self._lock:
            if named not in self._of_project:
                key = self._project_keys[named]
                self._of_project[named] = None
                try:
                    self._of_project[named] = self._parsed(key.data, key.name)
                except ValueError as error:
                    locked = isinstance(error, LockedKeyError)
                    why = str(error) if locked else "is not a private key in a form that is known"
                    what = "A key" if key.name == _KEY_DATA else f"The key {key.name}"
                    self.key_troubles[named] = f"{what} of `{_KEY_DATA}` in deploy.yml {why}."
            return self._of_project[named]

    def _loaded(self, path: Path) -> PrivateKey | None:
        with self._lock:
            if path not in self._keys:
                self._keys[path] = self._load(path)
            return self._keys[path]

    def _load(self, path: Path) -> PrivateKey | None:
        if not path.is_file():
            return None
        try:
            found = path.stat()
            if found.st_uid == os.getuid() and found.st_mode & _OTHERS:
                self.troubles[path] = (
                    f"{path} is not used, as others may read it: run `chmod 600 {path}`."
                )
                return None
            return self._parsed(read_regular(path), str(path))
        except LockedKeyError as error:
            self.troubles[path] = f"{path} {error}."
            return None
        except (ValueError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not a key"
            self.troubles[path] = f"{path} cannot be used: {why}."
            return None

    def _parsed(self, data: bytes, name: str) -> PrivateKey:
        """Return a private key; a passphrase that was typed wrong may be typed again.

        Raises:
            LockedKeyError: It is encrypted, and cannot be unlocked.
            ValueError: It is no key.
        """
        try:
            return load_private(data)
        except LockedKeyError:
            pass
        before = None
        for _ in range(_TRIES):
            secret = self._passphrase(name)
            if secret is None:
                break
            try:
                return load_private(data, secret.reveal().encode(errors="surrogateescape"))
            except ValueError:
                is_same, before = secret is before, secret
                if is_same:  # what is kept somewhere is given each time
                    break
        wrong = "the passphrase is wrong" if before else "no passphrase was given"
        raise LockedKeyError(f"is encrypted, and {wrong}")


def _project_key(named: Secret, key: Secret) -> _ProjectKey:
    is_name = named is not key  # else the key itself is written there
    text = key.reveal().replace("\\n", "\n").strip() + "\n"
    return _ProjectKey(named.reveal() if is_name else _KEY_DATA, text.encode())


def _identities(path: Path, route: Route) -> Iterator[_Identity]:
    """Yield what a file is: the key, and its certificate where none is named elsewhere."""
    public = _public(path) or _public(Path(f"{path}.pub")) or _half(path)
    if public is None and not path.is_file():
        return
    yield _Identity(path, public)
    if not route.certificates and (signed := _public(Path(f"{path}-cert.pub"))):
        yield _Identity(path, signed)


def _public(path: Path) -> bytes | None:
    """Return the public key, or certificate, of a file that holds one as a line of text."""
    try:
        return from_line(read_regular(path))
    except OSError:
        return None


def _half(path: Path) -> bytes | None:
    try:
        return public_half(read_regular(path))
    except OSError:
        return None
