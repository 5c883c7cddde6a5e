"""The habits of the firmware generations, one row each: this table is all that tells them apart.

A board keeps the firmware it was flashed with, so all of them are in the field at once (device
protocol, sections 0, 1.1 and 3; how each spells its messages is in `simulator.writing`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from mqtt_bridge.messages import SystemAction
from simulator.registration import APRIL_GATE, FEBRUARY_GATE, Gate, SystemState
from simulator.sensors import Sampled
from simulator.writing import (
    Fields,
    Origin,
    Vitals,
    december_sensor,
    early_heartbeat,
    early_sensor,
    february_heartbeat,
    february_sensor,
    head_heartbeat,
    head_sensor,
)


class Trigger(Enum):
    """What on an emergency topic stops a board (device protocol, section 1.8)."""

    ANYTHING = auto()
    """Whatever arrives, even nothing: nobody looks into it."""

    JSON = auto()
    """Whatever a small parser can read, be it an order or not."""

    CONTRACT = auto()
    """The right words; what is odd in a dangerous way stops too, what is merely wrong does not."""


_COMMON_STATES = {SystemState.BOOT: 0, SystemState.MQTT_CONNECTED: 4}
_WINTER_STATES = _COMMON_STATES | {
    SystemState.OPERATIONAL: 8,
    SystemState.PENDING_APPROVAL: 9,
    SystemState.SAFE_MODE: 11,
    SystemState.ERROR: 13,
}
_APRIL_STATES = _COMMON_STATES | {
    SystemState.OPERATIONAL: 9,
    SystemState.PENDING_APPROVAL: 10,
    SystemState.SAFE_MODE: 12,
    SystemState.ERROR: 14,
}
_RESET_ONLY = frozenset({SystemAction.FACTORY_RESET})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One firmware generation.

    Attributes:
        kaiser_id: The topic level it speaks on until it was provisioned.
        boot_clock: It tells milliseconds since boot, never the time of day.
        retains: It retains what the document calls QoS 1.
        qos: The highest quality of service that its client can do.
        sets_will: The broker speaks for it when its connection breaks.
        resubscribes: It subscribes again after a reconnect; else it is deaf until it reboots.
        moves_at_once: A new topic level holds for what it hears too; else only after a reboot.
        reconnects: How often it tries to come back before it falls silent; None: for ever.
        first_heartbeat: Seconds from boot to its first sign of life.
        gate: How it registers with its server; None: it knows no registration.
        numbers: Its messages carry a sequence number.
        correlates: It answers with the id of what it was told, and tells what became of it.
        lists_failures: A config answer lists what was refused, and repeats the configuration's id.
        takes_empty: An empty half of a configuration is no error.
        largest_config: Bytes of a configuration that it can read.
        reports_errors: It tells what fails inside it.
        knows_subzones: It hears of subzones, and of orders to a single sensor.
        obeys_duration: ON with a duration switches off by itself.
        limits_runtime: It switches a pump off that runs too long.
        takes_longest_run: It is told for how long each pin may be on, and switches it off then.
        parses_blanks: It reads JSON with a blank between a key's quote and the colon.
        reports_twice: It sends a pin's status twice after a command.
        trigger: What stops it.
        has_tokens: It stops alone only for its token, and can be told that the emergency is over.
        system_actions: What it can be told to do with itself.
        states: How it numbers its system states.
        backlog: Messages it keeps while it has no connection; the newest are dropped beyond.
    """

    name: str
    kaiser_id: str = "god"
    boot_clock: bool = False
    retains: bool = False
    qos: int = 0
    sets_will: bool = True
    resubscribes: bool = True
    moves_at_once: bool = True
    reconnects: int | None = None
    first_heartbeat: float = 0.0
    gate: Gate | None = None
    numbers: bool = False
    correlates: bool = False
    lists_failures: bool = False
    takes_empty: bool = False
    largest_config: int = 1900
    reports_errors: bool = False
    knows_subzones: bool = False
    obeys_duration: bool = False
    limits_runtime: bool = True
    takes_longest_run: bool = False
    parses_blanks: bool = True
    reports_twice: bool = False
    trigger: Trigger = Trigger.JSON
    has_tokens: bool = True
    system_actions: frozenset[SystemAction] = _RESET_ONLY
    states: Mapping[SystemState, int] = field(hash=False)
    backlog: int = 100
    sensor_data: Callable[[Origin, Sampled], Fields]
    heartbeat: Callable[[Origin, Vitals], Fields]

    @property
    def hands_over(self) -> bool:
        """Whether it announces its sessions, and is lost without its server."""
        return self.gate is not None and self.gate.hands_over


NOVEMBER = Dialect(
    name="november-2025",
    kaiser_id="",
    boot_clock=True,
    retains=True,
    sets_will=False,
    resubscribes=False,
    moves_at_once=False,
    reconnects=10,
    first_heartbeat=60.0,
    limits_runtime=False,
    parses_blanks=False,
    reports_twice=True,
    trigger=Trigger.ANYTHING,
    has_tokens=False,
    states=_WINTER_STATES,
    sensor_data=early_sensor,
    heartbeat=early_heartbeat,
)
DECEMBER = Dialect(
    name="december-2025",
    kaiser_id="",
    retains=True,
    moves_at_once=False,
    parses_blanks=False,
    reports_twice=True,
    states=_WINTER_STATES,
    sensor_data=december_sensor,
    heartbeat=early_heartbeat,
)
FEBRUARY = Dialect(
    name="february-2026",
    retains=True,
    gate=FEBRUARY_GATE,
    takes_longest_run=True,
    numbers=True,
    lists_failures=True,
    reports_errors=True,
    knows_subzones=True,
    parses_blanks=False,
    reports_twice=True,
    system_actions=_RESET_ONLY | {SystemAction.STATUS, SystemAction.ONEWIRE_SCAN},
    states=_WINTER_STATES,
    sensor_data=february_sensor,
    heartbeat=february_heartbeat,
)
HEAD = Dialect(
    name="april-2026",
    qos=1,
    gate=APRIL_GATE,
    numbers=True,
    correlates=True,
    lists_failures=True,
    takes_empty=True,
    largest_config=4351,
    reports_errors=True,
    knows_subzones=True,
    obeys_duration=True,
    takes_longest_run=True,
    trigger=Trigger.CONTRACT,
    system_actions=frozenset(SystemAction)
    - {SystemAction.REBOOT, SystemAction.RESUME_OPERATION, SystemAction.RESET_CONFIG},
    states=_APRIL_STATES,
    backlog=8,
    sensor_data=head_sensor,
    heartbeat=head_heartbeat,
)
DIALECTS = (NOVEMBER, DECEMBER, FEBRUARY, HEAD)
"""Every generation, oldest first."""

FEBRUARY_UNNUMBERED = replace(FEBRUARY, name="february-2026-unnumbered", numbers=False)
"""Flashed before the 23rd: no sequence numbers yet."""

HEAD_ON_XIAO = replace(HEAD, name="april-2026-xiao", qos=0, backlog=25)
"""The same firmware on the small board, with the MQTT client of the earlier ones."""

BUILDS = (*DIALECTS, FEBRUARY_UNNUMBERED, HEAD_ON_XIAO)
"""Every generation, and what was built differently within one."""
