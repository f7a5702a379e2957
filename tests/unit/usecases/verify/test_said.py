"""What a comparison with receipts says, whatever progress is shown."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from dockless.client.verification import verify
from dockless.errors import NetworkError, NoSlotError, StalledError
from dockless.model.counts import counted
from dockless.model.verified import ReceiptItem
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_MANIFEST
from dockless.oci.reference import Reference, Repository
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


@pytest.mark.parametrize("hosts", [("a.io",), ("a.io", "b.io"), ("a.io", "b.io", "c.io:5000")])
@pytest.mark.parametrize("error", [NetworkError, NoSlotError, StalledError])
@pytest.mark.parametrize("count", [2, 7])
def test_a_registry_that_does_not_respond_is_asked_and_reported_once(
    hosts: tuple[str, ...], error: type[NetworkError], count: int
) -> None:
    asked, said = list[str](), list[str]()

    def silent(repository: Repository) -> FakeRegistry:
        asked.append(repository.host)
        raise error(f"{repository.host} cannot be reached.", "Check it.")

    work = SimpleNamespace(
        note=_hidden,
        reading=silent,
        retry_policy=lambda note: RetryPolicy(attempts=1, deadline=None, note=note),
    )
    items = tuple(
        ReceiptItem(
            reference=Reference.parse(f"{host}/app{number}:v1"),
            digest=Digest.of(b"x"),
            media_type=OCI_MANIFEST,
            blobs=(),
        )
        for number in range(count)
        for host in hosts
    )
    receipt = Receipt(items=items, missing=(), document={})
    found = verify(cast("Session", work), [receipt], said.append, deep=False)
    assert asked == list(hosts)
    assert found.uncompared == len(found.differences) == len(items)
    assert said[: len(hosts)] == [
        f"{host}/app0:v1: {host} cannot be reached. Check it." for host in hosts
    ]
    assert len(said) == 2 * len(hosts)
    for host, line in zip(hosts, said[len(hosts) :], strict=True):
        assert f"with the error of {host}/app0:v1: {host}/app1:v1" in line
        assert line.startswith(f"{counted(count - 1, 'other reference')} failed")


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
