"""A device that asks for a conversion gets it in both spellings; nothing is stored."""

from dataclasses import dataclass, field

from domain.sensors import Measurement, ProcessingMode, Quality, Sample
from mqtt_bridge.processing import MOST_A_SECOND, MOST_DEVICES, ProcessingWire
from tests.fakes import START, FakeClock, until
from tests.unit.test_control import P, Wire

ASKED = {"gpio": 34, "raw_value": 2048, "type": "analog", "sensor_type": "pH"}


PH = Measurement(7.2, "pH", Quality.GOOD, ProcessingMode.PI_ENHANCED, "ph", "1.0.0")


@dataclass
class FakeProcess:
    measurement: Measurement = PH
    asked: list[Sample] = field(default_factory=list)

    def measure(self, sample: Sample) -> Measurement:
        self.asked.append(sample)
        return self.measurement


class Laboratory(Wire):
    def __init__(self) -> None:
        super().__init__()
        self.process = FakeProcess()
        self.clock = FakeClock()
        self.processing = ProcessingWire(
            sender=self.control, process=self.process, clock=self.clock, journal=self.notes
        )
        self.processing.attach(self.control)

    async def asked(self, times: int = 1, topic: str = P + "pi_enhanced/request") -> None:
        done = len(self.connection.acknowledged) + times
        async with self.running():
            for _ in range(times):
                self.hear(topic, ASKED)
            await until(lambda: len(self.connection.acknowledged) == done)


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
    (sample,) = lab.process.asked
    assert (sample.key.sensor_type, sample.raw_value) == ("ph", 2048.0)


async def test_what_nothing_converts_is_answered_with_the_reason() -> None:
    lab = Laboratory()
    lab.process.measurement = Measurement(
        2048.0,
        None,
        Quality.UNKNOWN,
        ProcessingMode.RAW,
        notes={"reason": "no library reads ph"},
    )
    await lab.asked()
    body = lab.connection.published[0][1]
    assert (body["status"], body["error"]) == ("error", "no library reads ph")
    assert "processed_value" not in body


async def test_who_asks_too_fast_is_not_answered_and_counted() -> None:
    lab = Laboratory()
    await lab.asked(MOST_A_SECOND + 5)
    assert (len(lab.connection.published), lab.processing.dropped) == (MOST_A_SECOND, 5)
    await lab.asked(topic="kaiser/god/esp/ESP_OTHER1/pi_enhanced/request")
    await lab.clock.advance(1)
    await lab.asked()
    assert len(lab.connection.published) == MOST_A_SECOND + 2


async def test_a_broker_that_is_away_is_noted() -> None:
    lab = Laboratory()
    lab.connection.away = True
    await lab.asked()
    assert lab.notes.events == ["processing.not_answered"]


def test_memory_is_bounded() -> None:
    lab = Laboratory()
    for number in range(MOST_DEVICES + 5):
        assert lab.processing._may_ask(f"ESP_{number}")
    assert len(lab.processing._spent) == MOST_DEVICES
