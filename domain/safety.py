"""Pure safety decisions: no command reaches a device without passing `refusal`."""

import math
from collections.abc import Collection, Iterator

from domain.actuators import Actuator, ActuatorMode, CommandAction
from domain.devices import Device
from domain.emergency_stops import EmergencyStop


def refusal(
    action: CommandAction,
    value: float,
    *,
    actuator: Actuator,
    device: Device,
    stops: Collection[EmergencyStop],
) -> str | None:
    """Say why a command must not be sent.

    OFF is held to the same rules: a device that is not approved or not there cannot be told.

    Args:
        action: What is asked for; TOGGLE must have been resolved.
        value: What the pin is to become.
        actuator: The actuator as last known.
        device: The device it hangs on, as last known.
        stops: The emergency stops that are not cleared yet, at least those that are about this
            actuator: while one covers it, only OFF passes.

    Returns:
        The reason for refusing, fit to be shown; None when the command may go out.
    """
    reasons = _reasons(action, value, actuator=actuator, device=device, stops=stops)
    return next(reasons, None)


def _reasons(
    action: CommandAction,
    value: float,
    *,
    actuator: Actuator,
    device: Device,
    stops: Collection[EmergencyStop],
) -> Iterator[str]:
    if not (math.isfinite(value) and 0.0 <= value <= 1.0):
        yield f"the value {value} lies outside 0.0 to 1.0"
    if action is not CommandAction.OFF:
        for stop in stops:
            if stop.covers(actuator.pin):
                why = f"{stop.scope} is in force ({stop.reason})"
                yield f"an emergency stop of {why}: clear it first"
    if not device.approved:
        yield f"{device.esp_id} is not approved yet: approve it with approveDevice"
    if not actuator.enabled:
        yield f"actuator {actuator.pin.gpio} of {device.esp_id} is disabled"
    if not device.online:
        yield f"{device.esp_id} is offline"
    if (
        action is CommandAction.PWM
        and actuator.mode is ActuatorMode.DIGITAL
        and value not in {0, 1}
    ):
        yield f"a {actuator.actuator_type} can only be switched on or off"
