"""The greenhouse lives: values follow the day, actuators change them, and chips tell the truth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actuators import CommandAction
from mqtt_bridge.topics import Kind
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import DIALECTS
from simulator.greenhouse import greenhouse
from simulator.sensors import CHIPS, MOISTURE, VirtualSensor
from simulator.surroundings import CURVES, DAY_SECONDS, Quantity, Surroundings
from tests.esp32.driving import START, of, running

_MIDNIGHT = START - START % DAY_SECONDS


def _settled(pushes: dict[Quantity, float], hour: float) -> Surroundings:
    around = Surroundings(1)
    now = _MIDNIGHT + hour * 3600.0
    for minutes in range(-120, 1):
        around.advance(now + minutes * 60.0, pushes)
    return around


def test_noon_is_warmer_drier_and_brighter_than_midnight() -> None:
    night, noon = _settled({}, 1.0), _settled({}, 13.0)

    assert noon.true_value(Quantity.TEMPERATURE) > night.true_value(Quantity.TEMPERATURE) + 5.0
    assert noon.true_value(Quantity.HUMIDITY) < night.true_value(Quantity.HUMIDITY) - 10.0
    assert noon.true_value(Quantity.LIGHT) > night.true_value(Quantity.LIGHT) + 20_000.0


def test_soil_gets_wetter_while_the_pump_runs_and_dries_again() -> None:
    sensor = VirtualSensor(chip=MOISTURE, gpio=34, interval=10.0)
    bench = running(sensors=(sensor,))

    def moisture(seconds: float) -> float:
        bench.acknowledge()
        return MOISTURE.to_value(of(bench.wait(seconds), Kind.SENSOR_DATA)[-1]["raw"])

    dry = moisture(60.0)
    bench.command()
    wet = moisture(90.0)
    bench.command(CommandAction.OFF, 0.0)
    drying = moisture(600.0)

    assert wet > dry + 5.0
    assert dry - 2.0 < drying < wet - 2.0


@given(
    quantity=st.sampled_from(list(Quantity)),
    steps=st.lists(st.floats(0.0, 100_000.0), min_size=1, max_size=20),
    push=st.floats(-1e6, 1e6),
    seed=st.integers(0, 2**32),
)
def test_no_value_ever_leaves_what_is_possible(
    quantity: Quantity, steps: list[float], push: float, seed: int
) -> None:
    around, now = Surroundings(seed), START
    for step in steps:
        now += step
        around.advance(now, {quantity: push})
        curve = CURVES[quantity]
        assert curve.lowest <= around.true_value(quantity) <= curve.highest
        assert curve.lowest <= around.measure(quantity) <= curve.highest


def test_a_clock_that_is_set_back_changes_nothing_for_the_worse() -> None:
    around = Surroundings(1)
    around.advance(START, {})
    around.advance(START - 1000.0, {})
    around.advance(START + 1.0, {})

    assert 0.0 < around.true_value(Quantity.TEMPERATURE) < 40.0


@pytest.mark.parametrize("name", sorted(CHIPS))
@given(part=st.floats(0.0, 1.0))
def test_a_raw_value_reads_back_as_the_value_it_was_made_of(name: str, part: float) -> None:
    chip = CHIPS[name]
    curve = CURVES[chip.quantity]
    value = curve.lowest + part * (curve.highest - curve.lowest)

    read = chip.to_value(chip.to_raw(value))

    step = abs(chip.to_value(chip.to_raw(value) + 1) - read)
    assert abs(read - value) <= step / 2.0 + 1e-9


def test_an_analog_value_at_its_end_is_suspect() -> None:
    assert [MOISTURE.quality(raw) for raw in (0, 49, 50, 4045, 4046)] == [
        "suspect", "suspect", "good", "good", "suspect"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("actuator_type", "value", "pwm"),
    [("pump", 1.0, 255), ("relay", 1.0, 255), ("valve", 1.0, 254), ("pwm", 0.5, 128)],
)
def test_reports_carry_power_as_each_kind_of_actuator_counts_it(
    actuator_type: str, value: float, pwm: int
) -> None:
    actuator = VirtualActuator(gpio=5, actuator_type=actuator_type)

    actuator.obey(CommandAction.PWM, value, START)

    assert actuator.pwm == pwm


def test_a_pump_cannot_run_at_a_fifth_of_its_power() -> None:
    actuator = VirtualActuator(gpio=5, actuator_type="pump")

    actuator.obey(CommandAction.PWM, 0.2, START)

    assert not actuator.is_on


def test_time_on_adds_up() -> None:
    actuator = VirtualActuator(gpio=5, actuator_type="pump")
    for at, action in ((0, "ON"), (10, "ON"), (20, "OFF"), (50, "ON"), (55, "OFF")):
        actuator.obey(CommandAction(action), 1.0, START + at)

    assert actuator.runtime_ms(START + 100) == 25_000


def test_the_demo_has_every_generation_and_something_to_switch_on_each_board() -> None:
    devices = greenhouse(1)

    assert {device.dialect for device in devices} == set(DIALECTS)
    assert all(device.actuators and device.sensors and device.name for device in devices)


@pytest.mark.parametrize("number", range(3))
def test_every_actuator_of_the_demo_moves_something_that_its_board_measures(number: int) -> None:
    device: VirtualDevice = greenhouse(1)[number]
    measured = {sensor.chip.quantity for sensor in device.sensors}

    for actuator in device.actuators:
        assert measured & set(actuator.pushes)
