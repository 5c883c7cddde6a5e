"""A device that asks for a conversion gets it in both spellings; nothing is stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from domain.errors import NotFoundError
from domain.sensors import Measurement, ProcessingMode, Quality, SensorKey
from domain.services.process import Outcome, Processed, ProcessRequest
from mqtt_bridge.processing import MOST_A_SECOND, MOST_WAITING, ProcessingWire
from tests.fakes import START, FakeClock, until
from tests.unit.test_control import P, Wire

ASKED = {"gpio": 34, "raw_value": 2048, "type": "analog", "sensor_type": "pH"}


PH = Measurement(7.2, "pH", Quality.GOOD, ProcessingMode.PI_ENHANCED, "ph", "1.0.0")
GOOD = Processed(Outcome.OK, PH, {"ph": 7.2}, 0.1)
NO_SENSE = Measurement(
    None, "pH", Quality.ERROR, ProcessingMode.PI_ENHANCED, "ph", "1.0.0", {"reason": "no number"}
)


@dataclass
class FakeProcess:
    processed: Processed = GOOD
    error: NotFoundError | None = None
    asked: list[ProcessRequest] = field(default_factory=list)
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: ProcessRequest) -> Processed:
        self.asked.append(request)
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return self.processed


class Laboratory(Wire):
    def __init__(self) -> None:
        super().__init__()
        self.process = FakeProcess()
        self.process.free.set()
        self.clock = FakeClock()
        self.processing = ProcessingWire(
            sender=self.control, process=self.process, clock=self.clock, journal=self.notes
        )
        self.processing.attach(self.control)

    async def asked(self, times: int = 1, topic: str = P + "pi_enhanced/request") -> None:
        done = len(self.connection.acknowledged) + times
        async with self.running(), self.answering():
            for _ in range(times):
                self.hear(topic, ASKED)
            await until(lambda: len(self.connection.acknowledged) == done)
            await self.processing._waiting.join()

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.processing.run())
            yield
            task.cancel()


async def test_a_value_is_answered_in_both_spellings_on_the_level_it_was_asked_on() -> None:
    lab = Laboratory()
    await lab.asked(topic="kaiser//esp/ESP_12AB34/pi_enhanced/request")
    ((topic, body, qos, retain),) = lab.connection.published
    assert topic == "kaiser//esp/ESP_12AB34/pi_enhanced/response"
    assert (qos, retain) == (1, False)
    assert body == {
        "processed_value": 7.2,
        "value": 7.2,
        "unit": "pH",
        "quality": "good",
        "timestamp": int(START.timestamp()),
        "gpio": 34,
        "status": "ok",
    }
    assert next(iter(body)) == "processed_value"
    (asked,) = lab.process.asked
    assert (asked.sensor_type, asked.raw_value) == ("ph", 2048.0)
    assert asked.key == SensorKey("ESP_12AB34", 34, "")


async def test_what_nothing_reads_is_answered_with_what_is_read() -> None:
    lab = Laboratory()
    lab.process.error = NotFoundError("nothing reads 'ph'; these are read: co2")
    await lab.asked()
    body = lab.connection.published[0][1]
    assert (body["status"], body["error"]) == ("error", "nothing reads 'ph'; these are read: co2")
    assert "processed_value" not in body


async def test_what_is_no_measurement_is_answered_with_the_reason() -> None:
    lab = Laboratory()
    lab.process.processed = Processed(Outcome.NO_VALUE, NO_SENSE, {"ph": None}, 0.1)
    await lab.asked()
    body = lab.connection.published[0][1]
    assert (body["status"], body["error"]) == ("error", "no number")
    assert "processed_value" not in body


async def test_who_asks_too_fast_is_not_answered_and_counted() -> None:
    lab = Laboratory()
    await lab.asked(MOST_A_SECOND + 5)
    assert len(lab.connection.published) == MOST_A_SECOND
    assert lab.processing.limit.refused == 5
    await lab.asked(topic="kaiser/god/esp/ESP_OTHER1/pi_enhanced/request")
    await lab.clock.advance(1)
    await lab.asked()
    assert len(lab.connection.published) == MOST_A_SECOND + 2


async def test_a_library_that_takes_its_time_holds_up_nothing_else_that_devices_say() -> None:
    lab = Laboratory()
    lab.process.free.clear()
    many = MOST_WAITING + 3
    async with lab.running(), lab.answering():
        for device in range(many):
            lab.hear(f"kaiser/god/esp/ESP_{device:06X}/pi_enhanced/request", ASKED)
        await until(lambda: len(lab.connection.acknowledged) == many)
        assert lab.connection.published == []
        lab.process.free.set()
        await lab.processing._waiting.join()
    # Whether one was in hand by then does not matter.
    assert lab.processing.dropped in {2, 3}
    assert len(lab.connection.published) == many - lab.processing.dropped


async def test_a_broker_that_is_away_is_noted() -> None:
    lab = Laboratory()
    lab.connection.away = True
    await lab.asked()
    assert lab.notes.events == ["processing.not_answered"]
