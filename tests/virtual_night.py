"""A night in virtual time: rules, the real services and the real wire, and a heater's board.

The room is as cold as the story has it; a probe of another board says so every minute.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count

from typing_extensions import override

from domain.actuators import CommandAction, Pin
from domain.rule_executions import RuleExecution
from domain.rules.past import microseconds
from domain.sensors import Measurement, ProcessingMode, Quality
from mqtt_bridge.messages import ActuatorCommand, Outgoing
from tests.fakes import START
from tests.makers import make_actuator, make_reading, make_sensor
from tests.virtual_boards import Board
from tests.virtual_plant import Plant
from tests.virtual_server import Server

PROBE = make_sensor("ESP_B", 4, "ds18b20", id=2)
EVERY = 60.0
"""Seconds between two readings of the probe."""


class Night(Plant):
    """A plant without interlocks, whose heaters may be on for as long as somebody wants it."""

    celsius = 22.0
    told_on = 0
    _reading_ids: Iterator[int]

    @override
    def start(self) -> None:
        if PROBE.key not in self.storage.sensors.rows:
            self._reading_ids = count()
            self.storage.sensors.rows[PROBE.key] = PROBE
            for number, (esp_id, board) in enumerate(self.boards.items(), start=1):
                pin = Pin(esp_id, board.pump.gpio)
                self.storage.actuators.rows[pin] = make_actuator(*pin, id=number)
        self.server = Server(
            storage=self.storage,
            clock=self.clock,
            new_id=self.new_id,
            take=self.take,
            safeguards={},
        )
        self._life = self.loop.create_task(self._live(self.server))

    @override
    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self._life is not None and self._life.done():
            self._life.result()

    @override
    def _check(self, server: Server, command: ActuatorCommand, message: Outgoing) -> None:
        """Count what leaves to switch something on; OFF is repeated to whoever seems away."""
        self.told_on += command.action is not CommandAction.OFF

    def begin(self, at: datetime) -> None:
        """Let it be some time of the first day."""
        self.clock.set_by = (at - START).total_seconds() - self.loop.time()

    def until(self, at: datetime) -> None:
        """Let the night go on, with a reading every minute."""
        while (left := (at - self.clock.now()).total_seconds()) > 0:
            self.show()
            self.wait(min(left, EVERY))

    def show(self) -> None:
        """Store what the probe says now, and tell it to whoever is there."""
        now = self.clock.now()
        reading = make_reading(
            sensor=PROBE,
            id=microseconds(now) + next(self._reading_ids),
            measured_at=now,
            received_at=now,
            raw_value=self.celsius,
            measurement=Measurement(self.celsius, "°C", Quality.GOOD, ProcessingMode.RAW),
        )
        self.storage.readings.rows.append(reading)
        if self.server.ready:
            self.server.world([reading])

    def lose(self, board: Board, span: timedelta) -> None:
        """Take the network from a board, and let the broker see it."""
        self.lose_network(board, span.total_seconds(), noticed=True)

    @property
    def executions(self) -> Sequence[RuleExecution]:
        """What rules did, in its order."""
        rows = self.storage.rule_executions.rows
        return [rows[key] for key in sorted(rows)]
