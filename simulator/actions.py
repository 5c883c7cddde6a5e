"""What a device wants of its connection: the outputs of the state machine, done in order."""

from dataclasses import dataclass
from typing import TypeAlias

from mqtt_bridge.messages import Outgoing
from simulator.sensors import Sampled


@dataclass(frozen=True, slots=True)
class Drop:
    """Let go of the connection without a word, as a board does that reboots."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Make a new connection, because from now on other topics are to be heard."""


@dataclass(frozen=True, slots=True)
class Convert:
    """Have the server convert a sample, and say what came of it; the board waits meanwhile."""

    sampled: Sampled
    uptime_ms: int


Action: TypeAlias = Outgoing | Drop | Renew | Convert
