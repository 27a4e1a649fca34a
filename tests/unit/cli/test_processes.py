"""How the roles of a worker are dealt over its processes."""

from hypothesis import given
from hypothesis import strategies as st

from cli.processes import SHARES, dealt
from streams.settings import ROLES, Role

_roles = st.lists(st.sampled_from(ROLES), min_size=1, unique=True)


@given(_roles, st.integers(min_value=1, max_value=12))
def test_every_role_runs_somewhere_and_no_process_is_idle(roles: list[Role], processes: int) -> None:
    """Whatever the number of processes: all roles are there, and each process has one."""
    hands = dealt(roles, processes)
    assert {role for hand in hands for role in hand} == set(roles)
    assert all(hands)
    assert len(hands) == processes


@given(_roles, st.integers(min_value=1, max_value=4))
def test_role_runs_in_one_process_while_there_are_no_more_processes_than_roles(
    roles: list[Role], processes: int
) -> None:
    """No partitions need be shared then."""
    dealt_roles = [role for hand in dealt(roles, min(processes, len(roles))) for role in hand]
    assert sorted(dealt_roles) == sorted(roles)


def test_costliest_role_is_alone_first() -> None:
    """Without the sink the join has a process of its own; a fourth process is a second join."""
    road: tuple[Role, ...] = ("planning", "execution", "aggregation")
    assert dealt(road, 2) == (("aggregation",), ("execution", "planning"))
    assert dealt(road, 4)[3] == ("aggregation",)
    assert max(SHARES, key=lambda role: SHARES[role]) == "aggregation"
