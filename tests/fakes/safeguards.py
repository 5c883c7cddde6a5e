"""Safeguards of actuators, in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.actuators import Pin
from domain.rules.world import ConditionState
from domain.safeguards import Safeguards
from domain.services.recall_conditions import Forgotten
from tests.fakes.actuators import FakeActuators


@dataclass(slots=True)
class FakeSafeguards:
    actuators: FakeActuators
    rows: dict[int, Safeguards] = field(default_factory=dict)
    times: dict[int, datetime] = field(default_factory=dict)

    def _pins(self) -> Mapping[int, Pin]:
        return {actuator.id: pin for pin, actuator in self.actuators.rows.items()}

    async def save(self, actuator_id: int, safeguards: Safeguards) -> None:
        self.rows[actuator_id] = safeguards

    async def all(self) -> Mapping[Pin, Safeguards]:
        return {pin: self.rows[key] for key, pin in self._pins().items() if key in self.rows}

    async def save_judged(self, pin: Pin, at: datetime) -> None:
        for key, known in self._pins().items():
            if known == pin and key in self.rows:
                self.times[key] = at

    async def judged(self) -> Mapping[Pin, datetime]:
        return {pin: self.times[key] for key, pin in self._pins().items() if key in self.times}


async def recall_nothing(_every: Iterable[Forgotten]) -> Mapping[Forgotten, ConditionState]:
    return {}
