"""The public face: what it offers, and what it costs to look at it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import opsloom

ROOT = Path(__file__).resolve().parents[3]


def test_every_public_name_is_there() -> None:
    """`__all__` holds no empty promise."""
    for name in opsloom.__all__:
        assert getattr(opsloom, name) is not None
    with pytest.raises(AttributeError):
        opsloom.nothing_of_the_kind  # noqa: B018


def test_importing_it_loads_no_kafka_client() -> None:
    """Names come when they are used."""
    heavy = ("aiokafka", "pydantic")
    script = f"import sys, opsloom; print(opsloom.__version__, [n for n in {heavy} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{opsloom.__version__} []"


def test_errors_are_one_tree() -> None:
    """One `except` catches all of them."""
    for error in (opsloom.NotReachable, opsloom.NoAnswer, opsloom.Refused):
        assert issubclass(error, opsloom.OpsloomError)
