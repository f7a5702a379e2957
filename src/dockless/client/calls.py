"""The functions of the library: each opens a client, calls it once, and closes it."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence

from dockless.client.client import Client
from dockless.model.mirrored import MirrorResult
from dockless.model.options import PushOptions
from dockless.model.plan import PushResult
from dockless.model.secret import Credential
from dockless.model.verified import VerifyResult
from dockless.ports import Image
from dockless.report.callback import Shown
from dockless.sources.spec import Source


def push(  # noqa: PLR0913 - each is documented, and all but two go by keyword
    source: str | os.PathLike[str],
    target: str,
    *,
    tags: Sequence[str] = (),
    receipt: str | os.PathLike[str] | None = None,
    credential: Credential | None = None,
    options: PushOptions | None = None,
    progress: Shown = None,
    cache: str | os.PathLike[str] | None = None,
) -> PushResult:
    """Push one image; the arguments are those of `Client` and `Client.push`."""
    with Client(progress=progress, cache=cache) as client:
        return client.push(
            source, target, tags=tags, receipt=receipt, credential=credential, options=options
        )


def mirror(  # noqa: PLR0913 - each is documented, and all but two go by keyword
    sources: Source | Sequence[Source],
    target: str,
    *,
    lists: Sequence[str | os.PathLike[str]] = (),
    receipt: str | os.PathLike[str] | None = None,
    credential: Credential | None = None,
    credentials: Mapping[str, Credential] | None = None,
    options: PushOptions | None = None,
    progress: Shown = None,
    cache: str | os.PathLike[str] | None = None,
) -> MirrorResult:
    """Push every image of many sources; the arguments are those of `Client` and `Client.mirror`."""
    with Client(credentials=credentials, progress=progress, cache=cache) as client:
        return client.mirror(
            sources,
            target,
            lists=lists,
            receipt=receipt,
            credential=credential,
            options=options,
        )


def verify(
    *receipts: str | os.PathLike[str],
    deep: bool = False,
    credentials: Mapping[str, Credential] | None = None,
    options: PushOptions | None = None,
    progress: Shown = None,
) -> VerifyResult:
    """Compare registries with receipts; the arguments are those of `Client` and `Client.verify`."""
    with Client(credentials=credentials, progress=progress) as client:
        return client.verify(*receipts, deep=deep, options=options)


@contextlib.contextmanager
def open_image(
    source: str | os.PathLike[str],
    *,
    credentials: Mapping[str, Credential] | None = None,
    options: PushOptions | None = None,
    progress: Shown = None,
) -> Iterator[Image]:
    """Yield an image of a source; the arguments are those of `Client` and `Client.open_image`."""
    with (
        Client(credentials=credentials, progress=progress) as client,
        client.open_image(source, options=options) as image,
    ):
        yield image
