"""The file of a push's receipt."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from dockless.model.options import CommandOptions
from dockless.usecases.push.push_receipt import PushReceipt

if TYPE_CHECKING:
    from dockless.oci.digest import Digest


@contextlib.contextmanager
def push_receipt(options: CommandOptions, note: Callable[[str], None]) -> Iterator[PushReceipt]:
    """Yield the receipt that a command line asks for; a dry run writes none, which is noted.

    Raises:
        UsageError: It is the source, or another kind of file, or another run has it.
    """
    if options.receipt is None or options.dry_run:
        if options.receipt:
            note("A dry run writes no receipt.")
        yield PushReceipt(None)
        return
    from dockless.engines.installed import InstalledEngines  # noqa: PLC0415 - for receipts only
    from dockless.sources.input_files import inputs_of  # noqa: PLC0415 - the same
    from dockless.storage.kept_receipt import Heading, KeptReceipt  # noqa: PLC0415 - the same
    from dockless.storage.machine import this_machine  # noqa: PLC0415 - the same
    from dockless.storage.receipt_file import ReceiptFile  # noqa: PLC0415 - the same
    from dockless.storage.user_folders import source_folder  # noqa: PLC0415 - the same

    inputs = inputs_of((), (), source_folder(), options.source or "")
    file = ReceiptFile(options.receipt, inputs=inputs)
    engines = InstalledEngines(this_machine())

    def begun(target: str, bundles: "Mapping[str, Digest]") -> KeptReceipt:
        return KeptReceipt(
            file, Heading(target=target, bundles=bundles, version_of=engines.version)
        )

    with contextlib.closing(file), PushReceipt(begun) as receipt:
        yield receipt
