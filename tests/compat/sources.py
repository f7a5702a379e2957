"""The images of the fixture: small, the same in every run, and of every kind that is carried."""

import random
from pathlib import Path

from bed import images

_WORDS = (
    "image",
    "layer",
    "blob",
    "digest",
    "manifest",
    "index",
    "tag",
    "registry",
    "push",
    "token",
)
_NOISE_BYTES = 9_000_000


def make_sources(folder: Path, project: Path) -> None:
    """Make the images: a docker-archive, a layout, an index with a referrer; one more, one bad."""
    folder.mkdir()
    base, web, arm, more = (
        _layer(folder, name, size)
        for name, size in {"base": 40_000, "web": 24_000, "arm": 12_000, "more": 8_000}.items()
    )
    shop = images.Layout(folder / "shop")
    shop.top(shop.image((base, web), **images.named("1")))
    (project / "images").mkdir()
    archive = f"docker-archive:{project}/images/shop.tar:ghcr.io/acme/shop:v1"
    images.skopeo_copy(f"oci:{shop.folder}:1", archive)
    one = images.Layout(project / "images" / "web")
    one.top(one.image((base, web), **images.named("ghcr.io/acme/web:v1")))
    both = images.Layout(project / "images" / "both")
    parts = {"amd64": (base, web), "arm64/v8": (arm,)}
    index = both.platforms(parts, **images.named("ghcr.io/acme/both:v1"))
    both.top(index, both.referrer(index, b"an SBOM"))
    later = images.Layout(project / "more")
    later.top(later.image((base, more), **images.named("ghcr.io/acme/more:v1")))
    bad = images.Layout(project / "damaged")
    bad.top(bad.image((more,), **images.named("ghcr.io/acme/bad:v1")))
    blob = max(bad.folder.glob("blobs/*/*"), key=lambda path: path.stat().st_size)
    data = blob.read_bytes()
    blob.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    noise = folder / "noise.bin"
    noise.write_bytes(random.Random(1).randbytes(_NOISE_BYTES))  # noqa: S311 - no secret
    loud = images.Layout(folder / "loud")
    loud.top(loud.image((images.layer(folder / "n.tar", [noise.name], folder),), compressed=False,
                        **images.named("1")))  # fmt: skip
    images.skopeo_copy(f"oci:{loud.folder}:1", f"docker-archive:{project}/noise.tar:noise:1")


def _layer(folder: Path, name: str, size: int) -> images.Layer:
    """Make a layer of words, the same in every run."""
    chance = random.Random(name)  # noqa: S311 - no secret
    tree = folder / name
    tree.mkdir()
    text = " ".join(chance.choice(_WORDS) + str(chance.randrange(99)) for _ in range(size // 8))
    (tree / f"{name}.txt").write_text(text)
    return images.layer(folder / f"{name}.tar", [f"{name}.txt"], tree)
