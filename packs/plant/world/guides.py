"""General guides: what to do whatever the service. Their figures differ between the tenants."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Guide:
    """Texts with holes, filled by each tenant's figures and by `canary`."""

    id: str
    name_en: str
    name_ko: str
    text_en: str
    text_ko: str
    figures: Mapping[str, Mapping[str, str | int]]


GUIDES: Final = (
    Guide(
        "disk-full",
        "Guide: full disk",
        "가이드: 디스크 가득 참",
        "## Full disk: what to do\n\nWhen a disk is over {percent} % full, delete rotated logs first, "
        "then old releases. "
        "Extend the volume by {gb} GB if that is not enough. Never delete the database's write-ahead "
        "log. {canary}\n",
        "## 디스크가 가득 찼을 때\n\n디스크 사용률이 {percent} % 이상이면 먼저 순환 로그를, 그다음 예전 "
        "릴리스를 삭제한다. "
        "부족하면 볼륨을 {gb} GB 늘린다. {canary}\n",
        {"acme": {"percent": 90, "gb": 50}, "globex": {"percent": 85, "gb": 120}},
    ),
    Guide(
        "database-failover",
        "Guide: database failover",
        "가이드: 데이터베이스 페일오버",
        "## Database failover: how to\n\nPromote the replica with `dbctl promote {replica}`, then point "
        "the services to it. "
        "The failover may take {minutes} minutes; writes are refused meanwhile. {canary}\n",
        "## 데이터베이스 페일오버 절차\n\n`dbctl promote {replica}` 명령으로 복제본을 승격하고 서비스를 "
        "연결한다. "
        "페일오버는 최대 {minutes}분 걸린다. {canary}\n",
        {"acme": {"replica": "db-2", "minutes": 4}, "globex": {"replica": "db-5", "minutes": 7}},
    ),
    Guide(
        "certificate-renewal",
        "Guide: certificate renewal",
        "가이드: 인증서 갱신",
        "## Certificate renewal: how to renew\n\nRenew certificates {days} days before they expire with "
        "`certctl renew --all`. "
        "Reload the gateway afterwards. {canary}\n",
        "## 인증서 갱신 방법\n\n만료 {days}일 전에 `certctl renew --all` 명령으로 인증서를 갱신하고 "
        "게이트웨이를 다시 읽힌다. "
        "{canary}\n",
        {"acme": {"days": 21}, "globex": {"days": 30}},
    ),
    Guide(
        "on-call-handover",
        "Guide: on-call handover",
        "가이드: 온콜 인수인계",
        "## On-call handover: what to pass on\n\nThe on-call week begins on {day} at {hour}:00 UTC. Hand "
        "over open incidents, "
        "silenced alerts and deployments that wait. {canary}\n",
        "## 온콜 인수인계\n\n온콜은 {day_ko} {hour}:00 UTC에 교대한다. 열린 장애, 꺼 둔 경보, 대기 중인 "
        "배포를 넘긴다. {canary}\n",
        {
            "acme": {"day": "Monday", "day_ko": "월요일", "hour": 9},
            "globex": {"day": "Thursday", "day_ko": "목요일", "hour": 14},
        },
    ),
    Guide(
        "access-requests",
        "Guide: access requests",
        "가이드: 접근 권한 요청",
        "## Access requests: who approves\n\nProduction access is approved by {approver} and ends after "
        "{hours} hours. "
        "Emergency access is reported to security the same day. {canary}\n",
        "## 접근 권한 요청 승인\n\n운영 접근 권한은 {approver}가 승인하고 {hours}시간 뒤에 끝난다. {canary}\n",
        {"acme": {"approver": "heidi", "hours": 8}, "globex": {"approver": "peggy", "hours": 4}},
    ),
)
"""Guides that both tenants have, with figures of their own."""
