"""A virtual relay: it passes on what devices on one broker and the server on another say.

No software of a real relay is known; this one does what the device protocol says of it in section
1.13. What devices say goes on under its own topic, with the two keys that a relay adds; what the
server says goes on as it is.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from domain.ports import Clock
from mqtt_bridge import topics
from mqtt_bridge.session import Delivery
from mqtt_bridge.topics import Direction, Kind, Topic
from simulator.connections import Connect, Connection, Line

HEARTBEAT_INTERVAL = 60.0
"""Seconds."""

LARGEST_CACHE = 1000
"""Messages that wait in each direction; what comes then is lost, and counted."""

_BROADCASTS = "kaiser/broadcast/#"


@dataclass(slots=True, kw_only=True)
class VirtualRelay:
    """A relay with the topic level of its devices.

    Attributes:
        near: Connects to the broker of its devices.
        far: Connects to the broker of the server.
        passed_on: Messages that reached the other side.
        lost: Messages that found no room.
        clients: The devices that it has heard.
    """

    kaiser_id: str
    near: Connect
    far: Connect
    clock: Clock
    passed_on: int = field(default=0, init=False)
    lost: int = field(default=0, init=False)
    clients: set[str] = field(default_factory=set, init=False)

    async def run(self) -> None:
        """Pass on until cancelled.

        Raises:
            ExceptionGroup: Of BrokerUnavailableError: one of its two connections was lost.
        """
        level = (f"kaiser/{self.kaiser_id}/#", 1)
        near = self._open(self.near, "near", [level])
        far = self._open(self.far, "far", [level, (_BROADCASTS, 1)])
        async with asyncio.TaskGroup() as tasks:
            for side in (near, far):
                tasks.create_task(side.connection.run())
            for side in (near, far):
                await side.connected.wait()
            tasks.create_task(self._pass_on(near, far, Direction.TO_SERVER))
            tasks.create_task(self._pass_on(far, near, Direction.TO_DEVICE))
            tasks.create_task(self._live(far))

    def _open(self, connect: Connect, name: str, filters: Sequence[tuple[str, int]]) -> "_Side":
        heard: asyncio.Queue[Delivery] = asyncio.Queue(LARGEST_CACHE)
        connected = asyncio.Event()

        def deliver(delivery: Delivery) -> None:
            try:
                heard.put_nowait(delivery)
            except asyncio.QueueFull:
                self.lost += 1

        line = Line(
            client_id=f"{self.kaiser_id}-{name}",
            subscriptions=filters,
            last_word=None,
            deliver=deliver,
            connected=connected.set,
        )
        return _Side(connect(line), heard, connected)

    async def _pass_on(self, side: "_Side", other: "_Side", passes: Direction) -> None:
        while True:
            delivery = await side.heard.get()
            topic = topics.parse(delivery.topic)
            # It also hears what it passed on itself.
            if topic is not None and topic.kind.route.direction is passes:
                payload = delivery.payload
                if passes is Direction.TO_SERVER:
                    self.clients.add(topic.esp_id)
                    payload = self.relayed(payload)
                await other.connection.publish(delivery.topic, payload, qos=delivery.qos)
                self.passed_on += 1
            side.connection.acknowledge([delivery])

    def relayed(self, payload: bytes) -> bytes:
        """Return a payload with the two keys that a relay adds; what is no object, as it is."""
        try:
            fields = msgspec.json.decode(payload, type=dict[str, object])
        except msgspec.DecodeError:
            return payload
        mark = {"relayed_by": self.kaiser_id, "relay_ts": int(self.clock.now().timestamp())}
        return msgspec.json.encode(fields | mark)

    async def _live(self, far: "_Side") -> None:
        began = self.clock.monotonic()
        topic = str(Topic(Kind.RELAY_HEARTBEAT, self.kaiser_id))
        while True:
            fields = {
                "ts": int(self.clock.now().timestamp()),
                "kaiser_id": self.kaiser_id,
                "uptime": int(self.clock.monotonic() - began),
                "state": "OPERATIONAL",
                "mqtt_local_connected": True,
                "mqtt_remote_connected": True,
                "relay_clients_count": len(self.clients),
                "relay_clients": sorted(self.clients),
                "messages_relayed_total": self.passed_on,
            }
            await far.connection.publish(topic, msgspec.json.encode(fields))
            await self.clock.sleep(HEARTBEAT_INTERVAL)


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two brokers, and what was heard there."""

    connection: Connection
    heard: asyncio.Queue[Delivery]
    connected: asyncio.Event
