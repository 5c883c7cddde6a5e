"""Ready rules with a few numbers left to fill in, for what nearly every greenhouse does.

A blueprint writes what a person would have written (`rule_notation`): what it makes is a rule like
any other, to be read, changed and rehearsed.

What doses in pulses asks at fixed times of the day instead of waiting after each pulse: a trigger
needs its condition to be false in between, and so it never doses twice on one reading.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from domain.errors import BadInputError
from domain.rules.fields import Fields, Findings
from domain.rules.notation import clock, write_pin, write_sensor
from domain.rules.schedule import MINUTES_A_DAY
from domain.times import write_duration

_OPEN = 5
"""Minutes for which a pulse may begin after each of its times."""

_MINUTE = timedelta(minutes=1)


class Takes(StrEnum):
    """What a parameter is."""

    SENSOR = "SENSOR"
    ACTUATOR = "ACTUATOR"
    NUMBER = "NUMBER"
    DURATION = "DURATION"
    HOUR = "HOUR"
    TIME_ZONE = "TIME_ZONE"


class Parameter(NamedTuple):
    """Something to be filled in.

    Attributes:
        default: What holds if nothing is said; None: it must be said.
        low: The smallest that makes sense; of a duration in minutes.
        high: The largest.
        unit: Of the number; empty where it has none.
    """

    name: str
    takes: Takes
    description: str
    default: float | str | None = None
    low: float = 0.0
    high: float = 0.0
    unit: str = ""


Filled = Mapping[str, Any]
"""Parameters by name: sensors and actuators as JSON, durations as such, hours as minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """Something to make rules of.

    Attributes:
        write: Writes a rule in the shape of `RuleInput`, without its name.
    """

    name: str
    title: str
    description: str
    parameters: Sequence[Parameter]
    write: Callable[[Filled], Mapping[str, Any]]


def blueprints(time_zone: str) -> Mapping[str, Blueprint]:
    """Return all of them by name, with the time zone that is meant where nobody names one."""

    def at_home(parameter: Parameter) -> Parameter:
        zoned = parameter.takes is Takes.TIME_ZONE
        return parameter._replace(default=time_zone) if zoned else parameter

    return {
        name: replace(blueprint, parameters=tuple(map(at_home, blueprint.parameters)))
        for name, blueprint in BLUEPRINTS.items()
    }


def instantiate(
    name: str, given: object, rule_name: str | None = None, time_zone: str = "UTC"
) -> Mapping[str, Any]:
    """Return a rule in the shape of `RuleInput`.

    Args:
        name: Of the blueprint.
        given: Its parameters by name.
        rule_name: What the rule is called; None: as the blueprint.
        time_zone: The one that is meant where `given` names none.

    Raises:
        BadInputError: There is no such blueprint.
        FindingsError: It says all that is wrong, each with its place.
    """
    blueprint = blueprints(time_zone).get(name)
    if blueprint is None:
        raise BadInputError(f"there is no blueprint {name}; there are {', '.join(BLUEPRINTS)}")
    findings = Findings()
    known = [parameter.name for parameter in blueprint.parameters]
    fields = Fields.of(given, "parameters", known, findings)
    filled = {} if fields is None else {p.name: _fill(p, fields) for p in blueprint.parameters}
    findings.require_none()
    return {"name": rule_name or blueprint.title, **blueprint.write(filled)}


def _fill(parameter: Parameter, fields: Fields) -> Any:  # noqa: ANN401, PLR0911 - each kind once
    name = parameter.name
    if not fields.has(name):
        if parameter.default is None:
            fields.need(name)
            return None
        fields = Fields(fields.place, {name: parameter.default}, fields.findings)
    match parameter.takes:
        case Takes.SENSOR:
            key = fields.sensor(name)
            return None if key is None else write_sensor(key)
        case Takes.ACTUATOR:
            pin = fields.actuator(name)
            return None if pin is None else write_pin(pin)
        case Takes.NUMBER:
            return fields.number(name, parameter.low, parameter.high)
        case Takes.DURATION:
            return fields.duration(name, parameter.low * _MINUTE, parameter.high * _MINUTE)
        case Takes.HOUR:
            return fields.number(name, 0, 24)
        case Takes.TIME_ZONE:
            return fields.text(name)


def _on(pin: object, **more: object) -> Mapping[str, Any]:
    return {"command": {"actuator": pin, "action": "ON", **more}}


def _window(start: int, end: int, time_zone: str) -> Mapping[str, Any]:
    whole = {"start": clock(start % MINUTES_A_DAY), "end": clock(end % MINUTES_A_DAY)}
    return {"timeWindow": {**whole, "timeZone": time_zone}}


def _between(sensor: object, low: float, high: float, unit: str) -> Mapping[str, Any]:
    """Return a hysteresis that is on below one value and off above another."""
    limits = {"activateBelow": low, "deactivateAbove": high, "unit": unit}
    return {"hysteresis": {"sensor": sensor, **limits}}


def _pulses(every: timedelta) -> Sequence[Mapping[str, Any]]:
    step = every // _MINUTE
    if every % _MINUTE or MINUTES_A_DAY % step:
        raise BadInputError("parameters.every: must divide a day, such as PT30M, PT1H or PT6H")
    return [_window(at, at + _OPEN, "UTC") for at in range(0, MINUTES_A_DAY, step)]


def _pulsing(condition: Mapping[str, Any], pin: object, filled: Filled) -> Mapping[str, Any]:
    every: timedelta = filled["every"]
    return {
        "mode": "TRIGGER",
        "condition": {"all": [condition, {"any": _pulses(every)}]},
        "actions": [_on(pin, duration=write_duration(filled["pulse"]))],
        "cooldown": write_duration(every - _OPEN * _MINUTE),
    }


def _heating(filled: Filled) -> Mapping[str, Any]:
    start, end = (round(filled[key] * 60) for key in ("dayFrom", "dayTo"))
    half, zone = filled["hysteresis"] / 2, filled["timeZone"]

    def held(temperature: float, window: Mapping[str, Any]) -> Mapping[str, Any]:
        low, high = temperature - half, temperature + half
        return {"all": [window, _between(filled["sensor"], low, high, "°C")]}

    day = held(filled["dayTemperature"], _window(start, end, zone))
    night = held(filled["nightTemperature"], _window(end, start, zone))
    return {
        "mode": "HOLD",
        "condition": {"any": [day, night]},
        "actions": [_on(filled["heater"])],
    }


def _irrigation(filled: Filled) -> Mapping[str, Any]:
    dry = _between(filled["sensor"], filled["dryBelow"], filled["wetAbove"], "%")
    return _pulsing(dry, filled["pump"], filled)


def _ventilation(filled: Filled) -> Mapping[str, Any]:
    return {
        "mode": "HOLD",
        "condition": _between(filled["sensor"], filled["onBelow"], filled["offAbove"], "kPa"),
        "actions": [_on(filled["fan"])],
    }


def _enrichment(filled: Filled) -> Mapping[str, Any]:
    light = {"sensor": filled["light"], "operator": "GT", "value": filled["lightAbove"]}
    scarce = _between(filled["sensor"], filled["onBelow"], filled["offAbove"], "ppm")
    return {
        "mode": "HOLD",
        "condition": {"all": [{"threshold": {**light, "unit": "lx", "holdFor": "PT2M"}}, scarce]},
        "actions": [_on(filled["valve"])],
    }


def _dosing(filled: Filled) -> Mapping[str, Any]:
    high = {"sensor": filled["sensor"], "operator": "GT", "value": filled["above"], "unit": "pH"}
    return _pulsing({"threshold": high}, filled["doser"], filled)


def _every(default: str) -> Parameter:
    text = "How long to wait between two pulses; it divides a day, up to half of one."
    return Parameter("every", Takes.DURATION, text, default, 30, 720)


def _pulse(default: str, longest: float) -> Parameter:
    return Parameter("pulse", Takes.DURATION, "How long a pulse lasts.", default, 1 / 60, longest)


def _sensor(description: str, name: str = "sensor") -> Parameter:
    return Parameter(name, Takes.SENSOR, description)


def _number(  # noqa: PLR0913, PLR0917 - one line of a table
    name: str, description: str, default: float, low: float, high: float, unit: str
) -> Parameter:
    return Parameter(name, Takes.NUMBER, description, default, low, high, unit)


_ALL = (
    Blueprint(
        name="heating",
        title="Day and night heating",
        description="Keeps one temperature by day and another by night: on below, off above.",
        parameters=(
            _sensor("The temperature."),
            Parameter("heater", Takes.ACTUATOR, "What heats."),
            _number("dayTemperature", "What is held by day.", 21, 5, 35, "°C"),
            _number("nightTemperature", "What is held by night.", 17, 5, 35, "°C"),
            _number("hysteresis", "From switching on to switching off.", 1, 0.2, 5, "K"),
            Parameter("dayFrom", Takes.HOUR, "The hour at which day begins.", 6, 0, 24, "h"),
            Parameter("dayTo", Takes.HOUR, "The hour at which night begins.", 20, 0, 24, "h"),
            Parameter("timeZone", Takes.TIME_ZONE, "The IANA zone of these hours.", "UTC"),
        ),
        write=_heating,
    ),
    Blueprint(
        name="irrigation",
        title="Irrigation by moisture",
        description="Waters in pulses from dry until wet; no pulse lasts longer than it says.",
        parameters=(
            _sensor("The moisture of the soil."),
            Parameter("pump", Takes.ACTUATOR, "What waters."),
            _number("dryBelow", "Below it, it begins.", 30, 0, 99, "%"),
            _number("wetAbove", "Above it, it ends.", 45, 1, 100, "%"),
            _pulse("PT5M", 25),
            _every("PT30M"),
        ),
        write=_irrigation,
    ),
    Blueprint(
        name="ventilation",
        title="Ventilation by vapour pressure deficit",
        description="Ventilates while the air is too moist for plants to transpire.",
        parameters=(
            _sensor("The vapour pressure deficit."),
            Parameter("fan", Takes.ACTUATOR, "What ventilates."),
            _number("onBelow", "Below it, it begins.", 0.5, 0.1, 3, "kPa"),
            _number("offAbove", "Above it, it ends.", 0.8, 0.2, 4, "kPa"),
        ),
        write=_ventilation,
    ),
    Blueprint(
        name="co2",
        title="CO2 while it is light",
        description="Adds CO2 where it is scarce, but only in light, by lamps or the sun.",
        parameters=(
            _sensor("The concentration of CO2."),
            _sensor("The light.", "light"),
            Parameter("valve", Takes.ACTUATOR, "What lets CO2 in."),
            _number(
                "lightAbove", "From how much light on plants can use it.", 5000, 100, 1e5, "lx"
            ),
            _number("onBelow", "Below it, it begins.", 700, 300, 1500, "ppm"),
            _number("offAbove", "Above it, it ends.", 900, 400, 2000, "ppm"),
        ),
        write=_enrichment,
    ),
    Blueprint(
        name="ph",
        title="pH down in pulses",
        description="Doses acid in short pulses, and waits for each to mix before it looks again.",
        parameters=(
            _sensor("The pH of the solution."),
            Parameter("doser", Takes.ACTUATOR, "What doses."),
            _number("above", "Above it, it doses.", 6.2, 4, 9, "pH"),
            _pulse("PT3S", 1),
            _every("PT30M"),
        ),
        write=_dosing,
    ),
)

BLUEPRINTS: Mapping[str, Blueprint] = {blueprint.name: blueprint for blueprint in _ALL}
"""All of them, by name."""
