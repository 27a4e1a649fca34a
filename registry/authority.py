"""Which role may do what with assets."""

from registry.decisions import ALLOW, Decision, Refuse
from schemas.errors import ErrorCode

ROLES = ("admin", "manager", "developer", "viewer")

_CHANGES = {
    "draft": ("admin", "manager", "developer"),
    "published": ("admin", "manager"),
    "deleted": ("admin", "manager"),
}
_ADMIN_ONLY = frozenset({"policy", "override"})


def may_change(role: str, kind: str, status: str, *, restores: bool = False) -> Decision:
    """May this role make such a change? Policies, overrides and what was deleted are an administrator's."""
    if kind in _ADMIN_ONLY and status != "draft":
        allowed: tuple[str, ...] = ("admin",)
    else:
        allowed = ("admin",) if restores else _CHANGES[status]
    if role in allowed:
        return ALLOW
    what = "restore what was deleted" if restores else f"make a {kind} {status}"
    return Refuse(
        ErrorCode.PERMISSION_DENIED,
        f"the role {role or '(none)'} may not {what}",
        f"ask someone who is {' or '.join(allowed)}",
    )
