"""Whether a path lies on a network file system, where SQLite's write-ahead log is unsafe."""

from __future__ import annotations

import sys
from pathlib import Path

_NETWORK = {
    "nfs",
    "nfs4",
    "cifs",
    "smb",
    "smb2",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "lustre",
    "beegfs",
    "gpfs",
}
_NETWORK |= {
    "glusterfs",
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "afpfs",
    "panfs",
    "orangefs",
}


def is_network(path: Path, mounts: str | None = None) -> bool:
    """Whether `path` is on a network file system, going by Linux's table of mounts.

    `mounts` is the text of that table, by default the running system's. Elsewhere than on Linux the answer
    is no, save for Windows' network shares.
    """
    if sys.platform == "win32":
        return str(path.resolve()).startswith("\\\\")
    if mounts is None:
        table = Path("/proc/mounts")
        mounts = table.read_text("utf-8", errors="replace") if table.exists() else ""
    return _kind_of_mount(path.resolve(), mounts) in _NETWORK


def _kind_of_mount(path: Path, mounts: str) -> str:
    """Type of the deepest mount above `path`; the table writes a space as \\040."""
    found, kind = Path(), ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " "))
        if path.is_relative_to(point) and len(point.parts) >= len(found.parts):
            found, kind = point, fields[2]
    return kind
