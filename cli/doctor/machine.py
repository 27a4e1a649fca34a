"""Looks at this machine: interpreter, packages, the data folder."""

import importlib.util
import os
import platform
import shutil
import sys
from pathlib import Path

from cli.doctor.finding import Finding

OLDEST_PYTHON = (3, 11)
LOW_BYTES = 2 * 1024**3
TOO_LOW_BYTES = 200 * 1024**2

EXTRAS = (
    ("noida_db", "embedded broker", "embedded"),
    ("chdb", "embedded ClickHouse", "embedded"),
    ("ladybug", "graph store", "graph"),
)


def python() -> Finding:
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", "fail", f"Python {version}", "Python 3.11 or newer is needed.")
    return Finding("python", "ok", f"Python {version}")


def extras() -> list[Finding]:
    """One finding a package that is not always installed."""
    found = []
    for module, what, extra in EXTRAS:
        if importlib.util.find_spec(module) is not None:
            found.append(Finding(what, "ok", f"{module} is installed"))
        else:
            hint = f"Only needed without a server of your own: pip install 'opsloom[{extra}]'"
            if extra == "graph":
                hint = f"Graph questions can't be answered without it: pip install 'opsloom[{extra}]'"
            found.append(Finding(what, "warn", f"{module} is not installed", hint))
    return found


def data_folder(folder: Path) -> list[Finding]:
    """Can it be written, and is there room?"""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(there, os.W_OK | os.X_OK) or not there.is_dir():
        return [
            Finding(
                "data folder",
                "fail",
                f"{folder} can't be written",
                "Choose another with --data DIR or OPSLOOM_DATA_DIR, or give yourself the right.",
            )
        ]
    state = "can be written" if there == folder else "does not exist yet and can be made"
    free = shutil.disk_usage(there).free
    left = f"{free / 1024**3:.1f} GiB free"
    if free < TOO_LOW_BYTES:
        room = Finding("disk space", "fail", left, "Stores will fail soon: free some space, or use --data.")
    elif free < LOW_BYTES:
        room = Finding("disk space", "warn", left, "Free some space, or use --data.")
    else:
        room = Finding("disk space", "ok", left)
    return [Finding("data folder", "ok", f"{folder} {state}"), room]
