"""The claim store: results too large for an event lie here whole; what travels is a reference and a digest.

A claim belongs to one tenant. Its reference names the store, the tenant's own folder (a hash of the tenant's name) and
the content's digest, so nothing in it can lead to another place, and the same result put twice is one claim.
"""

import asyncio
import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from schemas.calls import ClaimCheck, ToolOutput
from schemas.errors import ErrorCode
from streams.settings import Settings

SWEEP_EVERY_S = 600.0
MAX_CLAIM_BYTES = 64 * 1024 * 1024
_REFERENCE = re.compile(r"^claim:(?P<tenant>[0-9a-f]{32})/(?P<digest>[0-9a-f]{64})$")
_log = logging.getLogger(__name__)
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(ToolOutput)


class ClaimError(Exception):
    """A claim that cannot be opened. `code` is TENANT_MISMATCH, INVALID_PARAMS (no reference), DATA_NOT_FOUND (expired
    or never here) or INTERNAL_ERROR (its bytes are not what was put there). The text is fit for users."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class ClaimStore(Protocol):
    """Keeps results by tenant and digest. Blocking; call it in a thread."""

    def put(self, output: ToolOutput, tenant_id: str) -> ClaimCheck: ...

    def get(self, reference: str, tenant_id: str) -> ToolOutput: ...

    def sweep(self, now: float) -> int: ...


@dataclass(frozen=True, slots=True)
class FileClaims:
    """Claims as files of one folder, which all workers and readers share.

    `kept_s`: how long a claim is kept. `max_total_bytes`: what all claims may weigh; the oldest go first.
    """

    folder: Path
    kept_s: float = 86_400.0
    max_bytes: int = MAX_CLAIM_BYTES
    max_total_bytes: int = 10 * 1024**3

    def put(self, output: ToolOutput, tenant_id: str) -> ClaimCheck:
        """Keep a whole result. Raises `OSError`, and `ValueError` for one that is too large."""
        body = _ENCODER.encode(output)
        if len(body) > self.max_bytes:
            raise ValueError(f"a claim of {len(body)} bytes; {self.max_bytes} are allowed")
        tenant, digest = tenant_key(tenant_id), hashlib.sha256(body).hexdigest()
        place = self.folder / tenant
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = place / digest
        try:
            os.utime(path)  # it is there already, and is kept anew
        except FileNotFoundError:
            with tempfile.NamedTemporaryFile(dir=place, prefix=".new-", delete=False) as file:
                file.write(body)
            os.replace(file.name, path)
        return ClaimCheck(
            reference=f"claim:{tenant}/{digest}",
            digest=digest,
            size_bytes=len(body),
            row_count=len(output.rows),
        )

    def get(self, reference: str, tenant_id: str) -> ToolOutput:
        """The whole result. Raises `ClaimError`."""
        named = _REFERENCE.match(reference)
        if named is None:
            raise ClaimError(ErrorCode.INVALID_PARAMS, "This is no reference of a kept result.")
        if named["tenant"] != tenant_key(tenant_id):
            raise ClaimError(ErrorCode.TENANT_MISMATCH, "This result belongs to another tenant.")
        try:
            with (self.folder / named["tenant"] / named["digest"]).open("rb") as file:
                body = file.read(self.max_bytes + 1)
        except FileNotFoundError:
            raise ClaimError(ErrorCode.DATA_NOT_FOUND, "This result is not kept any more.") from None
        except OSError as exc:
            raise ClaimError(ErrorCode.INTERNAL_ERROR, "The kept result could not be read.") from exc
        if hashlib.sha256(body).hexdigest() != named["digest"]:
            raise ClaimError(ErrorCode.INTERNAL_ERROR, "The kept result is not what was put there.")
        return _DECODER.decode(body)

    def sweep(self, now: float) -> int:
        """Forget what is older than `kept_s`, and then the oldest above `max_total_bytes`; how many went."""
        files = sorted(self._files())
        total, gone = sum(size for _, size, _ in files), 0
        for changed_at, size, path in files:
            if changed_at >= now - self.kept_s and total <= self.max_total_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size
            gone += 1
        return gone

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for place in self.folder.iterdir() if self.folder.is_dir() else ():
            for path in place.iterdir():
                try:
                    found = path.stat()
                except FileNotFoundError:
                    continue  # another worker's sweep was faster
                yield found.st_mtime, found.st_size, path


def tenant_key(tenant_id: str) -> str:
    """The tenant's folder: a hash, so that no name can lead out of it."""
    return hashlib.blake2b(tenant_id.encode(), digest_size=16, person=b"opsloom-claim").hexdigest()


def claim_store(settings: Settings) -> FileClaims:
    """The store of the settings: `claims` as `file:FOLDER`, by default `claims` in the data folder."""
    place = settings.claims.removeprefix("file:") or str(settings.data_dir / "claims")
    return FileClaims(Path(place), settings.claims_kept_s)


def open_claim(store: ClaimStore, claim: ClaimCheck | str, tenant_id: str) -> ToolOutput:
    """The whole of a result for its tenant; digest and tenant are checked. Raises `ClaimError`."""
    return store.get(claim if isinstance(claim, str) else claim.reference, tenant_id)


async def sweep_claims(store: ClaimStore, clock: Callable[[], float]) -> None:
    """Forget old claims, every ten minutes, for as long as the worker runs."""
    while True:
        try:
            await asyncio.to_thread(store.sweep, clock())
        except OSError as exc:
            _log.warning("old claims could not be removed: %r", exc)
        await asyncio.sleep(SWEEP_EVERY_S)
