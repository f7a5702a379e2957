"""The programs of one session: nothing of them is loaded or looked for before one is needed."""

import threading
from pathlib import Path

import pytest

from dockless.engines.installed import InstalledEngines
from dockless.engines.starter import EngineStarter
from dockless.errors import EngineError
from dockless.model.endpoint import Endpoint
from dockless.model.options import PushOptions
from dockless.oci.content import Content, StagedImage
from dockless.oci.reference import Reference, Repository
from dockless.ports import Task, Written
from dockless.storage.machine import Machine
from fakes.engine_registry import FakeEngineRegistry

REGISTRY = FakeEngineRegistry(Endpoint(host="registry.example.com"))
SHOP = Repository.of("registry.example.com", "team/shop")


class Looked:
    """A machine without any program; counts how often it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.count = 0
        self.done = threading.Event()
        self._machine = Machine(
            environment={"PATH": str(folder)}, home=folder, data=folder, cache=folder
        )

    def __call__(self) -> InstalledEngines:
        self.count += 1
        self.done.set()
        return InstalledEngines(self._machine)


def test_nothing_is_looked_for_before_it_is_needed(tmp_path: Path) -> None:
    looked = Looked(tmp_path)
    EngineStarter(PushOptions(), looked, None).close()
    assert looked.count == 0


def test_programs_are_made_ready_once_however_many_uploads_begin(tmp_path: Path) -> None:
    looked = Looked(tmp_path)
    starter = EngineStarter(PushOptions(), looked, None)
    starter.prepare()
    starter.prepare()
    assert looked.done.wait(60)
    starter.engines(REGISTRY, SHOP, tmp_path)
    assert looked.count == 2  # to make them ready, and to start them
    starter.close()


@pytest.mark.parametrize("name", ["crane", "skopeo"])
def test_a_program_that_is_not_installed_cannot_be_started(tmp_path: Path, name: str) -> None:
    starter = EngineStarter(PushOptions(), Looked(tmp_path), None)
    engines = starter.engines(REGISTRY, SHOP, tmp_path, writes=False)
    with pytest.raises(EngineError):
        engines.start(name)
    starter.close()


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("name", ["crane", "skopeo"])
def test_a_program_that_is_required_is_looked_for(
    tmp_path: Path, name: str, *, prepared: bool
) -> None:
    starter = EngineStarter(PushOptions(), Looked(tmp_path), None)
    if prepared:
        starter.prepare()
    with pytest.raises(EngineError, match=f"{name} is neither on PATH"):
        starter.require(name)
    starter.close()


class Direct:
    """What writes and reads without a program, and writes down what it was asked for."""

    name = tagger = "direct"

    def __init__(self) -> None:
        self.pulled: list[str] = []

    def pull(self, source: Reference, layout: Path) -> None:
        assert layout.name == "layout"
        self.pulled.append(str(source))

    def write(self, image: StagedImage, repository: Repository, sending: Task) -> Written:
        raise NotImplementedError

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        raise NotImplementedError


@pytest.mark.parametrize("writes", [True, False])
def test_where_no_program_is_installed_dockless_itself_works(
    tmp_path: Path, *, writes: bool
) -> None:
    starter, direct, notes = (
        EngineStarter(PushOptions(), Looked(tmp_path), None),
        Direct(),
        list[str](),
    )
    engines = starter.engines(REGISTRY, SHOP, tmp_path, writes=writes)
    engines.automatic(direct, notes.append).pull(Reference(SHOP, "v1"), tmp_path / "layout")
    assert direct.pulled == [f"{SHOP}:v1"]
    starter.close()
