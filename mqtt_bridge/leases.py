"""Leases on the wire: what switches off overtakes everything, and what shows that it did."""

from dataclasses import dataclass
from typing import Protocol

from domain.actuators import ActuatorReport, Command, CommandResponse
from mqtt_bridge import payloads
from mqtt_bridge.control import Control
from mqtt_bridge.emergencies import UrgentConnection
from mqtt_bridge.messages import ActuatorCommand, SessionAnnounce

_ISSUER = "god-kaiser"


class LeaseWatch(Protocol):
    """Who wants to know what devices say of their actuators; every method returns at once."""

    def reported(self, report: ActuatorReport) -> None:
        """A device says what a pin does."""
        ...

    def answered(self, response: CommandResponse) -> None:
        """A device says what it did."""
        ...

    def connected(self, esp_id: str) -> None:
        """A device began a session."""
        ...


@dataclass(slots=True, kw_only=True)
class LeaseWire:
    """Implements domain.ports.LeaseLink."""

    connection: UrgentConnection

    def attach(self, control: Control, watch: LeaseWatch) -> None:
        """Hear what it wants to hear."""
        control.on_answer(ActuatorReport, watch.reported)
        control.on_answer(CommandResponse, watch.answered)
        control.on_answer(SessionAnnounce, lambda announce: watch.connected(announce.esp_id))

    async def switch_off(self, command: Command, kaiser_id: str) -> None:
        """Tell a device to switch off."""
        topic, payload, qos, retain, _ = payloads.encode(
            ActuatorCommand(
                esp_id=command.pin.esp_id,
                kaiser_id=kaiser_id,
                gpio=command.pin.gpio,
                action=command.action,
                value=command.value,
                correlation_id=str(command.id),
                issued_by=_ISSUER,
                timestamp=int(command.created_at.timestamp()),
            )
        )
        await self.connection.publish(topic, payload, qos=qos, retain=retain, urgent=True)
