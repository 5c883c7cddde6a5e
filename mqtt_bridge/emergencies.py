"""Emergency stops on the wire: in words that each generation obeys, and what shows that it did.

What each generation obeys and how it confirms: device protocol, sections 1.8 and 3.5. Older
firmware has no confirmation of its own; there, whatever shows that it has stopped counts.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.actuators import ActuatorReport, CommandAction, CommandResponse, EmergencyPhase, Pin
from domain.devices import Device, Heartbeat
from domain.emergency_stops import EmergencyStop
from mqtt_bridge import dialects, payloads
from mqtt_bridge.control import Control
from mqtt_bridge.messages import (
    ActuatorAlert,
    ActuatorCommand,
    EmergencyAck,
    EmergencyAction,
    EmergencyBroadcast,
    EmergencyError,
    EmergencyOrder,
    EmergencyResponse,
    Outbound,
    RecoveryConfirm,
    SafeMode,
    SessionAnnounce,
    SystemAction,
    SystemCommand,
)

_ALERT = "emergency_stop"
_EXECUTED = "executed"
_FREE = "cleared"
_ISSUER = "god-kaiser"
_QOS = 1
"""Of orders to stop and to clear. With QoS 2 a broker passes a message on only after a second
exchange with us, each as slow as a busy server; and a stop that comes twice does no harm. Orders to
stop and to clear must not overtake each other: both go with the same."""

_RESUMING = (SystemAction.EXIT_SAFE_MODE, SystemAction.RESUME_OPERATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What devices demand before they obey.

    Attributes:
        device: In orders to one device; None: each demands its own esp_id.
        broadcast: In a broadcast, by production builds; None: none is set.
    """

    device: str | None = field(default=None, repr=False)
    broadcast: str | None = field(default=None, repr=False)


class UrgentConnection(Protocol):
    """The control connection, for what overtakes everything else."""

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False, urgent: bool
    ) -> None:
        """Hand a message to the broker."""
        ...


class EmergencyWatch(Protocol):
    """Who wants to know how devices stand to emergency stops."""

    def stopped(self, esp_id: str, at: datetime) -> None:
        """A device shows that it has stopped."""
        ...

    def freed(self, esp_id: str, at: datetime) -> None:
        """A device shows that its emergency is over."""
        ...

    def off(self, pin: Pin, at: datetime) -> None:
        """A device shows that one of its actuators is off."""
        ...

    def running(self, pin: Pin, at: datetime) -> None:
        """A device shows that one of its actuators runs."""
        ...

    def refused(self, esp_id: str, reason: str, at: datetime) -> None:
        """A device did not do what it was told."""
        ...

    def connected(self, esp_id: str, at: datetime, *, booted: bool) -> None:
        """A device began a session."""
        ...

    async def stopped_itself(self, esp_id: str, at: datetime, message: str) -> None:
        """A device raised the alarm."""
        ...

    async def found_stopped(self, esp_id: str, at: datetime) -> None:
        """A device shows that it is stopped, whoever wanted it."""
        ...


@dataclass(slots=True, kw_only=True)
class EmergencyWire:
    """Implements domain.ports.EmergencyLink.

    Attributes:
        connection: Publishes.
        tokens: What devices demand.
    """

    connection: UrgentConnection
    tokens: Tokens = field(default_factory=Tokens)

    # ------------------------------------------------------------ what devices are told

    async def stop_all(self, stop: EmergencyStop) -> None:
        """Tell every device to stop."""
        await self._send(
            EmergencyBroadcast(
                reason=stop.reason,
                issued_by=_ISSUER,
                issued_at=stop.triggered_at,
                auth_token=self.tokens.broadcast,
            ),
            qos=_QOS,
        )

    async def stop(self, device: Device, stop: EmergencyStop) -> None:
        """Tell a device to stop."""
        await self._send(self._order(device, EmergencyAction.STOP, stop), qos=_QOS)

    async def clear(self, device: Device, stop: EmergencyStop) -> None:
        """Tell a device that its emergency is over."""
        await self._send(self._order(device, EmergencyAction.CLEAR, stop), qos=_QOS, urgent=False)

    async def switch_off(self, pin: Pin, kaiser_id: str, stop: EmergencyStop) -> None:
        """Tell a device to switch one actuator off."""
        await self._send(
            ActuatorCommand(
                esp_id=pin.esp_id,
                kaiser_id=kaiser_id,
                gpio=pin.gpio,
                action=CommandAction.OFF,
                value=0.0,
                correlation_id=str(stop.id),
            )
        )

    async def resume(self, device: Device) -> None:
        """Ask a device to go on: first to leave its safe mode, then to work."""
        for action in _RESUMING:
            command = SystemCommand(
                esp_id=device.esp_id, kaiser_id=device.kaiser_id, command=action
            )
            if dialects.obstacle(command, device.firmware_generation) is None:
                await self._send(command, urgent=False)

    def obstacle(self, device: Device) -> str | None:
        """Return why a device cannot be told to clear."""
        order = EmergencyOrder(
            esp_id=device.esp_id,
            kaiser_id=device.kaiser_id,
            command=EmergencyAction.CLEAR,
            auth_token=device.esp_id,
        )
        return dialects.obstacle(order, device.firmware_generation)

    def doubt(self, device: Device) -> str | None:
        """Return why a device may never hear that it is to stop."""
        return dialects.deafness(device.firmware_generation)

    def _order(
        self, device: Device, command: EmergencyAction, stop: EmergencyStop
    ) -> EmergencyOrder:
        return EmergencyOrder(
            esp_id=device.esp_id,
            kaiser_id=device.kaiser_id,
            command=command,
            auth_token=self.tokens.device or device.esp_id,
            reason=stop.reason,
            correlation_id=str(stop.id),
        )

    async def _send(
        self, message: Outbound, *, qos: int | None = None, urgent: bool = True
    ) -> None:
        outgoing = payloads.encode(message)
        await self.connection.publish(
            outgoing.topic,
            outgoing.payload,
            qos=outgoing.qos if qos is None else qos,
            retain=outgoing.retain,
            urgent=urgent,
        )

    # ------------------------------------------------------------ what devices say

    def attach(self, control: Control, watch: EmergencyWatch) -> None:
        """Hear what it wants to hear."""
        heard = _Signs(watch)
        control.on_answer(EmergencyAck, heard.ack)
        control.on_answer(EmergencyResponse, heard.response)
        control.on_answer(EmergencyError, heard.error)
        control.on_answer(RecoveryConfirm, heard.recovery)
        control.on_answer(SafeMode, heard.safe_mode)
        control.on_answer(Heartbeat, heard.heartbeat)
        control.on_answer(ActuatorReport, heard.report)
        control.on_answer(CommandResponse, heard.command_response)
        control.on_answer(SessionAnnounce, heard.announce)
        control.on(ActuatorAlert, heard.alert)
        control.on(ActuatorReport, heard.found)


@dataclass(frozen=True, slots=True)
class _Signs:
    """What messages say about emergencies."""

    watch: EmergencyWatch

    def ack(self, ack: EmergencyAck) -> None:
        if ack.outcome != _EXECUTED:
            reason = f"it did not carry out {ack.command}: {ack.outcome}"
            self.watch.refused(ack.esp_id, reason, ack.received_at)
        elif ack.command == EmergencyAction.CLEAR:
            self.watch.freed(ack.esp_id, ack.received_at)
        else:
            self.watch.stopped(ack.esp_id, ack.received_at)

    def response(self, response: EmergencyResponse) -> None:
        if _FREE in response.status:
            self.watch.freed(response.esp_id, response.received_at)
        elif "stop" in response.status:
            self.watch.stopped(response.esp_id, response.received_at)

    def error(self, error: EmergencyError) -> None:
        reason = f"it refuses the order ({error.error})"
        if error.error == "unauthorized":
            reason += ": its token is another; set KAISER_EMERGENCY_TOKEN to it"
        elif error.message:
            reason += f": {error.message}"
        self.watch.refused(error.esp_id, reason, error.received_at)

    def recovery(self, recovery: RecoveryConfirm) -> None:
        if recovery.state == _FREE:
            self.watch.freed(recovery.esp_id, recovery.received_at)

    def safe_mode(self, safe_mode: SafeMode) -> None:
        if safe_mode.active:
            self.watch.stopped(safe_mode.esp_id, safe_mode.received_at)

    def heartbeat(self, heartbeat: Heartbeat) -> None:
        if heartbeat.health.safe_mode:
            self.watch.stopped(heartbeat.esp_id, heartbeat.received_at)

    def report(self, report: ActuatorReport) -> None:
        if report.emergency is EmergencyPhase.ACTIVE:
            self.watch.stopped(report.pin.esp_id, report.received_at)
        elif report.is_active or report.value > 0:
            self.watch.running(report.pin, report.received_at)
        else:
            self.watch.off(report.pin, report.received_at)

    def command_response(self, response: CommandResponse) -> None:
        if not response.success and "emergency" in response.message.lower():
            self.watch.stopped(response.pin.esp_id, response.received_at)
        elif response.success and response.action == CommandAction.OFF:
            self.watch.off(response.pin, response.received_at)

    def announce(self, announce: SessionAnnounce) -> None:
        booted = announce.reason == "boot"
        self.watch.connected(announce.esp_id, announce.received_at, booted=booted)

    async def found(self, report: ActuatorReport) -> None:
        if report.emergency is EmergencyPhase.ACTIVE:
            await self.watch.found_stopped(report.pin.esp_id, report.received_at)

    async def alert(self, alert: ActuatorAlert) -> None:
        if alert.alert_type == _ALERT:
            await self.watch.stopped_itself(alert.pin.esp_id, alert.received_at, alert.message)
