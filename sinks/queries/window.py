"""A stretch of time and a tenant, as conditions with bound values."""

from __future__ import annotations

from typing import Any

MICROSECONDS = 1_000_000


def within(column: str = "at") -> str:
    """The condition that `column` lies in the window and the row belongs to the tenant, if one is asked for."""
    return (
        f"{column} >= fromUnixTimestamp64Micro({{since_us:Int64}}, 'UTC')"
        f" AND {column} <= fromUnixTimestamp64Micro({{until_us:Int64}}, 'UTC')"
        " AND ({tenant_id:String} = '' OR tenant_id = {tenant_id:String})"
    )


def window(since_s: float, now: float, tenant_id: str | None) -> dict[str, Any]:
    """The values of `within`: from `since_s` seconds before `now` up to `now`."""
    return {
        "since_us": round((now - since_s) * MICROSECONDS),
        "until_us": round(now * MICROSECONDS),
        "tenant_id": tenant_id or "",
    }
