"""Commands on the wire: published, and matched with what their device answers."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from domain.actuators import ACK_TIMEOUT, Command, CommandResponse
from domain.errors import DeviceSilentError
from domain.intents import explanation
from domain.ports import CommandExchange
from mqtt_bridge.control import Control, Sender
from mqtt_bridge.messages import ActuatorCommand, IntentOutcome
from mqtt_bridge.outbox import Outbox


@dataclass(slots=True, kw_only=True)
class CommandWire:
    """Implements domain.ports.CommandLink.

    Attributes:
        answered_within: How long it waits for a device's answer.
    """

    sender: Sender
    answered_within: timedelta = ACK_TIMEOUT
    outbox: Outbox = field(default_factory=Outbox)

    def attach(self, control: Control) -> None:
        """Hear what it wants to hear."""
        control.on_answer(CommandResponse, self.outbox.answer)
        control.on_answer(IntentOutcome, self._outcome)

    def _outcome(self, told: IntentOutcome) -> None:
        """Newest firmware refuses some commands before they reach a pin, and tells only so."""
        if told.outcome.refused and told.correlation_id is not None:
            reason = f"the device refused: {explanation(told.code, told.reason)}"
            self.outbox.refuse(told.esp_id, told.correlation_id, reason, told.received_at)

    @asynccontextmanager
    async def exchange(self, command: Command, kaiser_id: str) -> AsyncIterator[CommandExchange]:
        """Open an exchange; see domain.ports.CommandLink."""
        correlation_id = str(command.id)
        answer = self.outbox.open(command.pin, correlation_id, command.action.value)
        try:
            yield _Exchange(self.sender, command, kaiser_id, answer, self.answered_within)
        finally:
            self.outbox.close(command.pin)


@dataclass(slots=True)
class _Exchange:
    """Implements domain.ports.CommandExchange."""

    sender: Sender
    command: Command
    kaiser_id: str
    answer: asyncio.Future[CommandResponse]
    answered_within: timedelta
    deadline: float = 0.0

    async def publish(self, permit: Callable[[], None]) -> None:
        """Hand the command to the broker."""
        command = self.command
        duration = command.duration
        seconds = 0 if duration is None else max(1, math.ceil(duration.total_seconds()))
        message = ActuatorCommand(
            esp_id=command.pin.esp_id,
            kaiser_id=self.kaiser_id,
            gpio=command.pin.gpio,
            action=command.action,
            value=command.value,
            duration=seconds,
            correlation_id=str(command.id),
            timestamp=int(command.created_at.timestamp()),
        )
        self.deadline = asyncio.get_running_loop().time() + self.answered_within.total_seconds()
        await self.sender.send(message, permit)

    async def response(self) -> CommandResponse:
        """Wait for the device's answer, counted from the moment it was published."""
        try:
            async with asyncio.timeout_at(self.deadline):
                return await asyncio.shield(self.answer)
        except TimeoutError:
            if self.answer.done():
                return self.answer.result()
            seconds = self.answered_within.total_seconds()
            raise DeviceSilentError(
                f"{self.command.pin.esp_id} did not answer within {seconds:g} s; "
                "if it still sends heartbeats, switch it off and on again"
            ) from None
