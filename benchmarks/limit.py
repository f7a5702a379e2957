"""The limit: what the hardware needs for the same bytes, with the fastest tools for each half.

The layers are compressed by programs that use every core, with their output thrown away, in two
ways, of which the faster counts; and the compressed layers, made before, are sent by parallel curl
to the same registry. One after the other: what pushes has to do both.
"""

import hashlib
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Contender

_CORES = len(os.sched_getaffinity(0))
_AT_ONCE = 4
_COMPRESS = {
    "gzip": f"igzip -1 -T {_CORES} -c",
    "zstd": f"zstd -q -3 -T{_CORES} -c",
}
_SEND = """\
location=$(curl -sS -D - -o /dev/null -X POST "http://$1/v2/limit/blobs/uploads/" \\
    | sed -n 's/\\r$//; s/^[Ll]ocation: //p')
case $location in *\\?*) sign='&' ;; *) sign='?' ;; esac
exec curl -sS -f -o /dev/null -T "$2" -H 'Content-Type: application/octet-stream' \\
    "$location${sign}digest=sha256:$3"
"""


def compressions(
    folder: Path, layers: Sequence[Path], how: str, environment: Mapping[str, str]
) -> tuple[Contender, Contender]:
    """Return what compresses these layers: one after the other by all cores, and side by side."""
    script, listed = folder / f"compress-{how}.sh", folder / "layers"
    script.write_text("".join(f"{_COMPRESS[how]} {layer} >/dev/null\n" for layer in layers))
    largest_first = sorted(layers, key=lambda layer: -layer.stat().st_size)
    listed.write_text("".join(f"{layer}\n" for layer in largest_first))
    one = f'{_COMPRESS[how]} "$0" >/dev/null'
    side = ("xargs", "-a", listed, "-P", str(_CORES), "-n1", "sh", "-c", one)
    return (
        Contender("one by one", ("sh", script), environment, _nothing),
        Contender("side by side", side, environment, _nothing),
    )


def compressed(folder: Path, layers: Sequence[Path], how: str) -> list[Path]:
    """Compress these layers in the same way; return the files."""
    made = []
    for layer in layers:
        path = folder / f"{layer.parent.name}-{layer.name}.{how}"
        with path.open("wb") as stream:
            argv = (*_COMPRESS[how].split(), str(layer))
            subprocess.run(argv, stdout=stream, check=True)
        made.append(path)
    return made


def upload(
    folder: Path,
    host: str,
    blobs: Sequence[Path],
    environment: Mapping[str, str],
    before: Callable[[], object],
) -> Contender:
    """Return what sends these blobs to a registry with several curl at once."""
    send, listed = folder / "send.sh", folder / "blobs"
    send.write_text(_SEND)
    largest_first = sorted(blobs, key=lambda blob: -blob.stat().st_size)
    listed.write_text("".join(f"{blob} {_sha256(blob)}\n" for blob in largest_first))
    argv = ("xargs", "-a", listed, "-P", str(_AT_ONCE), "-L1", "sh", send, host)
    return Contender("upload", argv, environment, before)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _nothing() -> None:
    """Leave the state as it is."""
