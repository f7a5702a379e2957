"""In every set-up dockless does what `ssh` does: the judge is ssh itself."""

import pytest

from ssh_matrix.records import keep
from ssh_matrix.run import Case
from ssh_matrix.setup import Setup
from ssh_matrix.table import EVERY, SETUPS
from ssh_matrix.world import World


def _name(setup: Setup) -> str:
    return f"{setup.group}: {setup.name}".replace("/", "|")


@pytest.mark.sampled(EVERY)
@pytest.mark.parametrize("setup", SETUPS, ids=_name)
def test_dockless_does_what_ssh_does(setup: Setup, everywhere: World) -> None:
    case = Case(setup, everywhere)
    with case.running():
        ssh = case.ssh()
        dockless = case.dockless()
    keep(setup.name, ssh, dockless)
    said = f"ssh: {ssh}, {ssh.words}\ndockless: {dockless}, {dockless.words}\n{case.log()}"
    if setup.may_differ:
        return
    if setup.differs:
        assert ssh.compared != dockless.compared, said
    else:
        assert ssh.compared == dockless.compared, said
