"""Pure safety decisions: no command reaches a device without passing `refusal`."""

import math

from domain.actuators import Actuator, ActuatorMode, CommandAction
from domain.devices import Device


def refusal(
    action: CommandAction, value: float, *, actuator: Actuator, device: Device
) -> str | None:
    """Say why a command must not be sent.

    OFF is held to the same rules: a device that is not approved or not there cannot be told.

    Args:
        action: What is asked for; TOGGLE must have been resolved.
        value: What the pin is to become.
        actuator: The actuator as last known.
        device: The device it hangs on, as last known.

    Returns:
        The reason for refusing, fit to be shown; None when the command may go out.
    """
    if not (math.isfinite(value) and 0.0 <= value <= 1.0):
        return f"the value {value} lies outside 0.0 to 1.0"
    if not device.approved:
        return f"{device.esp_id} is not approved yet: approve it with approveDevice"
    if not actuator.enabled:
        return f"actuator {actuator.pin.gpio} of {device.esp_id} is disabled"
    if not device.online:
        return f"{device.esp_id} is offline"
    if (
        action is CommandAction.PWM
        and actuator.mode is ActuatorMode.DIGITAL
        and value not in {0, 1}
    ):
        return f"a {actuator.actuator_type} can only be switched on or off"
    return None
