"""What belongs to the user of a client."""

from pathlib import Path

from dockless.storage.machine import bare_machine


def test_a_client_of_its_own_has_its_store_and_nothing_else(tmp_path: Path) -> None:
    machine = bare_machine(tmp_path)
    assert machine.cache == tmp_path
    assert not machine.environment
    assert not machine.home.exists()
    assert not machine.data.exists()
