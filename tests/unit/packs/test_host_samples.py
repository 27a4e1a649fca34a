"""Samples say what the machine's own readings say, and rates what moved between two of them."""

from __future__ import annotations

import os
import time

import psutil
import pytest

from packs.host.collect import samples
from packs.host.collect.samples import Sampler, _Counters, _rates


def test_the_first_sample_has_gauges_and_no_rates() -> None:
    """Load and memory at once; what needs two readings not yet."""
    now = time.time()

    taken = {(s.series, s.metric): s.value for s in Sampler().sample(now)}

    assert taken["host", "load1"] == pytest.approx(os.getloadavg()[0], abs=1)
    total = psutil.virtual_memory().total
    used = taken["host", "memory_used_bytes"]
    assert used + taken["host", "memory_available_bytes"] == total
    assert taken["host", "memory_used_percent"] == pytest.approx(100 * used / total, abs=0.01)
    assert ("host", "cpu_percent") not in taken
    assert taken["/", "mount_used_percent"] > 0


def test_rates_are_differences_per_second() -> None:
    """Counters of two readings two seconds apart."""
    before = _Counters(10.0, 100.0, 400.0, 1_000, 2_000, 3_000, 4_000)
    after = _Counters(12.0, 101.0, 404.0, 3_000, 2_000, 3_500, 4_010)

    assert _rates(before, after) == {
        "disk_read_bytes_per_s": 1_000.0,
        "disk_write_bytes_per_s": 0.0,
        "net_sent_bytes_per_s": 250.0,
        "net_received_bytes_per_s": 5.0,
        "cpu_percent": 25.0,
    }


def test_a_counter_set_back_moves_nothing() -> None:
    """A network card that was reset does not make a negative rate."""
    before = _Counters(10.0, 100.0, 400.0, 1_000, 2_000, 3_000, 4_000)
    after = _Counters(11.0, 100.0, 402.0, 0, 0, 0, 0)

    assert set(_rates(before, after).values()) == {0.0}


def test_processes_and_mounts_are_read_seldom() -> None:
    """They cost most: once in five seconds, by the clock handed in."""
    sampler = Sampler(slow_every_s=5.0)

    slow = [
        any(sample.metric == "process_rss_bytes" for sample in sampler.sample(1_000.0 + second))
        for second in range(7)
    ]

    assert slow == [True, False, False, False, False, True, False]


def test_a_row_fits_the_table() -> None:
    """Each column by name, the moment in Unix seconds."""
    assert samples.Sample(0.5, "host", "load1", 1.25).row() == {
        "tenant_id": "local",
        "at": 0.5,
        "series": "host",
        "metric": "load1",
        "value": 1.25,
    }
