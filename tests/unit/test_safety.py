"""The gate: nothing passes that must not, whatever the values."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actuators import CommandAction, CommandOrigin
from domain.devices import DeviceStatus
from domain.emergency_stops import EmergencyStop
from domain.leases import Usage
from domain.rules.conditions import DeviceIs
from domain.safeguards import Interlock, Interlocks
from domain.safety import Holder, Wish, refusal, told
from tests.fakes import START
from tests.makers import make_actuator, make_device, make_emergency_stop

ACTIONS = st.sampled_from([CommandAction.ON, CommandAction.OFF, CommandAction.PWM])
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def wish(
    action: CommandAction = CommandAction.ON,
    value: float = 1.0,
    **changes: Any,  # noqa: ANN401 - any field
) -> Wish:
    given = {"actuator": make_actuator(), "device": make_device(), **changes}
    return Wish(action=action, value=value, **given)


def off(**changes: Any) -> Wish:  # noqa: ANN401 - any field
    return wish(CommandAction.OFF, 0.0, **changes)


@given(action=ACTIONS, value=st.floats())
def test_no_value_outside_zero_to_one_passes(action: CommandAction, value: float) -> None:
    reason = refusal(wish(action, value, actuator=make_actuator(actuator_type="pwm")))
    assert (reason is None) == (0.0 <= value <= 1.0)


@given(
    action=ACTIONS,
    value=st.floats(0, 1),
    approved=st.booleans(),
    online=st.booleans(),
    enabled=st.booleans(),
    safe_mode=st.booleans(),
)
def test_on_needs_a_sound_device_and_off_a_reachable_one(  # noqa: PLR0913 - all it needs
    action: CommandAction,
    value: float,
    *,
    approved: bool,
    online: bool,
    enabled: bool,
    safe_mode: bool,
) -> None:
    reason = refusal(
        wish(
            action,
            value,
            actuator=make_actuator(actuator_type="pwm", enabled=enabled),
            device=make_device(approved=approved, online=online),
            safe_mode=safe_mode,
        )
    )
    fit = action is CommandAction.OFF or (enabled and not safe_mode)
    assert (reason is None) == (approved and online and fit)


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (
            wish(device=None),
            "no device ESP_12AB34 is known: switch it on, and approve it with approveDevice",
        ),
        (
            off(device=make_device(approved=False, online=False)),
            "ESP_12AB34 is not approved yet: approve it with approveDevice",
        ),
        (
            off(device=make_device(online=False)),
            "ESP_12AB34 is offline: check its power and its WiFi",
        ),
        (
            wish(safe_mode=True),
            (
                "ESP_12AB34 is in safe mode and holds its outputs off: look for what went wrong, "
                "then end it with setSafeMode(active: false)"
            ),
        ),
        (
            wish(actuator=make_actuator(enabled=False)),
            "actuator 5 of ESP_12AB34 is disabled: enable it with setActuator",
        ),
        (
            wish(CommandAction.PWM, 0.5),
            "a pump can only be switched on or off: say ON or OFF",
        ),
        (
            wish(usage=Usage(on_for=SECOND, ending=True)),
            "it is being switched off: wait until its device confirms that it is off",
        ),
        (
            wish(usage=Usage(on_for=HOUR)),
            (
                "it is on for 1 h without a pause, and may be for 1 h: switch it off first, or "
                "raise maxRuntime with setActuator"
            ),
        ),
        (
            wish(
                actuator=make_actuator(min_off_time=90 * SECOND),
                usage=Usage(off_for=29.5 * SECOND),
            ),
            "it rests for 1 min 30 s after each run (minOffTime): try again in 1 min 1 s",
        ),
        (
            wish(actuator=make_actuator(max_starts_per_hour=6), usage=Usage(starts=6)),
            (
                "it was switched on 6 times within the last hour, and may be 6 times "
                "(maxStartsPerHour): wait, or let it run longer each time"
            ),
        ),
        (
            wish(origin=CommandOrigin.RULE, priority=2, holder=Holder(reason="Frost", priority=1)),
            "Frost; wait until it lets go, or change the priorities",
        ),
        (
            wish(origin=CommandOrigin.RULE, priority=1, holder=Holder(reason="Anna", priority=0)),
            "Anna",
        ),
    ],
)
def test_every_reason_says_what_to_do_next(refused: Wish, reason: str) -> None:
    assert refusal(refused) == reason


@given(value=st.floats(0, 1))
def test_a_pump_takes_no_half_power(value: float) -> None:
    assert (refusal(wish(CommandAction.PWM, value)) is None) == (value in {0.0, 1.0})


STOPS = st.builds(
    make_emergency_stop,
    esp_id=st.sampled_from([None, "ESP_12AB34", "ESP_FFFFFF"]),
    gpio=st.sampled_from([None, 5, 6]),
    cleared_at=st.sampled_from([None, START]),
)


@given(action=ACTIONS, value=st.floats(0, 1), stops=st.lists(STOPS, max_size=4))
def test_nothing_but_off_passes_while_an_emergency_stop_covers_the_actuator(
    action: CommandAction, value: float, stops: list[EmergencyStop]
) -> None:
    covered = any(
        stop.cleared_at is None and stop.esp_id in {None, "ESP_12AB34"} and stop.gpio in {None, 5}
        for stop in stops
    )
    reason = refusal(wish(action, value, actuator=make_actuator(actuator_type="pwm"), stops=stops))
    assert (reason is None) == (action is CommandAction.OFF or not covered)


@pytest.mark.parametrize(
    ("stop", "scope"),
    [
        (make_emergency_stop(), "every device"),
        (make_emergency_stop(esp_id="ESP_12AB34"), "ESP_12AB34"),
        (make_emergency_stop(esp_id="ESP_12AB34", gpio=5), "GPIO 5 of ESP_12AB34"),
    ],
)
def test_the_reason_names_what_is_stopped_and_why(stop: EmergencyStop, scope: str) -> None:
    assert refusal(wish(stops=[stop])) == (
        f"an emergency stop of {scope} is in force (water on the floor): clear it first"
    )


@given(action=ACTIONS, origin=st.sampled_from(CommandOrigin))
def test_to_a_device_that_seems_to_be_away_only_the_servers_own_off_goes_out(
    action: CommandAction, origin: CommandOrigin
) -> None:
    value = 0.0 if action is CommandAction.OFF else 1.0
    away = wish(action, value, origin=origin, device=make_device(online=False))
    last_word = action is CommandAction.OFF and origin is CommandOrigin.SAFETY
    assert (refusal(away) is None) == last_word


def test_what_is_not_known_does_not_hold_and_never_keeps_off_from_passing() -> None:
    there = DeviceIs(esp_id="ESP_FFFFFF", status=DeviceStatus.ONLINE)
    interlocks = Interlocks((Interlock(there),), now=START)
    assert refusal(wish(interlocks=interlocks)) == (
        "an interlock does not hold: ESP_FFFFFF is not known, and must be ONLINE"
    )
    assert refusal(off(interlocks=interlocks)) is None


def test_no_power_at_all_is_never_too_much() -> None:
    usage = Usage(on_for=HOUR, ending=True)
    light = make_actuator(actuator_type="pwm", max_runtime=HOUR)
    assert refusal(wish(CommandAction.PWM, 0.0, actuator=light, usage=usage)) is None
    assert refusal(wish(CommandAction.PWM, 0.1, actuator=light, usage=usage)) is not None


TIMES = st.none() | st.integers(0, 4).map(lambda count: count * 30 * SECOND)


@given(
    action=ACTIONS,
    on_for=TIMES,
    off_for=TIMES,
    longest=TIMES.filter(lambda time: time != timedelta(0)),
    rest=TIMES.filter(lambda time: time != timedelta(0)),
    starts=st.integers(0, 3),
    most=st.none() | st.integers(1, 3),
    ending=st.booleans(),
)
def test_an_actuator_is_not_switched_on_beyond_its_limits(  # noqa: PLR0913 - all that limits it
    action: CommandAction,
    *,
    on_for: timedelta | None,
    off_for: timedelta | None,
    longest: timedelta | None,
    rest: timedelta | None,
    starts: int,
    most: int | None,
    ending: bool,
) -> None:
    actuator = make_actuator(max_runtime=longest, min_off_time=rest, max_starts_per_hour=most)
    usage = Usage(on_for=on_for, off_for=off_for, starts=starts, ending=ending)
    exhausted = on_for is not None and on_for >= (longest or HOUR)
    rests = off_for is not None and rest is not None and off_for < rest
    too_often = on_for is None and most is not None and starts >= most
    value = 0.0 if action is CommandAction.OFF else 1.0
    passes = action is CommandAction.OFF or not (ending or exhausted or rests or too_often)
    assert (refusal(wish(action, value, actuator=actuator, usage=usage)) is None) == passes


@given(
    origin=st.sampled_from(CommandOrigin),
    own=st.none() | st.integers(1, 3),
    held=st.none() | st.integers(0, 3),
)
def test_only_a_rule_yields_to_a_person_and_to_a_rule_that_is_not_less_important(
    origin: CommandOrigin, own: int | None, held: int | None
) -> None:
    holder = None if held is None else Holder(reason="Frost", priority=held)
    outranked = origin is CommandOrigin.RULE and held is not None and (own is None or held <= own)
    assert (refusal(wish(origin=origin, priority=own, holder=holder)) is None) != outranked
    assert refusal(off(origin=origin, priority=own, holder=holder)) is None


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(0), "0 s"),
        (0.2 * SECOND, "1 s"),
        (61 * SECOND, "1 min 1 s"),
        (HOUR + 60 * SECOND, "1 h 1 min"),
        (timedelta(days=2), "48 h"),
    ],
)
def test_times_are_told_in_words(time: timedelta, words: str) -> None:
    assert told(time) == words
