"""The platforms of the images of a layout, and the choice of one."""

from collections.abc import Iterable, Iterator

from dockless.errors import SourceError
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    CONFIGS,
    MANIFESTS,
    UNKNOWN,
    Descriptor,
    Manifest,
    layer_compression,
)
from dockless.oci.platform import Platform
from dockless.sources.files import Files
from dockless.sources.oci_layout import blob_name, checked, config_of, parsed, visited


def pick(files: Files, root: Descriptor, platform: Platform | None) -> Descriptor:
    """Return the descriptor of the one image for a platform, inside an index or by itself.

    What is no image and stands by itself is for every platform; an image that does not say its
    architecture is for none.

    Args:
        files: The layout.
        root: The image or index.
        platform: The platform; None for all, which is the root.

    Raises:
        SourceError: No image is for it, or a manifest is missing or damaged.
    """
    if platform is None:
        return root
    offered = []
    for found, own in images_below(files, root):
        if (own and own.serves(platform)) or (found is root and own is None):
            return found
        offered.append(own)
    raise no_platform(files.label, platform, offered)


def platforms(files: Files, root: Descriptor) -> tuple[Platform, ...]:
    """Return the platforms of an image, or of those that an index lists, as far as they tell."""
    return tuple(own for _, own in images_below(files, root) if own and _is_known(own))


def no_platform(label: str, wanted: Platform, offered: Iterable[Platform | None]) -> SourceError:
    """Return the error for a platform that none of the images is for."""
    named = {str(each) for each in offered if each and _is_known(each)}
    known = ", ".join(sorted(named)) or "none that is known"
    return SourceError(f"{label} has no image for {wanted}.", f"It has: {known}.")


def images_below(
    files: Files, root: Descriptor, depth: int = 0, seen: set[Digest] | None = None
) -> Iterator[tuple[Descriptor, Platform | None]]:
    """Yield each image below a root with its platform, by its descriptor or else by its config.

    An image that does not say its architecture has an unknown one; what is no image has None.
    """
    seen = visited(files, root, depth, set() if seen is None else seen)
    if depth and root.platform and root.media_type in MANIFESTS:
        yield root, root.platform
        return
    if depth and blob_name(root.digest) not in files:
        return
    document = parsed(files, root, checked(files, root))
    if isinstance(document, Manifest):
        # a config has no variant as a rule
        yield root, root.platform or _platform_of(files, document)
        return
    for child in document.children:
        if child.digest not in seen:
            yield from images_below(files, child, depth + 1, seen)


def _platform_of(files: Files, manifest: Manifest) -> Platform | None:
    config = manifest.config
    if config.media_type not in CONFIGS or blob_name(config.digest) not in files:
        return None
    found = config_of(files, manifest)
    if found is None or _is_known(found.platform):
        return found.platform if found else None
    # a signature of cosign has the config of an image
    is_image = all(layer_compression(each.media_type) for each in manifest.layers)
    return found.platform if is_image else None


def _is_known(platform: Platform) -> bool:
    return UNKNOWN not in (platform.os, platform.architecture)
