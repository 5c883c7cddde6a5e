"""The control connection and configurations: answers count when live, zones find lost devices."""

from dataclasses import replace

import pytest

from domain.configs import ConfigAnswer, DeviceConfig, SensorItem
from domain.devices import FirmwareGeneration
from domain.errors import BadInputError, BrokerUnavailableError
from domain.zones import ZoneAnswer, ZoneAssignment
from mqtt_bridge.payloads import encode
from tests.fakes import until
from tests.makers import make_device
from tests.unit.test_control import HEARTBEAT, P, Wire

ZONE = ZoneAssignment(
    esp_id="ESP_12AB34",
    kaiser_id="god",
    zone_id="north",
    master_zone_id="",
    zone_name="North",
    new_kaiser_id="god",
)


class Configs:
    def __init__(self) -> None:
        self.answers: list[ConfigAnswer | ZoneAnswer] = []

    def answered(self, answer: ConfigAnswer | ZoneAnswer) -> None:
        self.answers.append(answer)


async def test_an_answer_counts_when_it_is_live_and_is_acknowledged_either_way() -> None:
    wire = Wire()
    configs = Configs()
    wire.configs.attach(wire.control, configs)
    said = {"status": "success", "type": "sensor", "count": 1, "message": "ok"}
    wire.hear(P + "config_response", said, retain=True)
    assert configs.answers == []
    wire.hear(P + "config_response", said)
    wire.hear(P + "zone/ack", {"status": "zone_assigned", "zone_id": "north", "timestamp": 1})
    assert [answer.success for answer in configs.answers] == [True, True]
    assert len(wire.connection.acknowledged) == 3


async def test_a_heartbeat_tells_what_a_device_has() -> None:
    wire = Wire()
    async with wire.running():
        wire.hear(P + "system/heartbeat", HEARTBEAT | {"sensor_count": 3})
        await until(lambda: bool(wire.has))
    assert [health.sensor_count for _, health in wire.has] == [3]


async def test_a_device_without_a_level_is_told_its_zone_on_both() -> None:
    wire = Wire()
    await wire.configs.tell(replace(ZONE, kaiser_id=""))
    topics = [topic for topic, *_ in wire.connection.published]
    assert topics == ["kaiser//esp/ESP_12AB34/zone/assign", P + "zone/assign"]
    keys = {"zone_id", "master_zone_id", "zone_name", "kaiser_id"}
    assert all(body.keys() >= keys for _, body, *_ in wire.connection.published)


async def test_a_device_with_a_level_is_told_once_and_unretained() -> None:
    wire = Wire()
    await wire.configs.tell(ZONE)
    ((topic, _, qos, retain),) = wire.connection.published
    assert (topic, qos, retain) == (P + "zone/assign", 1, False)


async def test_what_no_device_could_read_is_not_sent() -> None:
    wire = Wire()
    item = SensorItem(gpio=300, sensor_type="ph", name="pH")
    with pytest.raises(BadInputError, match="no device could read this"):
        await wire.configs.tell(DeviceConfig(esp_id="ESP_12AB34", kaiser_id="god", sensors=(item,)))
    assert wire.connection.published == []


async def test_a_broker_that_is_away_says_so() -> None:
    wire = Wire()
    wire.connection.away = True
    with pytest.raises(BrokerUnavailableError):
        await wire.configs.tell(ZONE)


@pytest.mark.parametrize(
    ("generation", "limit"),
    [
        (FirmwareGeneration.UNKNOWN, 900),
        (FirmwareGeneration.NOVEMBER_2025, 900),
        (FirmwareGeneration.DECEMBER_2025, 900),
        (FirmwareGeneration.FEBRUARY_2026, 900),
        (FirmwareGeneration.APRIL_2026, 4096),
    ],
)
def test_a_device_is_told_what_its_firmware_takes(
    generation: FirmwareGeneration, limit: int
) -> None:
    configs = Wire().configs
    receiver = configs.receiver(make_device(firmware_generation=generation))
    assert receiver.limit == limit
    assert receiver.knows_subzones is (generation.age >= FirmwareGeneration.FEBRUARY_2026.age)
    assert receiver.both_spellings is (generation is FirmwareGeneration.UNKNOWN)
    probe = SensorItem(gpio=4, sensor_type="ph", name="pH")
    config = DeviceConfig(esp_id="ESP_12AB34", kaiser_id="god", sensors=(probe,) * 30)
    parts = configs.parts(config, receiver)
    assert sum(len(part.sensors) for part in parts) == 30
    assert all(len(encode(part).payload) <= limit for part in parts)


@pytest.mark.parametrize("generation", FirmwareGeneration)
@pytest.mark.parametrize("level", ["", "god", "relay_2"])
def test_no_device_is_moved_to_a_level_where_it_would_not_hear(
    generation: FirmwareGeneration, level: str
) -> None:
    device = make_device(kaiser_id=level, firmware_generation=generation)
    moved = device.kaiser_id or Wire().configs.receiver(device).home
    assert moved == level or (generation is FirmwareGeneration.APRIL_2026 and moved == "god")
