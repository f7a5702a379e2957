import os
from pathlib import Path

import pytest

from dockless.storage.sharing import Sharing, kind_of, likely, tried

MOUNTS = r"""
22 28 0:20 / /proc rw,nosuid - proc proc rw
28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 28 0:30 / /home rw - btrfs /dev/vdb rw
31 28 0:31 / /home/with\040blank rw - vfat /dev/vdc rw
32 28 0:32 / /srv rw - nfs4 server:/srv rw
33 28 0:33 / /srv rw - xfs /dev/vdd rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/cache", "ext4"),
        ("/home/me", "btrfs"),
        ("/homes", "ext4"),
        ("/home/with blank/me", "vfat"),
        ("/srv/me", "xfs"),
    ],
)
def test_the_innermost_and_latest_mount_counts(folder: str, kind: str) -> None:
    assert kind_of(Path(folder), MOUNTS) == kind


def test_what_is_not_known_is_unknown() -> None:
    assert kind_of(Path("/x"), "") == ""
    assert likely("fuse.something") == Sharing(None, None)
    assert likely("beegfs").hard_links is False


def test_trying_leaves_nothing_behind(tmp_path: Path) -> None:
    assert tried(tmp_path).hard_links is True
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_that_refuses_links_across_folders_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    assert tried(tmp_path).hard_links is False
    assert list(tmp_path.iterdir()) == []
