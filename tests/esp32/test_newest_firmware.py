"""Firmware of April 2026: announces itself, stays mute until it is taken over, answers with ids."""

import pytest

from domain.actuators import CommandAction
from mqtt_bridge.messages import AckStatus
from mqtt_bridge.topics import Kind
from simulator.dialects import HEAD
from tests.esp32.driving import START, Bench, kinds, make_device, of, running

_ACK_TOPIC = "kaiser/god/esp/ESP_12AB34/system/heartbeat/ack"


def test_it_announces_itself_before_it_gives_a_sign_of_life() -> None:
    bench = Bench(make_device())

    first = bench.connect()

    assert kinds(first) == [Kind.SESSION_ANNOUNCE, Kind.HEARTBEAT]
    assert of(first, Kind.SESSION_ANNOUNCE)[0] | {"boot_ts": ""} == {
        "esp_id": "ESP_12AB34",
        "handover_epoch": 1,
        "session_epoch": 1,
        "reason": "boot",
        "ts_ms": int(START * 1000),
        "boot_ts": "",
    }


def test_until_it_is_acknowledged_it_sends_nothing_but_a_heartbeat_every_five_seconds() -> None:
    bench = Bench(make_device())
    bench.connect()

    heard = bench.wait(62.0)

    assert kinds(heard) == [Kind.HEARTBEAT] * 12
    assert bench.device.outlet.muted > 0


def test_once_acknowledged_it_sends_readings_and_a_heartbeat_a_minute() -> None:
    bench = running()

    heard = bench.wait(120.0)

    assert kinds(heard).count(Kind.HEARTBEAT) == 2
    assert kinds(heard).count(Kind.SENSOR_DATA) == 12
    assert all(message.qos == 1 and not message.retain for message in heard if message.qos)


def test_after_a_reconnect_only_an_ack_with_the_new_epoch_opens_the_gate() -> None:
    bench = running()
    bench.disconnect()
    announced = of(bench.connect(), Kind.SESSION_ANNOUNCE)[0]
    assert (announced["handover_epoch"], announced["reason"]) == (2, "reconnect")
    assert of(bench.wait(5.0), Kind.HEARTBEAT)[-1]["active_handover_epoch"] == 2

    bench.acknowledge(epoch=1)
    bench.acknowledge(epoch=3)
    assert Kind.SENSOR_DATA not in kinds(bench.wait(30.0))

    bench.acknowledge(epoch=2)
    assert Kind.SENSOR_DATA in kinds(bench.wait(30.0))


@pytest.mark.parametrize(
    "payload",
    [
        b'{"status":"online"}',
        b'{"status":"online","handover_epoch":0}',
        b'{"status":"online","handover_epoch":-1}',
        b'{"status":"online","handover_epoch":"1"}',
        b'{"status":"online","handover_epoch":1.5}',
        b'{"handover_epoch":1}',
        b'{"status":"online","handover_epoch":1,"error":"' + b"x" * 256 + b'"}',
        b"",
        b"\xff",
    ],
)
def test_an_ack_that_breaks_the_contract_leaves_the_gate_shut(payload: bytes) -> None:
    bench = Bench(make_device())
    bench.connect()

    bench.deliver(_ACK_TOPIC, payload)

    assert not bench.device.registration.open


@pytest.mark.parametrize("status", [AckStatus.REJECTED, AckStatus.ERROR])
def test_a_server_that_rejects_it_keeps_it_mute(status: AckStatus) -> None:
    bench = Bench(make_device())
    bench.connect()

    bench.acknowledge(status=status)

    assert set(kinds(bench.wait(120.0))) == {Kind.HEARTBEAT}


def test_while_approval_is_pending_it_measures_but_obeys_nobody() -> None:
    bench = Bench(make_device())
    bench.connect()
    bench.acknowledge(status=AckStatus.PENDING_APPROVAL)

    answer = of(bench.command(), Kind.ACTUATOR_RESPONSE)[0]

    assert not answer["success"]
    assert "PENDING_APPROVAL_BLOCKED" in answer["message"]
    assert Kind.SENSOR_DATA in kinds(bench.wait(30.0))


def test_a_command_before_the_gate_is_open_is_refused() -> None:
    bench = Bench(make_device())
    bench.connect()

    answer = of(bench.command(), Kind.ACTUATOR_RESPONSE)[0]

    assert not answer["success"]
    assert "REGISTRATION_PENDING" in answer["message"]
    assert (bench.device.obeyed, bench.device.refused) == (0, 1)


def test_it_answers_with_the_correlation_id_and_then_reports_once() -> None:
    bench = running()

    heard = bench.command(correlation_id="0f2b6c1e")

    assert kinds(heard) == [
        Kind.ACTUATOR_RESPONSE, Kind.ACTUATOR_STATUS, Kind.INTENT_OUTCOME
    ]  # fmt: skip
    answer = of(heard, Kind.ACTUATOR_RESPONSE)[0]
    assert (answer["success"], answer["correlation_id"]) == (True, "0f2b6c1e")
    assert of(heard, Kind.ACTUATOR_STATUS)[0]["state"] is True


def test_a_pin_that_is_not_configured_fails_with_the_id() -> None:
    answer = of(running().command(gpio=99), Kind.ACTUATOR_RESPONSE)[0]

    assert (answer["success"], answer["correlation_id"]) == (False, "c-1")
    assert "GPIO 99" in answer["message"]


def test_on_with_a_duration_switches_off_by_itself_and_says_so() -> None:
    bench = running()
    bench.command(duration=15)

    assert of(bench.wait(14.9), Kind.ACTUATOR_STATUS) == []
    report = of(bench.wait(0.2), Kind.ACTUATOR_STATUS)[0]

    assert (report["state"], report["runtime_ms"]) == (False, 15_000)
    assert report["command_source"] == "firmware:auto_duration"


def test_a_later_command_ends_the_duration_of_the_earlier_one() -> None:
    bench = running()
    bench.command(duration=15)
    bench.command()

    bench.wait(60.0)

    assert bench.device.actuators[0].is_on


def test_without_acks_for_two_minutes_every_output_falls_back_to_off() -> None:
    bench = running()
    bench.command()

    bench.wait(119.0)
    assert bench.device.actuators[0].is_on

    bench.wait(2.0)
    assert not bench.device.actuators[0].is_on


def test_the_safe_state_comes_without_a_connection_too() -> None:
    bench = running()
    bench.command()
    bench.disconnect()

    bench.wait(121.0)

    assert not bench.device.actuators[0].is_on


def test_the_servers_ack_is_the_clock_of_a_device_without_internet() -> None:
    bench = Bench(make_device(ntp=False))
    early = of(bench.connect(), Kind.HEARTBEAT)[0]
    assert (early["ts"], early["time_valid"]) == (0, False)

    bench.acknowledge()
    sample = of(bench.wait(10.0), Kind.SENSOR_DATA)[0]

    assert sample["time_valid"] is True
    assert START <= sample["ts"] <= bench.now


def test_its_messages_are_numbered_without_gaps_until_it_reboots() -> None:
    bench = running()
    bench.command(CommandAction.PWM, 0.7)

    heard = bench.wait(60.0)

    numbers = [body["seq"] for body in of(bench.sent, Kind.SENSOR_DATA)]
    numbers += [body["seq"] for body in of(bench.sent, Kind.ACTUATOR_STATUS)]
    numbers += [body["seq"] for body in of(bench.sent, Kind.ACTUATOR_RESPONSE)]
    numbers += [body["seq"] for body in of(bench.sent, Kind.INTENT_OUTCOME)]
    assert len(heard) > 5
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


def test_its_last_word_is_kept_by_the_broker_and_names_it() -> None:
    word = make_device(HEAD).last_word(START)

    assert word is not None
    assert (word.topic, word.qos, word.retain) == (
        "kaiser/god/esp/ESP_12AB34/system/will", 1, True
    )  # fmt: skip
    assert b'"esp_id":"ESP_12AB34"' in word.payload
