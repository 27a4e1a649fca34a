"""What a text contains: "mentioning timeout", quoted words, tags."""

import re
from typing import Final

from agents.planning.reading.items import Item
from agents.planning.reading.values import Values

_QUOTED: Final = re.compile(r"[\"“”「『]([^\"“”」』]{1,200})[\"“”」』]|(?<!\w)'([^']{1,200})'(?!\w)")


class Texts(Values):
    """Reads searches in texts."""

    def _text(self) -> None:
        """ "mentioning timeout", quoted words: what a text contains."""
        reading = self._reading
        self._tags()
        texts = [
            name for name, each in reading.dataset.fields.items() if each.type == "text" and not each.shape
        ]
        if not texts:
            return
        wanted, start = "", -1
        mark = next((item for item in reading.items if item.marked("about") and not item.used), None)
        quoted = _QUOTED.search(reading.question)
        if quoted is not None:
            wanted = (quoted[1] or quoted[2]).strip()
            spoken = set(wanted.casefold().split())
            for item in reading.items:
                if {word.text for word in reading.words[item.start : item.end]} <= spoken:
                    item.used = True
            reading.explained.update(at for at, word in enumerate(reading.words) if word.text in spoken)
        elif mark is not None:
            wanted, start = self._said_beside(mark)
        if not wanted:
            for item, sense in list(reading.free("field")):
                if sense.name in texts and not wanted:
                    wanted, start = self._said_within(item)
        if not wanted:
            return
        if mark is not None:
            mark.used = True
        if len(wanted) > 5 and wanted.endswith("s") and wanted.isalpha() and not wanted.endswith("ss"):
            wanted = wanted[:-1]
        named = next((sense.name for item, sense in reading.free("field") if sense.name in texts), None)
        for item, sense in list(reading.free("field")):
            if sense.name == named:
                item.used = True
        computed = next((name for name in texts if reading.dataset.fields[name].computed), texts[0])
        self._put(named or computed, "ilike", f"%{wanted}%", start)
        reading.notes.append(f"looked for '{wanted[:60]}' in {named or computed}")

    def _tags(self) -> None:
        """ "tagged vpn", "with the tag billing", "vpn 태그"."""
        reading = self._reading
        for item, sense in list(reading.free("field")):
            declared = reading.field_of(sense.name)
            if declared is None or declared.type != "tags":
                continue
            mark = Item(item.start, item.end)
            reading.items.append(mark)
            wanted, start = self._said_beside(mark)
            reading.items.remove(mark)
            if not wanted:
                wanted, start = self._said_within(item)
            if wanted:
                item.used = True
                self._put(sense.name, "ilike", f"%{wanted}%", start)

    def _said_within(self, field: Item) -> tuple[str, int]:
        """The word in "with vpn in the tags", "timeout in the title"; empty where the field stands otherwise."""
        words = self._reading.words
        at = field.start - 1
        while at > 0 and words[at].text in _FILLERS - {"in"}:
            at -= 1
        if at < 1 or words[at].text != "in":
            return "", -1
        word = at - 1
        for item in self._reading.items:
            if item.start <= word < item.end:
                if item.used or item.of("noun"):
                    return "", -1
                item.used = True
        self._reading.explained.add(word)
        return words[word].text, word

    def _said_beside(self, mark: Item) -> tuple[str, int]:
        """The words behind "mentioning", or before a Korean "언급한", that mean nothing else."""
        reading = self._reading
        claimed = {
            at
            for item in reading.items
            if item.start != mark.start
            and (
                item.used
                or item.of("noun", "condition", "measure")
                or item.marked("null")
                or self._time_sense(item)
            )
            for at in range(item.start, item.end)
        }
        korean = reading.words[mark.start].korean
        order = range(mark.start - 1, -1, -1) if korean else range(mark.end, len(reading.words))
        taken: list[int] = []
        for at in order:
            word = reading.words[at]
            if at in claimed or at in reading.timed or (word.text in _FILLERS and taken):
                break
            if word.text not in _FILLERS:
                taken.append(at)
            if len(taken) == 4 or (korean and taken):
                break
        reading.explained.update(taken)
        for item in reading.items:
            if any(at in taken for at in range(item.start, item.end)):
                item.used = True
        return " ".join(reading.words[at].text for at in sorted(taken)), mark.start


_FILLER_WORDS: Final = "the a an word words text term phrase any in their its 라는 단어 이라는 단어를 에 대한"
_FILLERS: Final = frozenset(_FILLER_WORDS.split())
