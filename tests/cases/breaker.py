"""Attacks and faults: what is damaged, hostile, killed or used twice at once."""

import contextlib
import os
import signal
import socket
import subprocess
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from cases import kit
from cases.place import Came, Place, code, image, visible


def prune_during_push(place: Place) -> Came:
    """Prune the whole store in a loop while 16 pushes run."""
    source, done = place.archive("app:v1", 300_000, 90_000), threading.Event()

    def prune() -> None:
        while not done.is_set():
            place.run("cache", "prune", "--all")

    def push(number: int) -> str:
        return code(place.push(source, f"pr/x{number}:1"))

    with ThreadPoolExecutor(5) as team:
        pruning = team.submit(prune)
        codes = Counter(team.map(push, range(16)))
        done.set()
        pruning.result()
    return {"codes": _counted(codes)}


def damaged_store(place: Place) -> Came:
    """Cut the largest blob of the store short."""
    source = place.archive("app:v1", 300_000, 90_000)
    place.push(source, "dmg/warm:1")
    blobs = [path for path in place.dockless.folder.rglob("blobs/sha256/*") if path.is_file()]
    largest = max(blobs, key=lambda path: path.stat().st_size)
    os.truncate(largest, 1000)
    bundle = place.folder / "b.tar"
    made = place.run("bundle", "create", "-o", bundle, source)
    good = place.run("bundle", "verify", bundle)
    registry = place.registry.storage / "docker"
    subprocess.run(("rm", "-rf", registry), check=True)
    return {
        "bundle create": code(made),
        "bundle verify": code(good),
        "push": code(place.push(source, "dmg/other:1")),
        "the registry has it": place.has("dmg/other:1"),
    }


@contextlib.contextmanager
def _trickling(what: str) -> Iterator[str]:
    """Run a server that answers for ever, a byte at a time."""
    ended = threading.Event()
    heads = {
        "head": b"HTTP/1.1 200 OK\r\nX-A: ",
        "body": b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n",
        "redirect": b"HTTP/1.1 302 X\r\nLocation: /v2/x\r\nContent-Length: 4000000000\r\n\r\n",
        "100": b"",
    }

    def serve(line: socket.socket) -> None:
        with contextlib.suppress(OSError), line:
            if line.recv(1, socket.MSG_PEEK) == b"\x16":
                return
            line.recv(9999)
            line.sendall(heads[what])
            while not ended.wait(0.3):
                line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" if what == "100" else b"a")

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            server.shutdown(socket.SHUT_RDWR)


def trickle(place: Place) -> Came:
    """Answer a byte at a time, for ever, to a push with a limit of time."""
    source, came = place.archive(), {}
    for what in ("head", "body", "redirect", "100"):
        with _trickling(what) as host:
            limits = ("--timeout", "4s", "--retries", "0")
            done = place.run("push", source, "--image", f"{host}/a/b:c", *limits, seconds=40)
            came[what] = code(done)
    return came


def apt_unsigned(place: Place) -> Came:
    """Offer an unsigned crane where apt is told to allow insecure repositories."""
    work = place.folder / "apt"
    ran = work / "ran"
    (work / "p/DEBIAN").mkdir(parents=True)
    (work / "p/usr/bin").mkdir(parents=True)
    (work / "r/pool").mkdir(parents=True)
    (work / "p/usr/bin/crane").write_text(f"#!/bin/sh\necho ran >>{ran}\n")
    (work / "p/usr/bin/crane").chmod(0o755)
    control = "Package: crane\nVersion: 9.9.9\nArchitecture: amd64\nMaintainer: e <e@e>\n"
    (work / "p/DEBIAN/control").write_text(f"{control}Description: e\n")
    package = work / "r/pool/crane_9.9.9_amd64.deb"
    subprocess.run(("dpkg-deb", "-b", work / "p", package), capture_output=True, check=True)
    entry = kit.packages_entry(control, package)
    listing = work / "r/dists/forky/main/binary-amd64/Packages"
    listing.parent.mkdir(parents=True)
    listing.write_text(entry)
    (work / "r/dists/forky/Release").write_text(kit.release(listing))
    with kit.served(work / "r") as host:
        (work / "s.list").write_text(f"deb [trusted=yes] http://{host} bookworm main\n")
        (work / "a.conf").write_text(
            f'Dir::Etc::sourcelist "{work}/s.list"; Dir::Etc::sourceparts "/dev/null"; '
            'Acquire::AllowInsecureRepositories "true"; APT::Get::AllowUnauthenticated "true";'
        )
        done = place.run(
            "tools", "install", "--force", seconds=120, PATH="/usr/bin:/bin",
            APT_CONFIG=str(work / "a.conf"), DOCKLESS_TOOLS_DIR=str(work / "t"),
            https_proxy="http://127.0.0.1:1", HTTPS_PROXY="http://127.0.0.1:1",
        )  # fmt: skip
    return {"tools install": code(done), "the unsigned program ran": _yes(ran.exists())}


def poisoned_store(place: Place) -> Came:
    """Put the store into a folder that everybody may write to, and see who may rewrite it."""
    store = place.folder / "store"
    store.mkdir()
    store.chmod(0o777)
    done = place.push(place.archive(), "poison/a:1", DOCKLESS_CACHE_DIR=str(store))
    return {
        "push": code(done),
        "others may rewrite a record": _yes(kit.writable_by_others(store)),
    }


def index_of_indexes(place: Place) -> Came:
    """Push an index of 12 times the same index, 8 deep."""
    done = place.run(
        "push", kit.index_of_indexes(place.folder / "dag", times=12, deep=8), "--image",
        f"{place.host}/dag/x:1", "--timeout", "20s", seconds=40,
    )  # fmt: skip
    return {"ends": _yes(done.code in (0, 3))}


def archives(place: Place) -> Came:
    """Push archives with chains of extended headers, and with an impossible size in one."""
    whole = image("app:v1", 5000)
    huge = tarfile.TarInfo("n")
    huge.pax_headers = {"size": "9" * 30}
    hostiles = {
        "g": kit.extended(b"g", b"13 comment=x\n") * 5000 + whole,
        "x": kit.extended(b"x", b"13 comment=x\n") * 5000 + whole,
        "L": kit.extended(b"L", b"aa\0") * 5000 + whole,
        "paxhuge": huge.tobuf(tarfile.PAX_FORMAT) + bytes(1024),
    }
    came = {}
    for name, data in hostiles.items():
        path = place.folder / f"{name}.tar"
        path.write_bytes(data)
        came[name] = code(place.push(path, "x/y:z"))
    return came


def stray_files(place: Place) -> Came:
    """Leave a file of NFS in the store; fill its disk; mount it read-only."""
    source = place.archive()
    place.push(source, "st/a:1")
    for folder in place.dockless.folder.rglob("unflushed"):
        (folder / ".nfs000001").touch()
        (folder / ".DS_Store").touch()
    came = {"stray file": code(place.push(source, "st/b:1"))}
    if os.geteuid():
        return came
    with kit.mounted(place.folder, "size=30m,nr_inodes=14") as full:
        came["no inodes"] = code(place.push(source, "st/c:1", DOCKLESS_CACHE_DIR=str(full / "c")))
    with kit.mounted(place.folder, "size=10m") as disk:
        store = str(disk / "c")
        place.push(source, "st/d:1", DOCKLESS_CACHE_DIR=store)
        subprocess.run(("mount", "-o", "remount,ro", disk), check=True)
        came["read-only prune"] = code(
            place.run("cache", "prune", "--all", DOCKLESS_CACHE_DIR=store)
        )
        came["read-only push"] = code(place.push(source, "st/e:1", DOCKLESS_CACHE_DIR=store))
    return came


def lock_symlink(place: Place) -> Came:
    """Put a link to a file of the user into the store, as another user might."""
    store, precious = place.folder / "store", place.folder / "precious"
    precious.write_text("precious")
    for name in ("locks", "runs"):
        (store / name).mkdir(parents=True)
    store.chmod(0o1777)
    (store / "locks/runs").symlink_to(precious)
    place.push(place.archive(), "sym/a:1", DOCKLESS_CACHE_DIR=str(store))
    return {"the file": precious.read_text() or "(empty)"}


def escapes(place: Place) -> Came:
    """Push every image of an archive whose RepoTags command a terminal."""
    path = place.folder / "evil.tar"
    path.write_bytes(image("evil\x1b]0;pwned\x07\u202e:1", 100))
    done = place.run("push", path, "--all", "--registry", "private", "--namespace", "q")
    return {"push --all": code(done), "every character is visible": visible(done)}


def prune_by_size(place: Place) -> Came:
    """Push six images to twelve repositories at once, with a store smaller than their work."""
    sources = [place.archive(f"p{n}:1", 400_000, seed=n) for n in range(6)]

    def push(number: int) -> str:
        return code(place.push(sources[number % 6], f"pz/x{number}:t", DOCKLESS_CACHE_SIZE="1M"))

    with ThreadPoolExecutor(6) as team:
        return {"codes": _counted(Counter(team.map(push, range(12))))}


def ref_name(place: Place) -> Came:
    """Bundle a layout whose ref.name the image-spec allows, and which is no tag."""
    name = {"org.opencontainers.image.ref.name": "1.0+meta"}
    blobs, root = kit.small_image()
    source = kit.layout(place.folder / "l", {**root, "annotations": name}, documents=blobs)
    out = place.folder / "b.tar"
    made = place.run("bundle", "create", source, "-o", out, "--as", "x.example/a/b")
    pushed = place.push(source, "ref/a:1")
    return {
        "bundle create": code(made),
        "its error names it": _yes("1.0+meta" in made.stderr),
        "push": code(pushed),
        "the registry has it": place.has("ref/a:1"),
    }


def bundle_leftover(place: Place) -> Came:
    """Kill `bundle create` five times, and run it once more."""
    sources = [place.archive(f"b{n}:1", 4_000_000, seed=n) for n in range(2)]
    out = place.folder / "out/out.tar"
    out.parent.mkdir()
    for tenths in (5, 6, 7, 8, 9):
        child = place.dockless.start("bundle", "create", *map(str, sources), "-o", str(out), "-q")
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.communicate(timeout=tenths / 10)
        child.kill()
        child.communicate()
    # one of them may have been faster
    done = place.run("bundle", "create", *sources, "-o", out, "--force")
    left = sorted(path.name for path in out.parent.iterdir() if path != out)
    return {"bundle create": code(done), "left beside it": " ".join(left) or "nothing"}


def orphans(place: Place) -> Came:
    """End a push, by each signal, while crane waits for the answer to a manifest."""
    came = {}
    source = place.archive()
    for number in (signal.SIGHUP, signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        with kit.hanging(place.host) as (host, hung):
            name = f"{host}/or/x{int(number)}:t"
            child = place.dockless.start("push", source, "--image", name)
            hung.wait(30)
            child.send_signal(number)
            child.communicate(timeout=120)
            came[number.name] = "nothing" if kit.gone(f"/or/x{int(number)}", 10) else "a process"
    return came


def _yes(is_so: bool) -> str:  # noqa: FBT001 - a word for a truth
    return "yes" if is_so else "no"


def _counted(codes: Counter[str]) -> str:
    return ", ".join(f"{count} x {name}" for name, count in sorted(codes.items()))
