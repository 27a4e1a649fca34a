"""From what happened to the event that says so."""

from dataclasses import replace

from agents.execution.admission import Admitted
from agents.execution.guards.verdict import Refuse
from schemas.calls import ToolCalled, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import OpsError, ops_error
from streams.redaction import masked


def succeeded(
    called: ToolCalled,
    admitted: Admitted,
    output: ToolOutput,
    started_at: float,
    ended_at: float,
    retries: int,
    lifted: tuple[str, ...] = (),
    *,
    cached: bool = False,
    waited_s: float = 0.0,
) -> ToolSucceeded:
    """The call's success."""
    return ToolSucceeded(
        trace_id=called.trace_id,
        tenant_id=called.tenant_id,
        call_id=called.call_id,
        step_id=called.step_id,
        tool_id=called.tool_id,
        tool_type=called.tool_type,
        group=called.group,
        started_at=started_at,
        ended_at=ended_at,
        retries=retries,
        output=output,
        policy_version=admitted.policy.version,
        asset_version=admitted.tool.version,
        cached=cached,
        lifted=lifted,
        waited_s=waited_s,
    )


def failed(
    called: ToolCalled,
    admitted: Admitted | None,
    error: OpsError,
    started_at: float,
    ended_at: float,
    retries: int = 0,
    lifted: tuple[str, ...] = (),
    waited_s: float = 0.0,
) -> ToolFailed:
    """The call's failure; `admitted` is None when it was not let in."""
    return ToolFailed(
        trace_id=called.trace_id,
        tenant_id=called.tenant_id,
        call_id=called.call_id,
        step_id=called.step_id,
        tool_id=called.tool_id,
        tool_type=called.tool_type,
        group=called.group,
        started_at=started_at,
        ended_at=ended_at,
        retries=retries,
        error=_without_secrets(error),
        policy_version=admitted.policy.version if admitted is not None else 0,
        asset_version=admitted.tool.version if admitted is not None else 0,
        lifted=lifted,
        waited_s=waited_s,
    )


def _without_secrets(error: OpsError) -> OpsError:
    """The one border where a failure becomes an event: what operators read holds no credential either."""
    detail = None if error.detail is None else masked(error.detail)
    return replace(error, message=masked(error.message), detail=detail)


def refusal(refused: Refuse) -> OpsError:
    """A refusal as an error."""
    return ops_error(
        refused.code,
        refused.reason,
        detail=refused.detail,
        suggestion=refused.suggestion,
        details=refused.details,
    )
