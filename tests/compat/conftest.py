"""Every version's fixture in turn, and the place in which it is read."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.dockless import Dockless
from bed.place import Place, place

_VERSIONS = sorted(Path(__file__).parent.glob("v*"))
_LATER_BOOT = "00000000-0000-4000-8000-000000000002"


@pytest.fixture(params=_VERSIONS, ids=lambda path: path.name)
def wrote(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """What one version wrote, copied so that a test may change it."""
    # a working copy's files may be read-only, and their times are those of the checkout
    return Path(shutil.copytree(request.param, tmp_path / "wrote", copy_function=shutil.copyfile))


@pytest.fixture
def there(program: Dockless, tmp_path: Path) -> Iterator[Place]:
    """The place after the machine was started again."""
    folder = tmp_path / "place"
    folder.mkdir()
    with place(folder, program, _LATER_BOOT) as made:
        yield made


@pytest.fixture
def ours(there: Place, wrote: Path) -> Dockless:
    """Dockless with the version's images in `/mnt`, its store, and a login by the environment."""
    shutil.copytree(wrote / "images", there.program.project / "images")
    shutil.copytree(wrote / "bundles", there.program.project, dirs_exist_ok=True)
    version = json.loads((wrote / "made.json").read_text())["dockless"]
    shutil.copytree(wrote / "store", there.store_of_0_1_0 if version == "0.1.0" else there.store)
    return there.also(**there.account)
