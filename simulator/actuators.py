"""Virtual actuators: what a pin does when it is told to, and what that does to its surroundings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.actuators import CommandAction
from simulator.surroundings import Quantity

_PWM_TOP = 255
_VALVE_STEP = 127
_VALVE_OPEN = 2
_ON_FROM = 0.5
"""A pin that can only be switched takes any value from here as on."""


@dataclass(slots=True, kw_only=True)
class VirtualActuator:
    """A pin that does something.

    Attributes:
        actuator_type: `pump`, `valve`, `relay` or `pwm`.
        name: What a grower would call it; never on the wire.
        pushes: What full power does to the resting value of each quantity, in its unit.
        value: 0.0 (off) .. 1.0 (full).
        off_at: When it switches itself off, Unix seconds; None: not by itself.
        source: Who gave the last order, where the firmware remembers.
        on_since: When its power was last set, Unix seconds.
    """

    gpio: int
    actuator_type: str
    name: str = ""
    pushes: Mapping[Quantity, float] = field(default_factory=dict)
    value: float = field(default=0.0, init=False)
    off_at: float | None = field(default=None, init=False)
    source: str = field(default="", init=False)
    on_since: float = field(default=0.0, init=False)
    _ran: float = field(default=0.0, init=False)

    @property
    def is_on(self) -> bool:
        """Whether it does anything."""
        return self.value > 0.0

    @property
    def pwm(self) -> int:
        """The power as status reports carry it; a valve counts its positions 0, 1 and 2."""
        if self.actuator_type == "valve":
            return round(self.value * _VALVE_OPEN) * _VALVE_STEP
        return round(self.value * _PWM_TOP)

    def runtime_ms(self, now: float) -> int:
        """Return how long it was on since the board started."""
        running = now - self.on_since if self.is_on else 0.0
        return round((self._ran + running) * 1000.0)

    def obey(self, action: CommandAction, value: float, now: float, *, seconds: int = 0) -> None:
        """Carry out a command.

        Args:
            action: The command word.
            value: The power asked for with PWM; clamped to 0..1.
            now: Unix seconds.
            seconds: Switch off by itself after this long; 0: never.
        """
        match action:
            case CommandAction.ON:
                power = 1.0
            case CommandAction.OFF:
                power = 0.0
            case CommandAction.TOGGLE:
                power = 0.0 if self.is_on else 1.0
            case CommandAction.PWM:
                power = min(1.0, max(0.0, value))
                if self.actuator_type != "pwm":
                    power = 1.0 if power >= _ON_FROM else 0.0
        self._set(power, now)
        self.off_at = now + seconds if seconds > 0 and self.is_on else None

    def switch_off(self, now: float, source: str = "") -> None:
        """Fall back to the safe state."""
        self._set(0.0, now)
        self.off_at = None
        self.source = source

    def restart(self, now: float) -> None:
        """Forget everything, as the pin of a board that reboots does."""
        self.switch_off(now)
        self._ran = 0.0

    def _set(self, power: float, now: float) -> None:
        if self.is_on:
            self._ran += now - self.on_since
        self.on_since = now
        self.value = power


def pushes(actuators: Iterable[VirtualActuator]) -> dict[Quantity, float]:
    """Return what all of them together do to the surroundings right now."""
    total: dict[Quantity, float] = {}
    for actuator in actuators:
        for quantity, push in actuator.pushes.items():
            total[quantity] = total.get(quantity, 0.0) + push * actuator.value
    return total
