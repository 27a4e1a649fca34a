"""What may be committed of a partition."""

from __future__ import annotations

from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from streams.lane.part import Part

PLACE = TP("topic", 0)


def test_nothing_may_be_committed_before_the_first_record_of_a_new_group() -> None:
    """No committed offset, nothing read: there is nothing to say."""
    assert Part(PLACE, None, "").low() is None


def test_committed_offset_stands_until_something_is_finished() -> None:
    """A fresh assignment commits what was committed."""
    part = Part(PLACE, 41, "")

    assert part.low() == 41


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.data())
def test_low_never_passes_unfinished_work_in_any_order_of_finishing(
    gaps: list[int], choice: st.DataObject
) -> None:
    """After each acknowledgement everything below `low` is finished, and at the end all of it is."""
    part, offsets = Part(PLACE, 0, ""), []
    for gap in gaps:
        offset = part.next or 0
        offsets.append(offset)
        part.pending[offset] = None
        part.next = offset + gap
    finished: set[int] = set()
    for offset in choice.draw(st.permutations(offsets)):
        part.pending.pop(offset)
        finished.add(offset)
        low = part.low()
        assert low is not None
        assert all(each in finished for each in offsets if each < low)
        assert low in offsets or low == part.next
    assert part.low() == part.next


def test_late_acknowledgement_of_an_earlier_assignment_changes_nothing() -> None:
    """A partition that comes back has a Part of its own."""
    old, new = Part(PLACE, 0, ""), Part(PLACE, 0, "")
    for part in (old, new):
        part.pending[0] = None
        part.next = 1

    old.pending.pop(0)

    assert new.low() == 0
