"""Which paths lie on a network file system, going by Linux's table of mounts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pickem.project.filesystem import is_network

MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
server:/people /people nfs4 rw,vers=4.2 0 0
/dev/sdb1 /people/local xfs rw 0 0
//server/share /shares/lab\\040data cifs rw 0 0
me@server:/ /shares/ssh fuse.sshfs rw 0 0
lustre@tcp:/scratch /scratch lustre rw 0 0
/dev/fuse /shares/ntfs fuseblk rw 0 0
overlay /stores overlay rw 0 0
a line that is short
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no table of mounts")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/project.sqlite", False),
        ("/var/lib/p.pickem/project.sqlite", False),
        ("/people/me/p.pickem/project.sqlite", True),
        ("/people", True),
        ("/peoples/p.pickem", False),
        ("/people/local/p.pickem", False),
        ("/shares/lab data/p.pickem", True),
        ("/shares/lab/p.pickem", False),
        ("/shares/ssh/p.pickem", True),
        ("/shares/ntfs/p.pickem", False),
        ("/scratch/p.pickem", True),
        ("/stores/p.pickem", False),
    ],
)
def test_the_deepest_mount_above_a_path_decides(path: str, expected: bool) -> None:
    assert is_network(Path(path), MOUNTS) is expected


def test_what_is_mounted_last_over_a_place_counts() -> None:
    over = "/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /stores ext4 rw 0 0\nserver:/d /stores nfs rw 0 0\n"
    assert is_network(Path("/stores/p"), over)


def test_a_system_without_a_table_has_no_network_mounts() -> None:
    assert not is_network(Path("/stores/p"), "")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/mounts")
def test_the_running_systems_own_table_is_read() -> None:
    assert not is_network(Path("/proc/self"))


def test_a_link_counts_as_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    (tmp_path / "here").symlink_to(tmp_path / "server")
    mounts = f"/dev/sda1 / ext4 rw 0 0\nserver:/ {tmp_path}/server nfs rw 0 0\n"
    assert is_network(tmp_path / "here" / "project.sqlite", mounts)


def test_a_relative_path_is_taken_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mounts = f"/dev/sda1 / ext4 rw 0 0\nserver:/ {tmp_path} nfs rw 0 0\n"
    assert is_network(Path("p.pickem"), mounts)
