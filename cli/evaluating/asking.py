"""Ask the cases side by side, and judge each answer as it comes."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from cli.evaluating.overhearing import Overheard, overhearing
from cli.evaluating.place import Place
from cli.output import waiting
from opsloom import Client, OpsloomError, User
from regression.evaluation.cases import Case
from regression.evaluation.judging import Verdict, judge, unanswered
from regression.evaluation.report import Report
from regression.evaluation.truths import Truths

ASKER = User(id="evaluate", roles=("viewer",))


def evaluated(cases: Sequence[Case], place: Place, *, at_once: int, timeout_s: float) -> Report:
    """The report on all cases, in their order. Raises NotReachable."""
    with waiting("Asking …") as say:

        def told(done: int) -> None:
            say(f"Asking … {done} of {len(cases)}")

        return asyncio.run(_evaluated(cases, place, at_once, timeout_s, told))


async def _evaluated(
    cases: Sequence[Case], place: Place, at_once: int, timeout_s: float, told: Callable[[int], None]
) -> Report:
    truths = Truths(place.plant)
    gate = asyncio.Semaphore(at_once)
    done = 0
    async with AsyncExitStack() as stack:
        clients = {
            tenant: await stack.enter_async_context(_client(place, tenant))
            for tenant in sorted({case.tenant for case in cases})
        }
        overheard = await stack.enter_async_context(overhearing(place.settings))

        async def one(case: Case) -> Verdict:
            nonlocal done
            async with gate:
                verdict = await _asked(case, clients[case.tenant], overheard, truths, timeout_s)
            done += 1
            told(done)
            return verdict

        return Report(tuple(await asyncio.gather(*(one(case) for case in cases))))


def _client(place: Place, tenant: str) -> Client:
    settings = place.settings
    return Client(
        settings.broker,
        tenant_id=tenant,
        topic_prefix=settings.topic_prefix,
        codec=settings.codec,
        schema_registry_url=settings.schema_registry_url,
    )


async def _asked(
    case: Case, client: Client, overheard: Overheard, truths: Truths, timeout_s: float
) -> Verdict:
    try:
        answer = await client.ask(case.question, mode=case.mode.value, user=ASKER, timeout_s=timeout_s)
    except OpsloomError as error:
        return unanswered(case, error.reason)
    plans = await overheard.plans_of(answer.trace_id) if case.expect.params else ()
    return await asyncio.to_thread(judge, case, answer, plans, truths)
