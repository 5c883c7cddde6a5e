"""Reading JSON that people write: all that is wrong is told at once, each at its place."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from domain.actuators import Pin
from domain.errors import BadInputError
from domain.sensors import SensorKey, canonical_type
from domain.times import read_duration
from domain.units import unit_named

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

_SHOWN = 40
_LONGEST_TEXT = 2000
_LAST_PIN = 255


class Finding(NamedTuple):
    """Something to say about one place of what was written.

    Attributes:
        place: Such as `condition.all[2].threshold.value`.
        warning: Whether it may be saved nevertheless.
    """

    place: str
    message: str
    warning: bool = False

    @property
    def text(self) -> str:
        """Place and message in one line."""
        return f"{self.place}: {self.message}"


class FindingsError(BadInputError):
    """What was written cannot be taken; `findings` has every reason with its place."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(finding.text for finding in findings))
        self.findings = tuple(findings)


class Findings:
    """Gathers what is wrong."""

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def add(self, place: str, message: str, *, warning: bool = False) -> None:
        """Take one in."""
        self._found.append(Finding(place, message, warning))

    @property
    def all(self) -> tuple[Finding, ...]:
        """All that was found, in the order of reading."""
        return tuple(self._found)

    def require_none(self) -> None:
        """Go on only where nothing but warnings was found.

        Raises:
            FindingsError: Something else was.
        """
        errors = [finding for finding in self._found if not finding.warning]
        if errors:
            raise FindingsError(errors)


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object and where it stands; null means that a key is not there.

    Every method returns None where the key is not there or its value is not fit, which is then
    among the findings.
    """

    place: str
    entries: Mapping[str, Any]
    findings: Findings

    @classmethod
    def of(
        cls, given: object, place: str, known: Sequence[str], findings: Findings
    ) -> "Fields | None":
        """Open an object; keys that nobody would read are found."""
        if not isinstance(given, Mapping):
            findings.add(place, f"must be an object with {', '.join(known)}")
            return None
        for key in given:
            if key not in known:
                name = str(key)[:_SHOWN]
                findings.add(f"{place}.{name}", f"is not known here; known are {', '.join(known)}")
        return cls(place, {k: v for k, v in given.items() if v is not None}, findings)

    def wrong(self, key: str, message: str) -> None:
        """Say what is wrong with a key."""
        self.findings.add(f"{self.place}.{key}", message)

    def has(self, key: str) -> bool:
        """Say whether a key is there."""
        return key in self.entries

    def need(self, key: str) -> bool:
        """Say whether a key is there; it is missed where it is not."""
        if key not in self.entries:
            self.wrong(key, "is needed")
        return key in self.entries

    def number(self, key: str, low: float = -math.inf, high: float = math.inf) -> float | None:
        """Return a finite number from low to high."""
        value = self.entries.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(key, "must be a number")
            return None
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.wrong(key, "must be a finite number")
            return None
        if not low <= number <= high:
            self.wrong(key, f"must be {_range(low, high)}, not {number:g}")
            return None
        return number

    def whole(self, key: str, low: int, high: int) -> int | None:
        """Return a whole number from low to high."""
        number = self.number(key, low, high)
        if number is None or number.is_integer():
            return None if number is None else int(number)
        self.wrong(key, "must be a whole number")
        return None

    def text(self, key: str, longest: int = _LONGEST_TEXT) -> str | None:
        """Return a text that is not empty."""
        value = self.entries.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip() or len(value) > longest:
            self.wrong(key, f"must be a text of 1 to {longest} characters")
            return None
        return value

    def flag(self, key: str) -> bool | None:
        """Return true or false."""
        value = self.entries.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.wrong(key, "must be true or false")
        return None

    def choice(self, key: str, kind: type[E]) -> E | None:
        """Return one of some words."""
        value = self.entries.get(key)
        if value is None:
            return None
        if isinstance(value, str) and value in list(kind):
            return kind(value)
        self.wrong(key, f"must be one of {', '.join(kind)}")
        return None

    def duration(
        self,
        key: str,
        shortest: timedelta = timedelta(0),
        longest: timedelta = timedelta(days=366),
        *,
        signed: bool = False,
    ) -> timedelta | None:
        """Return an ISO 8601 duration within its bounds; signed: it may begin with a minus."""
        value = self.entries.get(key)
        if value is None:
            return None
        negative = signed and isinstance(value, str) and value.startswith("-")
        try:
            duration = read_duration(value[1:] if negative else value)
        except BadInputError as error:
            self.wrong(key, str(error)[: 2 * _SHOWN])
            return None
        if shortest <= duration <= longest:
            return -duration if negative else duration
        self.wrong(key, f"must be {shortest} to {longest}, not {duration}")
        return None

    def unit(self, key: str = "unit") -> str | None:
        """Return a unit as the server writes it."""
        spelled = self.text(key, _SHOWN)
        if spelled is None:
            return None
        try:
            return unit_named(spelled).symbol
        except BadInputError as error:
            self.wrong(key, str(error))
            return None

    def items(self, key: str) -> Sequence[Any] | None:
        """Return a list with something in it."""
        value = self.entries.get(key)
        if value is None:
            return None
        if isinstance(value, list | tuple) and value:
            return value
        self.wrong(key, "must be a list with something in it")
        return None

    def within(self, key: str, known: Sequence[str]) -> "Fields | None":
        """Open an object inside this one."""
        value = self.entries.get(key)
        if value is None:
            return None
        return Fields.of(value, f"{self.place}.{key}", known, self.findings)

    def sensor(self, key: str) -> SensorKey | None:
        """Return which sensor is meant, under its canonical type; it is missed if not there."""
        if not self.need(key):
            return None
        fields = self.within(key, ("espId", "gpio", "sensorType", "address"))
        if fields is None:
            return None
        esp_id, gpio = fields.required("espId", fields.text), fields.pin()
        kind, address = fields.required("sensorType", fields.text), fields.text("address")
        if esp_id is None or gpio is None or kind is None:
            return None
        return SensorKey(esp_id, gpio, canonical_type(kind), address or "")

    def actuator(self, key: str) -> Pin | None:
        """Return which actuator is meant; it is missed if not there."""
        if not self.need(key):
            return None
        fields = self.within(key, ("espId", "gpio"))
        if fields is None:
            return None
        esp_id, gpio = fields.required("espId", fields.text), fields.pin()
        return None if esp_id is None or gpio is None else Pin(esp_id, gpio)

    def pin(self) -> int | None:
        """Return the number of a pin; it is missed if not there."""
        return self.whole("gpio", 0, _LAST_PIN) if self.need("gpio") else None

    def required(self, key: str, read: Callable[[str], T | None]) -> T | None:
        """Return what a method reads; it is missed if not there."""
        return read(key) if self.need(key) else None


def _range(low: float, high: float) -> str:
    if math.isinf(high):
        return f"{low:g} or more"
    return f"{high:g} or less" if math.isinf(low) else f"{low:g} to {high:g}"
