"""Drives one virtual device by hand: time, connection and server are the test's."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from domain.actuators import CommandAction
from mqtt_bridge import payloads, topics
from mqtt_bridge.messages import AckStatus, ActuatorCommand, HeartbeatAck, Outgoing
from mqtt_bridge.topics import Kind
from simulator.actions import Action, Drop
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import HEAD, Dialect
from simulator.sensors import DS18B20, VirtualSensor
from simulator.surroundings import Quantity

START = 1_776_900_000.0


def make_device(dialect: Dialect = HEAD, **changes: Any) -> VirtualDevice:  # noqa: ANN401 - any field
    parts: dict[str, Any] = {
        "esp_id": "ESP_12AB34",
        "sensors": (VirtualSensor(chip=DS18B20, gpio=4, interval=10.0),),
        "actuators": (
            VirtualActuator(gpio=5, actuator_type="pump", pushes={Quantity.MOISTURE: 60.0}),
        ),
        "kaiser_id": "god",
        "seed": 7,
    }
    return VirtualDevice(dialect=dialect, **(parts | changes))


@dataclass
class Bench:
    """A device on a bench, with everything it ever sent."""

    device: VirtualDevice
    now: float = START
    sent: list[Outgoing] = field(default_factory=list)
    drops: int = 0

    def connect(self) -> list[Outgoing]:
        return self._take(self.device.connected(self.now))

    def disconnect(self) -> None:
        self.device.disconnected()

    def wait(self, seconds: float) -> list[Outgoing]:
        """Let time pass, waking the device whenever it wants to be woken."""
        end = self.now + seconds
        heard: list[Outgoing] = []
        while (due := max(self.now, self.device.wake_at)) <= end:
            self.now = due
            heard += self._take(self.device.tick(due))
            assert self.device.wake_at > due, "a device must not ask to be woken in the past"
        self.now = end
        return heard + self._take(self.device.tick(end))

    def acknowledge(
        self, epoch: int = 1, status: AckStatus = AckStatus.APPROVED, server_time: int | None = None
    ) -> list[Outgoing]:
        return self.receive(
            payloads.encode(
                HeartbeatAck(
                    esp_id=self.device.esp_id,
                    kaiser_id=self._level(),
                    status=status,
                    handover_epoch=epoch,
                    server_time=int(self.now) if server_time is None else server_time,
                )
            )
        )

    def command(
        self,
        action: CommandAction = CommandAction.ON,
        value: float = 1.0,
        *,
        duration: int = 0,
        gpio: int = 5,
        correlation_id: str | None = "c-1",
    ) -> list[Outgoing]:
        return self.receive(
            payloads.encode(
                ActuatorCommand(
                    esp_id=self.device.esp_id,
                    kaiser_id=self._level(),
                    gpio=gpio,
                    action=action,
                    value=value,
                    duration=duration,
                    correlation_id=correlation_id,
                )
            )
        )

    def receive(self, message: Outgoing) -> list[Outgoing]:
        """Deliver a message as a broker does: only what is subscribed."""
        return self.deliver(message.topic, message.payload)

    def deliver(self, topic: str, payload: bytes) -> list[Outgoing]:
        return self._take(self.device.message(topic, payload, self.now))

    def _take(self, actions: list[Action]) -> list[Outgoing]:
        messages = [action for action in actions if isinstance(action, Outgoing)]
        self.drops += sum(isinstance(action, Drop) for action in actions)
        self.sent += messages
        return messages

    def _level(self) -> str:
        subscribed = self.device.subscriptions()
        return subscribed[0][0].split("/")[1] if subscribed else "god"


def kind(message: Outgoing) -> Kind:
    topic = topics.parse(message.topic)
    assert topic is not None
    return topic.kind


def kinds(messages: list[Outgoing]) -> list[Kind]:
    return [kind(message) for message in messages]


def of(messages: list[Outgoing], wanted: Kind) -> list[dict[str, Any]]:
    """Return the payloads of one kind."""
    return [
        msgspec.json.decode(message.payload, type=dict[str, Any])
        for message in messages
        if kind(message) is wanted
    ]


def running(dialect: Dialect = HEAD, **changes: Any) -> Bench:  # noqa: ANN401 - any field
    """Return a device that is connected and, where it needs that, taken over."""
    bench = Bench(make_device(dialect, **changes))
    bench.connect()
    if dialect.gate:
        bench.acknowledge()
    return bench
