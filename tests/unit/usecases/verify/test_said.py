"""What a comparison with receipts says, whatever progress is shown."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from dockless.client.verification import verify
from dockless.model.verified import ReceiptItem
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_MANIFEST
from dockless.oci.reference import Reference
from dockless.retry import RetryPolicy
from dockless.storage.receipt_reading import Receipt
from fakes.journal import Journal
from fakes.registry import FakeRegistry

if TYPE_CHECKING:
    from dockless.client.session import Session

_LINES = (
    "a of x.tar did not arrive: It is gone.",
    "b of y.tar had not been tried when r.json was.",
)


def _hidden(text: str) -> None:
    raise AssertionError(text)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_every_difference_is_said_where_waits_are_said(count: int) -> None:
    registry, said = FakeRegistry(Journal()), list[str]()
    work = SimpleNamespace(
        note=_hidden,
        reading=lambda _: registry,
        retry_policy=lambda note: RetryPolicy(attempts=1, deadline=None, note=note),
    )
    items = tuple(
        ReceiptItem(
            reference=Reference.parse(f"r.io/app:v{number}"),
            digest=Digest.of(b"x"),
            media_type=OCI_MANIFEST,
            blobs=(),
        )
        for number in range(2)
    )
    receipt = Receipt(items=items, missing=_LINES[:count], document={})
    found = verify(cast("Session", work), [receipt], said.append, deep=False)
    assert len(found.differences) == len(items)
    assert said[:count] == list(_LINES[:count])
    assert said[count:] == [
        f"r.io/app:v{number} does not exist; the receipt has {Digest.of(b'x')}."
        for number in range(2)
    ]
