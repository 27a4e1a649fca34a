"""What a loaded pack is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.assets import ComboAsset, PolicyAsset, SourceAsset, TemplateAsset, ToolAsset
from registry.datasets import DatasetAsset


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A loaded pack: its assets fit together; tools carry their type's defaults and the pack's tenants."""

    id: str
    title: str
    folder: Path
    description: str = ""
    version: int = 1
    tenants: tuple[str, ...] = ()
    language: tuple[str, ...] = ("en",)
    collectors: Any = None
    sources: tuple[SourceAsset, ...] = ()
    tools: tuple[ToolAsset, ...] = ()
    policies: tuple[PolicyAsset, ...] = ()
    templates: tuple[TemplateAsset, ...] = ()
    combos: tuple[ComboAsset, ...] = ()
    datasets: tuple[DatasetAsset, ...] = ()
