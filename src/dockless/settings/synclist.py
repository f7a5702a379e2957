"""The YAML of `skopeo sync --src yaml`: registries, their images, and the tags of each."""

from collections.abc import Iterator
from pathlib import Path

from dockless.model.errors import UsageError
from dockless.model.reference import Name
from dockless.settings import files
from dockless.settings.document import Value

_KNOWN = frozenset({"images", "images-by-tag-regex", "images-by-semver", "credentials",
                    "tls-verify", "cert-dir"})  # fmt: skip
_UNSUPPORTED = ("images-by-tag-regex", "images-by-semver", "credentials", "cert-dir")


def read(path: Path) -> tuple[str, ...]:
    """Return the full name of every image that the list names.

    An image without tags is an error, since which tags there are is not asked.

    Raises:
        UsageError: The file is no such list, or asks for what is not supported.
    """
    document = files.read_yaml(path, str(path))
    if document is None:
        raise UsageError(f"There is no list {path}.", "Check the path.")
    return tuple(
        name for host, registry in document.mapping().items() for name in _images(host, registry)
    )


def _images(host: str, registry: Value) -> Iterator[str]:
    for key, member in registry.mapping().items():
        if key not in _KNOWN:
            raise member.wrong("is nothing that a list of images has", "See skopeo-sync(1).")
        if key in _UNSUPPORTED:
            raise member.wrong("is not supported yet", "List the tags under `images`.")
    images = registry.get("images")
    for repository, tags in images.mapping().items() if images else ():
        if not tags.items():
            raise tags.wrong("names no tag", "List its tags.")
        for tag in tags.items():
            text = tag.scalar()
            joint = "@" if text.startswith("sha256:") else ":"
            name = f"{host}/{repository}{joint}{text}"
            try:
                Name.parse(name)
            except ValueError as error:
                raise tag.wrong(f"makes {name!r}, which is no image: {error}") from None
            yield name
