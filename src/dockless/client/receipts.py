"""The file of a push's receipt."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from dockless.model.options import CommandOptions, PushOptions
from dockless.usecases.push.push_receipt import PushReceipt

if TYPE_CHECKING:
    from pathlib import Path

    from dockless.oci.digest import Digest
    from dockless.storage.machine import Machine


@contextlib.contextmanager
def push_receipt(options: CommandOptions, note: Callable[[str], None]) -> Iterator[PushReceipt]:
    """Yield the receipt that a command line asks for; a dry run writes none, which is noted.

    Raises:
        UsageError: It is the source, or another kind of file, or another run has it.
    """
    from dockless.storage.machine import this_machine  # noqa: PLC0415 - for receipts only

    source = options.source or ""
    with receipt_at(options.receipt, source, options, this_machine, note) as receipt:
        yield receipt


@contextlib.contextmanager
def receipt_at(
    path: "Path | None",
    source: str,
    options: PushOptions,
    machine: Callable[[], "Machine"],
    note: Callable[[str], None],
) -> Iterator[PushReceipt]:
    """Yield the receipt of a push, by its path; a dry run writes none, which is noted.

    Args:
        path: The file; None for no receipt.
        source: The source, which it may not be.
        options: How the image is pushed.
        machine: Returns the machine whose programs may push.
        note: Called with a line.

    Raises:
        UsageError: It is the source, or another kind of file, or another run has it.
    """
    if path is None or options.dry_run:
        if path:
            note("A dry run writes no receipt.")
        yield PushReceipt(None)
        return
    from dockless.engines.installed import InstalledEngines  # noqa: PLC0415 - for receipts only
    from dockless.sources.input_files import inputs_of  # noqa: PLC0415 - the same
    from dockless.storage.kept_receipt import Heading, KeptReceipt  # noqa: PLC0415 - the same
    from dockless.storage.receipt_file import ReceiptFile  # noqa: PLC0415 - the same
    from dockless.storage.user_folders import source_folder  # noqa: PLC0415 - the same

    inputs = inputs_of((), (), source_folder(), source)
    file, engines = ReceiptFile(path, inputs=inputs), InstalledEngines(machine())

    def begun(target: str, bundles: "Mapping[str, Digest]") -> KeptReceipt:
        return KeptReceipt(
            file, Heading(target=target, bundles=bundles, version_of=engines.version)
        )

    with contextlib.closing(file), PushReceipt(begun) as receipt:
        yield receipt
