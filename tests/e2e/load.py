"""Numbered readings sent as a device would: again and again until the broker confirms each."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from app.clock import SystemClock
from domain.errors import BrokerUnavailableError
from domain.resilience import Backoff, CircuitBreaker
from domain.services.guard import Guard
from mqtt_bridge.session import BrokerAddress, MqttSession
from tests.eventually import eventually
from tests.makers import make_guard

DEVICES = ("ESP_AAAA01", "ESP_AAAA02", "ESP_AAAA03", "ESP_AAAA04")
CLOCKLESS = DEVICES[-1]
"""A device that never learnt the time: only its counter tells its readings apart."""

MOMENT = 1_767_268_800
"""The device time of all readings, in Unix seconds: only their numbers tell them apart."""


def quick_guard(name: str) -> Guard:
    """Return a guard that tries again soon: a test has no thirty seconds to rest."""
    return make_guard(
        SystemClock(),
        name=name,
        away=BrokerUnavailableError,
        backoff=Backoff(first=0.05, longest=0.2),
        breaker=CircuitBreaker(threshold=1_000_000),
    )


@dataclass
class Publisher:
    """Publishes numbered readings.

    Attributes:
        rate: Readings a second.
        confirmed: Numbers that the broker has confirmed.
    """

    broker_url: str
    rate: float = 1000.0
    confirmed: set[int] = field(default_factory=set)
    _session: MqttSession = field(init=False)
    _done: bool = False
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(100))

    def __post_init__(self) -> None:
        self._session = MqttSession(
            address=BrokerAddress.from_url(self.broker_url),
            client_id="a-test-publisher",
            filters=(),
            deliver=lambda _delivery: None,
            guard=quick_guard("publisher"),
            clean=True,
        )

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._session.run())
            # Whoever is refused at first tries again later, and is overtaken.
            await eventually(lambda: self._session.connected, what="the publisher is connected")
            yield
            task.cancel()

    async def publish(self, numbers: Sequence[int]) -> None:
        """Publish them in order, each until it is confirmed."""
        self._done = False
        await self._publish(numbers)
        self._done = True

    async def _publish(self, numbers: Sequence[int]) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.TaskGroup() as group:
            for position, number in enumerate(numbers):
                ahead = begun + position / self.rate - loop.time()
                if ahead > 0:
                    await asyncio.sleep(ahead)
                await self._slots.acquire()
                group.create_task(self._insist(number))

    async def until_confirmed(self, count: int) -> None:
        """Wait until so many readings are confirmed, or all that were asked for."""
        await eventually(lambda: len(self.confirmed) >= count or self._done)

    async def _insist(self, number: int) -> None:
        esp_id = DEVICES[number % len(DEVICES)]
        body = {
            "esp_id": esp_id,
            "seq": number,
            "sensor_type": "ds18b20",
            "raw": 300 + number % 100,
            "ts": 0 if esp_id == CLOCKLESS else MOMENT,
            "raw_mode": True,
        }
        topic = f"kaiser/god/esp/{esp_id}/sensor/4/data"
        payload = json.dumps(body).encode()
        try:
            while number not in self.confirmed:
                try:
                    await self._session.publish(topic, payload, qos=1)
                except BrokerUnavailableError:
                    await asyncio.sleep(0.05)
                else:
                    self.confirmed.add(number)
        finally:
            self._slots.release()
