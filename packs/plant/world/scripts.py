"""What went wrong at whose place: the scripts of the plant's stories."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from packs.plant.world.vocabulary import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A story without its date. `begins_min` counts minutes of the day, UTC; texts are English, then Korean."""

    id: str
    tenant: Tenant
    service: str
    days_ago: int
    begins_min: int
    lasts_min: int
    deployed_before_min: int | None
    severity: str
    commander: str
    factors: Mapping[str, float]
    rule: str
    host_role: str
    queue: str
    ticket: str
    title: tuple[str, str]
    cause: tuple[str, str]
    fix: tuple[str, str]
    lesson: tuple[str, str]


SCRIPTS: Final[tuple[Script, ...]] = (
    Script(
        id="acme-checkout-timeout", tenant="acme", service="checkout", days_ago=1, begins_min=845, lasts_min=62,
        deployed_before_min=4, severity="sev1", commander="carol",
        factors={"latency_p95_ms": 4.5, "error_rate": 14.0, "requests_per_min": 0.7, "queue_depth": 3.0},
        rule="error_rate_high", host_role="api", queue="payments",
        ticket="Checkout fails with a gateway timeout",
        title=("Checkout timeouts after a deployment", "배포 후 체크아웃 타임아웃"),
        cause=("payment client timeout lowered to 200 ms", "결제 클라이언트 타임아웃을 200ms로 낮춤"),
        fix=("rolled back and set the timeout to 2 s", "롤백하고 타임아웃을 2초로 설정함"),
        lesson=("client timeouts are reviewed like schema changes", "타임아웃 변경도 스키마 변경처럼 검토한다"),
    ),
    Script(
        id="acme-inventory-surge", tenant="acme", service="inventory", days_ago=2, begins_min=600, lasts_min=95,
        deployed_before_min=None, severity="sev3", commander="dave",
        factors={"requests_per_min": 3.2, "cpu_percent": 1.9, "latency_p95_ms": 2.1},
        rule="cpu_high", host_role="worker", queue="platform",
        ticket="Stock levels load slowly during the flash sale",
        title=("Inventory overloaded by a flash sale", "반짝 세일로 인한 재고 서비스 과부하"),
        cause=("flash sale traffic without a cache", "캐시 없는 상태의 반짝 세일 트래픽"),
        fix=("enabled the read cache and added two workers", "읽기 캐시를 켜고 워커 두 대를 추가함"),
        lesson=("sales are announced to the platform team a week ahead", "세일은 일주일 전에 플랫폼 팀에 알린다"),
    ),
    Script(
        id="acme-payments-pool", tenant="acme", service="payments", days_ago=3, begins_min=570, lasts_min=78,
        deployed_before_min=None, severity="sev2", commander="alice",
        factors={"latency_p95_ms": 3.4, "error_rate": 9.0, "queue_depth": 4.0},
        rule="latency_high", host_role="db", queue="database",
        ticket="Card payments are declined at random",
        title=("Payment database pool exhausted", "결제 데이터베이스 커넥션 풀 고갈"),
        cause=("connection pool exhausted by a batch job", "배치 작업으로 인한 커넥션 풀 고갈"),
        fix=("moved the job to a replica and raised the pool to 80", "작업을 복제본으로 옮기고 풀을 80으로 늘림"),
        lesson=("batch jobs get a pool of their own", "배치 작업은 별도의 풀을 사용한다"),
    ),
    Script(
        id="acme-search-leak", tenant="acme", service="search", days_ago=6, begins_min=480, lasts_min=240,
        deployed_before_min=55, severity="sev2", commander="erin",
        factors={"memory_percent": 2.1, "latency_p95_ms": 2.6, "error_rate": 3.0},
        rule="memory_high", host_role="worker", queue="platform",
        ticket="Search results take seconds to appear",
        title=("Memory leak in search", "검색 서비스 메모리 누수"),
        cause=("memory leak in the query cache", "쿼리 캐시의 메모리 누수"),
        fix=("rolled back and bounded the query cache", "롤백하고 쿼리 캐시 크기를 제한함"),
        lesson=("caches need a bound and a metric", "캐시에는 한도와 지표가 필요하다"),
    ),
    Script(
        id="acme-catalog-index", tenant="acme", service="catalog", days_ago=12, begins_min=700, lasts_min=120,
        deployed_before_min=12, severity="sev3", commander="frank",
        factors={"latency_p95_ms": 3.8, "cpu_percent": 1.6},
        rule="latency_high", host_role="db", queue="database",
        ticket="Product pages load very slowly",
        title=("Catalog slowed by a missing index", "인덱스 누락으로 느려진 카탈로그"),
        cause=("missing index after a migration", "마이그레이션 후 인덱스 누락"),
        fix=("rolled back and created the index concurrently", "롤백하고 인덱스를 생성함"),
        lesson=("query plans are compared before a migration", "마이그레이션 전에 실행 계획을 비교한다"),
    ),
    Script(
        id="acme-notifications-backlog", tenant="acme", service="notifications", days_ago=20, begins_min=900,
        lasts_min=180, deployed_before_min=None, severity="sev3", commander="grace",
        factors={"queue_depth": 12.0, "latency_p95_ms": 1.5, "error_rate": 4.0},
        rule="queue_backlog", host_role="worker", queue="support",
        ticket="Confirmation messages arrive hours late",
        title=("Notification backlog", "알림 적체"),
        cause=("SMS provider outage", "문자 발송 업체 장애"),
        fix=("switched to the second provider and drained the queue", "보조 업체로 전환하고 큐를 비움"),
        lesson=("the second provider is tried every week", "보조 업체를 매주 시험한다"),
    ),
    Script(
        id="acme-gateway-certificate", tenant="acme", service="gateway", days_ago=33, begins_min=15, lasts_min=48,
        deployed_before_min=None, severity="sev1", commander="heidi",
        factors={"error_rate": 30.0, "requests_per_min": 0.3},
        rule="certificate_expiring", host_role="web", queue="security",
        ticket="The whole site shows a certificate warning",
        title=("Expired certificate at the gateway", "게이트웨이 인증서 만료"),
        cause=("expired TLS certificate", "TLS 인증서 만료"),
        fix=("renewed the certificate and automated the renewal", "인증서를 갱신하고 자동 갱신을 설정함"),
        lesson=("certificates alert 21 days ahead", "인증서는 21일 전에 경보를 낸다"),
    ),
    Script(
        id="globex-search-synonyms", tenant="globex", service="search", days_ago=1, begins_min=625, lasts_min=84,
        deployed_before_min=5, severity="sev2", commander="ivan",
        factors={"latency_p95_ms": 5.2, "error_rate": 6.0, "cpu_percent": 1.7},
        rule="latency_high", host_role="api", queue="support",
        ticket="Search times out for long queries",
        title=("Search slowed by a synonym list", "동의어 목록으로 느려진 검색"),
        cause=("synonym list expanded every query", "동의어 목록이 모든 쿼리를 확장함"),
        fix=("rolled back and capped the expansion at 20 terms", "롤백하고 확장을 20개로 제한함"),
        lesson=("search changes are tried on recorded queries", "검색 변경은 기록된 쿼리로 시험한다"),
    ),
    Script(
        id="globex-fraud-model", tenant="globex", service="fraud", days_ago=2, begins_min=1020, lasts_min=70,
        deployed_before_min=8, severity="sev2", commander="judy",
        factors={"latency_p95_ms": 6.0, "memory_percent": 1.6, "cpu_percent": 2.0},
        rule="cpu_high", host_role="worker", queue="platform",
        ticket="Orders hang in review for minutes",
        title=("Fraud check slowed by a new model", "새 모델로 느려진 사기 탐지"),
        cause=("scoring model too large for the workers", "워커에 비해 너무 큰 스코어링 모델"),
        fix=("rolled back to the smaller model", "작은 모델로 롤백함"),
        lesson=("models have a latency budget", "모델에는 지연 시간 예산이 있다"),
    ),
    Script(
        id="globex-billing-rounding", tenant="globex", service="billing", days_ago=4, begins_min=495, lasts_min=150,
        deployed_before_min=20, severity="sev2", commander="karl",
        factors={"error_rate": 18.0, "queue_depth": 5.0},
        rule="error_rate_high", host_role="api", queue="payments",
        ticket="Invoices show wrong totals",
        title=("Billing rejected rounded amounts", "반올림된 금액을 거부한 청구 서비스"),
        cause=("rounding of KRW amounts rejected by validation", "원화 금액 반올림을 검증이 거부함"),
        fix=("rolled back and fixed the validation", "롤백하고 검증을 수정함"),
        lesson=("amounts are tested in every currency", "모든 통화로 금액을 시험한다"),
    ),
    Script(
        id="globex-checkout-flag", tenant="globex", service="checkout", days_ago=8, begins_min=780, lasts_min=55,
        deployed_before_min=3, severity="sev1", commander="mallory",
        factors={"error_rate": 22.0, "latency_p95_ms": 2.2, "requests_per_min": 0.6},
        rule="error_rate_high", host_role="web", queue="support",
        ticket="Nobody can finish an order",
        title=("Checkout broken by a feature flag", "기능 플래그로 인한 체크아웃 장애"),
        cause=("feature flag enabled without its migration", "마이그레이션 없이 기능 플래그를 활성화함"),
        fix=("rolled back and turned the flag off", "롤백하고 플래그를 끔"),
        lesson=("flags name the migration they need", "플래그에는 필요한 마이그레이션을 적는다"),
    ),
    Script(
        id="globex-payments-provider", tenant="globex", service="payments", days_ago=15, begins_min=660,
        lasts_min=110, deployed_before_min=None, severity="sev1", commander="olivia",
        factors={"error_rate": 25.0, "latency_p95_ms": 3.0, "queue_depth": 6.0},
        rule="error_rate_high", host_role="api", queue="payments",
        ticket="Payments fail for all cards",
        title=("Payment provider outage", "결제 대행사 장애"),
        cause=("payment provider outage", "결제 대행사 장애"),
        fix=("routed payments to the second provider", "보조 대행사로 결제를 전환함"),
        lesson=("the switch to the second provider is automatic now", "보조 대행사 전환을 자동화함"),
    ),
    Script(
        id="globex-cart-eviction", tenant="globex", service="cart", days_ago=24, begins_min=870, lasts_min=130,
        deployed_before_min=30, severity="sev3", commander="peggy",
        factors={"latency_p95_ms": 2.4, "error_rate": 5.0, "memory_percent": 1.5},
        rule="memory_high", host_role="cache", queue="platform",
        ticket="Items vanish from the cart",
        title=("Carts lost by cache eviction", "캐시 축출로 사라진 장바구니"),
        cause=("cache evicted active carts", "캐시가 사용 중인 장바구니를 축출함"),
        fix=("rolled back and doubled the cache", "롤백하고 캐시를 두 배로 늘림"),
        lesson=("carts are written through to the database", "장바구니는 데이터베이스에도 기록한다"),
    ),
    Script(
        id="globex-accounts-storm", tenant="globex", service="accounts", days_ago=38, begins_min=1200,
        lasts_min=90, deployed_before_min=None, severity="sev2", commander="hyun",
        factors={"requests_per_min": 6.0, "error_rate": 8.0, "cpu_percent": 2.1},
        rule="cpu_high", host_role="api", queue="security",
        ticket="Customers are locked out of their accounts",
        title=("Login storm at accounts", "계정 서비스 로그인 폭주"),
        cause=("credential stuffing attack", "크리덴셜 스터핑 공격"),
        fix=("blocked the sources and limited logins by address", "출발지를 차단하고 주소별 로그인을 제한함"),
        lesson=("logins are limited by default", "로그인은 기본적으로 제한한다"),
    ),
)  # fmt: skip
"""All stories; no two of one tenant on one day."""
