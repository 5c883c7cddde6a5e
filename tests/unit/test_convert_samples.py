"""A conversion takes all that is known of a sensor, and a batch takes it of its own time."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calibrations import Fit
from domain.companions import REMEMBERED
from domain.conversion_plans import Origin
from domain.sensors import ProcessingMode, Quality, Sensor
from sensor_libs.loader import Catalog
from tests.converting import House, at
from tests.fakes import START
from tests.makers import make_calibration

TRIM = {"dig_T1": 27504, "dig_T2": 26435, "dig_T3": -1000} | {
    f"dig_P{number}": word
    for number, word in enumerate(
        (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000), start=1
    )
}
"""The example of the BMP280's data sheet: raw 519888 and 415148 are 25.08 °C and 1006.53 hPa."""


def ph_and_probe(house: House) -> tuple[Sensor, Sensor]:
    probe = house.has("ds18b20", 4)
    return house.has("ph", 34, sources={"temperature": probe.key}), probe


# ------------------------------------------------------------ parameters


async def test_a_sensor_of_which_nothing_is_known_gets_the_defaults_of_its_library() -> None:
    house = House()
    (made,) = await house.takes(at(house.has("moisture", 34), 0, 2000))
    assert made.measurement.calibration_id is None
    assert "inputs" not in (made.measurement.notes or {})


async def test_an_owners_parameters_count_more_than_the_defaults() -> None:
    house = House()
    sensor = house.has("ds18b20", 4, parameters={"offset": -0.5})
    (made,) = await house.takes(at(sensor, 0, 400))
    assert made.measurement.value == 24.5


async def test_what_an_owner_sets_anew_is_no_jump_of_the_quantity() -> None:
    house = House()
    sensor = house.has("ds18b20", 4, parameters={"offset": 0.0})
    await house.takes(at(sensor, 0, 400))
    house.registry.put_sensors([replace(sensor, parameters={"offset": -10.0})])
    (after, jump) = await house.takes(at(sensor, 1, 400), at(sensor, 2, 560))
    assert (after.measurement.value, after.measurement.notes) == (15.0, None)
    assert "possible is 2 °C a second" in str(jump.measurement.notes)


async def test_a_reading_says_that_a_sensor_is_gone_that_it_was_to_take_from() -> None:
    house = House()
    sensor, probe = ph_and_probe(house)
    await house.takes(at(probe, 0, 400), at(sensor, 1, 2519))
    house.registry.remove_sensor(probe.key)
    (made,) = await house.takes(at(sensor, 2, 2519))
    assert made.measurement.value is not None
    assert made.measurement.notes == {
        "reason": "no live temperature of the solution: taken for 25 °C; temperature was to come "
        "from ESP_12AB34/4/ds18b20, which is gone"
    }


async def test_a_calibration_counts_more_than_the_owner_and_is_named_in_the_reading() -> None:
    house = House()
    sensor = house.has("ph", 34, parameters={"slope": -1.0, "offset": 3.0})
    house.registry.put_calibration(make_calibration(sensor))
    (made,) = await house.takes(at(sensor, 0, 1861))
    assert made.measurement.value == 7.0
    assert made.measurement.calibration_id == UUID(int=1)


async def test_the_next_calibration_holds_from_the_next_reading_on() -> None:
    house = House()
    sensor = house.has("ph", 34)
    (before,) = await house.takes(at(sensor, 0, 1861))
    house.registry.put_calibration(make_calibration(sensor, number=2))
    (after,) = await house.takes(at(sensor, 1, 1861))
    assert before.measurement.calibration_id is None
    assert after.measurement.calibration_id == UUID(int=2)


async def test_a_calibration_of_another_library_is_left_aside_and_the_reading_says_so() -> None:
    house = House()
    sensor = house.has("ph", 34)
    house.registry.put_calibration(make_calibration(sensor, library="my_ph"))
    (made,) = await house.takes(at(sensor, 0, 1861))
    assert made.measurement.calibration_id is None
    assert str((made.measurement.notes or {})["reason"]).endswith(
        "its calibration was made for the library my_ph and does not count"
    )
    assert made.measurement.quality is Quality.FAIR


async def test_what_a_device_or_nobody_converted_names_no_calibration() -> None:
    house = House()
    sensor = house.has("ph", 34)
    house.registry.put_calibration(make_calibration(sensor))
    final = at(sensor, 0, 1861)._replace(device_value=6.9, device_unit="pH")
    (made,) = await house.takes(final)
    assert (made.measurement.value, made.measurement.calibration_id) == (6.9, None)
    house.registry.put_sensors([replace(sensor, processing_mode=ProcessingMode.RAW)])
    (made,) = await house.takes(at(sensor, 1, 1861))
    assert (made.measurement.value, made.measurement.calibration_id) == (1861, None)


async def test_other_libraries_are_used_with_what_they_know_of_the_same_sensor() -> None:
    house = House()
    sensor = house.has("ds18b20", 4, parameters={"offset": -0.5})
    await house.takes(at(sensor, 0, 400))
    house.libraries.swap(Catalog())
    (made,) = await house.takes(at(sensor, 1, 400))
    assert made.measurement.mode is ProcessingMode.RAW


# ------------------------------------------------------------ companions


async def test_the_live_temperature_of_a_named_sensor_compensates_and_stands_in_the_reading() -> (
    None
):
    house = House()
    ph, probe = ph_and_probe(house)
    house.registry.put_calibration(make_calibration(ph))
    await house.takes(at(probe, 0, 35 * 16))
    (made,) = await house.takes(at(ph, 1, 2519))
    assert made.measurement.value == 4.09, "the data sheet's pH 4 at 25 °C, compensated at 35 °C"
    assert made.measurement.notes == {
        "inputs": {
            "temperature": {
                "value": 35.0,
                "sensor": "ESP_12AB34/4/ds18b20",
                "age": 1.0,
            }
        }
    }


async def test_without_a_fresh_temperature_the_default_holds_and_the_reading_says_so() -> None:
    house = House()
    ph, probe = ph_and_probe(house)
    await house.takes(at(probe, 0, 35 * 16))
    made = await house.takes(at(ph, 600, 2519), at(ph, 601, 2519))
    fresh, old = (new.measurement for new in made)
    assert "inputs" in (fresh.notes or {})
    assert old.notes == {"reason": "no live temperature of the solution: taken for 25 °C"}


async def test_what_the_owner_set_holds_while_there_is_no_live_value() -> None:
    house = House()
    ph, probe = ph_and_probe(house)
    house.registry.put_sensors([replace(ph, parameters={"temperature": 35})])
    house.registry.put_calibration(make_calibration(ph))
    (made,) = await house.takes(at(ph, 0, 2519))
    assert (made.measurement.value, made.measurement.notes) == (4.09, None)
    made, *_ = await house.takes(at(ph, 1, 2519), at(probe, 1, 25 * 16))
    assert made.measurement.value == 4.0


async def test_a_temperature_in_another_unit_is_converted() -> None:
    house = House()
    ph, probe = ph_and_probe(house)
    told = at(probe, 0, 95)._replace(device_value=95, device_unit="°F", device_quality=Quality.GOOD)
    await house.takes(told)
    (made,) = await house.takes(at(ph, 1, 2519))
    assert (made.measurement.notes or {})["inputs"]["temperature"]["value"] == pytest.approx(35)


@pytest.mark.parametrize(
    ("raw", "device_quality"),
    [(85 * 16, Quality.UNKNOWN), (-127 * 16, Quality.UNKNOWN), (400, Quality.SUSPECT)],
)
async def test_a_temperature_that_cannot_be_trusted_is_not_taken(
    raw: float, device_quality: Quality
) -> None:
    house = House()
    ph, probe = ph_and_probe(house)
    await house.takes(at(probe, 0, raw)._replace(device_quality=device_quality))
    (made,) = await house.takes(at(ph, 1, 2519))
    assert "inputs" not in (made.measurement.notes or {})


async def test_a_backlog_is_converted_with_the_temperature_of_its_own_time() -> None:
    house = House()
    ph, probe = ph_and_probe(house)
    await house.takes(at(probe, 7200, 30 * 16))
    backlog = [
        sample
        for second in range(0, 600, 60)
        for sample in (
            at(ph, second, 2519, late=7300 - second),
            at(probe, second, (10 + second / 60) * 16, late=7300 - second),
        )
    ]
    made = await house.takes(*backlog)
    taken = [
        new.measurement.notes["inputs"]["temperature"]["value"]
        for new in made
        if new.sensor.id == ph.id and new.measurement.notes
    ]
    assert taken == [10 + minute for minute in range(10)]


@given(
    probes=st.lists(st.integers(0, 3000), max_size=20),
    asked=st.integers(0, 3000),
    cut=st.integers(0, 20),
)
@settings(max_examples=60, deadline=None)
async def test_what_is_taken_is_the_newest_that_was_known_by_then_and_never_of_the_future(
    probes: list[int], asked: int, cut: int
) -> None:
    house = House()
    ph, probe = ph_and_probe(house)
    samples = [at(probe, second, 320 + second % 2) for second in probes]
    await house.takes(*samples[:cut])
    *_, made = await house.takes(*samples[cut:], at(ph, asked, 2519))
    inputs = (made.measurement.notes or {}).get("inputs")
    usable = [second for second in probes if asked - 600 <= second <= asked]
    if not usable:
        assert inputs is None
    else:
        assert (inputs or {})["temperature"]["age"] == asked - max(usable)


async def test_after_a_restart_the_newest_stored_temperature_is_taken() -> None:
    house = House()
    ph, probe = ph_and_probe(house)
    await house.takes(at(probe, 0, 35 * 16))
    house.restarted()
    (made,) = await house.takes(at(ph, 1, 2519))
    assert (made.measurement.notes or {})["inputs"]["temperature"]["value"] == 35.0
    queries = house.storage.queries["readings"]
    await house.takes(at(ph, 2, 2519))
    assert house.storage.queries["readings"] == queries, "it is asked for once"


async def test_what_was_not_stored_is_not_remembered() -> None:
    house = House()
    ph, probe = ph_and_probe(house)
    await (await house.convert.batch())([at(probe, 0, 35 * 16)])
    (made,) = await house.takes(at(ph, 1, 2519))
    assert "inputs" not in (made.measurement.notes or {})


async def test_memory_of_a_companion_is_bounded_and_keeps_the_newest() -> None:
    house = House()
    ph, probe = ph_and_probe(house)
    await house.takes(*(at(probe, second, 320) for second in range(REMEMBERED + 500)))
    made = await house.takes(*(at(ph, second, 2519) for second in (499, 500, REMEMBERED + 500)))
    assert ["inputs" in (new.measurement.notes or {}) for new in made] == [False, True, True]


async def test_sensors_that_take_from_each_other_are_converted_all_the_same() -> None:
    house = House()
    one = house.has("ph", 34)
    other = house.has("ph", 35, sources={"temperature": one.key})
    house.registry.put_sensors([replace(one, sources={"temperature": other.key})])
    made = await house.takes(at(one, 0, 1861), at(other, 0, 1861))
    assert [new.measurement.value for new in made] == [7.0, 7.0]


# ------------------------------------------------------------ several quantities of one chip


@pytest.mark.parametrize("temperature_first", [True, False])
async def test_pressure_is_compensated_by_the_raw_temperature_of_its_own_moment(
    *, temperature_first: bool
) -> None:
    house = House()
    temperature = house.has("bmp280_temp", 0, "118")
    pressure = house.has("bmp280_pressure", 0, "118", parameters=TRIM)
    pair = [at(temperature, 0, 519_888), at(pressure, 0, 415_148)]
    made = await house.takes(*(pair if temperature_first else reversed(pair)))
    values = {new.sensor.key.sensor_type: new.measurement for new in made}
    assert [new.sample for new in made] == (pair if temperature_first else pair[::-1])
    assert values["bmp280_pressure"].value == 1006.53
    assert values["bmp280_temp"].quality is Quality.BAD, "nobody told its trim words; raw serves"


async def test_another_chip_at_another_address_is_no_companion() -> None:
    house = House()
    temperature = house.has("bmp280_temp", 0, "119")
    pressure = house.has("bmp280_pressure", 0, "118", parameters=TRIM)
    made = await house.takes(at(temperature, 0, 519_888), at(pressure, 0, 415_148))
    assert made[1].measurement.quality is Quality.BAD


async def test_a_companion_that_is_heard_for_the_first_time_later_is_found() -> None:
    house = House()
    pressure = house.has("bmp280_pressure", 0, "118", parameters=TRIM)
    await house.takes(at(pressure, 0, 415_148))
    temperature = house.has("bmp280_temp", 0, "118")
    made = await house.takes(at(temperature, 1, 519_888), at(pressure, 1, 415_148))
    assert made[1].measurement.value == 1006.53


# ------------------------------------------------------------ what holds


async def test_what_the_next_conversion_takes_and_where_from_can_be_asked() -> None:
    house = House()
    probe = house.has("ds18b20", 4)
    ec = house.has("ec", 34, parameters={"per_degree": 0.019}, sources={"temperature": probe.key})
    found = make_calibration(ec, library="ec")
    house.registry.put_calibration(
        replace(found, fit=Fit(parameters={"slope": 6100.0}, residuals=()))
    )

    async def told(second: float) -> dict[str, tuple[float | None, Origin]]:
        now = START + timedelta(seconds=second)
        known = await house.convert.effective(ec, now)
        return {one.parameter.name: (one.value, one.origin) for one in known}

    await house.takes(at(probe, 0, 320))
    assert await told(60) == {
        "slope": (6100.0, Origin.CALIBRATION),
        "offset": (0, Origin.DEFAULT),
        "temperature": (20.0, Origin.COMPANION),
        "per_degree": (0.019, Origin.OWNER),
    }
    assert (await told(601))["temperature"] == (25, Origin.DEFAULT)
    (temperature,) = (
        one
        for one in await house.convert.effective(ec, START + timedelta(seconds=601))
        if one.parameter.name == "temperature"
    )
    assert temperature.source == probe, "who would fill it is told all the same"


async def test_a_sensor_that_no_library_reads_has_no_parameters() -> None:
    house = House()
    assert await house.convert.effective(house.has("something_else", 4), START) == []
