"""What a virtual device complains of when it is told to."""

from typing import NamedTuple

WHOLE_DEVICE = 255
"""The pin that stands for all of a device."""


class Alarm(NamedTuple):
    """It protected an actuator, or itself."""

    alert: str
    message: str
    gpio: int


class Failure(NamedTuple):
    """Something in it failed."""

    code: int
    severity: int
    message: str
