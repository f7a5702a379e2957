"""The results of push probes, stored for each program of this machine."""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct, field, to_builtins

from dockless.engines.probe_result import ProbeResult, one_line
from dockless.errors import NoFolderError, UsageError
from dockless.oci.untrusted_json import parse_as
from dockless.processes.regular import open_regular
from dockless.storage.drafts import write_draft
from dockless.storage.folders import make_below
from dockless.storage.store_folder import claim
from dockless.storage.user_store import store

KEPT_SECONDS = 30 * 24 * 60 * 60
"""How long a result is valid."""

_LARGEST = 16 * 1024


def probe_records(environment: Mapping[str, str], cache: Path | None = None) -> "ProbeRecords":
    """Return the stored results of push probes, of this user.

    Args:
        environment: The environment, which may name the folder of stores.
        cache: What stands in for that folder; None for nothing.
    """
    try:
        folder = store(environment, cache).folder
    except NoFolderError:  # nothing is known then, and nothing can be stored
        folder = Path(os.devnull)
    return ProbeRecords(folder / "programs")


class _ProbeEntry(Struct, frozen=True, kw_only=True):
    """What the file of a program says: its identity, and the result of its push probe.

    Attributes:
        schema: The version of this format.
        path: Where it really is.
        size: Its bytes.
        mtime_ns: When its content was written, in nanoseconds since the epoch.
        sha256: The checksum of its content, in lower-case hexadecimal; empty while not computed.
        policy: The checksum of the policy that it obeyed; empty for none.
        passed: Whether the push probe passed.
        reason: Why it did not.
        moment: When that was, in seconds since the epoch.
    """

    schema: Literal[1] = field(name="schemaVersion")
    path: str
    size: int
    mtime_ns: int
    sha256: str
    policy: str
    passed: bool
    reason: str
    moment: float


class ProbeRecords:
    """The results in a folder: one JSON file for each program.

    They are only a cache: unreadable ones are unknown, unwritable ones are not
    stored.

    Args:
        folder: Where they are; made when it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, path: Path, now: float, policy: Path | None = None) -> ProbeResult | None:
        """Return what the last push probe of a program found.

        Args:
            path: The program.
            now: Seconds since the epoch.
            policy: The signature policy that it would obey; see `push_probe.probe_push`.

        Returns:
            None when it was never probed, has changed since, or that was more than 30 days ago.
        """
        try:
            real = path.resolve(strict=True)
            known = _read(self._file(real))
            status = real.stat()
            if known.path != str(real) or known.size != status.st_size:
                return None
            # a copy or a reinstallation of the same program has another time
            if known.mtime_ns != status.st_mtime_ns and known.sha256 != _checksum(real):
                return None
            if known.policy != _policy_checksum(policy):
                return None
        except (OSError, ValueError):
            return None
        if not 0 <= now - known.moment <= KEPT_SECONDS:
            return None
        return ProbeResult(known.passed, one_line(known.reason), known.moment)

    def keep(self, path: Path, result: ProbeResult, policy: Path | None = None) -> None:
        """Store the result of a program's push probe."""
        with contextlib.suppress(OSError, UsageError):  # a folder that is not a store
            real = path.resolve(strict=True)
            status = real.stat()
            entry = _ProbeEntry(
                schema=1,
                path=str(real),
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
                sha256=_checksum(real),
                policy=_policy_checksum(policy),
                passed=result.passed,
                reason=result.reason,
                moment=result.moment,
            )
            _write(self._file(real), json.dumps(to_builtins(entry)).encode())

    def _file(self, real: Path) -> Path:
        return self._folder / f"{hashlib.sha256(os.fsencode(real)).hexdigest()[:32]}.json"


def _read(file: Path) -> _ProbeEntry:
    """Read a record; raise OSError or ValueError when it is none."""
    if file.parent.is_symlink():
        raise ValueError("its folder is a link")
    with open_regular(file, follow=False) as opened:
        return parse_as(opened.read(_LARGEST), _ProbeEntry)


def _write(file: Path, data: bytes) -> None:
    """Write a file of mode 0600 in one step; make the store if it is not there yet."""
    store = file.parent.parent
    claim(store)
    make_below(store, file.parent)
    write_draft(file, data)


def _checksum(file: Path) -> str:
    with open_regular(file) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _policy_checksum(policy: Path | None) -> str:
    return _checksum(policy) if policy else ""
