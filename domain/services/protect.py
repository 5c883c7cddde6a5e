"""Reads what people declare to keep an actuator from doing harm, and says what does not fit.

What is not there yet is no error: people declare an interlock before they screw its sensor in, and
until then it does not hold. Warnings are not stored but asked for: they go when the sensor comes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.actuators import Pin
from domain.rules.checks import Known
from domain.rules.conditions import in_units
from domain.rules.fields import Finding, Findings
from domain.rules.notation import USUAL, Defaults
from domain.safeguards import (
    Effect,
    OnServerLoss,
    Safeguards,
    check_safeguards,
    read_effect,
    read_interlocks,
)
from domain.sensors import SensorKey
from domain.services.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Protect:
    """Checks declarations against what is there.

    Attributes:
        unit_of: In which unit a sensor type is measured; None: nobody knows.
        measured_in: In which unit a sensor measures now; None: nobody knows.
        defaults: What is meant where a condition does not say it.
    """

    registry: Registry
    unit_of: Callable[[str], str | None] = lambda _sensor_type: None
    measured_in: Callable[[SensorKey], str | None] = lambda _key: None
    defaults: Defaults = USUAL

    def read(
        self,
        pin: Pin,
        *,
        interlocks: object = None,
        effect: object = None,
        on_server_loss: OnServerLoss | None = None,
    ) -> dict[str, Any]:
        """Read what is given of an actuator's safeguards.

        Args:
            pin: The actuator.
            interlocks: Conditions as JSON; none at all: it has none any more; None: as they are.
            effect: An effect as JSON; an empty object: none any more; None: as it is.
            on_server_loss: What it does when server or broker are gone; None: as it is.

        Returns:
            The fields of `Safeguards` that change.

        Raises:
            FindingsError: Something cannot be taken; it says what, each with its place.
        """
        findings = Findings()
        changes: dict[str, Any] = {}
        if interlocks is not None:
            changes["interlocks"] = read_interlocks(findings, interlocks, self.defaults)
        if effect is not None:
            read = read_effect(findings, effect, self.defaults) if effect != {} else None
            changes["effect"] = read
        if on_server_loss is not None:
            changes["on_server_loss"] = on_server_loss
        findings.require_none()
        for finding in self._check(pin, replace(Safeguards(), **changes)):
            findings.add(finding.place, finding.message, warning=finding.warning)
        findings.require_none()
        return {name: self._in_units(change) for name, change in changes.items()}

    def _in_units(self, declared: object) -> object:
        match declared:
            case tuple():
                return tuple(in_units(condition, self.measured_in) for condition in declared)
            case Effect():
                return replace(declared, condition=in_units(declared.condition, self.measured_in))
            case _:
                return declared

    def warnings(self, pin: Pin) -> list[Finding]:
        """Return what is declared of an actuator and cannot hold as things are."""
        return list(self._check(pin, self.registry.safeguards(pin)))

    def _check(self, pin: Pin, safeguards: Safeguards) -> tuple[Finding, ...]:
        return check_safeguards(safeguards, pin, self._known()) if safeguards.conditions else ()

    def _known(self) -> Known:
        units: Mapping[Any, str | None] = {
            sensor.key: sensor.unit or self.unit_of(sensor.key.sensor_type)
            for sensor in self.registry.sensors()
        }
        devices = {device.esp_id for device in self.registry.devices()}
        return Known(sensors=units, devices=devices, actuators=self.registry.pins())
