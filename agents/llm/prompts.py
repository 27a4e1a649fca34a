"""The prompts, as text with a version: `prompt_NAME.md` in this folder. A changed text is a new version."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

from schemas.plans import AppliedAsset


class Prompt(NamedTuple):
    prompt_id: str
    version: int
    text: str

    @property
    def applied(self) -> AppliedAsset:
        """How the prompt stands in the record of what an answer was made with."""
        return AppliedAsset(asset_id=self.prompt_id, kind="prompt", version=self.version)


@cache
def prompt(name: str) -> Prompt:
    """The prompt of that name. Its first line is `version: N`, then comes `---`."""
    head, _, text = (
        (files(__package__) / f"prompt_{name}.md").read_text(encoding="utf-8").partition("\n---\n")
    )
    return Prompt(f"prompt.{name}", int(head.removeprefix("version:")), text.strip())
