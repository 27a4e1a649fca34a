"""Independent readings: what /proc, statvfs and importlib.metadata say, beside what the answer says."""

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from schemas.answers import AnswerComposed, BlockKind

MIB = 1024**2
RUNBOOKS = (
    Path(__file__).resolve().parents[2] / "docs" / "runbook.md",
    Path(sys.prefix) / "share" / "doc" / "opsloom" / "docs" / "runbook.md",
)
"""In a checkout, and where an installation puts it."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether an answer's figures are what the system says; `against` names the reading."""

    ok: bool
    against: str
    difference: str = ""


Check = Callable[[AnswerComposed], Truth]


def rows_of(answer: AnswerComposed) -> list[dict[str, Any]]:
    """The rows of the main result by column name."""
    found = answer.main_result
    if found is None:
        return []
    names = [column.name for column in found.columns]
    return [dict(zip(names, row, strict=False)) for row in found.rows]


def _first(answer: AnswerComposed, *needed: str) -> dict[str, Any]:
    """The first row, if it has the columns; else an empty one."""
    rows = rows_of(answer)
    return rows[0] if rows and all(rows[0].get(name) is not None for name in needed) else {}


def _compare(against: str, *figures: tuple[str, float, float, float]) -> Truth:
    """Each figure is a name, what the answer says, what the system says, and the tolerance between them."""
    wrong = [
        f"{name}: the answer says {said:,.6g}, {against} says {own:,.6g}"
        for name, said, own, tolerance in figures
        if abs(said - own) > tolerance
    ]
    return Truth(not wrong, against, "; ".join(wrong))


def _missing(against: str) -> Truth:
    return Truth(False, against, "the answer does not hold the figure")


def meminfo(text: str | None = None) -> dict[str, int]:
    """/proc/meminfo in bytes."""
    text = Path("/proc/meminfo").read_text() if text is None else text
    return {name: int(kib) * 1024 for name, kib in re.findall(r"^(\S+):\s+(\d+) kB$", text, re.MULTILINE)}


def machine(answer: AnswerComposed) -> Truth:
    against = "os.uname and /proc/meminfo"
    row = _first(answer, "hostname", "kernel", "cpu_count", "memory_total_bytes")
    if not row:
        return _missing(against)
    own = os.uname()
    if (row["hostname"], row["kernel"]) != (own.nodename, f"{own.sysname} {own.release}"):
        return Truth(False, against, f"the answer says {row['hostname']} with kernel {row['kernel']}")
    return _compare(
        against,
        ("CPUs", row["cpu_count"], os.cpu_count() or 0, 0),
        ("memory", row["memory_total_bytes"], meminfo()["MemTotal"], 0),
    )


def memory(answer: AnswerComposed) -> Truth:
    against = "/proc/meminfo"
    row = _first(answer, "memory_total_bytes", "memory_available_bytes")
    if not row:
        return _missing(against)
    own = meminfo()
    return _compare(
        against,
        ("total", row["memory_total_bytes"], own["MemTotal"], 0),
        ("available", row["memory_available_bytes"], own["MemAvailable"], own["MemTotal"] * 0.15),
    )


def disks(answer: AnswerComposed) -> Truth:
    against = "os.statvfs"
    rows = rows_of(answer)
    if not rows:
        return _missing(against)
    figures = []
    for row in rows:
        own = os.statvfs(row["mountpoint"])
        total, free = own.f_blocks * own.f_frsize, own.f_bavail * own.f_frsize
        figures += [
            (f"{row['mountpoint']} total", row["total_bytes"], total, 0),
            (f"{row['mountpoint']} free", row["free_bytes"], free, total * 0.02 + 256 * MIB),
        ]
    return _compare(against, *figures)


def cpu(answer: AnswerComposed) -> Truth:
    against = "/proc/loadavg and 0 to 100 %"
    row = _first(answer, "cpu_percent", "load1")
    if not row:
        return _missing(against)
    own = os.getloadavg()[0]
    return _compare(
        against, ("usage", row["cpu_percent"], 50, 50), ("load", row["load1"], own, 0.5 + own * 0.2)
    )


def load(answer: AnswerComposed) -> Truth:
    against = "/proc/loadavg"
    row = _first(answer, "load1", "load5", "load15")
    if not row:
        return _missing(against)
    own = os.getloadavg()
    names = ("load1", "load5", "load15")
    return _compare(
        against,
        *((name, row[name], figure, 0.5 + figure * 0.2) for name, figure in zip(names, own, strict=True)),
    )


def memory_series(answer: AnswerComposed) -> Truth:
    """The last point of the curve is what /proc/meminfo says now, within 15 points."""
    against = "/proc/meminfo"
    series = next((block for block in answer.blocks if block.kind is BlockKind.TIME_SERIES), None)
    if series is None or not series.rows:
        return _missing(against)
    own = meminfo()
    used_percent = 100 * (1 - own["MemAvailable"] / own["MemTotal"])
    return _compare(against, ("used", float(series.rows[-1][1]), used_percent, 15))


def version_of(package: str) -> Check:
    """The version that importlib.metadata, as pip, finds."""

    def check(answer: AnswerComposed) -> Truth:
        against = "importlib.metadata"
        said = {row.get("version") for row in rows_of(answer) if row.get("name") == package}
        own = metadata.version(package)
        return Truth(
            own in said, against, "" if own in said else f"it says {own}, the answer {said or 'none'}"
        )

    return check


def _names() -> set[str]:
    return {_plain(each.metadata["Name"]) for each in metadata.distributions() if each.metadata["Name"]}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def package_count(answer: AnswerComposed) -> Truth:
    against = "importlib.metadata"
    row = _first(answer, "python_packages")
    if not row:
        return _missing(against)
    return _compare(against, ("Python packages", row["python_packages"], len(_names()), 0))


def recent_changes(answer: AnswerComposed) -> Truth:
    """Every Python package said to be installed is there, in that version."""
    against = "importlib.metadata"
    rows = rows_of(answer)
    if not rows:
        return _missing(against)
    wrong = []
    for row in rows:
        if row.get("kind") != "python" or row.get("action") != "install":
            continue
        try:
            own = metadata.version(row["name"])
        except metadata.PackageNotFoundError:
            own = "nothing"
        if own != row["version"]:
            wrong.append(f"{row['name']}: the answer says {row['version']}, {against} says {own}")
    return Truth(not wrong, against, "; ".join(wrong[:3]))


def _requirements(package: str, names: set[str]) -> set[str]:
    """Those of `names` that a package requires without an extra."""
    wanted = set()
    for requirement in metadata.requires(package) or ():
        name = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
        if name and "extra ==" not in requirement:
            wanted.add(_plain(name[0]))
    return wanted & names


def dependencies_of(package: str) -> Check:
    """Each link of the answer is a requirement, and none of the unconditional ones is missing."""

    def check(answer: AnswerComposed) -> Truth:
        against = "importlib.metadata"
        said = {_plain(str(row["to"])) for row in rows_of(answer) if row.get("to")}
        return _same(against, said, _requirements(package, _names()))

    return check


def dependents_of(package: str) -> Check:
    """The packages whose requirements name this one."""

    def check(answer: AnswerComposed) -> Truth:
        against = "importlib.metadata"
        said = {_plain(str(row["from"])) for row in rows_of(answer) if row.get("from")}
        names = _names()
        own = {name for name in names if _plain(package) in _requirements(name, names)}
        return _same(against, said, own)

    return check


def _same(against: str, said: set[str], own: set[str]) -> Truth:
    if not said:
        return _missing(against)
    more, less = sorted(said - own), sorted(own - said)
    parts = [f"only the answer has {', '.join(more)}"] if more else []
    parts += [f"the answer lacks {', '.join(less)}"] if less else []
    return Truth(not parts, against, "; ".join(parts))


def runbook(answer: AnswerComposed) -> Truth:
    """What the answer quotes stands in the runbook, word for word."""
    against = "docs/runbook.md"
    quoted = [str(row["chunk_text"]) for row in rows_of(answer) if row.get("chunk_text")]
    if not quoted:
        return _missing(against)
    path = next((path for path in RUNBOOKS if path.is_file()), RUNBOOKS[0])
    own = _words(path.read_text())
    foreign = [text[:60] for text in quoted if _words(_body(text)) not in own]
    return Truth(not foreign, against, f"not in it: {foreign}" if foreign else "")


def _body(chunk: str) -> str:
    """A chunk without the headings put before it; its last word may have been cut."""
    return chunk.partition(": ")[2].removesuffix("…").rpartition(" ")[0]


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text))


def health(answer: AnswerComposed) -> Truth:
    """It took several tools; the time since boot is the kernel's."""
    against = "/proc/uptime"
    if len(set(answer.successful_tools)) < 2:
        return Truth(False, against, f"only {', '.join(answer.successful_tools) or 'no tool'} took part")
    row = _first(answer, "uptime_s")
    if not row:
        return _missing(against)
    own = float(Path("/proc/uptime").read_text().split()[0])
    return _compare(against, ("uptime", row["uptime_s"], own, 60))
