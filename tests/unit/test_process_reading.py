"""One pipeline for every door: validated, converted with what is known, judged, and not stored."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.calibrations import Calibration, CalibrationMethod, Fit
from domain.errors import BadInputError, NotFoundError
from domain.limits import Band, QualityLimits
from domain.sensors import ProcessingMode, Quality, Sensor, SensorKey
from domain.services.process import LARGEST, Outcome, ProcessRequest
from sensor_libs.loader import Catalog
from tests.fakes import START
from tests.fakes.processing import Pipeline
from tests.makers import make_reading, make_sensor

KEY = SensorKey("ESP_12AB34", 4, "")


async def test_a_raw_value_is_converted_with_the_library_of_its_type() -> None:
    pipeline = Pipeline()
    made = await pipeline.process(ProcessRequest("DS18B20", 340))
    version = pipeline.libraries.catalog.by_type["ds18b20"].version

    assert made.outcome is Outcome.OK
    assert made.measurement[:6] == (
        21.25, "°C", Quality.GOOD, ProcessingMode.PI_ENHANCED, "ds18b20", version
    )  # fmt: skip
    assert made.values == {"temperature": 21.25}
    assert made.reason is None


@pytest.mark.parametrize(
    ("sensor_type", "raw", "value"),
    [
        ("temperature_ds18b20", 4294967216, -5.0),
        ("temp_ds18b20", 65456, -5.0),
        ("ds18b20", -80, -5.0),
        ("temperature_sht31", 24173, 19.55),
        ("humidity_sht31", 26551, 40.51),
        ("bh1750", 65535, 54612.5),
    ],
)
async def test_words_of_any_firmware_mean_what_they_mean_in_readings(
    sensor_type: str, raw: float, value: float
) -> None:
    made = await Pipeline().process(ProcessRequest(sensor_type, raw))

    assert made.measurement.value == value


@pytest.mark.parametrize(("raw", "quality"), [(-2032, Quality.ERROR), (1360, Quality.SUSPECT)])
async def test_the_traps_of_the_chip_are_told_with_their_reason(
    raw: float, quality: Quality
) -> None:
    made = await Pipeline().process(ProcessRequest("ds18b20", raw))

    assert made.measurement.quality is quality
    assert made.outcome is (Outcome.NO_VALUE if quality is Quality.ERROR else Outcome.OK)
    assert made.reason


async def test_a_value_is_told_in_the_unit_that_is_asked_for() -> None:
    made = await Pipeline().process(ProcessRequest("ds18b20", 340, unit="fahrenheit"))

    assert made.measurement[:2] == (70.25, "°F")


async def test_a_unit_of_something_else_is_refused() -> None:
    with pytest.raises(BadInputError, match="°C"):
        await Pipeline().process(ProcessRequest("ds18b20", 340, unit="mS/cm"))


@pytest.mark.parametrize(
    "request_",
    [
        ProcessRequest("ds18b20"),
        ProcessRequest("ds18b20", float("nan")),
        ProcessRequest("ds18b20", float("inf")),
        ProcessRequest("ds18b20", LARGEST * 10),
        ProcessRequest("ds18b20", True),
        ProcessRequest("", 1),
        ProcessRequest("x" * 51, 1),
        ProcessRequest("\x00", 1),
        ProcessRequest("ds18b20", 1, raw_values=[]),
        ProcessRequest("ds18b20", 1, raw_values=[1] * 33),
        ProcessRequest("ds18b20", 1, raw_values=[1, 2]),
        ProcessRequest("sht31", 1, raw_values=[0xBE, 0xEF, 0x93]),
        ProcessRequest("sht31", 1, raw_values={"colour": 1}),
        ProcessRequest("ds18b20", 1, parameters={"offset": float("nan")}),
        ProcessRequest("ds18b20", 1, parameters={"slope": 1}, strict=True),
    ],
    ids=str,
)
async def test_what_cannot_be_meant_is_refused(request_: ProcessRequest) -> None:
    with pytest.raises(BadInputError) as refusal:
        await Pipeline().process(request_)

    assert str(refusal.value)


async def test_an_unknown_sensor_type_is_refused_with_what_is_read() -> None:
    with pytest.raises(NotFoundError, match=r"'geiger'.*bh1750.*ds18b20"):
        await Pipeline().process(ProcessRequest("geiger", 17))


async def test_an_unknown_sensor_type_is_passed_through_where_that_is_wanted() -> None:
    made = await Pipeline().process(ProcessRequest("geiger", 17, fallback=True))

    assert made.outcome is Outcome.FALLBACK
    assert made.measurement.value == 17
    assert made.values == {"geiger": 17}
    assert made.reason == "no library reads geiger"


async def test_a_library_that_fails_costs_only_the_conversion() -> None:
    pipeline = Pipeline()

    def broken(_raw: float, _parameters: object) -> object:
        raise ZeroDivisionError

    (library,) = pipeline.libraries.catalog.files["ds18b20"]
    broken_one = replace(library, convert=broken)  # type: ignore[arg-type]  # it is broken
    pipeline.libraries.swap(Catalog({"ds18b20": (broken_one,)}))

    made = await pipeline.process(ProcessRequest("ds18b20", 340))

    assert made.outcome is Outcome.FALLBACK
    assert made.measurement.value == 340
    assert made.reason is not None
    assert "ZeroDivisionError" in made.reason


async def test_several_numbers_are_channels_in_order_or_by_name() -> None:
    pipeline = Pipeline()
    in_order = await pipeline.process(ProcessRequest("sht31", raw_values=[0xBE, 0xEF, 0x92]))
    by_name = await pipeline.process(
        ProcessRequest(
            "sht31_temp", raw_values={"check byte": 0x92, "high byte": 0xBE, "low byte": 0xEF}
        )
    )

    assert in_order.measurement.value == by_name.measurement.value == 85.52


async def test_a_channel_that_was_left_out_is_named() -> None:
    some = {"channel 0": 1000.0}
    with pytest.raises(BadInputError, match="channel 1 of a tsl2561 is missing; it says channel 0"):
        await Pipeline().process(ProcessRequest("tsl2561", raw_values=some))


async def test_a_chip_of_two_quantities_gets_one_value_for_each() -> None:
    made = await Pipeline().process(
        ProcessRequest("sht31", raw_values={"temperature": 24173, "humidity": 26551})
    )

    assert made.values == {"temperature": 19.55, "humidity": 40.51}
    assert made.measurement.value == 19.55


async def test_a_chip_whose_pressure_needs_its_temperature_is_asked_about_both_at_once() -> None:
    # The worked example of BST-BMP280-DS001, section 3.12.
    words = (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
    trim = {"dig_T1": 27504, "dig_T2": 26435, "dig_T3": -1000}
    trim |= {f"dig_P{number}": word for number, word in enumerate(words, start=1)}
    both = {"pressure": 415_148.0, "temperature": 519_888.0}

    made = await Pipeline().process(ProcessRequest("bmp280", raw_values=both, parameters=trim))

    assert made.values == {"pressure": 1006.53, "temperature": 25.08}


async def test_what_a_virtual_sensor_is_computed_from_may_be_given_as_its_numbers() -> None:
    air = {"temperature": 25.0, "humidity": 60.0}
    made = await Pipeline().process(ProcessRequest("vpd", raw_values=air, strict=True))
    assert made.values == {"vpd": 1.27}

    with pytest.raises(BadInputError, match="no parameter 'wind'"):
        await Pipeline().process(ProcessRequest("vpd", raw_values={"wind": 1.0}, strict=True))


async def test_a_virtual_sensor_is_computed_from_parameters_alone() -> None:
    made = await Pipeline().process(
        ProcessRequest("vpd", 0, parameters={"temperature": 25, "humidity": 60})
    )

    assert made.values == {"vpd": made.measurement.value}
    assert made.measurement.unit == "kPa"


async def test_a_known_sensor_has_its_owners_parameters_over_them_its_calibration_and_the_request(
) -> None:  # fmt: skip
    pipeline = Pipeline()
    sensor = make_sensor(key=KEY._replace(sensor_type="ds18b20"), parameters={"offset": 1.0})
    await pipeline.has(sensor)
    asked = ProcessRequest("temp_ds18b20", 340, key=KEY)
    values = [(await pipeline.process(asked)).measurement.value]

    (known,) = pipeline.registry.sensors_of(KEY.esp_id)
    pipeline.registry.put_calibration(
        Calibration(
            id=UUID(int=1),
            sensor_id=known.id,
            library="ds18b20",
            method=CalibrationMethod.OFFSET,
            points=(),
            fit=Fit(parameters={"offset": 2.0}, residuals=()),
            calibrated_at=START,
        )
    )
    values.append((await pipeline.process(asked)).measurement.value)
    over = asked._replace(parameters={"offset": 3.0, "colour": 7})
    values.append((await pipeline.process(over)).measurement.value)
    stranger = asked._replace(key=KEY._replace(gpio=5))
    values.append((await pipeline.process(stranger)).measurement.value)

    assert values == [22.25, 23.25, 24.25, 21.25]


async def test_a_live_temperature_compensates_here_as_it_does_in_readings() -> None:
    pipeline = Pipeline()
    probe, ph = await _solution(pipeline)
    pipeline.storage.readings.rows.append(
        make_reading(sensor=probe, value=5.0, measured_at=START, received_at=START)
    )
    known = await pipeline.process(ProcessRequest("ph", 3000, key=ph))
    told = await pipeline.process(ProcessRequest("ph", 3000, parameters={"temperature": 5.0}))

    assert known.measurement.value == told.measurement.value


async def test_a_database_that_is_away_costs_no_more_than_what_others_said() -> None:
    pipeline = Pipeline()
    _, ph = await _solution(pipeline, slope=-5.0)
    pipeline.storage.available = False
    made = await pipeline.process(ProcessRequest("ph", 3000, key=ph))
    told = await pipeline.process(ProcessRequest("ph", 3000, parameters={"slope": -5.0}))

    assert made.measurement.value == told.measurement.value


async def _solution(pipeline: Pipeline, **parameters: float) -> tuple[Sensor, SensorKey]:
    """Put a pH probe and a thermometer into one solution."""
    probe = make_sensor(gpio=5)
    ph = make_sensor(
        gpio=35, sensor_type="ph", parameters=parameters, sources={"temperature": probe.key}
    )
    await pipeline.has(probe)
    await pipeline.has(ph)
    stored = pipeline.registry.sensor(probe.key)
    assert stored is not None
    return stored, ph.key


async def test_limits_of_a_sensors_owner_go_before_those_of_its_library() -> None:
    pipeline = Pipeline()
    limits = QualityLimits(unit="°C", valid=Band(0, 20))
    await pipeline.has(make_sensor(key=KEY._replace(sensor_type="ds18b20"), limits=limits))

    made = await pipeline.process(ProcessRequest("ds18b20", 340, key=KEY))

    assert made.measurement.quality is Quality.BAD
    assert made.reason == "possible is 0 to 20 °C"


async def test_a_parameter_outside_its_limits_leaves_no_value() -> None:
    made = await Pipeline().process(ProcessRequest("ds18b20", 340, parameters={"offset": 1e9}))

    assert made.outcome is Outcome.NO_VALUE
    assert made.reason is not None
    assert "offset" in made.reason


async def test_nothing_is_stored_and_nothing_is_remembered() -> None:
    pipeline = Pipeline()
    await pipeline.has(make_sensor(key=KEY._replace(sensor_type="ds18b20")))
    for raw in (340, 340, 340, 340, 340, 340, 1000):
        made = await pipeline.process(ProcessRequest("ds18b20", raw, key=KEY))

    assert made.measurement.quality is not Quality.SUSPECT
    assert pipeline.storage.readings.rows == []
