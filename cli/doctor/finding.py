"""What one look found."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`fail`: opsloom will not work like this. `warn`: something will be missing. `hint` says what to do."""

    name: str
    state: State
    what: str
    hint: str = ""
