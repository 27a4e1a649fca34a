"""Runbooks, postmortems and guides, as Markdown in English and Korean, each for one tenant."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from packs.plant.world.guides import GUIDES
from packs.plant.world.landscape import callers_of
from packs.plant.world.places import Host
from packs.plant.world.spec import DAY_S, PlantSpec
from packs.plant.world.stories import Story
from packs.plant.world.vocabulary import CALLS, CANARIES, OWNERS, PEOPLE, TENANTS, Tenant, services_of

KOREAN_NAMES: Mapping[str, str] = {
    "checkout": "체크아웃", "payments": "결제", "catalog": "카탈로그", "search": "검색", "cart": "장바구니",
    "inventory": "재고", "shipping": "배송", "accounts": "계정", "gateway": "게이트웨이", "notifications": "알림",
    "recommendations": "추천", "billing": "청구", "pricing": "가격", "loyalty": "적립", "fraud": "사기 탐지",
    "ledger": "원장",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paper:
    """One document of one tenant; `modified_at` in Unix seconds, `text` in Markdown."""

    document_id: str
    tenant: Tenant
    name: str
    kind: str
    language: str
    modified_at: int
    text: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The figures a service's runbook states; they differ between services and tenants."""

    latency_ms: int
    error_percent: int
    escalate_min: int
    replicas: int
    on_call: str


def limits_of(tenant: Tenant, service: str) -> Limits:
    number = sum(map(ord, f"{tenant}{service}"))
    people = PEOPLE[tenant]
    return Limits(
        latency_ms=300 + 50 * (number % 13),
        error_percent=2 + number % 5,
        escalate_min=10 + 5 * (number % 6),
        replicas=4 + number % 9,
        on_call=people[number % len(people)],
    )


def papers_of(
    spec: PlantSpec, stories: Sequence[Story], placed: Mapping[tuple[Tenant, str], tuple[Host, ...]]
) -> tuple[Paper, ...]:
    """All documents: a runbook for each service, a postmortem for each story, some guides; twice each."""
    found: list[Paper] = []
    for tenant in TENANTS:
        for number, service in enumerate(services_of(tenant)):
            edited_at = spec.end - (5 + number * 3) * DAY_S
            on = placed[tenant, service]
            found += [_runbook(tenant, service, on, edited_at), _runbook_ko(tenant, service, on, edited_at)]
        found += list(_guides(tenant, spec.end - 30 * DAY_S))
    for story in stories:
        found += [_postmortem(story), _postmortem_ko(story)]
    return tuple(found)


def _runbook(tenant: Tenant, service: str, on: Sequence[Host], edited_at: int) -> Paper:
    limits, team = limits_of(tenant, service), OWNERS[tenant][service]
    called = ", ".join(CALLS[tenant].get(service, ())) or "nothing"
    callers = ", ".join(callers_of(tenant, service)) or "nobody"
    hosts = ", ".join(host.hostname for host in on)
    text = f"""# Runbook {service}

The {service} service belongs to the team {team}. It calls {called} and is called by {callers}. It runs on {hosts}.
Document mark: {CANARIES[tenant]}.

## {service} is slow

The p95 latency of {service} should stay under {limits.latency_ms} ms. When {service} is slow, first look at what was
deployed in the last hour, then at the services it calls ({called}), then at the database connections. Roll back if a
deployment of {service} is younger than two hours.

## {service} returns errors

More than {limits.error_percent} % errors for five minutes is an incident. Check the newest deployment of {service},
its feature flags and its certificates. Errors that began with a deployment end with a rollback.

## {service} rollback

Run `deployctl rollback {service} --tenant {tenant}` and watch the error rate for ten minutes. Tell the team {team}
in its channel which version was rolled back and why.

## {service} scaling and restart

Normal operation needs {limits.replicas} replicas of {service}. Scale with
`deployctl scale {service} --replicas {limits.replicas * 2}`. Restart one replica at a time with
`deployctl restart {service} --rolling`.

## {service} escalation

Escalate {service} to {limits.on_call} after {limits.escalate_min} minutes without progress, then to {team}.
"""
    return Paper(
        f"{tenant}/runbook/{service}.en", tenant, f"Runbook {service}", "runbook", "en", edited_at, text
    )


def _runbook_ko(tenant: Tenant, service: str, on: Sequence[Host], edited_at: int) -> Paper:
    limits, team, name = limits_of(tenant, service), OWNERS[tenant][service], KOREAN_NAMES[service]
    hosts = ", ".join(host.hostname for host in on)
    text = f"""# {name} 런북 ({service})

{name}({service}) 서비스는 {team} 팀이 담당한다. 실행 호스트: {hosts}. 문서 표식: {CANARIES[tenant]}.

## {name} 지연: 느릴 때

{name} p95 지연 시간은 {limits.latency_ms} ms 아래여야 한다. {name} 응답이 느리면 최근 한 시간의 배포를 먼저 확인하고,
호출하는 서비스와 데이터베이스 연결을 차례로 확인한다. 두 시간 안에 배포했다면 롤백한다.

## {name} 오류: 장애 대응

오류율 {limits.error_percent} % 초과가 5분 동안 이어지면 장애로 본다. {name} 최근 배포, 기능 플래그, 인증서를 확인한다.

## {name} 롤백

`deployctl rollback {service} --tenant {tenant}` 명령을 실행하고 10분 동안 오류율을 지켜본다.

## {name} 확장과 재시작

정상 운영에는 {name} 복제본 {limits.replicas}개가 필요하다.
재시작은 `deployctl restart {service} --rolling` 명령으로 한다.

## {name} 에스컬레이션

{limits.escalate_min}분 안에 해결되지 않으면 {limits.on_call} 담당자에게, 그다음 {team} 팀 리드에게 알린다.
"""
    document_id = f"{tenant}/runbook/{service}.ko"
    return Paper(document_id, tenant, f"{name} 런북 {service}", "runbook", "ko", edited_at, text)


def _postmortem(story: Story) -> Paper:
    script = story.script
    deployed = (
        f"- {_at(story.deployed_at)} a new version of {script.service} is deployed\n"
        if story.deployed_at
        else ""
    )
    rolled = (
        f"- {_at(story.rolled_back_at)} the version before is deployed again\n"
        if story.rolled_back_at
        else ""
    )
    text = f"""# Postmortem {script.service}: {script.title[0]}

Severity {script.severity}, commander {script.commander}. Service {script.service}. The trouble lasted
{script.lasts_min} minutes. Document mark: {CANARIES[script.tenant]}.

## Postmortem {script.service}: root cause

Root cause: {script.cause[0]}.

## Postmortem {script.service}: timeline

{deployed}- {_at(story.begins_at)} the metrics of {script.service} leave their course
- {_at(story.alert_at)} the alert {script.rule} fires
- {_at(story.ticket_at)} a ticket arrives: {script.ticket}
- {_at(story.opened_at)} the incident is opened
{rolled}- {_at(story.ends_at)} the metrics of {script.service} are back to normal

## Postmortem {script.service}: resolution and lessons

What helped: {script.fix[0]}. Lesson learnt: {script.lesson[0]}.
"""
    name = f"Postmortem {script.service}: {script.title[0]}"
    return Paper(
        f"{story.id}.en", script.tenant, name, "postmortem", "en", story.closed_at + DAY_S // 2, text
    )


def _postmortem_ko(story: Story) -> Paper:
    script, name = story.script, KOREAN_NAMES[story.script.service]
    text = f"""# {name} 장애 회고: {script.title[1]}

심각도 {script.severity}, 지휘 {script.commander}. 서비스 {script.service}({name}). 장애 시간 {script.lasts_min}분.
문서 표식: {CANARIES[script.tenant]}.

## {name} 장애 원인

원인: {script.cause[1]}.

## {name} 장애 경과

- {_at(story.begins_at)} {name} 지표 이상 시작
- {_at(story.alert_at)} 경보 {script.rule} 발생
- {_at(story.opened_at)} 장애 등록
- {_at(story.ends_at)} 지표 정상화

## {name} 장애 조치와 교훈

조치: {script.fix[1]}. 교훈: {script.lesson[1]}.
"""
    title = f"{name} 장애 회고 {script.service}: {script.title[1]}"
    return Paper(
        f"{story.id}.ko", script.tenant, title, "postmortem", "ko", story.closed_at + DAY_S // 2, text
    )


def _guides(tenant: Tenant, edited_at: int) -> Iterator[Paper]:
    for guide in GUIDES:
        for language, name, text in (
            ("en", guide.name_en, guide.text_en),
            ("ko", guide.name_ko, guide.text_ko),
        ):
            filled = text.format(**guide.figures[tenant], canary=CANARIES[tenant])
            yield Paper(
                f"{tenant}/guide/{guide.id}.{language}", tenant, name, "guide", language, edited_at,
                f"# {name}\n\n{filled}",
            )  # fmt: skip


def _at(moment: int | None) -> str:
    return "" if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M")
