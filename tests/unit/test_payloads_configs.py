"""Configurations and zones on the wire: every form of answer, and parts that fit their receiver."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.configs import (
    ActuatorItem,
    ConfigAnswer,
    DeviceConfig,
    ItemFailure,
    PinConfig,
    Section,
    SensorItem,
)
from domain.zones import (
    SubzoneAssignment,
    SubzoneRemoval,
    SubzoneSafety,
    ZoneAnswer,
    ZoneAssignment,
)
from mqtt_bridge.messages import Outbound
from mqtt_bridge.payloads import MalformedPayloadError, configs, decode, decode_outbound, encode
from mqtt_bridge.topics import Topic, parse

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ESP = "ESP_12AB34"
P = f"kaiser/god/esp/{ESP}/"


def topic(name: str) -> Topic:
    found = parse(P + name)
    assert found is not None
    return found


def answer(body: dict[str, Any], name: str = "config_response") -> ConfigAnswer:
    message = decode(topic(name), json.dumps(body).encode(), NOW)
    assert isinstance(message, ConfigAnswer)
    return message


# ---------------------------------------------------------------- answers


def test_the_first_firmware_answers_with_a_count_and_no_id() -> None:
    said = answer({"status": "success", "type": "sensor", "count": 2, "message": "ok"})
    assert (said.success, said.section, said.correlation_id) == (True, Section.SENSOR, None)


def test_a_failed_item_is_named_with_its_reason() -> None:
    said = answer(
        {
            "status": "error",
            "type": "actuator",
            "count": 0,
            "message": "pin taken",
            "error_code": "GPIO_CONFLICT",
            "failed_item": {"gpio": 5, "type": "pump"},
        }
    )
    assert said.failures == (
        ItemFailure(section=Section.ACTUATOR, gpio=5, reason="GPIO_CONFLICT: pin taken"),
    )
    assert not said.listed


@pytest.mark.parametrize("section", ["Sensor", "Actuator"])
def test_that_nothing_was_there_is_no_failure(section: str) -> None:
    said = answer(
        {
            "status": "error",
            "type": section.lower(),
            "message": f"{section} config array is empty",
            "error_code": "MISSING_FIELD",
        }
    )
    assert said.empty


@pytest.mark.parametrize(("failed", "empty"), [({}, True), ({"failed_item": {"gpio": 4}}, False)])
def test_a_half_that_was_not_said_is_no_failure_but_an_item_without_a_field_is(
    failed: dict[str, object], *, empty: bool
) -> None:
    said = {
        "status": "error",
        "type": "actuator",
        "count": 0,
        "message": "Missing actuators array",
        "error_code": "MISSING_FIELD",
    }
    answer = decode(topic("config_response"), json.dumps(said | failed).encode(), NOW)
    assert isinstance(answer, ConfigAnswer)
    assert (answer.success, answer.empty, bool(answer.failures)) == (False, empty, not empty)


def test_the_newest_firmware_lists_what_it_refused_and_repeats_the_id() -> None:
    said = answer(
        {
            "seq": 4,
            "status": "partial_success",
            "type": "sensor",
            "count": 1,
            "failed_count": 1,
            "failures": [
                {"type": "sensor", "gpio": 21, "error": "GPIO_CONFLICT", "detail": "I2C"},
                "nonsense",
            ],
            "correlation_id": "c-1",
        }
    )
    assert (said.success, said.listed, said.correlation_id) == (False, True, "c-1")
    assert said.failures == (
        ItemFailure(section=Section.SENSOR, gpio=21, reason="GPIO_CONFLICT: I2C"),
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": 7},
        {"status": "perhaps"},
        {"status": "success", "esp_id": "ESP_OTHER1"},
    ],
)
def test_an_answer_that_says_nothing_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(MalformedPayloadError, match=r"\w+ \w+"):
        answer(body)


def test_an_answer_about_one_pin_needs_no_fields() -> None:
    said = answer({}, "config/actuator/5/ack")
    assert (said.success, said.section) == (True, Section.ACTUATOR)
    said = answer({"status": "error", "message": "no"}, "config/sensor/5/ack")
    assert said.failures == (ItemFailure(section=Section.SENSOR, gpio=5, reason="no"),)


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("zone/ack", {"status": "zone_assigned", "zone_id": "a"}, (True, False, "a", "")),
        ("zone/ack", {"status": "error", "message": "bad"}, (False, False, "", "bad")),
        (
            "zone/ack",
            {"status": "error", "reason_code": "CONFIG_LANE_BUSY"},
            (False, False, "", "CONFIG_LANE_BUSY"),
        ),
        (
            "subzone/ack",
            {"status": "error", "subzone_id": "s", "error_code": 2501},
            (False, True, "s", "2501"),
        ),
    ],
)
def test_a_zone_is_answered_for(
    name: str, body: dict[str, Any], expected: tuple[object, ...]
) -> None:
    said = decode(topic(name), json.dumps(body).encode(), NOW)
    assert isinstance(said, ZoneAnswer)
    reason = "" if said.success else said.reason
    assert (said.success, said.subzone, said.name, reason) == expected


def test_an_ack_with_an_unheard_of_status_is_refused() -> None:
    with pytest.raises(MalformedPayloadError, match="neither success nor error"):
        decode(topic("zone/ack"), b'{"status":"maybe"}', NOW)


# ---------------------------------------------------------------- what the server says

words = st.from_regex(r"[a-z0-9_]{1,20}", fullmatch=True)
sensors = st.builds(
    SensorItem,
    gpio=st.integers(0, 254),
    sensor_type=words,
    name=words,
    active=st.booleans(),
    raw_mode=st.none() | st.booleans(),
    subzone_id=st.none() | st.just("") | words,
    interval_seconds=st.none() | st.integers(1, 300),
    onewire_address=st.none() | words,
    i2c_address=st.none() | st.integers(0, 127),
)
actuators = st.builds(
    ActuatorItem,
    gpio=st.integers(0, 254),
    actuator_type=words,
    name=words,
    active=st.booleans(),
    critical=st.booleans(),
    inverted=st.booleans(),
    aux_gpio=st.integers(0, 255),
    default_value=st.integers(0, 255).map(lambda pwm: pwm / 255),
    subzone_id=st.none() | words,
)
device_configs = st.builds(
    DeviceConfig,
    esp_id=st.just(ESP),
    kaiser_id=st.sampled_from(["", "god"]),
    sensors=st.lists(sensors, max_size=30).map(tuple),
    actuators=st.lists(actuators, max_size=15).map(tuple),
    config_id=st.just("") | words,
    correlation_id=st.none() | words,
    generation=st.integers(0, 2**32 - 1),
    timestamp=st.integers(0, 2**31),
)


@given(device_configs, st.booleans())
def test_a_configuration_reads_back_as_it_was_written(config: DeviceConfig, both: bool) -> None:  # noqa: FBT001 - drawn
    message = DeviceConfig(
        **{name: getattr(config, name) for name in config.__dataclass_fields__}
        | {"both_spellings": both and bool(config.sections)}
    )
    outgoing = encode(message)
    found = parse(outgoing.topic)
    assert found is not None
    assert decode_outbound(found, outgoing.payload) == message


@given(device_configs, st.sampled_from([900, 1900, 4000]))
def test_parts_hold_every_item_once_in_order_and_fit_their_receiver(
    config: DeviceConfig, limit: int
) -> None:
    parts = configs.split(config, limit)
    assert tuple(item for part in parts for item in part.sensors) == config.sensors
    assert tuple(item for part in parts for item in part.actuators) == config.actuators
    assert all(len(encode(part).payload) <= limit for part in parts)
    assert all(part.sections for part in parts) or len(parts) == 1


def test_what_fits_in_one_message_is_not_cut() -> None:
    config = DeviceConfig(
        esp_id=ESP,
        kaiser_id="god",
        sensors=(SensorItem(gpio=4, sensor_type="ph", name="pH"),) * 5,
    )
    assert configs.split(config, 4000) == [config]


def test_names_come_without_what_firmware_would_repeat_unescaped() -> None:
    item = SensorItem(gpio=4, sensor_type="ph", name='Tank "A"\\B\n' + "x" * 100)
    body = json.loads(encode(DeviceConfig(esp_id=ESP, kaiser_id="god", sensors=(item,))).payload)
    assert body["sensors"][0]["sensor_name"] == ("Tank 'A'/B" + "x" * 100)[:64]


def test_both_spellings_stand_side_by_side_where_they_are_wanted() -> None:
    config = DeviceConfig(
        esp_id=ESP,
        kaiser_id="god",
        sensors=(SensorItem(gpio=4, sensor_type="ph", name="pH"),),
        actuators=(ActuatorItem(gpio=5, actuator_type="pump", name="Pump"),),
        both_spellings=True,
    )
    body = json.loads(encode(config).payload)
    assert (body["sensors"][0]["type"], body["sensors"][0]["name"]) == ("ph", "pH")
    assert (body["actuators"][0]["type"], body["actuators"][0]["name"]) == ("pump", "Pump")


@pytest.mark.parametrize(
    "message",
    [
        ZoneAssignment(
            esp_id=ESP,
            kaiser_id="",
            zone_id="",
            master_zone_id="",
            zone_name="",
            new_kaiser_id="god",
        ),
        SubzoneAssignment(
            esp_id=ESP,
            kaiser_id="god",
            subzone_id="s",
            subzone_name="S",
            parent_zone_id="a",
            gpios=(4, 5),
            correlation_id="c",
            timestamp=1,
        ),
        SubzoneRemoval(esp_id=ESP, kaiser_id="god", subzone_id="s"),
        SubzoneSafety(esp_id=ESP, kaiser_id="god", subzone_id="s", enable=False),
        PinConfig(esp_id=ESP, kaiser_id="god", gpio=4, section=Section.SENSOR, kind="ph"),
        PinConfig(esp_id=ESP, kaiser_id="god", gpio=5, section=Section.ACTUATOR, kind="pump"),
    ],
)
def test_zones_and_pins_read_back_as_they_were_written(message: Outbound) -> None:
    outgoing = encode(message)
    found = parse(outgoing.topic)
    assert found is not None
    assert decode_outbound(found, outgoing.payload) == message


def test_a_zone_is_never_told_without_one_of_its_four_keys() -> None:
    body = {"zone_id": "a", "master_zone_id": "", "zone_name": "", "kaiser_id": "god"}
    for key in body:
        short = {name: value for name, value in body.items() if name != key}
        with pytest.raises(MalformedPayloadError, match=key):
            decode_outbound(topic("zone/assign"), json.dumps(short).encode())
    message = ZoneAssignment(
        esp_id=ESP, kaiser_id="", zone_id="", master_zone_id="", zone_name="", new_kaiser_id="god"
    )
    assert json.loads(encode(message).payload) == dict.fromkeys(body, "") | {"kaiser_id": "god"}
