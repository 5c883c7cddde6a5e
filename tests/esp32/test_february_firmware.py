"""Firmware of February 2026: waits for a status, but not for ever; retains, numbers, lists pins."""

import pytest

from domain.configs import ActuatorItem, DeviceConfig, SensorItem
from domain.devices import FirmwareGeneration
from mqtt_bridge import payloads
from mqtt_bridge.topics import Kind
from simulator.dialects import FEBRUARY, FEBRUARY_UNNUMBERED
from simulator.sensors import DS18B20, VirtualSensor
from tests.esp32.driving import Bench, kinds, make_device, of, running
from tests.esp32.reading import generation_of

ESP = "ESP_12AB34"
ROM = "28FF641E8D3C0C79"
_ACK = f"kaiser/god/esp/{ESP}/system/heartbeat/ack"


def test_it_gives_a_sign_of_life_at_once_and_nothing_else_until_it_is_acknowledged() -> None:
    bench = Bench(make_device(FEBRUARY))
    assert kinds(bench.connect()) == [Kind.HEARTBEAT]

    assert bench.wait(59.0) == []

    bench.deliver(_ACK, b'{"status":"online","config_available":false,"server_time":1770057493}')
    assert Kind.SENSOR_DATA in kinds(bench.wait(20.0))


def test_after_a_minute_without_an_ack_it_speaks_anyway() -> None:
    bench = Bench(make_device(FEBRUARY))
    bench.connect()
    bench.wait(59.0)

    heard = bench.wait(20.0)

    assert Kind.SENSOR_DATA in kinds(heard)
    assert of(bench.command(), Kind.ACTUATOR_RESPONSE)[0]["success"] is True


def test_an_ack_without_a_status_opens_nothing() -> None:
    bench = Bench(make_device(FEBRUARY))
    bench.connect()

    bench.deliver(_ACK, b'{"handover_epoch":1}')

    assert not bench.device.registration.open


def test_its_heartbeat_lists_its_pins_and_numbers_its_states_its_own_way() -> None:
    sensors = (VirtualSensor(chip=DS18B20, gpio=4, interval=10.0, onewire_address=ROM),)
    bench = running(FEBRUARY, sensors=sensors)
    first = of(bench.sent, Kind.HEARTBEAT)[0]
    bench.deliver(_ACK, b'{"status":"approved"}')

    later = of(bench.wait(60.0), Kind.HEARTBEAT)[0]

    assert first["config_status"]["state"] == 0
    assert later["config_status"]["state"] == 8
    assert [(pin["gpio"], pin["owner"]) for pin in later["gpio_status"]] == [
        (4, "bus/onewire/4"), (5, "actuator")
    ]  # fmt: skip
    assert later["seq"] > first["seq"]


def test_while_approval_is_pending_it_says_so_with_its_own_number() -> None:
    bench = running(FEBRUARY)
    bench.deliver(_ACK, b'{"status":"pending_approval"}')

    assert of(bench.wait(60.0), Kind.HEARTBEAT)[0]["config_status"]["state"] == 9
    assert of(bench.command(), Kind.ACTUATOR_RESPONSE)[0]["success"] is False


def test_it_retains_what_it_sends_and_names_the_chip_on_the_bus() -> None:
    sensors = (VirtualSensor(chip=DS18B20, gpio=4, interval=10.0, onewire_address=ROM),)
    bench = running(FEBRUARY, sensors=sensors)

    (sample,) = [m for m in bench.wait(10.0) if m.topic.endswith("/data")]

    assert (sample.qos, sample.retain) == (0, True)
    assert f'"onewire_address":"{ROM}"'.encode() in sample.payload
    assert b"time_valid" not in sample.payload


def test_a_refused_pin_is_listed_with_its_number_and_the_configurations_id() -> None:
    bench = running(FEBRUARY)
    config = DeviceConfig(
        esp_id=ESP,
        kaiser_id="god",
        sensors=(SensorItem(gpio=34, sensor_type="ph", name="Tank"),),
        actuators=(ActuatorItem(gpio=12, actuator_type="pump", name="Pump"),),
        correlation_id="cfg-7",
    )

    sensors, actuators = of(bench.receive(payloads.encode(config)), Kind.CONFIG_RESPONSE)

    assert (sensors["status"], sensors["count"]) == ("success", 1)
    assert (actuators["status"], actuators["correlation_id"]) == ("error", "cfg-7")
    assert actuators["failures"][0]["error_code"] == 1002


def test_an_empty_half_of_a_configuration_is_an_error_to_it() -> None:
    bench = running(FEBRUARY)
    config = DeviceConfig(
        esp_id=ESP,
        kaiser_id="god",
        sensors=(SensorItem(gpio=34, sensor_type="ph", name="Tank"),),
    )

    answers = of(bench.receive(payloads.encode(config)), Kind.CONFIG_RESPONSE)

    assert [(a["type"], a.get("error_code")) for a in answers] == [
        ("sensor", None), ("actuator", "MISSING_FIELD")
    ]  # fmt: skip


@pytest.mark.parametrize("dialect", [FEBRUARY, FEBRUARY_UNNUMBERED], ids=lambda d: d.name)
def test_it_answers_commands_without_their_id(dialect: object) -> None:
    bench = running(FEBRUARY if dialect is FEBRUARY else FEBRUARY_UNNUMBERED)

    answer = of(bench.command(correlation_id="c-9"), Kind.ACTUATOR_RESPONSE)[0]

    assert answer["success"] is True
    assert "correlation_id" not in answer
    assert ("seq" in answer) is (dialect is FEBRUARY)


def test_the_server_recognises_it_by_what_it_says() -> None:
    bench = running(FEBRUARY)
    bench.wait(120.0)

    assert generation_of(bench.sent) is FirmwareGeneration.FEBRUARY_2026
