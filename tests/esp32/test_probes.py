"""Probes wear out, are late and unsteady, feel what they stand in, and do so every time alike."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt_bridge.topics import Kind as Message
from simulator.probes import (
    BUFFER_4,
    BUFFER_7,
    BUFFER_10,
    DRY_AIR,
    EC_1413,
    EC_12880,
    EC_CELL,
    MOISTURE_PROBE,
    PH_ELECTRODE,
    WATER,
    Kind,
    Liquid,
    Probe,
)
from simulator.sensors import EC, MOISTURE, PH, Chip, VirtualSensor
from tests.esp32.driving import START, of, running

TANK = Liquid(6.2)
STEADY = PH_ELECTRODE._replace(lag=0.0, noise=0.0)


def settled(probe: Probe, liquid: Liquid, now: float = START) -> float:
    """Return what a probe shows in a liquid after it had all the time that it needs."""
    probe.stands_in = liquid
    probe.feel(TANK, now)
    return probe.feel(TANK, now + 600)


@pytest.mark.parametrize(
    ("chip", "kind", "liquids"),
    [
        (PH, PH_ELECTRODE, [BUFFER_4, BUFFER_7, BUFFER_10]),
        (EC, EC_CELL, [EC_1413, EC_12880]),
        (MOISTURE, MOISTURE_PROBE, [DRY_AIR, WATER]),
    ],
    ids=["ph", "ec", "moisture"],
)
def test_a_new_probe_shows_what_it_stands_in(chip: Chip, kind: Kind, liquids: list[Liquid]) -> None:
    for liquid in liquids:
        raw = chip.to_raw(settled(Probe(kind=kind), liquid))
        step = abs(chip.to_value(raw + 1) - chip.to_value(raw))
        assert chip.to_value(raw) == pytest.approx(liquid.value, abs=5 * kind.noise + step)


def test_a_worn_electrode_shows_too_little_and_a_shifted_one_too_much() -> None:
    worn = Probe(kind=STEADY, efficiency=0.8, zero_error=0.25)

    assert settled(worn, BUFFER_7) == pytest.approx(7.25)
    assert settled(worn, BUFFER_4) == pytest.approx(7.25 - 0.8 * 2.99)


def test_a_glass_electrode_gives_more_signal_when_it_is_warm_but_none_at_ph_7() -> None:
    probe = Probe(kind=STEADY)

    assert settled(probe, Liquid(4.0, celsius=54.815)) == pytest.approx(7.0 - 1.1 * 3.0)
    assert settled(probe, Liquid(7.0, celsius=5.0)) == pytest.approx(7.0)


def test_warm_water_conducts_two_percent_better_per_degree() -> None:
    cell = Probe(kind=EC_CELL._replace(noise=0.0))

    assert settled(cell, Liquid(1000.0, celsius=30.0)) == pytest.approx(1100.0)


def test_it_needs_time_to_follow() -> None:
    probe = Probe(kind=PH_ELECTRODE._replace(noise=0.0))
    settled(probe, BUFFER_7)
    probe.stands_in = BUFFER_4

    shown = [probe.feel(TANK, START + 600 + seconds) for seconds in (5, 15, 60)]

    assert shown[0] == pytest.approx(4.01 + 2.99 / 2.71828, abs=0.001)
    assert shown[1] == pytest.approx(4.01 + 0.05 * 2.99, abs=0.005)
    assert shown[2] == pytest.approx(4.01, abs=0.001)


def test_it_wears_out_as_time_passes_on_its_own_clock() -> None:
    probe = Probe(kind=STEADY, fading=0.001, drift=0.01)
    probe.feel(BUFFER_7, START)
    probe.feel(BUFFER_7, START + 50 * 86_400)
    probe.grow_older(timedelta(days=50))

    assert probe.efficiency == pytest.approx(0.9)
    assert settled(probe, BUFFER_7, START + 50 * 86_400) == pytest.approx(8.0, abs=0.001)


def test_time_that_runs_back_makes_nothing_younger() -> None:
    probe = Probe(kind=STEADY, drift=1.0)
    for moment in (0, 86_400, 0, 86_400):
        probe.feel(BUFFER_7, START + moment)

    assert probe.zero_error == pytest.approx(1.0)


def test_in_its_place_it_feels_the_surroundings() -> None:
    probe = Probe(kind=STEADY, stands_in=BUFFER_4)
    probe.feel(TANK, START)
    probe.stands_in = None

    assert probe.feel(TANK, START + 1) == pytest.approx(6.2)


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 14)), min_size=1, max_size=20),
    st.integers(0, 2**32),
)
def test_the_same_seed_tells_the_same_story(moves: list[tuple[float, float]], seed: int) -> None:
    def told() -> list[float]:
        probe, now = Probe(kind=PH_ELECTRODE, drift=0.01, seed=seed), START
        said = []
        for pause, ph in moves:
            now += pause
            said.append(probe.feel(Liquid(ph), now))
        return said

    assert told() == told()


@given(st.floats(0, 1), st.floats(-3, 3), st.floats(-10, 60), st.floats(0, 14))
def test_whatever_happens_to_it_the_converter_gives_a_word_of_twelve_bits(
    efficiency: float, zero_error: float, celsius: float, ph: float
) -> None:
    probe = Probe(kind=PH_ELECTRODE, efficiency=efficiency, zero_error=zero_error)

    assert 0 <= PH.to_raw(probe.feel(Liquid(ph, celsius), START)) <= 4095


def test_a_board_reads_its_chip_through_the_probe() -> None:
    probe = Probe(kind=PH_ELECTRODE, stands_in=BUFFER_4)
    board = running(sensors=(VirtualSensor(chip=PH, gpio=34, interval=1.0, probe=probe),))

    first = of(board.wait(60), Message.SENSOR_DATA)[-1]["raw"]
    probe.stands_in = BUFFER_10
    then = of(board.wait(60), Message.SENSOR_DATA)[-1]["raw"]

    assert PH.to_value(first) == pytest.approx(4.01, abs=0.03)
    assert PH.to_value(then) == pytest.approx(10.01, abs=0.03)
