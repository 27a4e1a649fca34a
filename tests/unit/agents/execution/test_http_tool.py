"""The HTTP tool on the guarded path, against a real service on the loopback."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from agents.execution.execution import Execution
from agents.execution.toolbox import build_tools
from registry.assets import PolicyAsset, SourceAsset
from registry.outbound_assets import CredentialRef, HttpCall, OutboundSpec, Paging
from registry.registry import Registry
from schemas.calls import ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode
from tests.support import execution_stores as stores
from tests.support.web_service import TICKETS, Service, web_service

Ask = Callable[..., Any]
ANYTHING = {"type": "object", "properties": {name: {} for name in ("id", "q", "n", "many", "flag", "text")}}


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with web_service() as running:
        yield running


@pytest.fixture
async def ask(service: Service) -> AsyncIterator[Ask]:
    """Declare a tool over the service and call it once."""
    made: list[Execution] = []

    async def asked(
        http: HttpCall,
        params: dict[str, Any] | None = None,
        *,
        outbound: OutboundSpec | None = None,
        location: str | None = None,
        schema: dict[str, Any] | None = None,
        retries: int = 0,
        **called: Any,
    ) -> ToolSucceeded | ToolFailed:
        source = SourceAsset(
            id="desk",
            engine="http",
            location=location or service.url,
            outbound=outbound or OutboundSpec(internal=True, max_bytes=1_000_000),
        )
        tool = stores.tool("tickets", "http_tool", "http", "desk", http=http, parameters=schema or ANYTHING)
        policy = PolicyAsset(
            id="policy.http",
            version=2,
            policy_set="HTTP",
            timeout_s=30,
            retries=retries,
            calls_per_minute=9_999,
            calls_per_second=999,
            max_rows=1_000,
        )
        registry = Registry.of().register(policy).register(source).register(tool)
        made.append(Execution(registry, build_tools(registry), time.time, chance=lambda: 0.0))
        return await made[-1].run(stores.call("tickets", params or {}, now=time.time(), **called))

    yield asked
    for execution in made:
        await execution.close()


def output_of(result: ToolSucceeded | ToolFailed) -> ToolOutput:
    assert isinstance(result, ToolSucceeded), result
    return result.output


def failure_of(result: ToolSucceeded | ToolFailed) -> tuple[ErrorCode, str]:
    assert isinstance(result, ToolFailed), result
    public = result.error.public()
    text = f"{public.message} {public.suggestion or ''}"
    for telling in ("127.0.0.1", "http:", "hunter2", "db.internal", "/", "169.254"):
        assert telling not in text
    return result.error.code, text


async def test_rows_and_figures_come_out_of_the_reply(ask: Ask, service: Service) -> None:
    call = HttpCall(
        path="/tickets", query={"size": "{n}"}, rows="items", columns={"id": "id", "first_tag": "tags[0]"},
        facts={"total": "meta.total"},
    )  # fmt: skip

    output = output_of(await ask(call, {"n": 3}))

    assert [column.name for column in output.columns] == ["id", "first_tag"]
    assert output.rows == [[1, "a"], [2, "a"], [3, "a"]]
    assert output.facts == {"row_count": 3, "total": 25}
    assert output.query == "tickets(n=3)"
    assert output.source == "desk"


async def test_nested_values_are_written_as_json_and_columns_are_the_rows_own(ask: Ask) -> None:
    output = output_of(await ask(HttpCall(path="/tickets", rows="items[:1]")))

    assert [column.name for column in output.columns] == ["id", "title", "tags", "open"]
    assert output.rows == [[1, "ticket 1", '["a","b"]', False]]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a/b", "/echo/a%2Fb"),
        ("x?y=1#z", "/echo/x%3Fy%3D1%23z"),
        ("한글", "/echo/%ED%95%9C%EA%B8%80"),
        ("..%2f", "/echo/..%252f"),
    ],
)
async def test_a_value_in_the_path_stays_one_segment(
    ask: Ask, service: Service, value: str, path: str
) -> None:
    output_of(await ask(HttpCall(path="/echo/{id}"), {"id": value}))

    assert service.seen[-1]["path"] == path


@pytest.mark.parametrize("value", ["..", ".", "", "a\r\nHost: evil", "\\\\evil"])
async def test_a_value_that_would_leave_its_segment_is_refused(
    ask: Ask, service: Service, value: str
) -> None:
    code, _ = failure_of(await ask(HttpCall(path="/echo/{id}"), {"id": value}))

    assert code is ErrorCode.INVALID_PARAMS
    assert service.seen == []


async def test_query_and_body_keep_types_and_leave_out_what_was_not_given(ask: Ask, service: Service) -> None:
    call = HttpCall(
        method="POST",
        path="/echo",
        query={"q": "{q}", "many": "{many}", "absent": "{text}", "who": "{tenant_id}"},
        body={"n": "{n}", "flag": "{flag}", "absent": "{text}", "said": "it is {n}"},
    )

    output_of(await ask(call, {"q": "a&b=c", "many": [1, 2], "n": 7, "flag": True}))

    seen = service.seen[-1]
    assert seen["query"] == [("q", "a&b=c"), ("many", "1"), ("many", "2"), ("who", "acme")]
    assert seen["body"] == '{"n":7,"flag":true,"said":"it is 7"}'


async def test_the_asker_cannot_choose_the_tenant(ask: Ask, service: Service) -> None:
    schema = {"type": "object", "properties": {"tenant_id": {"type": "string"}}}

    await ask(HttpCall(path="/echo/{tenant_id}"), {"tenant_id": "globex"}, schema=schema)

    assert service.seen[-1]["path"] == "/echo/acme"


async def test_a_header_takes_no_line_break(ask: Ask, service: Service) -> None:
    call = HttpCall(path="/echo", headers={"X-Note": "{text}"})

    assert failure_of(await ask(call, {"text": "a\r\nX-Evil: 1"}))[0] is ErrorCode.INVALID_PARAMS
    assert service.seen == []


async def test_the_credential_is_resolved_at_call_time_and_stays_out_of_everything_else(
    ask: Ask, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_TOKEN", "s3cr3t-value")
    outbound = OutboundSpec(internal=True, credential=CredentialRef(secret="env:DESK_TOKEN"))

    result = await ask(HttpCall(path="/status/500"), outbound=outbound)

    assert service.seen[-1]["headers"]["Authorization"] == "Bearer s3cr3t-value"
    assert "s3cr3t-value" not in str(result)


async def test_a_missing_credential_fails_before_the_call(ask: Ask, service: Service) -> None:
    outbound = OutboundSpec(internal=True, credential=CredentialRef(secret="env:NO_SUCH_TOKEN"))

    assert failure_of(await ask(HttpCall(path="/echo"), outbound=outbound))[0] is ErrorCode.AUTH_FAILED
    assert service.seen == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/status/400", ErrorCode.TOOL_BAD_REQUEST),
        ("/status/422", ErrorCode.TOOL_BAD_REQUEST),
        ("/status/401", ErrorCode.AUTH_FAILED),
        ("/status/403", ErrorCode.AUTH_FAILED),
        ("/status/404", ErrorCode.DATA_NOT_FOUND),
        ("/status/429", ErrorCode.UPSTREAM_UNAVAILABLE),
        ("/status/500", ErrorCode.UPSTREAM_UNAVAILABLE),
        ("/status/503", ErrorCode.UPSTREAM_UNAVAILABLE),
        ("/html", ErrorCode.TOOL_BAD_REQUEST),
        ("/text", ErrorCode.TOOL_BAD_REQUEST),
        ("/reset", ErrorCode.UPSTREAM_UNAVAILABLE),
        ("/cut", ErrorCode.UPSTREAM_UNAVAILABLE),
        ("/gigabyte", ErrorCode.MAX_ROWS_EXCEEDED),
        ("/endless", ErrorCode.MAX_ROWS_EXCEEDED),
        ("/bomb", ErrorCode.MAX_ROWS_EXCEEDED),
    ],
)
async def test_each_failure_has_its_code_and_a_sentence_that_tells_nothing(
    ask: Ask, path: str, code: ErrorCode
) -> None:
    assert failure_of(await ask(HttpCall(path=path)))[0] is code


@pytest.mark.parametrize("path", ["/slow", "/drip"])
async def test_a_slow_service_ends_in_time(ask: Ask, path: str) -> None:
    began = time.monotonic()

    result = await ask(HttpCall(path=path), timeout_s=0.3)

    assert failure_of(result)[0] is ErrorCode.TOOL_TIMEOUT
    assert time.monotonic() - began < 2


async def test_a_busy_service_is_asked_again_when_it_says(ask: Ask, service: Service) -> None:
    result = await ask(HttpCall(path="/busy-once"), retries=1)

    assert isinstance(result, ToolSucceeded)
    assert result.retries == 1


async def test_a_wait_beyond_the_deadline_is_not_waited_for(ask: Ask, service: Service) -> None:
    began = time.monotonic()

    result = await ask(HttpCall(path="/status/503", query={"wait": "3600"}), retries=2)

    assert isinstance(result, ToolFailed)
    assert result.error.details["retry_after_s"] == 3600
    assert time.monotonic() - began < 5
    assert len(service.seen) == 1


async def test_what_may_have_been_done_is_not_sent_twice(ask: Ask, service: Service) -> None:
    await ask(HttpCall(method="POST", path="/status/500", body={}), retries=2)

    assert len(service.seen) == 1


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        (
            HttpCall(
                path="/tickets", rows="items", paging=Paging(kind="page", size=10, size_parameter="size")
            ),
            3,
        ),
        (HttpCall(path="/linked", paging=Paging(kind="link")), 3),
        (HttpCall(path="/cursor", rows="items", paging=Paging(kind="cursor", cursor="next")), 3),
    ],
    ids=["page", "link", "cursor"],
)
async def test_all_pages_are_read(ask: Ask, service: Service, call: HttpCall, asked: int) -> None:
    output = output_of(await ask(call))

    assert [row[0] for row in output.rows] == [ticket["id"] for ticket in TICKETS]
    assert len(service.seen) == asked
    assert not output.truncated


async def test_pages_stop_at_the_bound_and_the_output_says_so(ask: Ask, service: Service) -> None:
    paging = Paging(kind="page", size=5, size_parameter="size", max_pages=2)

    output = output_of(await ask(HttpCall(path="/tickets", rows="items", paging=paging)))

    assert (len(output.rows), output.truncated, len(service.seen)) == (10, True, 2)


async def test_rows_beyond_the_cap_are_not_fetched(ask: Ask, service: Service) -> None:
    paging = Paging(kind="page", size=5, size_parameter="size")

    output = output_of(await ask(HttpCall(path="/tickets", rows="items", paging=paging), max_rows=4))

    assert (len(output.rows), output.truncated, len(service.seen)) == (4, True, 1)


async def test_a_next_page_elsewhere_is_not_asked_for(ask: Ask, service: Service) -> None:
    output = output_of(await ask(HttpCall(path="/linked", query={"away": 1}, paging=Paging(kind="link"))))

    assert len(output.rows) == 10
    assert len(service.seen) == 1


async def test_a_reply_of_another_form_than_declared_is_an_error(ask: Ask) -> None:
    schema = {
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"required": ["missing"]}}},
    }

    code, text = failure_of(await ask(HttpCall(path="/tickets", rows="items", response_schema=schema)))

    assert code is ErrorCode.TOOL_BAD_REQUEST
    assert "form" in text


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:1/",
        "http://[::ffff:127.0.0.1]/",
        "file:///etc/passwd",
    ],
)
async def test_a_redirect_to_where_nobody_may_go_is_not_followed(
    ask: Ask, service: Service, target: str
) -> None:
    result = await ask(HttpCall(path="/to", query={"to": target}))

    assert failure_of(result)[0] is ErrorCode.POLICY_DENY
    assert len(service.seen) == 1


@pytest.mark.parametrize(
    "location", ["http://169.254.169.254", "http://127.0.0.1:9", "http://2130706433", "ftp://x.example"]
)
async def test_a_source_that_nobody_opened_is_not_called(ask: Ask, location: str) -> None:
    result = await ask(HttpCall(path="/x"), location=location, outbound=OutboundSpec())

    assert failure_of(result)[0] is ErrorCode.POLICY_DENY


async def test_parameters_are_held_to_the_schema(ask: Ask, service: Service) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "maximum": 5, "default": 2}},
        "additionalProperties": False,
    }
    call = HttpCall(path="/echo", query={"n": "{n}"})

    for params in ({"n": 6}, {"n": "x"}, {"other": 1}):
        assert failure_of(await ask(call, params, schema=schema))[0] is ErrorCode.INVALID_PARAMS
    output_of(await ask(call, {}, schema=schema))

    assert [seen["query"] for seen in service.seen] == [[("n", "2")]]


async def test_a_text_reply_is_one_row(ask: Ask) -> None:
    assert output_of(await ask(HttpCall(path="/text", response="text"))).rows == [["all is well"]]
