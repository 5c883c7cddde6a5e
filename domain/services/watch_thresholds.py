"""Watches readings against the thresholds of their sensors, and tells each edge once.

It is fed after COMMIT with what is really new, and never makes anybody wait: where a sensor stands
is stored a little later, so that its event is there first. A crash in between tells an edge again
rather than never.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.errors import BadInputError
from domain.ports import Clock
from domain.repositories import Storage
from domain.sensors import TRUSTED, Reading, Sensor
from domain.services.guard import Guard
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.system_events import EventKind, Severity
from domain.thresholds import Thresholds, Zone
from domain.units import convert, shown

STORE_EVERY = timedelta(seconds=2)
"""How long after an edge it is stored where the sensor stands."""

FRESH = timedelta(minutes=5)
"""How old a reading may be to say how things are: it may have waited for the broker."""

_SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


@dataclass(slots=True)
class WatchCounts:
    """What became of the readings of sensors with thresholds.

    Attributes:
        judged: Compared.
        doubted: Left out: bad, without a value, late, or older than one that was seen.
        unfit: Left out: their unit does not fit the thresholds'.
        edges: Told.
    """

    judged: int = 0
    doubted: int = 0
    unfit: int = 0
    edges: int = 0


class Standing(NamedTuple):
    """Where a sensor stands to its thresholds.

    Attributes:
        since: When the reading was measured that brought it there; None: no event that is kept
            tells of one.
    """

    zone: Zone
    since: datetime | None


@dataclass(slots=True, kw_only=True)
class WatchThresholds:
    """Compares, tells and remembers; `run` stores."""

    storage: Storage
    registry: Registry
    clock: Clock
    guard: Guard
    record: RecordEvents
    counts: WatchCounts = field(default_factory=WatchCounts)
    _zones: dict[int, Zone] = field(default_factory=dict, init=False)
    _since: dict[int, datetime] = field(default_factory=dict, init=False)
    _seen: dict[int, datetime] = field(default_factory=dict, init=False)
    _unsaved: dict[int, Zone] = field(default_factory=dict, init=False)
    _moved: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def load(self) -> None:
        """Remember where sensors stood when the server ended.

        Raises:
            StorageUnavailableError: The database cannot be reached.
        """
        async with self.storage.autocommit() as work:
            self._zones.update(await work.sensors.zones())
            self._since.update(await work.sensors.zones_since())

    def zone(self, sensor_id: int) -> Zone:
        """Return where a sensor stands."""
        return self._zones.get(sensor_id, Zone.NORMAL)

    def standing(self, sensor_id: int) -> Standing | None:
        """Return where a sensor stands; None: nobody knows, for nothing could be compared yet."""
        sensor = self.registry.sensor_by_id(sensor_id)
        if sensor is None or sensor.thresholds is None:
            return None
        if sensor_id not in self._zones and sensor_id not in self._seen:
            return None
        return Standing(self.zone(sensor_id), self._since.get(sensor_id))

    def __call__(self, readings: Iterable[Reading]) -> None:
        """Take in readings of approved devices, in the order of commits."""
        for reading in readings:
            # As people set it up by now, not as it was when the reading arrived.
            sensor = self.registry.sensor(reading.sensor.key)
            if sensor is not None and sensor.thresholds is not None:
                self._compare(sensor, sensor.thresholds, reading)
            elif reading.sensor.id in self._zones:
                self._move(reading.sensor.id, Zone.NORMAL, reading.measured_at)

    def _compare(self, sensor: Sensor, thresholds: Thresholds, reading: Reading) -> None:
        measured = reading.measurement
        at = min(reading.measured_at, reading.received_at)
        seen = self._seen.get(sensor.id)
        late = reading.received_at - at > FRESH or (seen is not None and at <= seen)
        if measured.value is None or measured.quality not in TRUSTED or late:
            self.counts.doubted += 1
            return
        try:
            value = convert(measured.value, measured.unit or "", thresholds.unit)
        except BadInputError:
            self.counts.unfit += 1
            return
        self.counts.judged += 1
        self._seen[sensor.id] = at
        before = self.zone(sensor.id)
        zone = thresholds.zone(value, before)
        if zone is not before:
            self._move(sensor.id, zone, at)
            self._tell(sensor, thresholds, reading, shown(value), before, zone)

    def _move(self, sensor_id: int, zone: Zone, at: datetime) -> None:
        self._since[sensor_id] = at
        if zone is Zone.NORMAL:
            self._zones.pop(sensor_id, None)
        else:
            self._zones[sensor_id] = zone
        self._unsaved[sensor_id] = zone
        self._moved.set()

    def _tell(  # noqa: PLR0913, PLR0917 - what the sentence is made of
        self,
        sensor: Sensor,
        thresholds: Thresholds,
        reading: Reading,
        value: float,
        before: Zone,
        zone: Zone,
    ) -> None:
        self.counts.edges += 1
        crossed = zone.rank >= before.rank
        device = self.registry.device(sensor.key.esp_id)
        owner = (device and device.name) or sensor.key.esp_id
        self.record(
            EventKind.THRESHOLD_CROSSED if crossed else EventKind.THRESHOLD_RETURNED,
            _SEVERITIES[zone.rank],
            f"{owner}, {sensor.name}: {value:g} {thresholds.unit}, "
            f"{_sentence(thresholds, before, zone)}.",
            esp_id=sensor.key.esp_id,
            # Each edge is told, however soon it follows: the state machine repeats none.
            about=f"{sensor.id} {reading.id}",
            details={
                "gpio": sensor.key.gpio,
                "sensor_type": sensor.key.sensor_type,
                "address": sensor.key.address,
                "zone": zone.value,
                "before": before.value,
                "value": value,
                "unit": thresholds.unit,
                "limit": thresholds.limit(zone if crossed else before),
                "measured_at": reading.measured_at.isoformat(),
            },
        )

    async def run(self) -> None:
        """Store where sensors stand, until cancelled."""
        while True:
            await self._moved.wait()
            await self.clock.sleep(STORE_EVERY.total_seconds())
            self._moved.clear()
            unsaved, self._unsaved = self._unsaved, {}
            await self._save(unsaved)

    async def _save(self, zones: Mapping[int, Zone]) -> None:
        async def save() -> None:
            async with self.storage.autocommit() as work:
                await work.sensors.save_zones(zones)

        await self.guard.insist(save)


def _sentence(thresholds: Thresholds, before: Zone, zone: Zone) -> str:
    if zone is Zone.NORMAL:
        return "back to normal"
    level = "warning" if zone.rank == 1 else "alarm"
    side = "above" if zone.value.endswith("HIGH") else "below"
    limit = f"{side} the {level} of {thresholds.limit(zone):g} {thresholds.unit}"
    return limit if zone.rank >= before.rank else f"no alarm any more, but still {limit}"
