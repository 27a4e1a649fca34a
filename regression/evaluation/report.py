"""The sum of many verdicts: shares in all and by mode, language and tenant, and every miss."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from regression.evaluation.judging import Verdict


@dataclass(frozen=True, slots=True)
class Share:
    """So many right of so many; the share of nothing is 1."""

    right: int
    of: int

    @property
    def share(self) -> float:
        return self.right / self.of if self.of else 1.0

    def __str__(self) -> str:
        return f"{100 * self.share:5.1f} % ({self.right} of {self.of})"


@dataclass(frozen=True, slots=True)
class Report:
    verdicts: tuple[Verdict, ...]

    @property
    def plans(self) -> Share:
        """Questions whose plan is right."""
        return _plans(self.verdicts)

    @property
    def figures(self) -> Share:
        """Questions whose figures are all right, of those that expect any."""
        return _figures(self.verdicts)

    @property
    def right(self) -> Share:
        """Questions of which both are right."""
        return Share(sum(verdict.right for verdict in self.verdicts), len(self.verdicts))

    @property
    def misses(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if not verdict.right)

    def reaches(self, goal: float) -> bool:
        """Are both shares at least so large?"""
        return self.plans.share >= goal and self.figures.share >= goal

    def as_json(self) -> dict[str, Any]:
        """Everything, for a machine to read."""
        return {
            "questions": len(self.verdicts),
            "plans": _share(self.plans),
            "figures": _share(self.figures),
            "right": _share(self.right),
            "by": {
                name: {key: {"plans": _share(_plans(part)), "figures": _share(_figures(part))} for key, part in parts}
                for name, parts in self._parts()
            },
            "misses": [
                {
                    "id": each.case.id,
                    "tenant": each.case.tenant,
                    "lang": each.case.lang,
                    "mode": each.case.mode.value,
                    "question": each.case.question,
                    "trace_id": each.trace_id,
                    "text": each.text,
                    "misses": [asdict(miss) for miss in each.misses],
                }
                for each in self.misses
            ],
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        """The same for people: each miss, then the shares."""
        for each in self.misses:
            yield f"{each.case.id} ({each.case.tenant}, {each.case.lang}, {each.case.mode.value}): {each.case.question}"
            for miss in each.misses:
                yield f"    {miss.what}: expected {miss.expected}; came {miss.came}"
        for name, parts in self._parts():
            for key, part in parts:
                yield f"{name} {key:<10} plans {_plans(part)}   figures {_figures(part)}"
        yield f"all             plans {self.plans}   figures {self.figures}"

    def _parts(self) -> Iterator[tuple[str, list[tuple[str, tuple[Verdict, ...]]]]]:
        keys: dict[str, Callable[[Verdict], str]] = {
            "mode": lambda each: each.case.mode.value,
            "lang": lambda each: each.case.lang,
            "tenant": lambda each: each.case.tenant,
        }
        for name, key_of in keys.items():
            groups: dict[str, list[Verdict]] = {}
            for verdict in self.verdicts:
                groups.setdefault(key_of(verdict), []).append(verdict)
            yield name, [(key, tuple(group)) for key, group in sorted(groups.items())]


def _plans(verdicts: Sequence[Verdict]) -> Share:
    return Share(sum(verdict.plan for verdict in verdicts), len(verdicts))


def _figures(verdicts: Sequence[Verdict]) -> Share:
    counted = [verdict for verdict in verdicts if verdict.figures is not None]
    return Share(sum(bool(verdict.figures) for verdict in counted), len(counted))


def _share(share: Share) -> dict[str, Any]:
    return {"right": share.right, "of": share.of, "share": round(share.share, 4)}
