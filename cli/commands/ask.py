"""`opsloom ask`: one question from the terminal."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli import parameters

if TYPE_CHECKING:
    from opsloom import AnswerComposed, Client

ModeName = Literal["all", "config", "metric", "history", "graph", "document"]


def ask(
    question: Annotated[str, typer.Argument(help="The question, in quotes.", show_default=False)],
    tenant: Annotated[str, typer.Option(help="Who asks: the tenant.")] = "local",
    mode: Annotated[ModeName, typer.Option(help="Which kind of knowledge to ask.")] = "all",
    deadline_s: Annotated[
        float | None,
        typer.Option(min=0.05, max=120, metavar="N", help="Answer within N seconds, with what is there."),
    ] = None,
    plan: Annotated[
        str | None, typer.Option(metavar="FILE", help="JSON with a plan of your own (`-`: standard input).")
    ] = None,
    max_rows: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="At most so many rows a tool.")
    ] = None,
    tool: Annotated[
        list[str] | None, typer.Option(help="Use only this tool; may be given several times.")
    ] = None,
    planner: Annotated[
        Literal["rules", "llm"] | None,
        typer.Option(help="Which planner; default: the installation's choice."),
    ] = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Answer at once when a step has failed for good.")
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Plan and run afresh, whatever is remembered.")
    ] = False,
    user: Annotated[str | None, typer.Option(help="Default: the name you are logged in with.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="A role of the user; default viewer.")] = None,
    question_id: Annotated[
        str | None, typer.Option(help="Ask again under the same id: the same answer, not a second one.")
    ] = None,
    timeout_s: Annotated[
        float | None, typer.Option(min=0.05, help="Wait so long; default: the deadline and 5 s.")
    ] = None,
    codec: Annotated[Literal["json", "avro"] | None, typer.Option(help="Write the question in this.")] = None,
    broker: parameters.Broker = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Ask a question and print the answer.

    Exit code: 0 success, 3 partial or degraded, 4 failed, 5 no answer in time, 2 not a question, 1 anything else.

    Examples:

      opsloom ask "how full are the disks?"

      opsloom ask "is this machine healthy?" --deadline-s 3 --json

      opsloom ask "check these two" --plan my-plan.json
    """
    import asyncio

    from cli.options import settings_of
    from cli.output import print_json, show
    from cli.render.errors import exit_code_of

    settings = settings_of(broker=broker, topic_prefix=topic_prefix, data_dir=data, codec=codec)
    asking: dict[str, Any] = {
        "mode": mode,
        "user": _user(user, role),
        "deadline_s": deadline_s,
        "max_rows": max_rows,
        "tools": tool,
        "question_id": question_id,
        "planner": planner,
        "fail_fast": fail_fast or None,
        "no_cache": no_cache or None,
        "plan": None if plan is None else _read_plan(plan),
    }
    given = {name: value for name, value in asking.items() if value is not None}
    answer = asyncio.run(_ask(settings, tenant, question, timeout_s, given, live=not json_output))
    if json_output:
        print_json(answer)
    else:
        from cli.render.answer import render_answer

        show(render_answer(answer))
    raise typer.Exit(exit_code_of(answer.status))


async def _ask(
    settings: Any,
    tenant: str,
    question: str,
    timeout_s: float | None,
    asking: dict[str, Any],
    *,
    live: bool,
) -> "AnswerComposed":
    from cli.render.errors import EXIT_NO_ANSWER, EXIT_USAGE, fail
    from opsloom import Client, NoAnswer, Refused

    client = Client(
        settings.broker,
        tenant_id=tenant,
        topic_prefix=settings.topic_prefix,
        codec=settings.codec,
        schema_registry_url=settings.schema_registry_url,
    )
    try:
        if live and "question_id" not in asking:
            return await _watch(client, question, timeout_s, asking)
        return await _wait(client, question, timeout_s, asking)
    except NoAnswer as exc:
        fail(exc.reason, exc.hint, EXIT_NO_ANSWER)
    except Refused as exc:
        fail(exc.reason, exc.hint, 1 if exc.sent else EXIT_USAGE)


async def _watch(
    client: "Client", question: str, timeout_s: float | None, asking: dict[str, Any]
) -> "AnswerComposed":
    """Show stages and tools as they run."""
    from contextlib import aclosing

    from cli.output import following
    from opsloom import Answered

    with following() as take:
        async with client:
            events = client.stream(question, timeout_s=timeout_s, **asking)
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, Answered):
                        return event.answer
                    take(event)
    raise AssertionError("a stream ends with its answer")


async def _wait(
    client: "Client", question: str, timeout_s: float | None, asking: dict[str, Any]
) -> "AnswerComposed":
    """The answer alone; one that was given before if the question was asked before."""
    from cli.output import waiting

    look_back_s = 86_400.0 if "question_id" in asking else 0.0
    with waiting("Asking …"):
        async with client:
            return await client.ask(question, timeout_s=timeout_s, look_back_s=look_back_s, **asking)


def _user(name: str | None, roles: list[str] | None) -> Any:
    import getpass

    from opsloom import User

    try:
        name = name or getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number that has no name
        name = "unknown"
    return User(id=name, roles=tuple(roles or ("viewer",)))


def _read_plan(path: str) -> Any:
    """The file's plan: an object with `steps`, or the list of steps alone. What it says is judged later."""
    import sys
    from pathlib import Path

    import orjson

    from cli.render.errors import EXIT_USAGE, fail

    hint = 'It looks like {"steps": [{"step_id": "a", "tool_id": "host_config", "params": {…}}]}.'
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as exc:
        fail(f"The plan {path} can't be read: {exc.strerror}.", hint, EXIT_USAGE)
    try:
        plan = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        fail(f"The plan {path} is not JSON: {exc.msg} in line {exc.lineno}.", hint, EXIT_USAGE)
    if isinstance(plan, list):
        return {"steps": plan}
    if not isinstance(plan, dict):
        fail(f"The plan {path} is neither a JSON object nor a list of steps.", hint, EXIT_USAGE)
    return plan
