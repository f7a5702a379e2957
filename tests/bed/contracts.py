"""What import-linter finds in the tree of the current folder, as JSON on stdout.

It runs as a program, `python -m bed.contracts`, since the package that it looks at is the one that
this process would import: a copy, with PYTHONPATH on its `src`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from importlinter.application.use_cases import create_report, read_user_options
from importlinter.configuration import configure
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.domain.contract import registry

_CONFIGURATION = "pyproject.toml"
_SECONDS = 120

Breaches = Mapping[str, frozenset[tuple[str, str]]]
"""By the name of a broken contract: who imports what. A room in no floor is imported by nobody."""


def breaches(checkout: Path) -> Breaches:
    """Return what `lint-imports` says of a checkout: empty when every contract is kept."""
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        (sys.executable, "-m", "bed.contracts"),
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": f"{checkout / 'src'}:{tests}"},
        stdout=subprocess.PIPE,
        timeout=_SECONDS,
        check=True,
    )
    found: dict[str, list[list[str]]] = json.loads(done.stdout)
    return {name: frozenset((one, other) for one, other in found[name]) for name in found}


def _pairs(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every import that breaks a contract: the importing and the imported module."""
    for each in metadata.get("invalid_chains", ()):
        yield from ((c[0]["importer"], c[0]["imported"]) for c in each["chains"] if len(c) == 1)
    for each in metadata.get("invalid_dependencies", ()):
        yield each["importer"], each["imported"]
    yield from (("", module) for module in metadata.get("undeclared_modules", ()))


def _main() -> None:
    configure()
    registry.register(ForbiddenContract, "forbidden")
    registry.register(LayersContract, "layers")
    report = create_report(read_user_options(_CONFIGURATION), cache_dir=None)
    found = {
        contract.name: sorted(set(_pairs(check.metadata)))
        for contract, check in report.get_contracts_and_checks()
        if not check.kept
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    _main()
