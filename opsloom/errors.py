"""What can go wrong for a client.

OpsloomError
├── NotReachable   no broker answers, or the road's topics are not there
├── Refused        the question is not taken: before it is sent, or by a dead letter afterwards
└── NoAnswer       no answer came in the time the client was ready to wait
"""

from schemas.errors import ErrorCode


class OpsloomError(Exception):
    """Base of all: `reason` is one sentence, `hint` says what to do about it."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class NotReachable(OpsloomError):
    """Nobody answers at the address, or what answers has no road."""


class Refused(OpsloomError):
    """The question is not taken; `code` is the code its dead letter has, or would have had.

    `sent` tells whether it was published and lies among the dead letters now.
    """

    def __init__(self, code: ErrorCode, reason: str, hint: str, *, sent: bool = False) -> None:
        super().__init__(reason, hint)
        self.code = code
        self.sent = sent


class NoAnswer(OpsloomError):
    """No answer in time. It may still come: ask `answer_to(question_id)` later."""

    def __init__(self, question_id: str, trace_id: str, waited_s: float) -> None:
        super().__init__(
            f"No answer came within {waited_s:g} s (question {question_id}).",
            "Is a worker running? `opsloom doctor` looks; the answer may still come.",
        )
        self.question_id = question_id
        self.trace_id = trace_id
        self.waited_s = waited_s
