"""A changed policy over recorded calls: reads the policy's file, finds what the calls met, and replays them."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from agents.execution.recorded import RecordedCall
from agents.execution.replay_figures import ToolFigures, figures_of
from agents.execution.replaying import Replay
from cli.asset_files import assets_in
from registry.assembly import SHARED
from registry.assets import PolicyAsset, ToolAsset
from registry.changes import asset_of, entry_for
from registry.decisions import RegistryError
from registry.registry import Registry
from schemas.assets import AssetChanged
from schemas.errors import ErrorCode
from sinks.queries.recorded_calls import CallRecord, RecordedCalls


class NoReplay(Exception):
    """Nothing can be replayed: why, and what to do."""

    def __init__(self, reason: str, hint: str, exit_code: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Changed:
    """The present registry, the one with the policies of the file, and the tools that these would limit anew."""

    before: Registry
    after: Registry
    policies: tuple[PolicyAsset, ...]
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What `opsloom guard replay --json` prints. Moments are Unix seconds."""

    since_s: float
    until: float
    policies: tuple[str, ...]
    """Of the file, as `id@version`; a version that the file leaves out is the next one."""
    tools_changed: tuple[str, ...]
    """Tools that these policies would limit otherwise than today."""
    calls: int
    """Recorded calls of those tools."""
    other_calls: int
    """Of all other tools: the policies change nothing for them."""
    untold: int
    """Calls of which no worker told anything; not replayed."""
    left_out: int
    """More calls than one replay takes."""
    other_versions: int
    """Calls that met a version of their policy which is not known any more; replayed under the present one."""
    rows: tuple[ToolFigures, ...]
    notes: tuple[str, ...]


def changed_by(file: Path, registry: Registry) -> Changed:
    """The registry with the file's policies over the present one. Raises NoReplay, AssetError."""
    if not file.is_file():
        raise NoReplay(f"There is no file {file}.", "Name a policy's YAML file.", 2)
    after = registry
    policies: list[PolicyAsset] = []
    for written in assets_in(file, "policy"):
        try:
            known = entry_for(registry, "policy", written.asset_id)
            version = written.version or (1 if known is None else known.asset.version + 1)
            if known is not None and version <= known.asset.version:
                # What lies in a file is a proposal: the number it bears is that of the version it began as.
                version = known.asset.version + 1
            pack_id = SHARED if known is None else known.pack_id
            change = AssetChanged(
                asset_id=written.asset_id,
                kind="policy",
                version=version,
                status="published",
                body=written.body,
                changed_at=datetime.now(UTC),
                changed_by="replay",
                reason="replay",
                pack_id=pack_id,
            )
            asset, pack_id = asset_of(change, registry, {})
            after = after.register(asset, pack_id)
        except RegistryError as error:
            raise NoReplay(f"{file.name}: {error}", "docs/policies.md lists the fields.") from error
        assert isinstance(asset, PolicyAsset)
        policies.append(asset)
    tools = tuple(
        tool.id for tool in registry.tools.values() if registry.policy_for(tool) is not after.policy_for(tool)
    )
    if not tools:
        raise NoReplay(
            f"{file.name}: no tool is limited by {', '.join(each.id for each in policies) or 'any policy'}.",
            "`opsloom tools list` shows each tool's policy set, `opsloom assets list` the policies there are.",
        )
    return Changed(registry, after, tuple(policies), tools)


def replayed(
    changed: Changed,
    recorded: RecordedCalls,
    since_s: float,
    now: float,
    known_policies: Mapping[tuple[str, int], PolicyAsset],
) -> ReplayReport:
    """Replay the calls of the tools that change. `known_policies`: by id and version, what the log of assets holds."""
    touched = frozenset(changed.tools)
    calls = [_call(each) for each in recorded.calls if each.tool_id in touched]
    versions = _Versions(changed.before, known_policies)
    rows = figures_of(Replay(changed.before, changed.after, calls, versions).run())
    return ReplayReport(
        since_s=since_s,
        until=now,
        policies=tuple(f"{each.id}@{each.version}" for each in changed.policies),
        tools_changed=changed.tools,
        calls=len(calls),
        other_calls=len(recorded.calls) - len(calls),
        untold=recorded.untold,
        left_out=recorded.left_out,
        other_versions=sum(versions.is_lost(call, changed.before.tool(call.tool_id)) for call in calls),
        rows=rows,
        notes=_NOTES,
    )


_NOTES = (
    "When later steps and questions came is taken from the record; another policy would have moved them.",
    "Windows begin empty: what was begun in the minute before the first call is not known.",
    "A call that never ran takes its tool's median time and ends as the tool's last call before it that ran.",
    "A call that was cut off would not have ended under a longer timeout either.",
    "Tools go on failing in further retries as they failed in the recorded ones.",
    "Results are remembered where they were remembered: a longer or new cache_ttl_s finds no further ones.",
)


class _Versions:
    """Finds the registry with the policy a call met, as far as the log knows it."""

    def __init__(self, registry: Registry, known: Mapping[tuple[str, int], PolicyAsset]) -> None:
        self._registry = registry
        self._known = known
        self._made: dict[tuple[str, int], Registry] = {}

    def __call__(self, tool: ToolAsset, version: int) -> Registry:
        policy = self._registry.policy_for(tool)
        if policy is None or version in (0, policy.version):
            return self._registry
        key = (policy.id, version)
        said = self._known.get(key)
        if said is None:
            return self._registry
        if key not in self._made:
            self._made[key] = _with_earlier(self._registry, policy, said)
        return self._made[key]

    def is_lost(self, call: RecordedCall, tool: ToolAsset | None) -> bool:
        """Did the call meet a version that nobody knows?"""
        policy = None if tool is None else self._registry.policy_for(tool)
        if policy is None or call.policy_version in (0, policy.version):
            return False
        return (policy.id, call.policy_version) not in self._known


def _with_earlier(registry: Registry, present: PolicyAsset, earlier: PolicyAsset) -> Registry:
    """The registry as if the policy had stayed as it was."""
    entries = (
        replace(entry, asset=earlier) if entry.asset is present else entry for entry in registry.entries
    )
    return Registry(entries, registry.packs)


def policies_in(changes: Iterable[AssetChanged], registry: Registry) -> dict[tuple[str, int], PolicyAsset]:
    """Every published version of a policy in the log, by id and version; what cannot be read is left out."""
    known: dict[tuple[str, int], PolicyAsset] = {}
    for change in changes:
        if change.kind == "policy" and change.status == "published":
            with suppress(RegistryError):
                asset, _ = asset_of(change, registry, {})
                if isinstance(asset, PolicyAsset):
                    known[asset.id, asset.version] = asset
    return known


def _call(record: CallRecord) -> RecordedCall:
    return RecordedCall(
        call_id=record.call_id,
        tool_id=record.tool_id,
        tenant_id=record.tenant_id,
        started_at=record.started_at,
        ended_at=record.ended_at,
        code=ErrorCode(record.error_code) if record.error_code else None,
        retries=record.retries,
        waited_s=record.waited_ms / 1000,
        deadline_at=record.deadline_at,
        row_count=record.row_count,
        truncated=record.truncated,
        cached=record.cached,
        lifted=record.lifted,
        policy_version=record.policy_version,
        query=record.query,
    )
