"""What an order means before anybody judges it, and when two of them are the same. Pure."""

import math
from datetime import timedelta

from domain.actuators import LONGEST_DURATION, VALUE_DIGITS, Command, CommandAction, Order
from domain.errors import BadInputError

LONGEST_KEY = 255
"""The most characters of an idempotency key; a UUID has 36."""

_VALUES = {CommandAction.ON: (None, 1), CommandAction.OFF: (None, 0), CommandAction.TOGGLE: (None,)}
"""What may be said beside an action that says it all."""


def resolved(order: Order, is_on: bool | None) -> tuple[CommandAction, float]:  # noqa: FBT001 - a state
    """Return what an order means: the action, never TOGGLE, and the value the pin is to become.

    Args:
        order: What is wanted.
        is_on: Whether the actuator is on; None: nobody knows.

    Raises:
        BadInputError: It makes no sense.
    """
    _check(order)
    if order.action is CommandAction.PWM:
        if order.value is None or not math.isfinite(order.value):
            raise BadInputError("PWM takes a value between 0.0 and 1.0")
        value = round(order.value, VALUE_DIGITS)
        # No power is OFF, which passes where nothing else does. What lies outside meets the gate.
        return (CommandAction.PWM, value) if value else (CommandAction.OFF, 0.0)
    if order.value not in _VALUES[order.action]:
        raise BadInputError(
            f"{order.action} takes no value, and not {order.value:g}: use PWM for a part of full "
            "power, OFF for none"
        )
    if order.action is CommandAction.TOGGLE:
        if is_on is None:
            raise BadInputError("what the actuator does now was never heard: say ON or OFF")
        return (CommandAction.OFF, 0.0) if is_on else (CommandAction.ON, 1.0)
    return order.action, 1.0 if order.action is CommandAction.ON else 0.0


def _check(order: Order) -> None:
    if order.duration is not None and not timedelta(0) < order.duration <= LONGEST_DURATION:
        raise BadInputError(f"duration must lie between 0 and {LONGEST_DURATION.days} days")
    key = order.idempotency_key
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise BadInputError(
            f"idempotencyKey takes 1 to {LONGEST_KEY} characters, such as a new UUID for each "
            "command; leave it out where nothing is repeated"
        )


def are_the_same(order: Order, command: Command, other: Command) -> bool:
    """Say whether an order is one that was given before.

    Args:
        order: The order.
        command: What it came to; of a TOGGLE that does not count.
        other: The command that was given before.
    """
    return ((command.pin, command.duration) == (other.pin, other.duration)) and (
        order.action is CommandAction.TOGGLE
        or (command.action, command.value) == (other.action, other.value)
    )
