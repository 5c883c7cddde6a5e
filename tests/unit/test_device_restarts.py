"""Two reports of a device prove a restart between them, or belong to the same run."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.devices import (
    UPTIME_TOLERANCE,
    UPTIME_WRAPS,
    DeviceHealth,
    booted_at,
    restart_reason,
)
from tests.fakes import START

seconds = st.integers(0, 4_000_000)
delays = st.floats(0, UPTIME_TOLERANCE / 2)


def report(at: float, uptime: float | None = None, **said: object) -> DeviceHealth:
    """Make a report received some seconds after the start of the test."""
    return DeviceHealth(
        reported_at=START + timedelta(seconds=at),
        uptime_seconds=None if uptime is None else int(uptime % UPTIME_WRAPS),
        **said,  # type: ignore[arg-type]  # a test's shorthand
    )


@given(up=seconds, passed=st.integers(0, 8_000_000), first=delays, second=delays)
def test_a_device_that_runs_on_never_restarted_even_when_its_counter_wraps(
    up: int, passed: int, first: float, second: float
) -> None:
    before = report(first, up)
    now = report(passed + second, up + passed)
    assert restart_reason(before, now) is None


@given(up=st.integers(100, 4_000_000), off=st.integers(0, 1000), up_again=st.integers(0, 97))
def test_an_uptime_that_went_back_proves_a_restart(up: int, off: int, up_again: int) -> None:
    before, now = report(0, up), report(off + up_again, up_again)
    assert restart_reason(before, now) == f"its uptime went back from {up} s to {up_again} s"


@given(up=st.integers(0, 1000), away=st.integers(2000, 100_000), down=st.integers(61, 900))
def test_an_uptime_shorter_than_the_time_that_passed_proves_a_restart_nobody_saw(
    up: int, away: int, down: int
) -> None:
    reason = restart_reason(report(0, up), report(away, away - down))
    assert reason is not None
    assert "since its report before" in reason


@given(st.text(), st.text(), seconds)
def test_a_device_that_does_not_count_cannot_prove_a_restart(
    boot: str, reason: str, uptime: int
) -> None:
    told = report(0, uptime, boot_sequence_id=boot, reset_reason=reason)
    assert restart_reason(report(0), told) is None
    assert restart_reason(told, report(60)) is None


@pytest.mark.parametrize(
    ("before", "now", "restarted"),
    [
        ("ESP_12AB34-b7-r0", "ESP_12AB34-b8-r0", True),
        ("ESP_12AB34-b7-r2", "ESP_12AB34-b8-r2", True),
        ("ESP_12AB34-b7-r0", "ESP_12AB34-b1-r0", True),
        ("ESP_12AB34-b7-r0", "ESP_12AB34-b7-r1", False),
        ("ESP_12AB34-b7-r0", "ESP_12AB34-b7-r0", False),
        (None, "ESP_12AB34-b7-r0", False),
        ("ESP_12AB34-b7-r0", None, False),
    ],
)
def test_another_boot_is_a_restart_and_another_session_is_none(
    before: str | None, now: str | None, *, restarted: bool
) -> None:
    first = report(0, 10, boot_sequence_id=before)
    second = report(60, 70, boot_sequence_id=now)
    assert (restart_reason(first, second) is not None) == restarted


def test_another_reset_reason_is_a_restart() -> None:
    before, now = report(0, 10, reset_reason="POWERON"), report(3, 11, reset_reason="BROWNOUT")
    assert restart_reason(before, now) == "its reset reason became BROWNOUT"


def test_a_report_that_another_overtook_is_no_restart() -> None:
    assert restart_reason(report(0, 101), report(0.1, 100)) is None


def test_a_backlog_of_the_same_boot_is_no_restart() -> None:
    boot = "ESP_12AB34-b7-r0"
    before = report(0, 10, boot_sequence_id=boot)
    assert restart_reason(before, report(3600, 70, boot_sequence_id=boot)) is None


def test_a_device_started_as_long_ago_as_it_says() -> None:
    assert booted_at(report(100, 40)) == START + timedelta(seconds=60)
    assert booted_at(report(100)) is None


# ---------------------------------------------------------------- what reports say together


HEARTBEAT = report(60, 70, free_heap_bytes=140_000, wifi_rssi_dbm=-61)
DIAGNOSTICS = report(
    0,
    10,
    system_state="SAFE_MODE",
    safe_mode=True,
    free_heap_bytes=150_000,
    min_free_heap_bytes=120_000,
    heap_fragmentation_percent=4,
    error_count=2,
)


def test_a_heartbeat_keeps_what_only_diagnostics_say() -> None:
    together = HEARTBEAT.after(DIAGNOSTICS)
    assert together == replace(
        DIAGNOSTICS,
        reported_at=HEARTBEAT.reported_at,
        uptime_seconds=70,
        free_heap_bytes=140_000,
        wifi_rssi_dbm=-61,
    )


def test_a_report_that_names_its_state_decides_on_safe_mode_too() -> None:
    assert not replace(HEARTBEAT, system_state="OPERATIONAL").after(DIAGNOSTICS).safe_mode


def test_nothing_is_kept_from_before_a_restart() -> None:
    fresh = replace(HEARTBEAT, uptime_seconds=3)
    assert fresh.after(DIAGNOSTICS) == fresh
    assert fresh.after(None) == fresh
