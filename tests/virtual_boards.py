"""Boards of a plant in virtual time, with the lines that they hang on, and its water."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from mqtt_bridge.messages import Outgoing
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.faults import Fault


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
