"""The small public face of opsloom: publish questions and await answers from any asyncio program.

from opsloom import Client

async with Client("127.0.0.1:9092", tenant_id="local") as client:
    answer = await client.ask("how full are the disks?")
    print(answer.text)
"""

from opsloom.client import Client, Published
from opsloom.errors import NoAnswer, NotReachable, OpsloomError, Refused
from opsloom.version import __version__
from schemas.answers import AnswerComposed, Status
from schemas.plans import ProducerPlan, ProducerStep
from schemas.questions import Mode, QuestionAsked, User

__all__ = [
    "AnswerComposed",
    "Client",
    "Mode",
    "NoAnswer",
    "NotReachable",
    "OpsloomError",
    "ProducerPlan",
    "ProducerStep",
    "Published",
    "QuestionAsked",
    "Refused",
    "Status",
    "User",
    "__version__",
]
