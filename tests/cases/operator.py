"""What went wrong at work on hosts, mirrors and bundles."""

import json
import shutil
from collections import Counter

from bed.images import INDEX
from bed.process import output
from bed.tools import crane
from cases import kit
from cases.place import Blobs, Came, Place, code


def missing_blob(place: Place) -> Came:
    """Lose a layer behind a tag that stands, and push and mirror again."""
    source = place.archive()
    place.push(source, "src/app:v1")
    name, to = f"docker://{place.host}/src/app:v1", f"{place.host}/b1"
    receipt = place.folder / "b1.json"
    place.run("mirror", "-q", name, "--to", to, "--receipt", receipt)
    lost = kit.layers(f"{place.host}/b1/src/app:v1")[1]

    def lose() -> None:
        # the registry's links to it stand in each repository; the source must lack it there, too
        for link in place.registry.storage.rglob(f"{lost.removeprefix('sha256:')}"):
            if "/b1/" in str(link):
                shutil.rmtree(link)

    lose()
    came = {"verify finds it": code(place.run("verify", "-q", receipt))}
    again = place.run("mirror", "-q", name, "--to", to, "--receipt", receipt)
    came["mirror"] = f"{code(again)}, healed: {place.has('b1/src/app:v1')}"
    lose()
    pushed = place.push(source, "b1/src/app:v1", "--verify")
    came["push --verify"] = f"{code(pushed)}, healed: {place.has('b1/src/app:v1')}"
    return came


def by_digest(place: Place) -> Came:
    """Take an image that is pinned by digest into a bundle, and out of it."""
    pushed = place.push(place.archive(), "library/app:v1")
    pinned = f"docker://{pushed.stdout.strip()}"
    bundle = place.folder / "a.tar"
    made = place.run("bundle", "create", "-o", bundle, pinned)
    out = place.run("mirror", bundle, "--to", f"{place.host}/a2")
    named = place.run("mirror", bundle, "--to", f"{place.host}/a3", "--as", "app:x")
    return {
        "bundle create": code(made),
        "mirror": code(out),
        "mirror --as": f"{code(named)}, arrived: {_either(place, 'a3/app:x', 'a3/library/app:x')}",
    }


def _either(place: Place, *names: str) -> str:
    return "yes" if "yes" in map(place.has, names) else "no"


def one_missing(place: Place) -> Came:
    """Mirror and bundle a list that has one unknown tag."""
    for number in (3, 6):
        place.push(place.archive(f"app{number}:v1", seed=number), f"library/app{number}:v1")
    names = (
        f"docker://{place.host}/library/{each}" for each in ("app3:v1", "nosuch:v1", "app6:v1")
    )
    listing = place.put("miss.txt", "".join(f"{name}\n" for name in names))
    done = place.run("mirror", "-q", "-f", listing, "--to", f"{place.host}/q2")
    bundle = place.folder / "miss.tar"
    made = place.run("bundle", "create", "--keep-going", "-o", bundle, "-f", listing)
    both = {place.has("q2/library/app3:v1"), place.has("q2/library/app6:v1")}
    return {
        "mirror": f"{code(done)}, the others arrived: {'yes' if both == {'yes'} else 'no'}",
        "bundle create --keep-going": f"{code(made)}, made: {'yes' if bundle.exists() else 'no'}",
    }


def since(place: Place) -> Came:
    """Mirror a bundle that leaves out what an older one brought, where that never was."""
    base, top = (40_000,), (40_000, 9_000)
    old, new = place.folder / "old", place.folder / "new.tar"
    place.run("bundle", "create", "-o", old, place.archive("app:v1", *base))
    lock = old / "bundle.lock.json"
    made = place.run("bundle", "create", "-o", new, "--since", lock, place.archive("app:v2", *top))
    to = f"{place.host}/never"
    elsewhere = str(place.folder / "another-store")
    dry = place.run("mirror", new, "--to", to, "--dry-run", DOCKLESS_CACHE_DIR=elsewhere)
    run = place.run("mirror", new, "--to", to, DOCKLESS_CACHE_DIR=elsewhere)
    whole = place.folder / "n.tar"
    older = place.folder / "old.tar"
    place.run("bundle", "create", "-o", older, place.archive("app:v1", *base))
    taken = place.run(
        "bundle", "create", "-o", whole, "--since", older, place.archive("app:v2", *top)
    )
    return {
        "bundle create --since LOCK": code(made),
        "dry run": f"{code(dry)}, says so: {_says(dry.stdout + dry.stderr)}",
        "mirror": f"{code(run)}, says so: {_says(run.stderr)}",
        "bundle create --since BUNDLE": code(taken),
    }


def _says(text: str) -> str:
    return "yes" if "older bundle" in text.lower() else "no"


def two_platforms(place: Place) -> Came:
    """Ask a mirror for two platforms."""
    blobs, listed = Blobs(), []
    for arch in ("amd64", "arm64"):
        layer, platform = kit.tar_layer(arch), {"os": "linux", "architecture": arch}
        made = kit.config(layer, architecture=arch)
        listed.append(kit.image_of(blobs, [layer], config_data=made, platform=platform))
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}
    root = blobs.add(json.dumps(index).encode(), INDEX)
    place.push(kit.layout(place.folder / "l", root, documents=blobs), "library/app:v1")
    done = place.run(
        "mirror", f"docker://{place.host}/library/app:v1", "--platform", "linux/amd64",
        "--platform", "linux/arm64", "--to", f"{place.host}/p",
    )  # fmt: skip
    if place.has("p/library/app:v1") == "no":
        return {"mirror": code(done)}
    came = json.loads(output((str(crane()), "manifest", f"{place.host}/p/library/app:v1")))
    both = ", both arrived" if len(came.get("manifests", ())) == len(listed) else ", one arrived"
    return {"mirror": f"{code(done)}{both}"}


def duplicates(place: Place) -> Came:
    """Mirror a list that has one line twice, ten times."""
    place.push(place.archive(), "library/app:v1")
    line = f"docker://{place.host}/library/app:v1\n"
    listing = place.put("dup.txt", line * 2)
    runs = (
        place.run("mirror", "-q", "-f", listing, "--to", f"{place.host}/st{number}", seconds=15)
        for number in range(10)
    )
    codes = Counter(map(code, runs))
    return {"codes": ", ".join(f"{count} x {each}" for each, count in sorted(codes.items()))}


_KAMAL = {
    "ERB of the environment": (
        'image: <%= ENV["USER_NAME"] %>/shop\n'
        'servers: [<%= ENV.fetch("WEB_HOST", "192.0.2.10") %>]\n'
        "registry: {username: u, password: [T]}\n"
    ),
    "ERB where nothing is needed": (
        "image: acme/shop\nservers: [192.0.2.11]\nregistry: {server: ghcr.io, username: u}\n"
        "builder: {args: {REVISION: <%= `git rev-parse HEAD`.strip %>}}\n"
    ),
    "user@host:port": (
        "image: acme/shop\nservers: [deploy@192.0.2.1, 192.0.2.2:2222, admin@192.0.2.3:2200]\n"
        "registry: {server: ghcr.io}\n"
    ),
    "IPv6": (
        'image: acme/shop\nservers: ["2001:db8::1", "[2001:db8::2]:2222"]\n'
        "registry: {server: ghcr.io}\n"
    ),
}


def kamal(place: Place) -> Came:
    """List the hosts of what Kamal reads."""
    came = {}
    for kind, text in _KAMAL.items():
        place.put("config/deploy.yml", f"service: shop\nbuilder: {{arch: amd64}}\n{text}"
                  if "builder" not in text else f"service: shop\n{text}")  # fmt: skip
        done = place.run("hosts", "--format", "json", USER_NAME="acme")
        came[kind] = code(done)
        if not done.code:
            hosts = json.loads(done.stdout)["hosts"]
            shown = (f"{each['user'] or '-'} {each['host']} {each['port']}" for each in hosts)
            came[kind] = "; ".join(shown)
    return came
