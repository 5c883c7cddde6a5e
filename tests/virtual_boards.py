"""Boards of a plant in virtual time, the lines that they hang on, and what is declared of them."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from domain.actuators import Pin
from domain.rules.conditions import ActuatorIs, Limit, Operator, Threshold
from domain.safeguards import Safeguards
from mqtt_bridge.messages import Outgoing
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import DECEMBER, FEBRUARY, HEAD
from simulator.faults import Fault
from tests.makers import make_sensor

DIALECTS = {"ESP_A": HEAD, "ESP_B": DECEMBER, "ESP_C": FEBRUARY}
PUMP, FIRST, SECOND = Pin("ESP_A", 5), Pin("ESP_B", 5), Pin("ESP_C", 5)
"""The pump runs only while there is water; of the other two never both."""

PINS = (PUMP, FIRST, SECOND)
LEVEL = make_sensor("ESP_B", 34, "level", id=1, unit="%")
ENOUGH, FRESH = 10.0, timedelta(seconds=30)
SAFEGUARDS = {
    PUMP: Safeguards(
        interlocks=(Threshold(sensor=LEVEL.key, limit=Limit(Operator.GT, ENOUGH), max_age=FRESH),)
    ),
    FIRST: Safeguards(interlocks=(ActuatorIs(pin=SECOND, on=False, max_age=timedelta(days=1)),)),
    SECOND: Safeguards(interlocks=(ActuatorIs(pin=FIRST, on=False, max_age=timedelta(days=1)),)),
}


def _on(pin: Pin, **more: object) -> dict[str, object]:
    actuator = {"espId": pin.esp_id, "gpio": pin.gpio}
    return {"command": {"actuator": actuator, "action": "ON", **more}}


_LEVEL = {"espId": LEVEL.key.esp_id, "gpio": LEVEL.key.gpio, "sensorType": LEVEL.key.sensor_type}
RULES = (
    {
        "name": "While it is full",
        "mode": "HOLD",
        "condition": {"hysteresis": {"sensor": _LEVEL, "activateAbove": 40, "deactivateBelow": 20}},
        "actions": [_on(FIRST)],
    },
    {
        "name": "When it is full",
        "condition": {"threshold": {"sensor": _LEVEL, "operator": "GT", "value": 40}},
        "actions": [_on(PUMP, duration="PT10S"), {"delay": "PT5S"}, _on(SECOND, duration="PT5S")],
        "priority": 20,
    },
    {
        "name": "When it runs dry",
        "condition": {"threshold": {"sensor": _LEVEL, "operator": "LT", "value": ENOUGH}},
        "actions": [_on(SECOND, duration="PT10S"), _on(PUMP)],
    },
)
"""What rules want, of which much must not be: they want both of two, and a pump without water."""


class Held(NamedTuple):
    """A message on its way to a board."""

    message: Outgoing
    since: float


@dataclass(slots=True)
class Board:
    """A board, its line to the broker, and what may be on of it.

    Attributes:
        away: It has no network.
        stalled: Its line carries nothing for now; the broker holds what is for it.
        until: When each pin must be off at the latest, by what it was told.
        overdue_since: Since when it is on that must be off, while the board could be told.
    """

    device: VirtualDevice
    connected: bool = False
    away: bool = False
    stalled: bool = False
    held: deque[Held] = field(default_factory=deque)
    until: float = 0.0
    overdue_since: float | None = None
    timer: asyncio.TimerHandle | None = None
    heard_at: float = 0.0

    @property
    def pump(self) -> VirtualActuator:
        return self.device.actuators[0]

    @property
    def is_locked_up(self) -> bool:
        """Whether it waits to be let in, and cannot say so: it refuses even OFF for a minute."""
        mute = Fault.NO_ANSWERS in self.device.faults.active
        return mute and self.device.registration.refusal() is not None


@dataclass(slots=True)
class Water:
    """What the level meter last said."""

    value: float | None = None
    at: float = -1e9
