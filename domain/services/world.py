"""How things are, for everybody who judges conditions: interlocks, effects, rules.

Fed after COMMIT with what is really new. Of a sensor that nobody follows only the last reading is
kept, which costs next to nothing; who follows one is told of each of its readings, in their order,
at once.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from domain.actuators import ActuatorState, Pin
from domain.devices import DeviceStatus
from domain.lease_book import LeaseBook
from domain.leases import Moment
from domain.ports import Clock
from domain.repositories import Storage
from domain.rules.conditions import Watched
from domain.rules.world import Observation, World
from domain.sensors import TRUSTED, ProcessingMode, Reading, SensorKey
from domain.services.registry import Registry

Told = Callable[[SensorKey], None]

CLOCKS_AGREE = timedelta(seconds=2)
"""How far a device's clock may be behind; many count in whole seconds."""


@dataclass(slots=True, kw_only=True)
class KnownWorld:
    """The newest readings, and what registry and leases know of devices and actuators."""

    storage: Storage
    registry: Registry
    leases: LeaseBook
    clock: Clock
    _last: dict[SensorKey, Reading] = field(default_factory=dict, init=False)
    _newest: dict[SensorKey, Reading] = field(default_factory=dict, init=False)
    _good: dict[SensorKey, Reading] = field(default_factory=dict, init=False)
    _followers: dict[SensorKey, tuple[Told, ...]] = field(default_factory=dict, init=False)

    async def load(self) -> None:
        """Take in the newest reading of each sensor, as far as none is known; once at start.

        Raises:
            StorageUnavailableError: The database cannot be reached.
        """
        sensors = {sensor.id: sensor.key for sensor in self.registry.sensors()}
        async with self.storage.autocommit() as work:
            readings = await work.readings.latest(list(sensors))
        for sensor_id, reading in readings.items():
            key = sensors[sensor_id]
            if self._last.setdefault(key, reading) is reading and key in self._followers:
                self._compare(key, reading)

    def __call__(self, readings: Iterable[Reading]) -> None:
        """Take in readings of approved devices, in the order of commits."""
        last, followers = self._last, self._followers
        for reading in readings:
            key = reading.sensor.key
            last[key] = reading
            if key in followers:
                self._compare(key, reading)
                for told in followers[key]:
                    told(key)

    def live_again(self, readings: Sequence[Reading], told: Told) -> None:
        """Tell somebody of what happened before they were there, as if it happened now.

        Args:
            readings: Of sensors that they follow, in the order of commits.
            told: The one who was not there; all others hear nothing.
        """
        newest = [self._good.pop(key, None) for key in {one.sensor.key for one in readings}]
        for reading in readings:
            self._compare(reading.sensor.key, reading)
            told(reading.sensor.key)
        for known in newest:
            if known is not None:
                self._compare(known.sensor.key, known)

    def follow(self, told: Told, keys: Collection[SensorKey]) -> None:
        """Tell somebody of each reading of some sensors, and of no other any more."""
        wanted = set(keys)
        for key in wanted - self._followers.keys():
            if (reading := self._last.get(key)) is not None:
                self._compare(key, reading)
        for key in wanted | self._followers.keys():
            others = tuple(other for other in self._followers.get(key, ()) if other != told)
            tolds = (*others, told) if key in wanted else others
            if tolds:
                self._followers[key] = tolds
            else:
                for table in (self._followers, self._newest, self._good):
                    table.pop(key, None)

    def _compare(self, key: SensorKey, reading: Reading) -> None:
        for table in (self._newest, self._good) if _is_good(reading) else (self._newest,):
            seen = table.get(key)
            if seen is None or _replaces(reading, seen):
                table[key] = reading

    def good(self, key: SensorKey) -> Reading | None:
        """Return the newest good reading of a sensor."""
        return self._good_of(key)

    def newest(self, key: SensorKey) -> Reading | None:
        """Return the newest reading of a sensor, good or not."""
        return self._newest_of(key)

    def unit(
        self, key: SensorKey, unit_of: Callable[[str], str | None] = lambda _sensor_type: None
    ) -> str | None:
        """Return in which unit a sensor measures; None: in none, or nobody knows.

        Args:
            key: Which.
            unit_of: In which unit its type is measured: what nobody means is the raw value that
                passes through while its library is broken.
        """
        reading, sensor = self._newest_of(key), self.registry.sensor(key)
        if reading is not None and reading.measurement.unit is not None:
            return reading.measurement.unit
        if sensor is not None and sensor.processing_mode is ProcessingMode.RAW:
            return None
        return (sensor and sensor.unit) or unit_of(key.sensor_type)

    def _newest_of(self, key: SensorKey) -> Reading | None:
        return self._newest.get(key) or self._last.get(key)

    def _good_of(self, key: SensorKey) -> Reading | None:
        if key in self._followers:
            return self._good.get(key)
        last = self._last.get(key)
        return last if last is not None and _is_good(last) else None

    # ------------------------------------------------------------ the world as a plain value

    def for_rules(self, watched: Watched) -> World:
        """Return what rules are judged on: the newest good readings, and what devices last said."""
        world = self._world(watched, self._good_of, self._said)
        if not watched.doubtful:
            return world
        newest = {key: self._newest_of(key) for key in watched.doubtful - world.gone}
        return replace(world, doubtful={k: Observation.of(one) for k, one in newest.items() if one})

    def for_interlocks(self, watched: Watched) -> World:
        """Return what interlocks are judged on: only what is known for certain.

        Of each sensor the newest reading, so that a bad one makes the answer unknown. An actuator
        that is being switched, or whose device is away, is neither on nor off: so a pump does not
        start before its valve is confirmed to be open, and of two that must never be on together
        the second is refused as soon as the first is on its way.
        """
        return replace(self._world(watched, self._newest_of, self._certain), doubting=True)

    def for_effects(self, watched: Watched, since: datetime) -> World:
        """Return what an effect is judged on: nothing that was measured before a time."""
        world = self.for_rules(watched)
        start = since - CLOCKS_AGREE
        fresh = {key: seen for key, seen in world.readings.items() if seen.measured_at >= start}
        return replace(world, readings=fresh, doubting=True)

    def _world(
        self,
        watched: Watched,
        reading_of: Callable[[SensorKey], Reading | None],
        state_of: Callable[[Pin], ActuatorState | None],
    ) -> World:
        observed: dict[SensorKey, Observation] = {}
        devices: dict[str, DeviceStatus] = {}
        actuators: dict[Pin, ActuatorState] = {}
        gone = frozenset(key for key in watched.sensors if self.registry.sensor(key) is None)
        for key in watched.sensors - gone:
            if (reading := reading_of(key)) is not None:
                observed[key] = Observation.of(reading)
        for esp_id in watched.devices:
            if (device := self.registry.device(esp_id)) is not None:
                devices[esp_id] = device.status
        for pin in watched.actuators:
            if (state := state_of(pin)) is not None:
                actuators[pin] = state
        return World(readings=observed, devices=devices, actuators=actuators, gone=gone)

    def _said(self, pin: Pin) -> ActuatorState | None:
        actuator = self.registry.actuator(pin)
        return actuator.state if actuator else None

    def _certain(self, pin: Pin) -> ActuatorState | None:
        state, device = self._said(pin), self.registry.device(pin.esp_id)
        if state is None or device is None or not device.online:
            return None
        lease = self.leases.get(pin)
        if lease is None:
            return None if state.is_active else state
        now = Moment(self.clock.now(), self.clock.monotonic())
        if not self.leases.is_surely_on(pin, now):
            return None
        if state.is_active:
            return state
        # It answered that it is on, and its report is on its way.
        reported_at = state.reported_at or lease.began
        return replace(state, is_active=True, value=lease.value, reported_at=reported_at)


def _replaces(reading: Reading, seen: Reading) -> bool:
    at, before = _at(reading), _at(seen)
    # What lies in the future was received before somebody put the server's clock back.
    return at >= before or before > reading.received_at


def _at(reading: Reading) -> datetime:
    return min(reading.measured_at, reading.received_at)


def _is_good(reading: Reading) -> bool:
    measured = reading.measurement
    return measured.value is not None and measured.quality in TRUSTED
