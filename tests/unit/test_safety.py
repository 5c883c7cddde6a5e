"""The gate: nothing passes that must not, whatever the values."""

from hypothesis import given
from hypothesis import strategies as st

from domain.actuators import CommandAction
from domain.safety import refusal
from tests.makers import make_actuator, make_device

ACTIONS = st.sampled_from([CommandAction.ON, CommandAction.OFF, CommandAction.PWM])


@given(action=ACTIONS, value=st.floats())
def test_no_value_outside_zero_to_one_passes(action: CommandAction, value: float) -> None:
    reason = refusal(
        action, value, actuator=make_actuator(actuator_type="pwm"), device=make_device()
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
    assert (refusal(action, value, actuator=actuator, device=device) is None) == (
        approved and online and enabled
    )


def test_the_reason_says_what_to_do_about_a_device_that_nobody_approved() -> None:
    device = make_device(approved=False, online=False)
    reason = refusal(CommandAction.ON, 1.0, actuator=make_actuator(), device=device)
    assert reason == "ESP_12AB34 is not approved yet: approve it with approveDevice"


@given(value=st.floats(0, 1))
def test_a_pump_takes_no_half_power(value: float) -> None:
    reason = refusal(
        CommandAction.PWM, value, actuator=make_actuator(actuator_type="pump"), device=make_device()
    )
    assert (reason is None) == (value in {0.0, 1.0})
