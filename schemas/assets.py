"""`AssetChanged`: a new version of a tool, source, policy, template or example in the compacted log."""

from dataclasses import field
from datetime import datetime
from typing import Literal

from schemas.word import Json, word

AssetKind = Literal[
    "tool", "source", "policy", "template", "combo", "dataset", "override", "example", "prompt"
]


@word
class AssetChanged:
    event: Literal["AssetChanged"] = "AssetChanged"
    asset_id: str
    kind: AssetKind
    version: int
    status: Literal["draft", "published", "deleted"]
    body: dict[str, Json] = field(default_factory=dict)
    changed_at: datetime
    changed_by: str
    reason: str
    changed_by_role: str = ""
    """The role in which it was changed; empty where the producer did not say."""
    pack_id: str = ""
    """For an asset that is new: the pack it joins. Empty: none, or the owner of the version before."""
