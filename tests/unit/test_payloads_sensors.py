"""Sensor data: a sample means the same in all dialects of the firmware."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.relays import Relayed
from domain.sensors import Quality, Sample, SensorKey, canonical_type, other_names
from mqtt_bridge.messages import SensorData
from mqtt_bridge.payloads import decode
from mqtt_bridge.topics import Kind, Topic
from tests.wire import ESP, NOW, SECONDS, read, refusal

DEVICE_TIME = datetime.fromtimestamp(SECONDS, UTC)


def sample(**body: object) -> Sample:
    message = read(Kind.SENSOR_DATA, {"sensor_type": "ds18b20", "raw": 344} | body)
    assert isinstance(message, SensorData)
    (only,) = message.samples
    return only


@st.composite
def from_newest_firmware(draw: st.DrawFn) -> tuple[Sample, dict[str, object]]:
    """A sample, and the payload in which newest firmware sends it."""
    seconds = draw(st.integers(1_577_836_800, SECONDS))
    address = draw(st.sampled_from(["", "68", "28FF641E8D3C0C79"]))
    expected = Sample(
        key=SensorKey(ESP, draw(st.integers(0, 255)), "sht31_temp", address),
        raw_value=draw(st.integers(-(2**31), 2**31 - 1)),
        received_at=NOW,
        measured_at=datetime.fromtimestamp(seconds, UTC),
        ticks=seconds,
        sequence=draw(st.none() | st.integers(0, 2**63 - 1)),
        device_unit="°C",
        device_quality=draw(st.sampled_from(Quality)),
    )
    bus = {"i2c_address": 68} if address == "68" else {"onewire_address": address.lower()}
    return expected, bus | {
        "esp_id": ESP,
        "seq": expected.sequence,
        "gpio": expected.key.gpio,
        "sensor_type": "sht31_temp",
        "raw": expected.raw_value,
        "value": draw(st.floats(-1e6, 1e6)),
        "unit": "°C",
        "quality": expected.device_quality.value.lower(),
        "ts": seconds,
        "time_valid": True,
        "raw_mode": True,
    }


@given(from_newest_firmware())
def test_what_newest_firmware_measures_arrives_as_it_was_sent(
    sent: tuple[Sample, dict[str, object]],
) -> None:
    expected, body = sent
    assert read(Kind.SENSOR_DATA, body, gpio=expected.key.gpio) == SensorData((expected,))


@pytest.mark.parametrize(
    ("time", "measured_at", "ticks"),
    [
        pytest.param({"ts": SECONDS}, DEVICE_TIME, SECONDS, id="seconds"),
        pytest.param({"timestamp": SECONDS}, DEVICE_TIME, SECONDS, id="other-key"),
        pytest.param({"ts": str(SECONDS)}, DEVICE_TIME, SECONDS, id="numeric-string"),
        pytest.param({"ts": SECONDS * 1000}, DEVICE_TIME, SECONDS * 1000, id="milliseconds"),
        pytest.param({"ts_ms": SECONDS * 1000}, DEVICE_TIME, SECONDS * 1000, id="ts_ms"),
        pytest.param(
            {"ts": SECONDS + 0.5}, DEVICE_TIME + timedelta(seconds=0.5), SECONDS, id="fraction"
        ),
        pytest.param({}, None, 0, id="none"),
        pytest.param({"ts": None}, None, 0, id="null"),
        pytest.param({"ts": 0}, None, 0, id="unsynchronised"),
        pytest.param({"timestamp": 901_200}, None, 901_200, id="since-boot"),
        pytest.param({"ts_ms": SECONDS}, None, SECONDS, id="ts_ms-since-boot"),
        pytest.param({"ts": SECONDS, "time_valid": False}, None, SECONDS, id="not-valid"),
        pytest.param({"ts": 1_577_836_799}, None, 1_577_836_799, id="before-2020"),
        pytest.param({"ts": "2026-05-01T12:00:00Z"}, None, 0, id="words"),
        pytest.param({"ts": -5}, None, -5, id="negative"),
        pytest.param({"ts": 1e300}, None, 0, id="absurd"),
        pytest.param({"ts": "nan"}, None, 0, id="not-a-number"),
    ],
)
def test_a_clock_is_believed_only_when_it_can_be_right(
    time: Mapping[str, object], measured_at: datetime | None, ticks: int
) -> None:
    read = sample(**time)
    assert (read.measured_at, read.ticks, read.received_at) == (measured_at, ticks, NOW)


def test_a_clock_may_run_a_day_ahead_but_no_second_more() -> None:
    tomorrow = int(NOW.timestamp()) + 86_400
    assert sample(ts=tomorrow).measured_at == NOW + timedelta(days=1)
    assert sample(ts=tomorrow + 1).measured_at is None


def test_three_weeks_of_uptime_do_not_pass_for_a_date() -> None:
    uptime_ms = 20 * 86_400_000
    early = sample(raw=None, raw_value=344, processed_value=21.5, timestamp=uptime_ms)
    assert (early.measured_at, early.ticks) == (None, uptime_ms)


@pytest.mark.parametrize("key", ["raw", "raw_value", "raw_data"])
@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (4_294_967_272, -24),
        ("4294967272", -24),
        (2**31, -(2**31)),
        (2**31 - 1, 2**31 - 1),
        (2**32, 2**32),
        (-2032, -2032),
        (2150.5, 2150.5),
        ("2150", 2150),
    ],
)
def test_a_raw_value_may_have_many_spellings(key: str, sent: object, meant: float) -> None:
    assert sample(**{"raw": None, key: sent}).raw_value == meant


@pytest.mark.parametrize(
    ("body", "raw", "final"),
    [
        pytest.param({"raw": 9, "value": 2, "raw_mode": True}, 9, None, id="preview"),
        pytest.param({"raw": 9, "value": 2}, 9, None, id="raw-mode-is-the-default"),
        pytest.param({"raw": 9, "value": 2, "raw_mode": False}, 9, 2, id="made-on-the-device"),
        pytest.param({"raw": 9, "raw_mode": False}, 9, None, id="nothing-made-on-the-device"),
        pytest.param({"raw_value": 9, "processed_value": 2}, 9, 2, id="early-firmware"),
        pytest.param({"value": 2}, 2, 2, id="no-raw"),
        pytest.param({"value": 2, "raw_mode": False}, 2, 2, id="final-without-raw"),
    ],
)
def test_a_device_value_counts_only_where_the_device_calls_it_final(
    body: Mapping[str, object], raw: float, final: float | None
) -> None:
    read = sample(**{"raw": None, **body})
    assert (read.raw_value, read.device_value) == (raw, final)


def test_a_preview_is_never_taken_for_the_missing_raw_value() -> None:
    body = {"sensor_type": "ph", "value": 7.2, "raw_mode": True}
    assert "neither a raw value" in refusal(Kind.SENSOR_DATA, body)


@pytest.mark.parametrize("key", ["raw", "raw_value", "raw_data", "value", "processed_value"])
@pytest.mark.parametrize("number", ["nan", "inf", "-inf", True, False, 1.1e15, -1.1e15, [1]])
def test_what_is_no_sane_number_is_refused(key: str, number: object) -> None:
    assert key in refusal(Kind.SENSOR_DATA, {"sensor_type": "ph", "raw": 1, key: number})


@pytest.mark.parametrize(
    ("word", "quality"),
    [
        ("good", Quality.GOOD),
        ("GOOD", Quality.GOOD),
        ("excellent", Quality.EXCELLENT),
        ("suspect", Quality.SUSPECT),
        ("critical", Quality.BAD),
        ("splendid", Quality.UNKNOWN),
        ("", Quality.UNKNOWN),
        (None, Quality.UNKNOWN),
    ],
)
def test_every_word_for_quality_is_understood(word: str | None, quality: Quality) -> None:
    assert sample(quality=word).device_quality is quality


@pytest.mark.parametrize(
    ("sent", "unit"),
    [("°C", "°C"), ("Â°C", "°C"), ("raw", None), ("", None), (None, None), ("p\x00H", "pH")],
)
def test_units_are_mended(sent: str | None, unit: str | None) -> None:
    assert sample(unit=sent).device_unit == unit


@pytest.mark.parametrize(
    ("body", "address"),
    [
        ({}, ""),
        ({"i2c_address": 68}, "68"),
        ({"i2c_address": "69"}, "69"),
        ({"i2c_address": 0}, ""),
        ({"onewire_address": "28ff641e8d3c0c79"}, "28FF641E8D3C0C79"),
        ({"onewire_address": ""}, ""),
    ],
)
def test_the_bus_address_tells_sensors_on_one_pin_apart(
    body: Mapping[str, object], address: str
) -> None:
    assert sample(**body).key.address == address


@pytest.mark.parametrize(
    "body", [{"i2c_address": 128}, {"onewire_address": "28FF"}, {"onewire_address": "G" * 16}]
)
def test_an_address_that_cannot_be_is_refused(body: Mapping[str, object]) -> None:
    refusal(Kind.SENSOR_DATA, {"sensor_type": "ph", "raw": 1, **body})


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("DS18B20", "ds18b20"),
        ("temperature_ds18b20", "ds18b20"),
        ("temp_ds18b20", "ds18b20"),
        ("sht31", "sht31_temp"),
        ("temperature_sht31", "sht31_temp"),
        ("sht31_temperature", "sht31_temp"),
        ("humidity_sht31", "sht31_humidity"),
        ("PH", "ph"),
        ("ph_sensor", "ph"),
        ("ec_sensor", "ec"),
        ("soil_moisture", "moisture"),
        ("moisture_capacitive", "moisture"),
        ("mhz19_co2", "mhz19"),
        ("scd30_co2", "scd30_co2"),
        ("bh1750", "bh1750"),
        ("yfs201", "flow"),
        ("YF-S201", "flow"),
        ("flow_sensor", "flow"),
        ("MH-Z19", "mhz19"),
        ("MH-Z19B", "mhz19"),
        ("co2_mhz19", "mhz19"),
        ("light_bh1750", "bh1750"),
        ("DS18B20_temp", "ds18b20"),
        ("SHT31-humidity", "sht31_humidity"),
        ("ec-sensor", "ec"),
        ("my-own", "my-own"),
        ("bme280_pressure", "bme280_pressure"),
        ("pressure_bmp280", "bmp280_pressure"),
        ("i2c_something", "i2c_something"),
    ],
)
def test_a_sensor_type_has_one_name_here(sent: str, name: str) -> None:
    assert canonical_type(sent) == name
    assert canonical_type(name) == name
    assert sample(sensor_type=sent).key.sensor_type == name


def test_every_other_name_of_a_sensor_type_means_it() -> None:
    assert {"ph_sensor"} <= {*other_names("ph")}
    assert {"yfs201", "yf_s201", "flow_sensor"} <= {*other_names("flow")}
    for sensor_type in ("ds18b20", "sht31_temp", "ph", "flow", "mhz19", "bh1750"):
        assert sensor_type not in other_names(sensor_type)
        assert {canonical_type(name) for name in other_names(sensor_type)} == {sensor_type}


def test_a_batch_is_several_samples_of_one_time() -> None:
    message = read(
        Kind.SENSOR_BATCH,
        {
            "ts": SECONDS,
            "sensors": [
                {"gpio": 4, "sensor_type": "DS18B20", "value": 21.5, "unit": "°C"},
                {"gpio": 34, "sensor_type": "ph", "value": 7.2, "ts": SECONDS - 1},
            ],
        },
    )
    assert isinstance(message, SensorData)
    soil, water = message.samples
    assert (soil.key, soil.raw_value, soil.device_value) == (
        SensorKey(ESP, 4, "ds18b20"),
        21.5,
        21.5,
    )
    assert soil.measured_at == DEVICE_TIME
    assert water.key == SensorKey(ESP, 34, "ph")
    assert water.measured_at == DEVICE_TIME - timedelta(seconds=1)


@pytest.mark.parametrize(
    "sensors",
    [
        [],
        [{"sensor_type": "ph", "value": 7.0}],
        [{"gpio": 4, "sensor_type": "ph", "value": 7.0}] * 11,
        [{"gpio": 4, "sensor_type": "ph", "value": 7.0}, {"gpio": 5, "sensor_type": "ph"}],
    ],
    ids=["empty", "without-pin", "too-many", "one-without-value"],
)
def test_a_batch_is_taken_whole_or_not_at_all(sensors: list[object]) -> None:
    refusal(Kind.SENSOR_BATCH, {"ts": SECONDS, "sensors": sensors})


@pytest.mark.parametrize("level", ["god", "", "kaiser_001"])
def test_a_sample_remembers_the_level_it_came_on(level: str) -> None:
    message = decode(
        Topic(Kind.SENSOR_DATA, level, ESP, 4), b'{"sensor_type": "ph", "raw": 1}', NOW
    )
    assert isinstance(message, SensorData)
    assert message.samples[0].kaiser_id == level


@pytest.mark.parametrize(
    ("relay_ts", "at"),
    [
        (SECONDS, DEVICE_TIME),
        (SECONDS * 1000, DEVICE_TIME),
        (None, None),
        ("soon", None),
        (0, None),
        (SECONDS + 10**9, None),
    ],
)
def test_a_relay_is_noted_and_changes_nothing_that_the_device_said(
    relay_ts: object, at: datetime | None
) -> None:
    body: dict[str, object] = {"ts": SECONDS - 60, "seq": 7}
    relayed = sample(**body, relayed_by="kaiser_001", relay_ts=relay_ts)
    assert relayed.relayed == Relayed("kaiser_001", at)
    assert relayed._replace(relayed=None) == sample(**body)


@pytest.mark.parametrize("relayed_by", ["", 5, None, []])
def test_a_relay_without_a_name_is_none(relayed_by: object) -> None:
    assert sample(relayed_by=relayed_by, relay_ts=SECONDS).relayed is None


def test_a_batch_is_relayed_as_a_whole() -> None:
    values = [{"gpio": pin, "sensor_type": "ph", "raw": 1} for pin in (4, 5)]
    message = read(Kind.SENSOR_BATCH, {"sensors": values, "relayed_by": "kaiser_001"})
    assert isinstance(message, SensorData)
    assert [each.relayed for each in message.samples] == [Relayed("kaiser_001")] * 2
