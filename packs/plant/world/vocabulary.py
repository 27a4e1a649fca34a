"""Names the plant uses: tenants, services, metrics, teams, people, choices. Both tenants share most of them."""

from collections.abc import Mapping
from typing import Final, Literal

Tenant = Literal["acme", "globex"]
TENANTS: Final[tuple[Tenant, ...]] = ("acme", "globex")

SHARED_SERVICES: Final = (
    "checkout", "payments", "catalog", "search", "cart", "inventory", "shipping", "accounts", "gateway",
    "notifications", "recommendations", "billing",
)  # fmt: skip
OWN_SERVICES: Final[Mapping[Tenant, tuple[str, ...]]] = {
    "acme": ("pricing", "loyalty"),
    "globex": ("fraud", "ledger"),
}

METRICS: Final = (
    "latency_p95_ms",
    "error_rate",
    "requests_per_min",
    "cpu_percent",
    "memory_percent",
    "queue_depth",
)
"""error_rate is in percent of the requests."""

TICKET_STATUSES: Final = ("open", "in_progress", "pending", "resolved", "closed")
PRIORITIES: Final = ("low", "medium", "high", "urgent")
SLA_MINUTES: Final[Mapping[str, int]] = {"low": 4_320, "medium": 1_440, "high": 240, "urgent": 60}
QUEUES: Final = ("support", "network", "platform", "payments", "database", "security")
SEVERITIES: Final = ("sev1", "sev2", "sev3", "sev4")
OUTCOMES: Final = ("success", "failed", "rolled_back")
ALERT_STATES: Final = ("firing", "acknowledged", "cleared")
ALERT_RULES: Final = (
    "cpu_high", "memory_high", "disk_full", "error_rate_high", "latency_high", "host_down", "queue_backlog",
    "certificate_expiring",
)  # fmt: skip
ORDER_STATUSES: Final = ("pending", "paid", "shipped", "delivered", "cancelled", "refunded")
CURRENCIES: Final = ("USD", "EUR", "KRW")
REGIONS: Final = ("us-east", "us-west", "eu-central", "ap-northeast")
ROLES: Final = ("web", "api", "db", "cache", "worker")
PERMISSIONS: Final = (
    "orders.read", "orders.refund", "billing.read", "billing.write", "deploy.production", "database.admin",
    "tickets.manage", "secrets.read",
)  # fmt: skip

PEOPLE: Final[Mapping[Tenant, tuple[str, ...]]] = {
    "acme": ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "minji", "jisoo"),
    "globex": ("alice", "bob", "ivan", "judy", "karl", "mallory", "olivia", "peggy", "minji", "hyun"),
}
HOST_COUNTS: Final[Mapping[Tenant, Mapping[str, int]]] = {
    "acme": {"web": 6, "api": 8, "db": 8, "cache": 4, "worker": 6},
    "globex": {"web": 5, "api": 6, "db": 7, "cache": 3, "worker": 5},
}
TEAM_PARENTS: Final[Mapping[str, str | None]] = {
    "engineering": None,
    "operations": None,
    "platform": "engineering",
    "commerce": "engineering",
    "customer": "engineering",
    "sre": "platform",
    "data": "platform",
    "storefront": "commerce",
    "transactions": "commerce",
    "fulfilment": "commerce",
    "identity": "customer",
    "messaging": "customer",
    "helpdesk": "operations",
    "security": "operations",
}
OWNERS: Final[Mapping[Tenant, Mapping[str, str]]] = {
    "acme": {
        "checkout": "transactions", "payments": "transactions", "catalog": "storefront", "search": "data",
        "cart": "storefront", "inventory": "fulfilment", "shipping": "fulfilment", "accounts": "identity",
        "gateway": "sre", "notifications": "messaging", "recommendations": "data", "billing": "transactions",
        "pricing": "commerce", "loyalty": "customer",
    },
    "globex": {
        "checkout": "storefront", "payments": "transactions", "catalog": "data", "search": "storefront",
        "cart": "storefront", "inventory": "data", "shipping": "fulfilment", "accounts": "security",
        "gateway": "platform", "notifications": "messaging", "recommendations": "storefront",
        "billing": "transactions", "fraud": "security", "ledger": "transactions",
    },
}  # fmt: skip
CALLS: Final[Mapping[Tenant, Mapping[str, tuple[str, ...]]]] = {
    "acme": {
        "gateway": ("accounts", "cart", "catalog", "checkout", "recommendations", "search"),
        "checkout": ("accounts", "cart", "inventory", "loyalty", "payments", "pricing", "shipping"),
        "payments": ("billing", "notifications"),
        "catalog": ("inventory", "pricing"),
        "search": ("catalog",),
        "cart": ("catalog", "inventory"),
        "shipping": ("inventory", "notifications"),
        "accounts": ("notifications",),
        "recommendations": ("catalog", "search"),
        "billing": ("accounts", "notifications"),
        "loyalty": ("accounts",),
    },
    "globex": {
        "gateway": ("accounts", "cart", "checkout", "search"),
        "checkout": ("cart", "inventory", "payments", "shipping"),
        "payments": ("billing", "fraud", "ledger"),
        "search": ("catalog", "recommendations"),
        "cart": ("catalog",),
        "catalog": ("inventory",),
        "shipping": ("accounts", "notifications"),
        "recommendations": ("catalog",),
        "billing": ("ledger", "notifications"),
        "fraud": ("accounts",),
        "inventory": ("notifications",),
    },
}
CANARIES: Final[Mapping[Tenant, str]] = {"acme": "canary-acme-7c41e9", "globex": "canary-globex-2fd08b"}
"""Strings that stand in one tenant's texts only: whoever sees the other's has found a leak."""


def services_of(tenant: Tenant) -> tuple[str, ...]:
    """All services of a tenant, the shared ones first."""
    return SHARED_SERVICES + OWN_SERVICES[tenant]
