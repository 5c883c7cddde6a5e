"""Firmware generations are recognised by what devices say, and spoken to as they understand."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.configs import ActuatorItem, DeviceConfig, PinConfig, Section, SensorItem
from domain.devices import FirmwareEvidence, FirmwareGeneration
from domain.sensors import canonical_type
from domain.zones import SubzoneRemoval, ZoneAssignment
from mqtt_bridge.dialects import DIALECTS, evidence, learn, obstacle, worded
from mqtt_bridge.messages import (
    AckStatus,
    EmergencyAction,
    EmergencyOrder,
    HeartbeatAck,
    MeasureCommand,
    Outbound,
    SystemAction,
    SystemCommand,
)
from mqtt_bridge.payloads import MalformedPayloadError, decode, encode
from mqtt_bridge.topics import Direction, Kind, parse
from tests.wire import ESP, NOW, SECONDS, SMALLEST, read

UNKNOWN, NOVEMBER, DECEMBER, FEBRUARY, APRIL = FirmwareGeneration

VITALS: dict[str, object] = {
    "zone_assigned": True,
    "uptime": 60,
    "heap_free": 200_000,
    "sensor_count": 1,
}
HEARTBEATS: Mapping[FirmwareGeneration, dict[str, object]] = {
    NOVEMBER: VITALS | {"ts": 60_123},
    DECEMBER: VITALS | {"ts": SECONDS},
    FEBRUARY: VITALS | {"ts": SECONDS, "config_status": {"state": 8}, "seq": 4},
    APRIL: VITALS | {"ts": 0, "time_valid": False, "active_handover_epoch": 0},
}
SAMPLES: Mapping[FirmwareGeneration, dict[str, object]] = {
    NOVEMBER: {"sensor_type": "ph", "raw_value": 1, "processed_value": 7.0, "timestamp": 9000},
    DECEMBER: {"sensor_type": "ph", "raw": 1, "ts": 0, "raw_mode": True, "zone_id": ""},
    FEBRUARY: {"sensor_type": "ph", "raw": 1, "ts": SECONDS, "raw_mode": True, "seq": 4},
    APRIL: {"sensor_type": "ph", "raw": 1, "ts": SECONDS, "seq": 4, "time_valid": True},
}
PUMP: dict[str, object] = {"type": "pump", "state": True}
generations = st.sampled_from(FirmwareGeneration)
named = st.sampled_from([NOVEMBER, DECEMBER, FEBRUARY, APRIL])


@pytest.mark.parametrize("previous", [None, *FirmwareGeneration])
@pytest.mark.parametrize("sender", [NOVEMBER, APRIL])
def test_a_heartbeat_gives_the_first_and_the_newest_firmware_away(
    sender: FirmwareGeneration, previous: FirmwareGeneration | None
) -> None:
    assert learn(previous, read(Kind.HEARTBEAT, HEARTBEATS[sender])) is sender


@pytest.mark.parametrize("sender", HEARTBEATS)
def test_a_heartbeat_alone_tells_the_generation(sender: FirmwareGeneration) -> None:
    assert learn(None, read(Kind.HEARTBEAT, HEARTBEATS[sender])) is sender


@pytest.mark.parametrize("sender", SAMPLES)
def test_so_does_a_reading(sender: FirmwareGeneration) -> None:
    assert learn(None, read(Kind.SENSOR_DATA, SAMPLES[sender])) is sender


@given(st.integers(1, 2**32 - 1))
def test_the_first_firmware_is_recognised_however_long_it_is_up(millis: int) -> None:
    told = evidence(read(Kind.HEARTBEAT, VITALS | {"uptime": millis // 1000, "ts": millis}))
    at_this_hour = abs(millis - NOW.timestamp()) <= 86_400
    assert told == (None if at_this_hour else FirmwareEvidence(newest=NOVEMBER))


def test_a_device_that_knows_the_date_is_not_taken_for_one_that_counts_from_boot() -> None:
    twenty_days = 20 * 86_400
    heartbeat = VITALS | {"uptime": twenty_days, "ts": int(NOW.timestamp())}
    assert learn(None, read(Kind.HEARTBEAT, heartbeat)) is DECEMBER


def test_a_heartbeat_of_the_winter_does_not_take_back_what_a_reading_told() -> None:
    heartbeat = read(Kind.HEARTBEAT, VITALS | {"ts": SECONDS, "config_status": {"state": 8}})
    assert learn(None, heartbeat) is DECEMBER
    assert learn(FEBRUARY, heartbeat) is FEBRUARY


def test_a_device_that_was_flashed_anew_is_recognised_forwards_and_backwards() -> None:
    taken_for = learn(NOVEMBER, read(Kind.HEARTBEAT, HEARTBEATS[APRIL]))
    assert taken_for is APRIL
    assert learn(taken_for, read(Kind.HEARTBEAT, HEARTBEATS[DECEMBER])) is FEBRUARY
    assert learn(taken_for, read(Kind.HEARTBEAT, HEARTBEATS[NOVEMBER])) is NOVEMBER


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (Kind.WILL, {"status": "offline"}, DECEMBER),
        (Kind.WILL, {"status": "offline", "esp_id": ESP}, APRIL),
        (Kind.STATUS, {"status": "offline"}, UNKNOWN),
        (Kind.ACTUATOR_ALERT, {"type": "fault"}, NOVEMBER),
        (Kind.ACTUATOR_ALERT, {"alert_type": "fault"}, DECEMBER),
        (Kind.SYSTEM_ERROR, {"error_code": 1007, "severity": 2}, FEBRUARY),
        (Kind.SYSTEM_ERROR, {"error_code": "GPIO_CONFLICT", "severity": "error"}, UNKNOWN),
        (Kind.SYSTEM_COMMAND_RESPONSE, {"status": "factory_reset_initiated"}, NOVEMBER),
        (Kind.SYSTEM_COMMAND_RESPONSE, {"command": "status", "success": True}, FEBRUARY),
        (Kind.SYSTEM_RESPONSE, {"command": "status", "success": True}, UNKNOWN),
        (Kind.DIAGNOSTICS, {"heap_free": 1, "boot_sequence_id": "x-b1-r0"}, APRIL),
        (Kind.DIAGNOSTICS, {"heap_free": 1}, UNKNOWN),
        (Kind.HEARTBEAT, {"heap": 1, "state": "OPERATIONAL"}, UNKNOWN),
        (Kind.SENSOR_DATA, {"sensor_type": "ph", "raw": 1}, UNKNOWN),
        (Kind.SENSOR_DATA, {"sensor_type": "ph", "raw": 1, "ts": SECONDS}, UNKNOWN),
        (Kind.ACTUATOR_STATUS, PUMP | {"ts": 60_123, "esp_id": ESP}, NOVEMBER),
        (Kind.ACTUATOR_STATUS, PUMP | {"ts": 0, "esp_id": ESP}, UNKNOWN),
        (Kind.ACTUATOR_STATUS, PUMP | {"ts": 60_123}, UNKNOWN),
        (Kind.ACTUATOR_STATUS, PUMP | {"ts": SECONDS, "esp_id": ESP}, UNKNOWN),
        (Kind.ACTUATOR_STATUS, PUMP | {"ts": SECONDS, "seq": 4}, FEBRUARY),
        (Kind.ACTUATOR_RESPONSE, {"success": True, "ts": 9, "esp_id": ESP}, NOVEMBER),
        (Kind.ACTUATOR_RESPONSE, {"success": True, "seq": 4}, FEBRUARY),
        (Kind.ZONE_ACK, {"status": "zone_assigned", "timestamp": 124_533}, NOVEMBER),
        (Kind.ZONE_ACK, {"status": "zone_assigned", "ts": SECONDS}, DECEMBER),
        (Kind.ZONE_ACK, {"status": "zone_assigned", "ts": SECONDS, "seq": 2}, FEBRUARY),
        (Kind.SUBZONE_ACK, {"status": "subzone_assigned", "timestamp": SECONDS}, FEBRUARY),
    ],
)
def test_every_message_tells_what_it_can(
    kind: Kind, body: dict[str, object], expected: FirmwareGeneration
) -> None:
    assert learn(None, read(kind, body)) is expected


@pytest.mark.parametrize(
    "kind",
    [
        Kind.SESSION_ANNOUNCE,
        Kind.HEARTBEAT_METRICS,
        Kind.INTENT_OUTCOME,
        Kind.INTENT_LIFECYCLE,
        Kind.QUEUE_PRESSURE,
        Kind.EMERGENCY_ACK,
        Kind.RECOVERY_CONFIRM,
    ],
)
def test_only_newest_firmware_has_these_messages(kind: Kind) -> None:
    assert learn(None, read(kind, SMALLEST.get(kind, {}))) is APRIL


@given(generations, named, named)
def test_what_was_learned_always_fits_the_last_message(
    previous: FirmwareGeneration, one: FirmwareGeneration, other: FirmwareGeneration
) -> None:
    oldest, newest = sorted((one, other), key=lambda each: each.age)
    told = FirmwareEvidence(oldest, newest)
    learned = told.judge(previous)
    assert oldest.age <= learned.age <= newest.age
    assert told.judge(learned) is learned
    if oldest.age <= previous.age <= newest.age:
        assert learned is previous


ERAS = {
    "fw-nov": {NOVEMBER},
    "fw-dec": {DECEMBER, FEBRUARY},
    "fw-2026-02": {FEBRUARY},
    "fw-head": {FEBRUARY, APRIL},
}
"""Some messages did not change between February and April."""

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "golden_messages.json").read_text("utf-8")
)


@pytest.mark.parametrize(
    "golden",
    [each for each in GOLDEN if each["valid"] and each["era"] in ERAS],
    ids=lambda golden: golden["id"],
)
def test_no_recorded_message_is_taken_for_one_of_another_time(golden: dict[str, Any]) -> None:
    topic = parse(golden["topic"])
    assert topic is not None
    if topic.kind.route.direction is Direction.TO_SERVER:
        told = evidence(decode(topic, json.dumps(golden["payload"]).encode(), NOW))
        if told is not None:
            spoken = {each for each in FirmwareGeneration if told.judge(each) is each}
            assert spoken & ERAS[golden["era"]]


def order(command: EmergencyAction) -> EmergencyOrder:
    return EmergencyOrder(esp_id=ESP, kaiser_id="god", command=command, auth_token=ESP)


def system(command: SystemAction) -> SystemCommand:
    return SystemCommand(esp_id=ESP, kaiser_id="god", command=command)


SUBZONE = SubzoneRemoval(esp_id=ESP, kaiser_id="god", subzone_id="bench")
PIN = PinConfig(esp_id=ESP, kaiser_id="god", gpio=4, section=Section.SENSOR, kind="ph")


def zone(zone_id: str) -> ZoneAssignment:
    return ZoneAssignment(
        esp_id=ESP,
        kaiser_id="god",
        zone_id=zone_id,
        master_zone_id="",
        zone_name="",
        new_kaiser_id="god",
    )


MEASURE = MeasureCommand(esp_id=ESP, kaiser_id="god", gpio=4, request_id="r")


@pytest.mark.parametrize(
    ("message", "able"),
    [
        (order(EmergencyAction.CLEAR), {UNKNOWN, DECEMBER, FEBRUARY, APRIL}),
        (order(EmergencyAction.STOP), set(FirmwareGeneration)),
        (MEASURE, {UNKNOWN, FEBRUARY, APRIL}),
        (system(SystemAction.FACTORY_RESET), set(FirmwareGeneration)),
        (system(SystemAction.DIAGNOSTICS), {UNKNOWN, APRIL}),
        (system(SystemAction.REBOOT), {UNKNOWN}),
        (SUBZONE, {FEBRUARY, APRIL}),
        (zone(""), {APRIL}),
        (zone("north"), set(FirmwareGeneration)),
        (PIN, {UNKNOWN}),
    ],
)
def test_what_a_generation_cannot_do_is_said_before_it_is_sent(
    message: Outbound, able: set[FirmwareGeneration]
) -> None:
    assert {each for each in FirmwareGeneration if obstacle(message, each) is None} == able


def test_who_cannot_clear_an_emergency_is_told_the_cure() -> None:
    reason = obstacle(order(EmergencyAction.CLEAR), NOVEMBER)
    assert reason == "its firmware cannot clear an emergency: switch it off and on again"


@given(generations)
def test_an_ack_stands_in_nobodys_way(generation: FirmwareGeneration) -> None:
    ack = HeartbeatAck(
        esp_id=ESP, kaiser_id="god", status=AckStatus.ONLINE, handover_epoch=1, server_time=SECONDS
    )
    assert obstacle(ack, generation) is None


def test_a_device_of_which_nothing_is_known_is_sent_only_what_all_can_take() -> None:
    unknown = DIALECTS[UNKNOWN]
    others = [DIALECTS[each] for each in (NOVEMBER, DECEMBER, FEBRUARY, APRIL)]
    assert unknown.largest_config == min(each.largest_config for each in others)
    assert unknown.needs_epoch
    assert unknown.needs_correlation


def test_a_message_that_cannot_be_read_teaches_nothing() -> None:
    with pytest.raises(MalformedPayloadError):
        read(Kind.HEARTBEAT, [])


PROBE = SensorItem(gpio=4, sensor_type="ds18b20", name="Soil")
PUMP_ITEM = ActuatorItem(gpio=5, actuator_type="pump", name="Pump")
CONFIG = DeviceConfig(
    esp_id=ESP,
    kaiser_id="god",
    sensors=(PROBE,),
    correlation_id="c-1",
    generation=7,
    timestamp=SECONDS,
)


def told(config: DeviceConfig, generation: FirmwareGeneration) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(encode(worded(config, generation)).payload)
    return said


@pytest.mark.parametrize(
    ("ours", "its_own"),
    [
        ("ds18b20", "temperature_ds18b20"),
        ("sht31_temp", "temperature_sht31"),
        ("ph", "ph_sensor"),
        ("ec", "ec_sensor"),
        ("moisture", "moisture"),
    ],
)
def test_the_first_firmware_is_told_sensor_types_by_its_own_names(ours: str, its_own: str) -> None:
    config = replace(CONFIG, sensors=(replace(PROBE, sensor_type=ours),))
    assert told(config, NOVEMBER)["sensors"][0]["sensor_type"] == its_own
    assert told(config, APRIL)["sensors"][0]["sensor_type"] == ours
    # What the device will call it is read as ours again.
    assert canonical_type(its_own) == ours


@pytest.mark.parametrize("generation", FirmwareGeneration)
def test_an_empty_half_is_said_only_to_who_takes_it_for_no_change(
    generation: FirmwareGeneration,
) -> None:
    assert ("actuators" in told(CONFIG, generation)) is (generation is APRIL)
    both = replace(CONFIG, actuators=(PUMP_ITEM,))
    assert told(both, generation).keys() >= {"sensors", "actuators"}


@pytest.mark.parametrize("generation", FirmwareGeneration)
def test_a_configuration_is_numbered_for_all_but_those_who_read_no_numbers(
    generation: FirmwareGeneration,
) -> None:
    numbered = told(CONFIG, generation).keys() & {"correlation_id", "generation", "timestamp"}
    assert len(numbered) == (0 if generation in {NOVEMBER, DECEMBER} else 3)
