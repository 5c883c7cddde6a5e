"""The control connection: heartbeats, wills, reports and answers in; commands and acks out."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from domain.actuators import ACK_TIMEOUT, ActuatorReport, Command, CommandResponse, Pin
from domain.config_rounds import Message
from domain.configs import ConfigAnswer, DeviceConfig
from domain.devices import Device, DeviceHealth, Heartbeat, LastWill
from domain.errors import BadInputError, BrokerUnavailableError, DeviceSilentError
from domain.ports import Clock, CommandExchange, Receiver
from domain.system_events import Detail, Severity
from domain.zones import ZoneAnswer, ZoneAssignment
from mqtt_bridge import payloads, topics
from mqtt_bridge.messages import (
    AckStatus,
    ActuatorAlert,
    ActuatorCommand,
    DeviceError,
    Diagnostics,
    HeartbeatAck,
    Inbound,
    Outbound,
    SessionAnnounce,
)
from mqtt_bridge.outbox import Outbox
from mqtt_bridge.payloads.configs import split
from mqtt_bridge.session import Delivery
from mqtt_bridge.topics import GOD

INBOX = 4000
"""Messages that may wait to be handled; then reading stops and the broker keeps the queue."""

MOST_EPOCHS = 10_000
"""Devices whose announced epoch is remembered; the longest silent is forgotten first."""


ANY_RECEIVER = Receiver(
    limit=900, both_spellings=True, answers_removal=False, knows_subzones=False, home=GOD
)
"""What the smallest board with the oldest firmware takes (device protocol, section 1.9)."""

NEWEST_RECEIVER = Receiver(
    limit=4000, both_spellings=False, answers_removal=True, knows_subzones=True, home=GOD
)
"""What the newest firmware takes."""


class Connection(Protocol):
    """The control connection."""

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Hand a message to the broker."""
        ...

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the broker that these messages are handled."""
        ...

    def pause(self) -> None:
        """Stop reading."""
        ...

    def resume(self) -> None:
        """Read again."""
        ...


class DeviceWatch(Protocol):
    """Who wants to know what devices say of themselves."""

    async def heartbeat(self, heartbeat: Heartbeat) -> Device | None:
        """Take in a sign of life; return the device, None while it cannot be stored."""
        ...

    async def announced(self, esp_id: str, handover_epoch: int) -> None:
        """Take in that a session began."""
        ...

    async def last_will(self, will: LastWill) -> None:
        """Take in that a connection broke."""
        ...

    async def report(self, report: ActuatorReport, *, live: bool) -> None:
        """Take in what a pin does."""
        ...


class ConfigWatch(Protocol):
    """Who wants to know what devices say to their configuration."""

    def answered(self, answer: ConfigAnswer | ZoneAnswer) -> None:
        """Take in an answer."""
        ...

    async def heard(self, device: Device, health: DeviceHealth) -> None:
        """Take in what a known device has, by its heartbeat."""
        ...


class DeviceReports(Protocol):
    """Where growers are told what devices complain of."""

    def device_error(
        self,
        esp_id: str,
        said: int | str,
        severity: Severity,
        *,
        message: str,
        details: Mapping[str, Detail],
    ) -> None:
        """A device reported an error."""
        ...

    def alert(self, pin: Pin, said: str, message: str) -> None:
        """A device protected an actuator, or itself."""
        ...


class Journal(Protocol):
    """Where noteworthy things are written for operators."""

    def warning(self, event: str, **fields: object) -> object:
        """Note something that somebody may have to look at."""
        ...


@dataclass(slots=True, kw_only=True)
class Control:
    """Implements domain.ports.CommandLink and ConfigLink, and answers what devices say.

    Attributes:
        configs: Who is told what concerns configurations; None: nobody.
        bury: Keeps a message that could not be read, and acknowledges it once it is stored.
    """

    connection: Connection
    watch: DeviceWatch
    clock: Clock
    journal: Journal
    reports: DeviceReports
    bury: Callable[[Connection, Delivery, str], None]
    configs: ConfigWatch | None = None
    outbox: Outbox = field(default_factory=Outbox)
    _inbox: deque[tuple[Delivery, Inbound]] = field(default_factory=deque, init=False)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _paused: bool = field(default=False, init=False)
    _epochs: OrderedDict[str, int] = field(default_factory=OrderedDict, init=False)

    @property
    def backlog(self) -> int:
        """How many messages wait to be handled."""
        return len(self._inbox)

    def hear(self, delivery: Delivery) -> None:
        """Take in one message; called in place for each.

        An answer to a command is matched at once: it must not wait behind a heartbeat's storing.
        """
        topic = topics.parse(delivery.topic)
        if topic is None:
            self.bury(self.connection, delivery, "no topic of the protocol")
            return
        try:
            message = payloads.decode(topic, delivery.payload, self.clock.now())
        except payloads.MalformedPayloadError as error:
            self.bury(self.connection, delivery, str(error))
            return
        if isinstance(message, CommandResponse):
            if not delivery.retain:
                self.outbox.answer(message)
            self.connection.acknowledge([delivery])
            return
        if isinstance(message, ConfigAnswer | ZoneAnswer):
            if not delivery.retain and self.configs is not None:
                self.configs.answered(message)
            self.connection.acknowledge([delivery])
            return
        self._inbox.append((delivery, message))
        self._arrived.set()
        if len(self._inbox) >= INBOX:
            # Said again with every message: a new connection starts out reading.
            self._paused = True
            self.connection.pause()

    async def run(self) -> None:
        """Handle messages in order until cancelled."""
        while True:
            await self._arrived.wait()
            while self._inbox:
                delivery, message = self._inbox.popleft()
                await self._handle(message, live=not delivery.retain)
                self.connection.acknowledge([delivery])
            self._arrived.clear()
            if self._paused:
                self._paused = False
                self.connection.resume()

    @asynccontextmanager
    async def exchange(self, command: Command, kaiser_id: str) -> AsyncIterator[CommandExchange]:
        """Open an exchange; see domain.ports.CommandLink."""
        correlation_id = str(command.id)
        answer = self.outbox.open(command.pin, correlation_id, command.action.value)
        try:
            yield _Exchange(self, command, kaiser_id, answer)
        finally:
            self.outbox.close(command.pin)

    async def send(self, message: Outbound) -> None:
        """Publish a message.

        Raises:
            BrokerUnavailableError: The broker did not take it.
        """
        topic, payload, qos, retain = payloads.encode(message)
        await self.connection.publish(topic, payload, qos=qos, retain=retain)

    def receiver(self, device: Device) -> Receiver:
        """Return what a device can take: only the newest firmware announces its sessions."""
        newest = device.handover_epoch is not None or device.esp_id in self._epochs
        return NEWEST_RECEIVER if newest else ANY_RECEIVER

    @staticmethod
    def parts(config: DeviceConfig, receiver: Receiver) -> Sequence[DeviceConfig]:
        """Cut a configuration; see domain.ports.ConfigLink."""
        return split(config, receiver.limit)

    async def tell(self, message: Message) -> None:
        """Send a part of a configuration; see domain.ports.ConfigLink."""
        try:
            await self.send(message)
            if isinstance(message, ZoneAssignment) and not message.kaiser_id:
                # A device without a level hears its zone on that of the server, too.
                await self.send(replace(message, kaiser_id=GOD))
        except ValueError as error:
            raise BadInputError(f"no device could read this: {error}") from error

    async def _handle(self, message: Inbound, *, live: bool) -> None:
        match message:
            case ActuatorReport():
                await self.watch.report(message, live=live)
            case Heartbeat() if live:
                await self._answer(message)
            case Diagnostics() if live:
                await self.watch.heartbeat(_sign_of_life(message))
            case LastWill() if live:
                await self.watch.last_will(message)
            case SessionAnnounce() if live:
                self._remember_epoch(message)
                await self.watch.announced(message.esp_id, message.handover_epoch)
            case ActuatorAlert() if live:
                self.journal.warning(
                    "actuator.alert",
                    esp_id=message.pin.esp_id,
                    gpio=message.pin.gpio,
                    alert=message.alert_type,
                    message=message.message,
                )
                self.reports.alert(message.pin, message.alert_type, message.message)
            case DeviceError() if live:
                self.reports.device_error(
                    message.esp_id,
                    message.name if message.code is None else message.code,
                    message.severity,
                    message=message.message,
                    details=message.details,
                )
            case _:
                pass  # history that was live once, or nothing was said

    async def _answer(self, heartbeat: Heartbeat) -> None:
        device = await self.watch.heartbeat(heartbeat)
        approved = device is not None and device.approved
        ack = HeartbeatAck(
            esp_id=heartbeat.esp_id,
            kaiser_id=heartbeat.kaiser_id,
            status=AckStatus.ONLINE if approved else AckStatus.PENDING_APPROVAL,
            handover_epoch=self._epoch(heartbeat, device),
            server_time=int(self.clock.now().timestamp()),
        )
        try:
            await self.send(ack)
        except BrokerUnavailableError as error:
            self.journal.warning("heartbeat.not_answered", esp_id=ack.esp_id, error=str(error))
        if device is not None and self.configs is not None:
            await self.configs.heard(device, heartbeat.health)

    def _epoch(self, heartbeat: Heartbeat, device: Device | None) -> int:
        announced = self._epochs.get(heartbeat.esp_id) or (device and device.handover_epoch)
        return heartbeat.handover_epoch or announced or 1

    def _remember_epoch(self, announce: SessionAnnounce) -> None:
        self._epochs[announce.esp_id] = announce.handover_epoch
        self._epochs.move_to_end(announce.esp_id)
        if len(self._epochs) > MOST_EPOCHS:
            self._epochs.popitem(last=False)


def _sign_of_life(diagnostics: Diagnostics) -> Heartbeat:
    """Return what diagnostics say as a heartbeat would; no device waits for an answer to them."""
    return Heartbeat(
        esp_id=diagnostics.esp_id,
        kaiser_id=diagnostics.kaiser_id,
        received_at=diagnostics.received_at,
        health=diagnostics.health,
    )


@dataclass(slots=True)
class _Exchange:
    """Implements domain.ports.CommandExchange."""

    control: Control
    command: Command
    kaiser_id: str
    answer: asyncio.Future[CommandResponse]
    deadline: float = 0.0

    async def publish(self) -> None:
        """Hand the command to the broker."""
        command = self.command
        seconds = 0 if command.duration is None else max(1, int(command.duration.total_seconds()))
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
        self.deadline = asyncio.get_running_loop().time() + ACK_TIMEOUT.total_seconds()
        await self.control.send(message)

    async def response(self) -> CommandResponse:
        """Wait for the device's answer, counted from the moment it was published."""
        try:
            async with asyncio.timeout_at(self.deadline):
                return await asyncio.shield(self.answer)
        except TimeoutError:
            if self.answer.done():
                return self.answer.result()
            seconds = ACK_TIMEOUT.total_seconds()
            raise DeviceSilentError(
                f"{self.command.pin.esp_id} did not answer within {seconds:g} s; "
                "if it still sends heartbeats, switch it off and on again"
            ) from None
