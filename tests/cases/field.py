"""What public reports of other tools tell of: odd archives, layouts, registries and accounts."""

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

from bed import hostile
from bed.images import CONFIG, GZIP_LAYER, MANIFEST, PLAIN_LAYER, digest, skopeo_copy
from bed.process import output
from bed.tools import crane
from cases import kit
from cases.place import Blobs, Came, Place, code


def one_bad_entry(place: Place) -> Came:
    """Mirror a folder, and lists, in which one entry is none of an image."""
    good = place.archive()
    rubbish = {
        "checksum file": ("good.tar.sha256", b"0" * 64 + b"  good.tar\n"),
        "detached signature": ("good.tar.asc", b"sig\n"),
        "helm chart": ("c-0.1.0.tgz", _chart()),
        "AppleDouble": ("._good.tar", b"\0\5\26\7Mac OS X" + bytes(2000)),
        "cut archive": ("cut.tar", good.read_bytes()[:3000]),
    }
    came = {}
    for number, (kind, (name, data)) in enumerate(rubbish.items()):
        folder = place.folder / f"images{number}"
        folder.mkdir()
        shutil.copy(good, folder / "good.tar")
        (folder / name).write_bytes(data)
        receipt = place.folder / f"receipt{number}.json"
        to = f"{place.host}/one{number}"
        done = place.run("mirror", folder, "--to", to, "-q", "--receipt", receipt)
        there = place.has(f"one{number}/app:v1")
        came[kind] = f"{code(done)}, arrived: {there}, receipt: {_yes(receipt.exists())}"
    for kind, line in (
        ("missing file", "missing.tar"),
        ("404", f"docker://{place.host}/no/such:v1"),
    ):
        listing = place.put("list.txt", f"{good}\n{line}\n")
        to = f"{place.host}/l-{kind.replace(' ', '')}"
        done = place.run("mirror", "-f", listing, "--to", to.lower(), "-q")
        name = to.lower().partition("/")[2]
        came[kind] = f"{code(done)}, arrived: {place.has(f'{name}/app:v1')}"
    return came


def _chart() -> bytes:
    return gzip.compress(hostile.tar(hostile.file("c/Chart.yaml", b"name: c\n")), mtime=0)


def partly_encrypted(place: Place) -> Came:
    """Push what `skopeo copy --encrypt-layer 1` writes."""
    blobs, plain = Blobs(), [kit.tar_layer("a"), kit.tar_layer("b")]
    keys = {"org.opencontainers.image.enc.keys.jwe": "e30="}
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blobs.add(kit.config(*plain), CONFIG),
        "layers": [
            blobs.add(gzip.compress(plain[0], mtime=0), GZIP_LAYER),
            blobs.add(os.urandom(900), f"{GZIP_LAYER}+encrypted", annotations=keys),
        ],
    }
    root = blobs.add(json.dumps(manifest).encode(), MANIFEST)
    done = place.push(kit.layout(place.folder / "l", root, documents=blobs), "enc/a:1")
    return {"push": code(done)}


def hybrid(place: Place) -> Came:
    """Push archives of Docker 25.0 whose OCI half is broken, and whose manifest.json is good."""
    came = {}
    for kind in ("null", "nolayers", "absent"):
        plain = [kit.tar_layer("a"), kit.tar_layer("b")]
        made = kit.config(*plain)
        name = {data: f"blobs/sha256/{digest(data)[7:]}" for data in (*plain, made)}
        listed = {"mediaType": CONFIG, "digest": digest(made), "size": len(made)}
        manifest = json.dumps(
            {"schemaVersion": 2, "mediaType": MANIFEST, "config": listed, "layers": None}
        ).encode()
        entry = {"mediaType": MANIFEST, "digest": digest(manifest), "size": len(manifest)}
        index = {"schemaVersion": 2, "manifests": None if kind == "null" else [entry]}
        docker = {
            "Config": name[made],
            "RepoTags": ["app:v1"],
            "Layers": [name[each] for each in plain],
        }
        members = [hostile.file(path, data) for data, path in name.items()]
        if kind == "nolayers":
            members.append(hostile.file(f"blobs/sha256/{digest(manifest)[7:]}", manifest))
        path = place.folder / f"{kind}.tar"
        path.write_bytes(
            hostile.tar(
                *members,
                hostile.file("index.json", json.dumps(index).encode()),
                hostile.file("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
                hostile.file("manifest.json", json.dumps([docker]).encode()),
            )
        )
        came[kind] = code(place.push(path, f"hybrid/{kind}:1"))
    return came


def peers_push(place: Place) -> Came:
    """Push layouts that skopeo, crane and oras push."""
    layer, came = kit.tar_layer("a"), {}
    kinds = {
        "config is {}": {"config_data": b"{}"},
        "labelled gzip, is plain": {"packed": False},
        "labelled plain, is gzip": {"layer_type": PLAIN_LAYER},
    }
    for number, (kind, how) in enumerate(kinds.items()):
        blobs = Blobs()
        root = kit.image_of(blobs, [layer], **how)  # type: ignore[arg-type] # each has its own type
        source = kit.layout(place.folder / f"l{number}", root, documents=blobs)
        came[kind] = code(place.push(source, f"peers/x{number}:1"))
    blobs = Blobs()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blobs.add(kit.config(), CONFIG),
        "layers": None,
    }
    root = blobs.add(json.dumps(manifest).encode(), MANIFEST)
    source = kit.layout(place.folder / "null", root, documents=blobs)
    came["layers are null"] = code(place.push(source, "peers/null:1"))
    return came


def flat_layout(place: Place) -> Came:
    """Push one platform of a layout that lists two images side by side."""
    blobs, roots = Blobs(), []
    for arch in ("amd64", "arm64"):
        layer = kit.tar_layer(arch)
        platform = {"os": "linux", "architecture": arch}
        made = kit.config(layer, architecture=arch)
        roots.append(kit.image_of(blobs, [layer], config_data=made, platform=platform))
    source = kit.layout(place.folder / "l", *roots, documents=blobs)
    return {"push": code(place.push(source, "flat/a:1", "--platform", "linux/arm64"))}


def quiet_mirror(place: Place) -> Came:
    """Mirror two images, one of which has a name that no registry takes, and quietly."""
    path = place.folder / "two.tar"
    kit.docker_archive(path, ("app:v1", kit.tar_layer("a")), ("myApp:v1", kit.tar_layer("b")))
    done = place.run("mirror", path, "--to", f"{place.host}/quiet", "-q")
    return {
        "mirror": code(done),
        "the good one arrived": place.has("quiet/app:v1"),
        "its error names the other": _yes("myApp" in done.stderr),
    }


def kamal_hosts(place: Place) -> Came:
    """List hosts as SSHKit, hence Kamal, reads them."""
    place.put(
        "config/deploy.yml",
        'service: s\nimage: a/s\nservers: ["[2001:db8::2]", deploy@10.0.0.4, "10.0.0.5:2222"]\n'
        "registry: {server: ghcr.io}\n",
    )
    done = place.run("hosts", "--format", "json")
    if done.code:
        return {"hosts": code(done)}
    listed = json.loads(done.stdout)["hosts"]
    shown = "; ".join(f"{each['user'] or '-'} {each['host']} {each['port']}" for each in listed)
    return {"hosts": shown}


def sparse_and_long(place: Place) -> Came:
    """Push an archive with holes, and one of zstd with a window of 2 GB."""
    source = place.archive("app:v1", 100_000)
    folder = place.folder / "unpacked"
    folder.mkdir()
    subprocess.run(("tar", "-C", folder, "-xf", source), check=True)
    with (folder / "hole").open("wb") as hole:
        hole.truncate(1_000_000)
    sparse = place.folder / "holes.tar"
    subprocess.run(("tar", "-C", folder, "-cSf", sparse, "."), check=True)
    packed = place.folder / "long.tar.zst"
    with source.open("rb") as plain:  # a size that is not known makes the window as large as it may
        subprocess.run(("zstd", "-q", "--long=31", "-o", packed), stdin=plain, check=True)
    refused, long = place.push(sparse, "s/a:1"), place.push(packed, "z/a:1")
    return {
        "sparse": f"{code(refused)}, named: {_yes('sparse' in refused.stderr)}",
        "long window": f"{code(long)}, named: {_yes('window' in long.stderr)}",
    }


def wrong_guesses(place: Place) -> Came:
    """Push what is easily taken for an image."""
    tree = place.folder / "tree/etc"
    tree.mkdir(parents=True)
    (tree / "mtab").symlink_to("/proc/mounts")
    export = place.folder / "export.tar"
    subprocess.run(("tar", "-C", tree.parent, "-cf", export, "."), check=True)
    place.put("un/manifest.json", "[]")
    place.put("d/version", "Directory Transport Version: 1.1")
    place.put("d/manifest.json", "{}")
    said = {
        "docker export": place.push(export, "x:v1"),
        "unpacked docker save": place.push("un/", "x:v1"),
        "skopeo's dir:": place.push("dir:d", "x:v1"),
    }
    words = {
        "docker export": "docker export",
        "unpacked docker save": "unpacked",
        "skopeo's dir:": "dir:",
    }
    return {
        kind: f"{code(done)}, named: {_yes(words[kind] in done.stderr.partition('Error: ')[2])}"
        for (kind, done), word in zip(said.items(), words, strict=True)
    }


def no_passwd_entry(place: Place) -> Came:
    """Push as a user id without a passwd entry; needs root."""
    home = Path("/tmp") / f"case-{os.getpid()}"  # noqa: S108 - another user must reach it
    home.mkdir()
    try:
        source = Path(shutil.copy(place.archive(), home / "i.tar"))
        source.chmod(0o644)
        os.chown(home, 12345, 0)
        path = f"PATH={place.dockless.environment()['PATH']}"
        user = ("setpriv", "--reuid", "12345", "--regid", "0", "--clear-groups", "env", "-i", path)
        came = {}
        for kind, more in (("home", (f"HOME={home}",)), ("no HOME", ())):
            tools = f"DOCKLESS_TOOLS_DIR={place.dockless.environment()['DOCKLESS_TOOLS_DIR']}"
            name = f"{place.host}/uid/{kind.replace(' ', '').lower()}:v1"
            argv = (*user, *more, tools, place.dockless.path, "push", source, "--image", name, "-q")
            done = subprocess.run(argv, capture_output=True, cwd="/", timeout=60, check=False)
            came[kind] = str(done.returncode)
        return came
    finally:
        shutil.rmtree(home)


def nameless(place: Place) -> Came:
    """Mirror layouts as skopeo and crane write them where no name is given."""
    place.push(place.archive(), "src/app:v1")
    name, came = f"{place.host}/src/app:v1", {}
    output((str(crane()), "pull", "--format=oci", name, str(place.folder / "crane")))
    skopeo_copy(f"docker://{name}", f"oci:{place.folder / 'skopeo'}", "--src-tls-verify=false")
    for kind in ("crane", "skopeo"):
        to = f"{place.host}/m-{kind}"
        done = place.run("mirror", place.folder / kind, "--to", to, "--as", "nm:v1")
        came[kind] = f"{code(done)}, arrived: {place.has(f'm-{kind}/nm:v1')}"
    return came


def _yes(is_so: bool) -> str:  # noqa: FBT001 - a word for a truth
    return "yes" if is_so else "no"
