"""`llm_tool`: a language model that summarises or extracts from what other tools found, held to their figures.

What it is given is data, whatever it says; what it writes is a text, never a call. Sentences and values whose figures
occur in no input are left out, and the output says how many.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol

import msgspec
from pydantic import Field

from agents.execution.tool import Invocation, Parameters
from agents.execution.tools.llm_extraction import fits, rows_of, schema_fault
from agents.figure_check import KnownFigures, check_figures
from agents.llm.client import LlmReply, Message
from agents.llm.prompts import prompt
from schemas.calls import Column, Shape, ToolOutput, Unit
from schemas.errors import ErrorCode, OpsError, ops_error
from schemas.plans import LlmUsage

MAX_INPUT_CHARACTERS = 100_000
_ROW_CAPS = (1_000, 300, 100, 30, 10, 3, 1)
_MARGIN_S = 0.2
"""Kept of the call's time for reading the reply."""
_TEXT_SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}


class LlmToolParameters(Parameters):
    """`inputs` are results of earlier steps, best given by reference: `{"$from": "s1"}`."""

    task: Literal["summary", "extract", "compose"] = "summary"
    instructions: Annotated[str, Field(max_length=2_000)] = ""
    inputs: Any = None
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    """For `extract`: the JSON schema of what to look for, an object or an array of objects."""
    language: Literal["en", "ko"] = "en"
    question: Annotated[str, Field(max_length=8_000)] = ""
    outputs: list[Any] | None = None
    """For `compose`: what the steps found; the join puts it there, with the question."""


class AsksModel(Protocol):
    """What the tool needs of `agents.llm.client.LlmClient`."""

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        timeout_s: float,
        schema: Mapping[str, Any] | None = None,
        name: str = "answer",
        retries: int | None = None,
        tenant_id: str = "",
    ) -> LlmReply: ...

    async def close(self) -> None: ...


class LlmTool:
    """See the module. Without a configured model every call ends in ASSET_LOAD_FAILED."""

    tool_type = "llm_tool"
    parameters = LlmToolParameters
    statement_field = None

    def __init__(self, client: AsksModel | None, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        """The fact `text`, for `extract` rows too; beside it what was left out and what the model used. The client's
        errors as they are; a reply of another form is UPSTREAM_UNAVAILABLE."""
        params = invocation.params
        if self._client is None:
            return ops_error(ErrorCode.ASSET_LOAD_FAILED, detail="no language model is configured")
        given = params["outputs"] if params["task"] == "compose" else params["inputs"]
        schema = params["schema_"]
        fault = _fault(params["task"], given, schema)
        if fault is not None:
            return ops_error(ErrorCode.INVALID_PARAMS, fault)
        told, cut = _told(params, given, schema)
        wanted = _TEXT_SCHEMA if params["task"] != "extract" else _found_schema(schema)
        reply = await self._client.ask(
            [{"role": "system", "content": prompt(params["task"]).text}, {"role": "user", "content": told}],
            timeout_s=max(invocation.timeout_s - _MARGIN_S, 0.01),
            schema=wanted,
            name=params["task"],
            tenant_id=invocation.tenant_id,
            retries=0,  # the path to the tool tries again as its policy says
        )
        if reply.error is not None:
            return reply.error
        known = KnownFigures([given], names=(params["question"], params["instructions"]))
        read = _object(reply.text)
        if params["task"] == "extract":
            return self._extracted(invocation, read.get("found"), schema, known, reply.usage, cut=cut)
        text = read.get("text")
        if not isinstance(text, str) or not text.strip():
            return _malformed()
        checked = check_figures(text.strip(), known)
        return self._output(invocation, checked.text, len(checked.dropped), reply.usage, cut=cut)

    async def close(self) -> None:
        """Close the model's connections."""
        if self._client is not None:
            await self._client.close()

    def _extracted(
        self,
        invocation: Invocation,
        found: Any,
        schema: Mapping[str, Any],
        known: KnownFigures,
        usage: LlmUsage,
        *,
        cut: bool,
    ) -> ToolOutput | OpsError:
        if found is None or not fits(found, schema):
            return _malformed()
        columns, rows, emptied = rows_of(found, schema, known)
        if invocation.params["language"] == "ko":
            text = f"항목 {len(rows)}개를 찾았습니다."
        else:
            text = f"{len(rows)} found." if len(rows) != 1 else "One found."
        return self._output(invocation, text, emptied, usage, cut=cut, columns=columns, rows=rows)

    def _output(
        self,
        invocation: Invocation,
        text: str,
        dropped: int,
        usage: LlmUsage,
        *,
        cut: bool,
        columns: Sequence[str] = (),
        rows: list[list[Any]] | None = None,
    ) -> ToolOutput:
        rows = rows or []
        korean = invocation.params["language"] == "ko"
        said = [text] if text else []
        if dropped:
            said.append(_left_out(dropped, korean=korean))
        facts = {
            "text": " ".join(said),
            "row_count": len(rows),
            "left_out": dropped,
            "inputs_cut": cut,
            "model": usage.model,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "latency_ms": usage.latency_ms,
        }
        if invocation.params["task"] == "compose":
            facts["text"] = text  # the join says itself what was left out
        return ToolOutput(
            shape=Shape.TABLE if columns else Shape.FACTS,
            columns=tuple(Column(name=name, unit=_unit(rows, at)) for at, name in enumerate(columns)),
            rows=rows,
            facts=facts,
            fact_units=dict.fromkeys(
                ("row_count", "left_out", "prompt_tokens", "completion_tokens", "latency_ms"), Unit.NUMBER
            ),
            truncated=cut,
            query=f"{invocation.tool.id}({invocation.params['task']})",
            read_at=self._clock(),
        )


def _fault(task: str, given: Any, schema: Mapping[str, Any] | None) -> str | None:
    if given is None or given in ([], {}, ""):
        return "There is nothing to read: inputs are missing."
    if task == "extract":
        return "An extraction needs a schema." if schema is None else schema_fault(schema)
    return None if schema is None else "A schema is for extractions only."


def _told(params: Mapping[str, Any], given: Any, schema: Mapping[str, Any] | None) -> tuple[str, bool]:
    """The user's message: one JSON object, so that nothing in it can pass for anything but data; whether it was cut."""
    told: dict[str, Any] = {"language": params["language"]}
    if params["task"] == "compose":
        told |= {"question": params["question"], "instructions": params["instructions"]}
        name = "outputs"
    else:
        told["instructions"], name = params["instructions"], "inputs"
    if schema is not None:
        told["schema"] = schema
    text = _json({**told, name: given})
    for cap in _ROW_CAPS:
        if len(text) <= MAX_INPUT_CHARACTERS:
            return text, cap != _ROW_CAPS[0]
        text = _json({**told, name: _capped(given, cap), "cut": True})
    return text[:MAX_INPUT_CHARACTERS], True


def _capped(value: Any, cap: int) -> Any:
    """The value with lists and texts cut."""
    if isinstance(value, list | tuple):
        return [_capped(each, cap) for each in value[:cap]]
    if isinstance(value, dict):
        return {name: _capped(each, cap) for name, each in value.items()}
    return value[: cap * 100] if isinstance(value, str) else value


def _found_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"found": dict(schema)}, "required": ["found"]}


def _object(text: str) -> Mapping[str, Any]:
    """The JSON object of a reply; empty when it is none."""
    text = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _left_out(dropped: int, *, korean: bool) -> str:
    if korean:
        return f"입력에 없는 수치를 담은 부분 {dropped}곳을 뺐습니다."
    what = "One part was" if dropped == 1 else f"{dropped} parts were"
    return f"{what} left out: with figures that no input holds."


def _malformed() -> OpsError:
    return ops_error(
        ErrorCode.UPSTREAM_UNAVAILABLE,
        "The language model gave no proper answer.",
        detail="language model: a reply of another form than asked for",
    )


def _unit(rows: Sequence[Sequence[Any]], at: int) -> Unit:
    value = next((row[at] for row in rows if row[at] is not None), None)
    return Unit.NUMBER if isinstance(value, int | float) and not isinstance(value, bool) else Unit.TEXT


def _json(told: Any) -> str:
    return msgspec.json.encode(told).decode()
