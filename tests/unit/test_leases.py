"""How long an actuator may be on, and what people may set of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.actuators import Pin
from domain.errors import BadInputError
from domain.leases import Lease, check_bounded, checked_limits, longest_runtime
from tests.fakes import START
from tests.makers import make_actuator

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOTHING = timedelta(0)


@pytest.mark.parametrize(
    ("kind", "longest"),
    [
        ("pump", HOUR),
        ("valve", HOUR),
        ("relay", DAY),
        ("pwm", DAY),
        ("servo", DAY),
        ("something new", HOUR),
    ],
)
def test_where_nobody_says_otherwise_water_runs_an_hour_and_light_a_day(
    kind: str, longest: timedelta
) -> None:
    assert longest_runtime(make_actuator(actuator_type=kind)) == longest
    assert longest_runtime(make_actuator(actuator_type=kind, max_runtime=SECOND)) == SECOND


@pytest.mark.parametrize(
    ("given", "field", "kept"),
    [
        ((SECOND, None, None), "max_runtime", SECOND),
        ((7 * DAY, None, None), "max_runtime", 7 * DAY),
        ((NOTHING, None, None), "max_runtime", None),
        ((None, DAY, None), "min_off_time", DAY),
        ((None, MICROSECOND, None), "min_off_time", MICROSECOND),
        ((None, NOTHING, None), "min_off_time", None),
        ((None, None, 1000), "max_starts_per_hour", 1000),
        ((None, None, 1), "max_starts_per_hour", 1),
        ((None, None, 0), "max_starts_per_hour", None),
    ],
)
def test_a_limit_is_set_and_zero_ends_it(
    given: tuple[Any, Any, Any], field: str, kept: object
) -> None:
    assert checked_limits(*given) == {field: kept}


def test_what_is_not_given_is_left_alone() -> None:
    assert checked_limits(None, None, None) == {}
    assert checked_limits(HOUR, SECOND, 6) == {
        "max_runtime": HOUR,
        "min_off_time": SECOND,
        "max_starts_per_hour": 6,
    }


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ((SECOND - MICROSECOND, None, None), "maxRuntime must lie between PT1S and P7D"),
        ((-SECOND, None, None), "maxRuntime must lie between PT1S and P7D"),
        ((7 * DAY + MICROSECOND, None, None), "maxRuntime must lie between PT1S and P7D"),
        ((None, -MICROSECOND, None), "minOffTime must lie between PT0S and P1D"),
        ((None, DAY + MICROSECOND, None), "minOffTime must lie between PT0S and P1D"),
        ((None, None, -1), "maxStartsPerHour must lie between 1 and 1000"),
        ((None, None, 1001), "maxStartsPerHour must lie between 1 and 1000"),
    ],
)
def test_a_limit_beyond_reason_is_refused(given: tuple[Any, Any, Any], why: str) -> None:
    with pytest.raises(BadInputError) as refused:
        checked_limits(*given)
    assert str(refused.value) == why


def test_of_what_does_harm_somebody_must_say_how_long_it_may_be_on() -> None:
    with pytest.raises(BadInputError) as refused:
        check_bounded(make_actuator(critical=True))
    assert str(refused.value) == (
        "its failure does harm (critical): say with maxRuntime how long it may be on without a "
        "pause"
    )
    check_bounded(make_actuator(critical=True, max_runtime=HOUR))
    check_bounded(make_actuator(critical=False))


def test_where_the_clock_is_set_a_lease_moves_as_a_whole() -> None:
    lease = Lease(
        id=UUID(int=1),
        actuator_id=1,
        pin=Pin("ESP_12AB34", 5),
        command_id=UUID(int=2),
        value=0.5,
        began=START + 2 * SECOND,
        until=START + HOUR,
        on_since=START + SECOND,
        seen_at=START + 3 * SECOND,
        confirmed=True,
    )
    assert lease.length == HOUR - 2 * SECOND
    assert lease.moved(DAY) == Lease(
        id=UUID(int=1),
        actuator_id=1,
        pin=Pin("ESP_12AB34", 5),
        command_id=UUID(int=2),
        value=0.5,
        began=START + DAY + 2 * SECOND,
        until=START + DAY + HOUR,
        on_since=START + DAY + SECOND,
        seen_at=START + DAY + 3 * SECOND,
        confirmed=True,
    )
