"""What whole devices report, what they are ordered, and what is told to everybody."""

import json
from dataclasses import replace
from typing import Any, TypedDict

import pytest

from domain.relays import RelayHealth
from domain.sensors import Quality
from domain.system_events import Severity
from mqtt_bridge.messages import (
    AckStatus,
    AuthUpdate,
    DeviceError,
    Diagnostics,
    Discovery,
    HeartbeatAck,
    HeartbeatMetrics,
    IntentLifecycle,
    IntentOutcome,
    IpChange,
    MeasureCommand,
    MeasureResponse,
    OneWireDevice,
    OneWireScan,
    Outbound,
    ProcessingRequest,
    ProcessingResponse,
    QueuePressure,
    RelayHeartbeat,
    ServerStatus,
    SystemAction,
    SystemCommand,
    SystemResponse,
    SystemUpdate,
    TrialCommand,
)
from mqtt_bridge.payloads import MalformedPayloadError, decode, decode_outbound, encode
from mqtt_bridge.topics import Kind, Topic, parse
from tests.wire import ESP, NOW, SECONDS, read, refusal, topic_of


class Addressed(TypedDict):
    esp_id: str
    kaiser_id: str


TO: Addressed = {"esp_id": ESP, "kaiser_id": "god"}
SECRET, OWN = "secret-pass-1", "esp"

ORDERS: list[Outbound] = [
    ServerStatus(online=True, timestamp=SECONDS),
    ServerStatus(online=False, timestamp=SECONDS, reason="unexpected_disconnect"),
    SystemUpdate(update_type="maintenance", message="at ten"),
    IpChange(new_ip="192.168.0.210", new_port=8883, timestamp=SECONDS, reason="migration"),
    *(
        SystemCommand(**TO, command=each)
        for each in SystemAction
        if each is not SystemAction.SET_EMERGENCY_TOKEN
    ),
    SystemCommand(**TO, command=SystemAction.SET_EMERGENCY_TOKEN, token_type=OWN, token=SECRET),
    SystemCommand(**TO, command=SystemAction.ONEWIRE_SCAN, pin=4, correlation_id="c"),
    SystemCommand(**TO, command=SystemAction.REBOOT, delay_ms=3000),
    AuthUpdate(**TO, enabled=True, username="esp_user", password=SECRET),
    TrialCommand(**TO, trial_id="t", command="ping", timestamp=1.5, params={"gpio": 4}),
    MeasureCommand(**TO, gpio=4, request_id="r-1"),
    HeartbeatAck(
        **TO,
        status=AckStatus.ERROR,
        handover_epoch=1,
        server_time=SECONDS,
        error="the database is away",
    ),
    ProcessingResponse(**TO, temperature=21.5, humidity=48.0),
    ProcessingResponse(**TO, gpio=4, timestamp=SECONDS, error="no library knows it"),
    ProcessingResponse(
        **TO, gpio=4, processed_value=7.2, unit="pH", quality=Quality.GOOD, timestamp=SECONDS
    ),
]


@pytest.mark.parametrize("message", ORDERS, ids=lambda message: type(message).__name__)
def test_what_the_server_says_reads_back(message: Outbound) -> None:
    outgoing = encode(message)
    topic = parse(outgoing.topic)
    assert topic is not None
    assert decode_outbound(topic, outgoing.payload) == message
    assert outgoing.retain == isinstance(message, ServerStatus)


def test_the_servers_status_is_retained_for_those_who_come_later() -> None:
    outgoing = encode(ServerStatus(online=True, timestamp=SECONDS))
    assert outgoing.topic == "kaiser/god/server/status"
    assert outgoing.payload == b'{"status":"online","timestamp":%d}' % SECONDS
    assert (outgoing.qos, outgoing.retain, outgoing.expiry) == (1, True, None)


def test_system_commands_are_lower_case_and_a_reset_is_confirmed() -> None:
    for command in SystemAction:
        assert command.value == command.value.lower()
    outgoing = encode(SystemCommand(**TO, command=SystemAction.FACTORY_RESET))
    assert outgoing.payload == b'{"command":"factory_reset","confirm":true}'


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.SYSTEM_COMMAND, {"command": "STATUS"}),
        (Kind.SYSTEM_COMMAND, {"command": "factory_reset"}),
        (Kind.SYSTEM_COMMAND, {"command": "set_emergency_token", "token": "t"}),
        (Kind.SYSTEM_COMMAND, {"command": "set_emergency_token", "token_type": "x", "token": "t"}),
        (Kind.SYSTEM_COMMAND, {"command": "status", "correlation_id": "c" * 250}),
        (Kind.HEARTBEAT_ACK, {"status": "online", "handover_epoch": 1, "filler": "x" * 200}),
        (Kind.AUTH_UPDATE, {"enabled": True, "username": "ab", "password": "secret-pass-1"}),
        (Kind.TRIAL_COMMAND, {"test_id": "t", "command": "explode", "params": {}, "timestamp": 1}),
        (Kind.MEASURE_COMMAND, {"command": "MEASURE", "request_id": "r"}),
        (Kind.MEASURE_COMMAND, {"command": "measure", "request_id": "r", "timeout_ms": 60_001}),
        (Kind.BROADCAST_IP_CHANGE, {"ts": 1, "new_ip": "there", "new_port": 1883}),
        (Kind.BROADCAST_IP_CHANGE, {"ts": 1, "new_ip": "10.0.0.1", "new_port": 0}),
        (Kind.SERVER_STATUS, {"status": "ONLINE", "timestamp": SECONDS}),
        (Kind.PROCESSING_RESPONSE, {"unit": "pH"}),
        (Kind.PROCESSING_RESPONSE, {"status": "error", "value": 7}),
        (Kind.PROCESSING_RESPONSE, {"processed_value": 1, "unit": "", "quality": "?"}),
    ],
)
def test_what_devices_would_not_understand_is_refused(kind: Kind, body: object) -> None:
    with pytest.raises(MalformedPayloadError):
        decode_outbound(topic_of(kind), json.dumps(body).encode())


def test_an_error_has_one_shape_whatever_was_asked() -> None:
    errors = [message for message in ORDERS if getattr(message, "error", "")]
    assert len(errors) == 2
    for message in errors:
        body = json.loads(encode(message).payload)
        assert body["status"] == "error"
        assert isinstance(body["error"], str)


@pytest.mark.parametrize("error", ["x" * 500, "ü" * 500, '"\\' * 100])
def test_an_ack_stays_small_whatever_it_says(error: str) -> None:
    ack = HeartbeatAck(
        **TO,
        status=AckStatus.PENDING_APPROVAL,
        handover_epoch=2**31 - 1,
        server_time=2**32 - 1,
        config_available=True,
    )
    assert len(encode(ack).payload) < 200
    assert len(encode(replace(ack, status=AckStatus.ERROR, error=error[:20])).payload) < 200
    with_all = replace(ack, status=AckStatus.ERROR, error=error)
    assert len(encode(with_all).payload) < 200


def test_the_specified_answers_to_a_conversion_are_understood() -> None:
    topic = topic_of(Kind.PROCESSING_RESPONSE)
    both = decode_outbound(topic, b'{"temperature":21.5,"humidity":48,"status":"ok"}')
    assert both == ProcessingResponse(**TO, temperature=21.5, humidity=48.0)
    one = decode_outbound(topic, b'{"value":7.2,"unit":"pH","status":"ok"}')
    assert one == ProcessingResponse(**TO, processed_value=7.2, unit="pH")


def test_no_password_shows_in_logs() -> None:
    assert SECRET not in repr(ORDERS)


# ---------------------------------------------------------------- what devices report


@pytest.mark.parametrize(
    ("code", "severity", "expected"),
    [
        (1007, 2, (1007, "", Severity.ERROR)),
        ("1007", "critical", (1007, "", Severity.CRITICAL)),
        ("gpio_conflict", "warning", (None, "GPIO_CONFLICT", Severity.WARNING)),
        (4050, 0, (4050, "", Severity.INFO)),
    ],
)
def test_an_error_has_a_number_or_a_name(
    code: object, severity: object, expected: tuple[object, ...]
) -> None:
    body = {"error_code": code, "severity": severity, "context": {"esp_id": ESP, "pin": 4}}
    error = read(Kind.SYSTEM_ERROR, body)
    assert isinstance(error, DeviceError)
    assert (error.code, error.name, error.severity) == expected
    assert error.details == {"pin": 4}


@pytest.mark.parametrize(
    "body",
    [
        {"error_code": True, "severity": 2},
        {"error_code": 70_000, "severity": 4},
        {"error_code": "", "severity": 2},
        {"error_code": 1002, "severity": "bad"},
        {"error_code": 1002, "severity": 2, "context": {"esp_id": "ESP_FFFFFF"}},
    ],
)
def test_an_error_that_says_nothing_certain_is_refused(body: object) -> None:
    assert refusal(Kind.SYSTEM_ERROR, body)


def test_diagnostics_are_health_and_what_else_the_firmware_counts() -> None:
    body = {
        "ts": 60,
        "heap_free": 1000,
        "heap_fragmentation": 4,
        "error_count": 2,
        "system_state": "operational",
        "wdt_mode": "PRODUCTION",
        "nested": {"a": 1},
    }
    report = read(Kind.DIAGNOSTICS, body)
    assert isinstance(report, Diagnostics)
    assert report.health.free_heap_bytes == 1000
    assert report.health.system_state == "OPERATIONAL"
    assert report.health.error_count == 2
    assert report.details == {"wdt_mode": "PRODUCTION"}


def test_counters_keep_their_names() -> None:
    metrics = read(Kind.HEARTBEAT_METRICS, {"esp_id": ESP, "ts": 1, "publish_queue_hwm": 5})
    assert isinstance(metrics, HeartbeatMetrics)
    assert metrics.counters == {"publish_queue_hwm": 5}


def test_facts_under_foreign_names_are_few_short_and_plain() -> None:
    body: dict[str, Any] = {f"k{n}": n for n in range(100)}
    metrics = read(Kind.HEARTBEAT_METRICS, {"a\u0000b": "x" * 999, "c": None, "d": [1]} | body)
    assert isinstance(metrics, HeartbeatMetrics)
    assert len(metrics.counters) == 40
    assert metrics.counters["ab"] == "x" * 200
    assert not {"c", "d"} & metrics.counters.keys()


def test_the_first_firmware_only_tells_that_its_reset_began() -> None:
    answer = read(Kind.SYSTEM_COMMAND_RESPONSE, {"status": "factory_reset_initiated"})
    assert isinstance(answer, SystemResponse)
    assert (answer.command, answer.success) == ("factory_reset", True)


def test_an_answer_carries_what_was_asked_for() -> None:
    body = {"command": "STATUS", "success": True, "state": 8, "uptime": 574, "ts": 1}
    answer = read(Kind.SYSTEM_COMMAND_RESPONSE, body)
    assert isinstance(answer, SystemResponse)
    assert answer.command == "status"
    assert answer.details == {"state": 8, "uptime": 574}


@pytest.mark.parametrize(
    ("event", "entered"),
    [("entered_pressure", True), ("ENTER", True), ("recovered", False), ("RECOVERED", False)],
)
def test_pressure_is_told_in_two_spellings(event: str, *, entered: bool) -> None:
    pressure = read(Kind.QUEUE_PRESSURE, {"event": event, "queue_fill": 6})
    assert isinstance(pressure, QueuePressure)
    assert (pressure.entered, pressure.fill_level) == (entered, 6)


def test_an_outcome_without_an_id_gets_the_same_one_each_time() -> None:
    body = {"seq": 132, "flow": "config", "outcome": "accepted", "ts": SECONDS}
    first, again = read(Kind.INTENT_OUTCOME, body), read(Kind.INTENT_OUTCOME, body)
    other = read(Kind.INTENT_OUTCOME, body | {"seq": 133})
    assert isinstance(first, IntentOutcome)
    assert isinstance(other, IntentOutcome)
    assert first == again
    assert first.synthetic
    assert first.intent_id != other.intent_id
    assert not first.final
    assert refusal(Kind.INTENT_OUTCOME, body | {"outcome": "maybe"})


def test_a_lifecycle_stage_is_named() -> None:
    stage = read(Kind.INTENT_LIFECYCLE, {"schema": "intent_chain_stage_v1", "step": 2})
    assert isinstance(stage, IntentLifecycle)
    assert stage.event == "intent_chain_stage_v1"


def test_a_measurement_on_demand_says_how_far_it_came() -> None:
    body = {"request_id": "r", "success": False, "measurement_ok": True, "timeout": True}
    answer = read(Kind.MEASURE_RESPONSE, body | {"raw": True})
    assert isinstance(answer, MeasureResponse)
    assert (answer.measured, answer.published, answer.timed_out) == (True, False, True)
    assert answer.raw_value is None


def test_a_scan_finds_chips_by_their_codes() -> None:
    rom = "28ff641e8d3c0c79"
    scan = read(Kind.ONEWIRE_SCAN, {"devices": [{"rom_code": rom, "pin": 4}]})
    assert isinstance(scan, OneWireScan)
    assert scan.devices == (OneWireDevice(rom.upper(), "", 4),)
    assert refusal(Kind.ONEWIRE_SCAN, {"devices": [{"rom_code": "28"}]})


def test_a_conversion_is_asked_for_by_type_and_raw_value() -> None:
    body = {"gpio": 34, "raw_value": "2456", "type": "analog", "sensor_type": "PH"}
    request = read(Kind.PROCESSING_REQUEST, body)
    assert isinstance(request, ProcessingRequest)
    assert (request.gpio, request.sensor_type, request.raw_value) == (34, "ph", 2456.0)


def test_a_relay_speaks_for_itself_and_names_its_clients() -> None:
    topic = Topic(Kind.RELAY_HEARTBEAT, "kaiser_001")
    body = {"kaiser_id": "kaiser_001", "relay_clients": [ESP, 7], "cpu_temp": "hot", "uptime": 5}
    heartbeat = decode(topic, json.dumps(body).encode(), NOW)
    assert isinstance(heartbeat, RelayHeartbeat)
    assert heartbeat.health == RelayHealth(clients=(ESP,), uptime_seconds=5)
    for name in ("kaiser_002", "", "god"):
        with pytest.raises(MalformedPayloadError):
            decode(Topic(Kind.RELAY_HEARTBEAT, name), json.dumps(body).encode(), NOW)


def test_a_relay_cannot_take_the_name_of_the_server() -> None:
    with pytest.raises(MalformedPayloadError, match="no name of its own"):
        decode(Topic(Kind.RELAY_HEARTBEAT, "god"), b'{"kaiser_id":"god"}', NOW)


def test_a_discovery_may_name_a_device_that_could_be_answered() -> None:
    found = read(Kind.DISCOVERY, {"esp_id": ESP, "ip": "10.0.0.7"})
    assert isinstance(found, Discovery)
    assert (found.esp_id, found.details) == (ESP, {"ip": "10.0.0.7"})
    assert read(Kind.DISCOVERY, {}) == Discovery(esp_id="", kaiser_id="god", received_at=NOW)
    assert refusal(Kind.DISCOVERY, {"esp_id": "../etc"})
