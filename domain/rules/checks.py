"""Whether a condition fits what is there: sensors, units, devices, actuators.

What is not there yet is a warning: people write rules before they screw the sensor in. A unit that
can never fit is an error.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from domain.actuators import Pin
from domain.errors import BadInputError
from domain.rules.conditions import (
    ActuatorIs,
    Comparison,
    Condition,
    DeviceIs,
    Hysteresis,
    Rate,
    Stale,
    Threshold,
    places,
)
from domain.rules.fields import Findings
from domain.rules.notation import kind_of
from domain.sensors import SensorKey
from domain.units import target


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is there.

    Attributes:
        sensors: The unit that each sensor measures in; None: nobody knows yet.
        devices: The devices that are known, by name.
        actuators: The actuators that are known.
    """

    sensors: Mapping[SensorKey, str | None] = field(default_factory=dict)
    devices: Collection[str] = ()
    actuators: Collection[Pin] = ()


def check(condition: Condition, known: Known, place: str = "condition") -> Findings:
    """Return what does not fit; `require_none` refuses it where that is more than a warning.

    Limits in another unit of the same dimension fit: they stay as they are written, and values are
    converted when they are judged.
    """
    findings = Findings()
    checker = _Checker(findings, known)
    for where, found in places(condition, place):
        checker.check(found, f"{where}.{kind_of(found)}")
    return findings


class _Checker:
    def __init__(self, findings: Findings, known: Known) -> None:
        self._findings = findings
        self._known = known

    def check(self, condition: Condition, place: str) -> None:
        match condition:
            case Threshold() | Hysteresis() | Rate():
                self._sensor(condition.sensor, f"{place}.sensor")
                self._unit(condition.sensor, condition.unit, f"{place}.unit")
            case Stale():
                self._sensor(condition.sensor, f"{place}.sensor")
            case Comparison():
                self._comparison(condition, place)
            case DeviceIs():
                self._there(condition.esp_id in self._known.devices, f"{place}.espId")
            case ActuatorIs():
                self._there(condition.pin in self._known.actuators, f"{place}.actuator")
            case _:
                pass

    def _there(self, there: bool, place: str) -> None:  # noqa: FBT001 - the only thing it is told
        if not there:
            self._findings.add(place, "is not there yet; until it is, unknown", warning=True)

    def _sensor(self, key: SensorKey, place: str) -> None:
        self._there(key in self._known.sensors, place)

    def _unit(self, key: SensorKey, unit: str | None, place: str) -> None:
        if key not in self._known.sensors or unit is None:
            return
        measured = self._known.sensors[key]
        if measured is None:
            text = f"nobody knows yet what it measures in; unknown until it measures in {unit}"
            self._findings.add(place, text, warning=True)
            return
        self._fit(unit, measured, place)

    def _fit(self, unit: str, measured: str, place: str) -> None:
        if unit == measured:
            return
        try:
            target(unit, measured)
        except BadInputError as error:
            self._findings.add(place, str(error))

    def _comparison(self, condition: Comparison, place: str) -> None:
        for side, key in (("left", condition.left), ("right", condition.right)):
            self._sensor(key, f"{place}.{side}")
        left, right = (self._known.sensors.get(key) for key in (condition.left, condition.right))
        if left is not None and right is not None:
            self._fit(left, right, f"{place}.right")
