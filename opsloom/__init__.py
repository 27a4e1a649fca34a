"""The small public face of opsloom: publish questions and await answers from any asyncio program.

    from opsloom import Client

    async with Client("127.0.0.1:9092", tenant_id="local") as client:
        answer = await client.ask("how full are the disks?")
        print(answer.text)

`SyncClient` is the same for programs without an event loop. Names are imported when they are
first used, so that `import opsloom` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from opsloom.version import __version__

if TYPE_CHECKING:
    from opsloom.batch import progress_bar
    from opsloom.client import Client
    from opsloom.connection import Published
    from opsloom.errors import NoAnswer, NotReachable, OpsloomError, Refused
    from opsloom.sync import SyncClient
    from schemas.answers import AnswerComposed, Status
    from schemas.plans import ProducerPlan, ProducerStep
    from schemas.progress import Answered, Planned, ProgressEvent, ToolEnded, ToolStarted
    from schemas.questions import Mode, QuestionAsked, User

__all__ = [
    "AnswerComposed",
    "Answered",
    "Client",
    "Mode",
    "NoAnswer",
    "NotReachable",
    "OpsloomError",
    "Planned",
    "ProducerPlan",
    "ProducerStep",
    "ProgressEvent",
    "Published",
    "QuestionAsked",
    "Refused",
    "Status",
    "SyncClient",
    "ToolEnded",
    "ToolStarted",
    "User",
    "__version__",
    "progress_bar",
]

_HOMES = {
    "opsloom.batch": ("progress_bar",),
    "opsloom.client": ("Client",),
    "opsloom.connection": ("Published",),
    "opsloom.errors": ("NoAnswer", "NotReachable", "OpsloomError", "Refused"),
    "opsloom.sync": ("SyncClient",),
    "schemas.answers": ("AnswerComposed", "Status"),
    "schemas.plans": ("ProducerPlan", "ProducerStep"),
    "schemas.progress": ("Answered", "Planned", "ProgressEvent", "ToolEnded", "ToolStarted"),
    "schemas.questions": ("Mode", "QuestionAsked", "User"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            found = getattr(import_module(home), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
