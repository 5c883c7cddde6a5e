"""A hundred devices on one connection that obey emergency stops, as newest firmware confirms them.

In the process of the benchmark: what is measured is when they hear, not what they do about it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from app.clock import SystemClock
from bench.generator import DEVICES, name_of
from bench.mqtt_wire import Message, MqttWire

ESP_IDS = tuple(map(name_of, range(DEVICES)))

_BROADCAST = "kaiser/broadcast/emergency"
_ORDERS = "kaiser/god/esp/+/actuator/emergency"
_ITSELF = "bench/floor"
_PATIENCE = 30.0
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder()


@dataclass(slots=True)
class Crowd:
    """The devices.

    Attributes:
        heard: When the broadcast, or an order to stop, first came since `listen`.
    """

    wire: MqttWire | None = None
    heard: "asyncio.Future[float]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    _told_itself: asyncio.Event = field(default_factory=asyncio.Event)
    _clock: SystemClock = field(default_factory=SystemClock)

    async def subscribe(self) -> None:
        """Ask for everything that devices are told about emergencies, and what it tells itself."""
        assert self.wire is not None  # noqa: S101 - it is connected before it asks
        await self.wire.subscribe([(_ORDERS, 2), (_BROADCAST, 2), (_ITSELF, 2)])

    def listen(self) -> None:
        """Wait for the next stop."""
        self.heard = asyncio.get_running_loop().create_future()

    def hear(self, message: Message) -> None:
        """Take in a message, and answer it."""
        if message.topic == _ITSELF.encode():
            self._told_itself.set()
            return
        body = _DECODER.decode(message.payload)
        order = body["command"]
        if order == "emergency_stop" and not self.heard.done():
            self.heard.set_result(self._clock.monotonic())
        everybody = message.topic == _BROADCAST.encode()
        for name in ESP_IDS if everybody else (message.topic.decode().split("/")[3],):
            self._say(
                name,
                "actuator/emergency/ack",
                {
                    "ts": int(self._clock.now().timestamp()),
                    "correlation_id": body.get("correlation_id", ""),
                    "command": order,
                    "gpio_count": 1,
                    "outcome": "executed",
                },
            )

    def announce(self) -> None:
        """Let the server hear of all of them."""
        for name in ESP_IDS:
            said = {"ts": 0, "uptime": 1, "heap_free": 150_000, "wifi_rssi": -60}
            self._say(name, "system/heartbeat", said)

    async def tell_itself(self) -> None:
        """Send a message as a stop is sent (QoS 1), and return when it came."""
        assert self.wire is not None  # noqa: S101 - it is connected before it speaks
        self._told_itself.clear()
        self.wire.publish(_ITSELF.encode(), b"{}", 1)
        async with asyncio.timeout(_PATIENCE):
            await self._told_itself.wait()

    def _say(self, name: str, what: str, fields: Mapping[str, object]) -> None:
        assert self.wire is not None  # noqa: S101 - it is connected before it hears
        place = f"kaiser/god/esp/{name}/{what}".encode()
        self.wire.publish(place, _ENCODER.encode({"esp_id": name, **fields}), 1)
