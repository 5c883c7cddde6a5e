"""A virtual sensor is computed from what others said, once for every moment."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from domain.repositories import NewReading
from domain.sensors import ProcessingMode, Quality, Sample, Sensor, SensorKey
from tests.converting import ESP, House, at
from tests.fakes import START


def air(house: House, **fields: object) -> tuple[Sensor, Sensor, Sensor]:
    return (
        house.has("sht31_temp", 0, "68"),
        house.has("sht31_humidity", 0, "68"),
        house.has("vpd", 0, "68", **fields),
    )


def warm(sensor: Sensor, second: float, celsius: float = 25.0, **fields: float) -> Sample:
    return at(sensor, second, round((celsius + 45) / 175 * 65535), **fields)


def humid(sensor: Sensor, second: float, percent: float = 60.0, **fields: float) -> Sample:
    return at(sensor, second, round(percent / 100 * 65535), **fields)


def of(sensor: Sensor, made: Sequence[NewReading]) -> list[NewReading]:
    return [new for new in made if new.sensor.id == sensor.id]


@pytest.mark.parametrize("together", [True, False])
async def test_a_virtual_sensor_has_one_reading_for_the_moment_of_all_its_inputs(
    *, together: bool
) -> None:
    house = House()
    temperature, humidity, vpd = air(house)
    pair = warm(temperature, 0), humid(humidity, 0)
    if together:
        made = of(vpd, await house.takes(*pair))
    else:
        made = of(vpd, [*await house.takes(pair[0]), *await house.takes(pair[1])])
    (new,) = made
    assert new.measurement.value == 1.27, "FAO-56: 3.168 kPa at 25 °C, 60 % of it taken"
    assert new.sample.measured_at == START
    assert new.sample.raw_value == pytest.approx(25, abs=0.01)
    assert new.measurement.mode is ProcessingMode.PI_ENHANCED
    assert [*(new.measurement.notes or {})["inputs"]] == ["temperature", "humidity"]


async def test_a_virtual_sensor_is_told_as_often_as_the_slowest_of_its_inputs() -> None:
    house = House()
    temperature, humidity, vpd = air(house)
    seconds = []
    for second in range(0, 61, 10):
        batch = [warm(temperature, second)] + [humid(humidity, second)] * (second % 30 == 0)
        for sample in batch:
            seconds += [new.sample.measured_at for new in of(vpd, await house.takes(sample))]
    assert seconds == [START + timedelta(seconds=second) for second in (0, 30, 60)]


async def test_redelivery_doubles_no_virtual_reading() -> None:
    house = House()
    temperature, humidity, vpd = air(house)
    pair = warm(temperature, 0), humid(humidity, 0)
    for _ in range(2):
        await house.takes(*pair)
        house.restarted()
    stored = [row for row in house.storage.readings.rows if row.sensor.id == vpd.id]
    assert len(stored) == 1


async def test_a_backlog_fills_the_past_of_a_virtual_sensor() -> None:
    house = House()
    temperature, humidity, vpd = air(house)
    await house.takes(warm(temperature, 7200), humid(humidity, 7200))
    late = [
        sample
        for second in (0, 30, 60)
        for sample in (
            warm(temperature, second, late=7300.0 - second),
            humid(humidity, second, late=7300.0 - second),
        )
    ]
    made = of(vpd, await house.takes(*late))
    assert [new.sample.measured_at for new in made] == [
        START + timedelta(seconds=second) for second in (0, 30, 60)
    ]
    assert {new.measurement.quality for new in made} == {Quality.STALE}


async def test_inputs_on_other_devices_are_named_by_the_owner() -> None:
    house = House()
    temperature, humidity = house.has("ds18b20", 4), house.has("dht22_humidity", 5)
    dew = house.has(
        "dew_point", 0, sources={"temperature": temperature.key, "humidity": humidity.key}
    )
    made = of(dew, await house.takes(at(temperature, 0, 25 * 16), at(humidity, 1, 1000)))
    assert [new.measurement.value for new in made] == [25.0]


async def test_a_virtual_reading_is_no_better_than_the_worst_of_its_inputs() -> None:
    house = House()
    temperature, humidity, vpd = air(house)
    made = await house.takes(warm(temperature, 0, 52.0), humid(humidity, 0, 95.0))
    worst = {new.measurement.quality for new in made if new.sensor.id != vpd.id}
    assert Quality.FAIR in worst or Quality.POOR in worst
    assert of(vpd, made)[0].measurement.quality not in {Quality.EXCELLENT, Quality.GOOD}


async def test_a_virtual_sensor_says_nothing_while_an_input_cannot_be_trusted_or_is_old() -> None:
    house = House()
    temperature, humidity, vpd = air(house)
    doubted = humid(humidity, 0)._replace(device_quality=Quality.SUSPECT)
    assert of(vpd, await house.takes(warm(temperature, 0), doubted)) == []
    await house.takes(humid(humidity, 1))
    assert of(vpd, await house.takes(warm(temperature, 602))) == []


async def test_a_virtual_sensor_that_is_switched_off_says_nothing() -> None:
    house = House()
    temperature, humidity, vpd = air(house, enabled=False)
    assert of(vpd, await house.takes(warm(temperature, 0), humid(humidity, 0))) == []


async def test_a_virtual_sensor_waits_for_an_input_that_was_never_heard_of() -> None:
    house = House()
    temperature = house.has("sht31_temp", 0, "68")
    vpd = house.has("vpd", 0, "68")
    assert of(vpd, await house.takes(warm(temperature, 0))) == []
    humidity = house.has("sht31_humidity", 0, "68")
    (made,) = of(vpd, await house.takes(humid(humidity, 0)))
    assert made.measurement.value == 1.27


async def test_an_input_may_be_a_number_that_the_owner_set() -> None:
    house = House()
    temperature = house.has("sht31_temp", 0, "68")
    vpd = house.has("vpd", 0, "68", parameters={"humidity": 60})
    (made,) = of(vpd, await house.takes(warm(temperature, 0)))
    assert made.measurement.value == 1.27


async def test_keys_of_chips_name_their_companions_with_address() -> None:
    house = House()
    temperature, humidity, vpd = air(house)
    (made,) = of(vpd, await house.takes(warm(temperature, 0), humid(humidity, 0)))
    inputs = (made.measurement.notes or {})["inputs"]
    assert inputs["humidity"]["sensor"] == f"{ESP}/0/sht31_humidity/68"
    assert vpd.key == SensorKey(ESP, 0, "vpd", "68")
