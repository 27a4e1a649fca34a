"""Mounted file systems, chosen and counted as `df` does."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import psutil

_MAY_HANG = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "fuse.sshfs", "autofs")
"""Asking one of these whose server is gone blocks for minutes: they are named, not measured."""


@dataclass(frozen=True, slots=True)
class Mount:
    """Figures in bytes. `free_bytes` is what users may still write, which `df` calls available."""

    device: str
    mountpoint: str
    fstype: str
    total_bytes: int
    used_bytes: int
    free_bytes: int

    @property
    def used_percent(self) -> int:
        """Used share of what users may use, rounded up: the figure `df` prints."""
        return math.ceil(self._share())

    @property
    def exact_used_percent(self) -> float:
        return round(self._share(), 2)

    def _share(self) -> float:
        usable = self.used_bytes + self.free_bytes
        return 100.0 * self.used_bytes / usable if usable else 0.0


def read_mounts() -> tuple[list[Mount], list[str]]:
    """Every file system that has room, once each, and notes about those that were not asked."""
    by_device: dict[int, Mount] = {}
    notes: list[str] = []
    for partition in psutil.disk_partitions(all=True):
        if partition.fstype.startswith(_MAY_HANG):
            notes.append(f"{partition.mountpoint} is on a network ({partition.fstype}): not measured")
            continue
        try:
            figures = os.statvfs(partition.mountpoint)
            device_id = os.stat(partition.mountpoint).st_dev
        except OSError:
            # Not ours to look at, or gone meanwhile: df leaves such a line out as well.
            continue
        if figures.f_blocks == 0:
            continue
        mount = Mount(
            device=partition.device,
            mountpoint=partition.mountpoint,
            fstype=partition.fstype,
            total_bytes=figures.f_blocks * figures.f_frsize,
            used_bytes=(figures.f_blocks - figures.f_bfree) * figures.f_frsize,
            free_bytes=figures.f_bavail * figures.f_frsize,
        )
        known = by_device.get(device_id)
        if known is None or len(mount.mountpoint) < len(known.mountpoint):
            by_device[device_id] = mount
    return sorted(by_device.values(), key=lambda mount: mount.mountpoint), notes
