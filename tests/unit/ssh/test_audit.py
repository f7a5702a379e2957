"""What was left on a host is told from what other programs make there meanwhile."""

import pytest

from dockless.ssh.audit import is_ours

TMP = "/tmp"  # noqa: S108 - on no host
FOLDER = f"{TMP}/dockless.aB3dE9"


@pytest.mark.parametrize(
    "line",
    [
        FOLDER,
        f"/var{TMP}/dockless.aB3dE9/home",
        f"{TMP}/container_images_storage123",
        f"/var{TMP}/docker-tarfile-77",
        "/home/me/.cache/dockless/engines/crane",
        "123 45 /home/me/.docker/config.json",
    ],
)
def test_what_we_or_our_programs_leave_is_ours(line: str) -> None:
    assert is_ours(line, FOLDER)


@pytest.mark.parametrize(
    "line",
    [
        f"{TMP}/mess.1234",
        f"{TMP}/dockless.zzzzzz",
        f"{TMP}/systemd-private-77/tmp",
        "/home/me/.bash_history",
        f"{TMP}/Qx81.tmp",
        "/run/user/1000/bus",
        "/home/me/project/dockless.py",
    ],
)
@pytest.mark.parametrize("folder", [FOLDER, ""])
def test_what_other_programs_make_is_not(line: str, folder: str) -> None:
    assert not is_ours(line, folder)
