"""The log of assets as a command reads and writes it: validated against the packs and all that went before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from cli.live import variables_of
from cli.packs import load_packs
from registry.authority import may_change
from registry.changes import KINDS, body_of, entry_for, kind_of
from registry.decisions import Refuse
from registry.live import LiveRegistry, RefusedChange
from registry.registry import Registry
from schemas.assets import AssetChanged
from streams.codecs import Codec, DecodeError
from streams.followed import Followed
from streams.schema_ids import FileIds
from streams.settings import Settings
from streams.topic_admin import RoadError
from streams.topics import Topics


class AssetError(Exception):
    """A change that is not made: why, and what to do."""

    def __init__(self, reason: str, hint: str, exit_code: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change, in which role, and why."""

    name: str
    role: str
    reason: str


class AssetLog:
    """Everything that was ever said, and what holds of it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.changes: list[AssetChanged] = []
        self.refused: list[RefusedChange] = []
        self.unreadable = 0
        self._codec = Codec(FileIds.load(), self.settings.codec)
        self.live = LiveRegistry(Registry.of(*load_packs(self.settings)), variables_of(self.settings))

    @property
    def registry(self) -> Registry:
        """What holds now."""
        return self.live.registry

    async def read(self) -> None:
        """Read the log to its end. Raises RoadError when there is no broker."""
        followed = Followed(self.settings.broker, Topics.of(self.settings).assets, self._take)
        try:
            await followed.catch_up()
        except (KafkaError, OSError) as exc:
            raise RoadError(
                f"No Kafka broker answers at {self.settings.broker}.",
                "Start one with `opsloom up`, or name yours with --broker HOST:PORT.",
            ) from exc
        finally:
            await followed.close()

    def _take(self, records: Sequence[Any]) -> None:
        for record in records:
            if record.value is None:
                continue
            try:
                change = self._codec.decode(record.value, {"AssetChanged": AssetChanged})
            except DecodeError:
                self.unreadable += 1
                continue
            self.changes.append(change)
            self.refused += self.live.take([change])

    def history(self, kind: str, asset_id: str) -> list[AssetChanged]:
        """All changes of one asset, in the order of the log."""
        return [each for each in self.changes if (each.kind, each.asset_id) == (kind, asset_id)]

    def place(self, name: str) -> tuple[str, str]:
        """Kind and id of `KIND/ID`, or of an id that only one kind has. Raises AssetError."""
        kind, slash, asset_id = name.partition("/")
        if slash and kind in KINDS:
            return kind, asset_id
        found = {kind_of(entry.asset) for entry in self.registry.entries if entry.asset.id == name}
        found |= {change.kind for change in self.changes if change.asset_id == name}
        if not found:
            raise AssetError(f"There is no asset {name}.", "`opsloom assets list` shows which there are.")
        if len(found) > 1:
            names = " or ".join(f"{each}/{name}" for each in sorted(found))
            raise AssetError(f"{name} is the name of several assets.", f"Say {names}.", 2)
        return found.pop(), name

    def next_version(self, kind: str, asset_id: str) -> int:
        """One more than every version there ever was."""
        entry = entry_for(self.registry, kind, asset_id)
        versions = [each.version for each in self.history(kind, asset_id)]
        return 1 + max([*versions, entry.asset.version if entry is not None else 0])

    def change(
        self,
        kind: str,
        asset_id: str,
        status: str,
        body: dict[str, Any],
        author: Author,
        *,
        version: int | None = None,
        pack_id: str = "",
    ) -> AssetChanged:
        """A change as it would be published, checked as every worker will check it. Raises AssetError."""
        entry = entry_for(self.registry, kind, asset_id, pack_id)
        restores = status == "published" and entry is not None and entry.asset.status == "deleted"
        allowed = may_change(author.role, kind, status, restores=restores)
        if isinstance(allowed, Refuse):
            raise AssetError(
                f"Permission denied: {allowed.reason}.",
                f"{allowed.suggestion[:1].upper()}{allowed.suggestion[1:]}.",
                1,
            )
        change = AssetChanged(
            asset_id=asset_id,
            kind=kind,  # type: ignore[arg-type]
            version=version or self.next_version(kind, asset_id),
            status=status,  # type: ignore[arg-type]
            body=body,
            changed_at=datetime.now(UTC),
            changed_by=author.name,
            changed_by_role=author.role,
            reason=author.reason,
            pack_id=pack_id or (entry.pack_id if entry is not None else ""),
        )
        for _, reason in self.live.take([change]):
            raise AssetError(f"{kind} {asset_id}: {reason}", "Nothing was published.")
        return change

    async def publish(self, change: AssetChanged) -> None:
        """Write it to the log and wait until it is there."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.broker, acks="all", enable_idempotence=True
        )
        await producer.start()
        try:
            key = f"{change.kind}/{change.asset_id}@{change.version}".encode()
            topic = Topics.of(self.settings).assets
            await producer.send_and_wait(topic, self._codec.encode(change), key=key, partition=0)
        finally:
            await producer.stop()

    def restored_body(self, kind: str, asset_id: str, version: int | None) -> dict[str, Any]:
        """What an asset said in a version, by default the newest one that was published. Raises AssetError."""
        said = [each for each in self.history(kind, asset_id) if each.status == "published"]
        if version is not None:
            said = [each for each in said if each.version == version]
        if said:
            return dict(said[-1].body)
        entry = entry_for(Registry.of(*load_packs(self.settings)), kind, asset_id)
        if entry is None or version not in (None, entry.asset.version):
            raise AssetError(
                f"{kind} {asset_id} was never published{'' if version is None else f' as version {version}'}.",
                f"`opsloom assets history {kind}/{asset_id}` shows its versions.",
            )
        return body_of(entry.asset)


def plain(change: AssetChanged) -> dict[str, Any]:
    """A change as JSON."""
    document: dict[str, Any] = orjson.loads(orjson.dumps(replace(change)))
    return document
