"""Each blueprint lives through days in a simulated greenhouse, and does there what it promises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from domain.actuators import Pin
from domain.errors import BadInputError
from domain.rules.blueprints import BLUEPRINTS, Takes, blueprints, instantiate
from domain.rules.fields import FindingsError
from domain.rules.model import Rule
from domain.rules.notation import write_pin, write_sensor
from domain.rules.past import Past
from domain.rules.replay import Backtest, Replay
from domain.rules.rule_notation import read_rule
from domain.rules.world import Observation
from domain.sensors import SensorKey
from simulator.surroundings import Quantity, Surroundings
from tests.makers import make_actuator

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEYS = {name: SensorKey("ESP_12AB34", 0, name) for name in ("air", "co2", "light", "ph", "soil")}
PIN = Pin("ESP_12AB34", 20)


def rule_of(name: str, **given: Any) -> Rule:  # noqa: ANN401 - parameters
    """Make a rule of a blueprint on the one actuator that there is."""
    blueprint = BLUEPRINTS[name]
    pins = {p.name: write_pin(PIN) for p in blueprint.parameters if p.takes is Takes.ACTUATOR}
    return read_rule(instantiate(name, {**pins, **given}), UUID(int=1), 1)


@dataclass(slots=True)
class Life:
    """A rule in a greenhouse that feels what it does."""

    rule: Rule
    measure: Callable[[datetime, float], Mapping[str, tuple[float, str]]]
    values: dict[str, list[tuple[datetime, float]]] = field(default_factory=dict)

    def lives(self, days: float) -> Backtest:
        """Measure once a minute; between two, the actuator does what the rule says."""
        limits = make_actuator(gpio=20, max_runtime=timedelta(hours=12))
        replay = Replay(self.rule, START, {PIN: limits})
        replay.begin({})
        now, number = START, 0
        while now < START + timedelta(days=days):
            past = {}
            for name, (value, unit) in self.measure(now, replay.doing(PIN)).items():
                number += 1
                self.values.setdefault(name, []).append((now, value))
                past[KEYS[name]] = Past()
                past[KEYS[name]].add(now, Observation(number, value, unit, now))
            now += MINUTE
            replay.feed(past, now)
        return replay.finish(now)


def surroundings(
    quantity: Quantity, name: str, unit: str, push: float
) -> Callable[[datetime, float], Mapping[str, tuple[float, str]]]:
    place = Surroundings(seed=1)

    def measure(now: datetime, doing: float) -> Mapping[str, tuple[float, str]]:
        place.advance(now.timestamp(), {quantity: push * doing})
        return {name: (place.measure(quantity), unit)}

    return measure


def test_heating_holds_both_temperatures() -> None:
    rule = rule_of("heating", sensor=write_sensor(KEYS["air"]), nightTemperature=18)
    life = Life(rule, surroundings(Quantity.TEMPERATURE, "air", "°C", 12.0))
    found = life.lives(3)
    settled = [(at, value) for at, value in life.values["air"] if at > START + timedelta(hours=1)]
    night = [value for at, value in settled if at.hour >= 21 or at.hour < 6]
    day = [value for at, value in settled if 7 <= at.hour < 20]
    assert min(night) > 16
    assert min(day) > 19
    assert sum(value < 20.3 for value in day) < len(day) / 10
    assert found.violations == ()
    assert timedelta(hours=3) < found.use[PIN].on_for < timedelta(hours=60)


def test_irrigation_waters_in_pulses_that_are_no_longer_than_said() -> None:
    rule = rule_of(
        "irrigation", sensor=write_sensor(KEYS["soil"]), dryBelow=24, wetAbove=27, pulse="PT4M"
    )
    life = Life(rule, surroundings(Quantity.MOISTURE, "soil", "%", 60.0))
    found = life.lives(2)
    assert found.use[PIN].longest == timedelta(minutes=4)
    assert 2 <= found.use[PIN].starts <= 48
    starts = [firing.at for firing in found.firings]
    apart = [later - at for at, later in pairwise(starts)]
    assert min(apart) >= 25 * MINUTE
    assert min(value for _, value in life.values["soil"]) > 20


def test_ventilation_runs_while_the_air_is_moist() -> None:
    def measure(now: datetime, doing: float) -> Mapping[str, tuple[float, str]]:
        deficit = 0.3 if now.hour < 8 else 1.0
        return {"air": (deficit + (0.4 if doing else 0.0), "kPa")}

    found = Life(rule_of("ventilation", sensor=write_sensor(KEYS["air"])), measure).lives(2)
    assert [(f.at.hour, f.until and f.until.hour) for f in found.firings] == [(0, 8), (0, 8)]


def test_co2_is_let_in_only_while_it_is_light() -> None:
    level = [400.0]

    def measure(now: datetime, doing: float) -> Mapping[str, tuple[float, str]]:
        level[0] = max(380.0, level[0] + 60 * doing - 20)
        light = 20_000.0 if 8 <= now.hour < 18 else 0.0
        return {"co2": (level[0], "ppm"), "light": (light, "lx")}

    sensors = {"sensor": write_sensor(KEYS["co2"]), "light": write_sensor(KEYS["light"])}
    life = Life(rule_of("co2", **sensors), measure)
    level[0] = 20_000.0
    found = life.lives(0.3)
    assert found.firing_count == 0  # there is plenty
    level[0] = 650.0
    life = Life(rule_of("co2", **sensors), measure)
    found = life.lives(1)
    assert found.firing_count > 10
    for firing in found.firings:
        assert 8 <= firing.at.hour < 18
        assert firing.until is not None
        assert firing.until <= START + timedelta(hours=18, minutes=1)
    bright = [value for at, value in life.values["co2"] if 12 <= at.hour < 18]
    assert min(bright) > 650
    assert max(bright) < 960


def test_ph_is_dosed_in_pulses_with_time_to_mix() -> None:
    level = [6.9]

    def measure(_now: datetime, _doing: float) -> Mapping[str, tuple[float, str]]:
        return {"ph": (level[0], "pH")}

    rule = rule_of("ph", sensor=write_sensor(KEYS["ph"]))
    found = Life(rule, measure).lives(0.99)
    assert [sent.at for sent in found.commands] == [START + 30 * MINUTE * n for n in range(48)]
    assert found.use[PIN].on_for == 48 * timedelta(seconds=3)
    level[0] = 6.0
    assert Life(rule, measure).lives(0.2).firing_count == 0


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_defaults_lie_within_their_limits_and_make_a_rule(name: str) -> None:
    given = {
        p.name: write_sensor(KEYS["air"] if p.name == "sensor" else KEYS["light"])
        for p in BLUEPRINTS[name].parameters
        if p.takes is Takes.SENSOR
    }
    rule = rule_of(name, **given)
    assert rule.name == BLUEPRINTS[name].title
    assert rule.pins == (PIN,)


def test_hours_are_meant_in_the_time_zone_of_the_server_unless_another_is_named() -> None:
    pins = {"sensor": write_sensor(KEYS["air"]), "heater": write_pin(PIN)}
    assert "'Asia/Tokyo'" in str(instantiate("heating", pins, time_zone="Asia/Tokyo"))
    named = {**pins, "timeZone": "Europe/Berlin"}
    written = str(instantiate("heating", named, time_zone="Asia/Tokyo"))
    assert "'Europe/Berlin'" in written
    assert "Tokyo" not in written
    (offered,) = [p for p in blueprints("Asia/Tokyo")["heating"].parameters if p.name == "timeZone"]
    assert offered.default == "Asia/Tokyo"


def test_what_is_wrong_with_parameters_is_told_at_its_place() -> None:
    with pytest.raises(FindingsError) as caught:
        instantiate("heating", {"dayTemperature": 90, "nonsense": 1})
    text = str(caught.value)
    for place in ("parameters.sensor", "parameters.heater", "dayTemperature", "nonsense"):
        assert place in text
    with pytest.raises(BadInputError, match="there is no blueprint"):
        instantiate("nothing", {})
    with pytest.raises(BadInputError, match="must divide a day"):
        rule_of("ph", sensor=write_sensor(KEYS["ph"]), every="PT31M")
