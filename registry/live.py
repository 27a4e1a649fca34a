"""The live registry: the packs' assets, and over them every change of the log, folded in order.

A published version never changes. A delete hides an asset and is undone by a later version. A draft is kept beside
what is published and takes no part. A change that does not fit is refused, said, and tried again when others come;
meanwhile the last good version stays.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from registry.assembly import AnyAsset
from registry.authority import may_change
from registry.changes import KINDS, ChangeRefused, asset_of, check_fit, entry_for
from registry.decisions import Refuse, RegistryError
from registry.registry import Registry
from schemas.assets import AssetChanged

MOST_PENDING = 1_000


class RefusedChange(NamedTuple):
    """What was not taken, and why."""

    change: AssetChanged
    reason: str


class LiveRegistry:
    """Folds changes. `registry` is the newest snapshot; each is frozen, so whoever holds one may finish with it."""

    def __init__(self, base: Registry, variables: Mapping[str, str]) -> None:
        self.registry = base
        self._variables = variables
        self._known: dict[tuple[str, str, int], AssetChanged] = {}
        self._pending: dict[tuple[str, str, int], AssetChanged] = {}

    def take(self, changes: Iterable[AssetChanged]) -> list[RefusedChange]:
        """Fold changes in the order of the log; those refused. `registry` is another object if anything changed."""
        before, refused = self.registry, []
        for change in changes:
            key = (change.kind, change.asset_id, change.version)
            self._pending.pop(key, None)
            try:
                self._take(change)
            except RegistryError as error:
                refused.append(RefusedChange(change, str(error)))
                if isinstance(error, ChangeRefused) and len(self._pending) < MOST_PENDING:
                    self._pending[key] = change
        while self.registry is not before and self._pending:
            before = self.registry
            self._retry()
        return refused

    def _retry(self) -> None:
        """What referred to something that is here now fits now."""
        for key, change in list(self._pending.items()):
            try:
                self._take(change)
            except RegistryError:
                continue
            del self._pending[key]

    def _take(self, change: AssetChanged) -> None:
        key = (change.kind, change.asset_id, change.version)
        known = self._known.get(key)
        if known is not None and known.status != "draft":
            if (known.status, known.body) == (change.status, change.body):
                return
            raise RegistryError(
                f"{change.asset_id} is at version {change.version} already, and a version never changes"
            )
        self._check_author(change)
        if change.kind in KINDS:
            asset, pack_id = asset_of(change, self.registry, self._variables)
            if change.status == "draft":
                check_fit(self._with(asset, pack_id), asset, pack_id)
            else:
                candidate = self._with(asset, pack_id)
                if change.status == "published":
                    check_fit(candidate, asset, pack_id)
                self.registry = candidate
        self._known[key] = change

    def _check_author(self, change: AssetChanged) -> None:
        """A change that names its author's role is held to it; an override must name it."""
        if not change.changed_by_role and change.kind != "override":
            return
        restores = change.status == "published" and self._is_deleted(change)
        allowed = may_change(change.changed_by_role, change.kind, change.status, restores=restores)
        if isinstance(allowed, Refuse):
            raise RegistryError(allowed.reason)

    def _is_deleted(self, change: AssetChanged) -> bool:
        if change.kind not in KINDS:
            return False
        entry = entry_for(self.registry, change.kind, change.asset_id, change.pack_id)
        return entry is not None and entry.asset.status == "deleted"

    def _with(self, asset: AnyAsset, pack_id: str) -> Registry:
        try:
            return self.registry.register(asset, pack_id)
        except RegistryError as error:
            raise ChangeRefused(str(error)) from error
