"""`make demo`: push a real image to a registry of its own, and compare what comes back.

It needs no root. It stops what it starts and leaves nothing behind but the engine, which
`dockless tools install` puts into .cache/tools if the machine has none.
"""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from demo.image import Archive, files, write_archive, write_layer
from demo.pulled import differences, manifest_digest, pull

_CHECKOUT = Path(__file__).parents[1]
_DOCKLESS = Path(sys.executable).parent / "dockless"
_SECONDS = 120
_DATA = ("bash-completion", "common-licenses", "i18n", "perl5", "zoneinfo")
_PACKAGES = ("dist-packages", "site-packages")


def main() -> None:
    """Run the demonstration."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Terminated."))
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dockless-demo-") as folder:
        reference, digest = _demonstrate(Path(folder))
    say("7. All of it is cleaned up but the engine.")
    print(f"   reference  {reference}")
    print(f"   digest     {digest}")
    print(f"   time       {time.monotonic() - started:.1f} s")


def _demonstrate(folder: Path) -> tuple[str, str]:
    say("1. An engine. dockless finds one, or installs crane for this user, without root.")
    environment = _environment(folder)
    crane = Path(_dockless(environment, "tools", "install"))

    say("2. A registry: the one inside crane, on a free port of the loopback interface.")
    with _registry(crane, folder) as host:
        print(f"   {host}")

        say("3. An image of this machine's own files, as `docker save` would write it.")
        archive = _image(folder)
        reference = f"{host}/demo/shop:1.0"

        say("4. Push it. Layers are compressed once, pushed by digest and read back.")
        pushed = _dockless(environment, "push", archive.path.name, "--image", reference)

        say("5. Push it again. Everything is there, so nothing is compressed or sent.")
        again = _dockless(environment, "push", archive.path.name, "--image", reference)

        say("6. Pull it with crane, and compare it with the archive, layer by layer.")
        layout = pull(crane, reference, folder / "pulled")
        digest = manifest_digest(layout)
        wrong = differences(layout, archive)
        if not pushed == again == f"{reference.removesuffix(':1.0')}@{digest}":
            wrong.append(f"dockless printed {pushed} and {again}; the registry has {digest}.")
        if wrong:
            sys.exit("\n".join(wrong))
        print(f"   The config, {archive.image_id},")
        print(f"   and all {len(archive.layers)} layers came back byte for byte.")
    return reference, digest


def say(sentence: str) -> None:
    """Print one step, set apart from what came before."""
    print(f"\n{sentence}", flush=True)


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment in which dockless sees nothing of the user's."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("DOCKLESS_")}
    tools = os.environ.get("DOCKLESS_TOOLS_DIR", str(_CHECKOUT / ".cache" / "tools"))
    return {
        **kept,
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "DOCKLESS_TOOLS_DIR": tools,
    }


def _dockless(environment: Mapping[str, str], *arguments: str) -> str:
    """Run dockless in the demo's folder, show the command, and return what it says on stdout."""
    print(f"   $ {shlex.join(('dockless', *arguments))}", flush=True)
    done = subprocess.run(
        (_DOCKLESS, *arguments),
        env=environment,
        cwd=environment["HOME"],
        stdout=subprocess.PIPE,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        sys.exit(f"dockless ended with {done.returncode}.")
    said = done.stdout.decode().strip()
    print(f"   {said}")
    return said


@contextlib.contextmanager
def _registry(crane: Path, folder: Path) -> Iterator[str]:
    """Run crane's registry for as long as the block lasts, and yield its `host:port`."""
    storage, log = folder / "registry", folder / "registry.log"
    storage.mkdir()
    argv = (crane, "registry", "serve", "--address", "127.0.0.1:0", "--disk", storage)
    with log.open("wb") as sink, subprocess.Popen(argv, stdout=sink, stderr=sink) as child:
        try:
            yield f"127.0.0.1:{_port(child, log)}"
        finally:
            child.kill()


def _port(child: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        if found := re.search(r"serving on port (\d+)", log.read_text()):
            return found[1]
        time.sleep(0.02)
    sys.exit(f"The registry did not start:\n{log.read_text()}")


def _image(folder: Path) -> Archive:
    """Write the image: data, the Python installation, what dockless needs, and a script."""
    parts = {
        "data": chain.from_iterable(files(Path("/usr/share", name)) for name in _DATA),
        "python": files(Path(sysconfig.get_path("stdlib")), _PACKAGES),
        "packages": files(Path(sysconfig.get_path("purelib"))),
        "script": files(Path(__file__).parent),
    }
    layers = []
    for name, members in parts.items():
        layers.append(write_layer(folder / f"{name}.tar", members))
        print(f"   {name:<8} {layers[-1].size / 1e6:7.1f} MB  {layers[-1].diff_id}", flush=True)
    return write_archive(folder / "shop.tar", "shop:1.0", layers)


if __name__ == "__main__":
    main()
