"""The gate: nothing passes that must not, whatever the values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actuators import CommandAction
from domain.emergency_stops import EmergencyStop
from domain.safety import refusal
from tests.fakes import START
from tests.makers import make_actuator, make_device, make_emergency_stop

ACTIONS = st.sampled_from([CommandAction.ON, CommandAction.OFF, CommandAction.PWM])


@given(action=ACTIONS, value=st.floats())
def test_no_value_outside_zero_to_one_passes(action: CommandAction, value: float) -> None:
    reason = refusal(
        action, value, actuator=make_actuator(actuator_type="pwm"), device=make_device(), stops=[]
    )
    assert (reason is None) == (0.0 <= value <= 1.0)


@given(
    action=ACTIONS,
    value=st.floats(0, 1),
    approved=st.booleans(),
    online=st.booleans(),
    enabled=st.booleans(),
)
def test_only_an_enabled_actuator_of_an_approved_device_that_is_there_is_commanded(
    action: CommandAction, value: float, *, approved: bool, online: bool, enabled: bool
) -> None:
    actuator = make_actuator(actuator_type="pwm", enabled=enabled)
    device = make_device(approved=approved, online=online)
    assert (refusal(action, value, actuator=actuator, device=device, stops=[]) is None) == (
        approved and online and enabled
    )


def test_the_reason_says_what_to_do_about_a_device_that_nobody_approved() -> None:
    device = make_device(approved=False, online=False)
    reason = refusal(CommandAction.ON, 1.0, actuator=make_actuator(), device=device, stops=[])
    assert reason == "ESP_12AB34 is not approved yet: approve it with approveDevice"


@given(value=st.floats(0, 1))
def test_a_pump_takes_no_half_power(value: float) -> None:
    reason = refusal(
        CommandAction.PWM,
        value,
        actuator=make_actuator(actuator_type="pump"),
        device=make_device(),
        stops=[],
    )
    assert (reason is None) == (value in {0.0, 1.0})


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
    reason = refusal(
        action,
        value,
        actuator=make_actuator(actuator_type="pwm"),
        device=make_device(),
        stops=stops,
    )
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
    reason = refusal(
        CommandAction.ON, 1.0, actuator=make_actuator(), device=make_device(), stops=[stop]
    )
    assert reason == (
        f"an emergency stop of {scope} is in force (water on the floor): clear it first"
    )
