"""Judges every sample on its way into the store; remembers each sensor's past only once stored.

A batch that the database did not take comes again: it must find the memory as it was before.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from domain.limits import QualityLimits
from domain.quality import UNSAID, Track, judge
from domain.sensors import Measurement, Sample, Sensor
from domain.services.registry import Registry


@dataclass(slots=True, kw_only=True)
class JudgeReadings:
    """Knows the limits and the past of every sensor; after a restart the past begins anew.

    Attributes:
        library_limits: What a sensor type's library says; None: no library reads it.
    """

    registry: Registry
    library_limits: Callable[[str], QualityLimits | None]
    _tracks: dict[int, Track] = field(default_factory=dict, init=False)
    _merged: dict[int, "_Merged"] = field(default_factory=dict, init=False)

    def batch(self) -> "JudgedBatch":
        """Begin to judge what will be stored together."""
        return JudgedBatch(self)

    def limits(self, sensor: Sensor) -> QualityLimits:
        """Return what is believable of a sensor: its owner's word goes before its library's."""
        library = self.library_limits(sensor.key.sensor_type)
        if sensor.limits is None:
            return library or UNSAID
        merged = self._merged.get(sensor.id)
        if merged is None or merged.own is not sensor.limits or merged.library is not library:
            merged = _Merged(sensor.limits, library, sensor.limits.over(library))
            self._merged[sensor.id] = merged
        return merged.both


@dataclass(slots=True)
class JudgedBatch:
    """Samples of one transaction; what they teach is kept when they are."""

    _judge: JudgeReadings
    _learnt: dict[int, Track] = field(default_factory=dict, init=False)

    def __call__(self, sensor: Sensor, sample: Sample, measured: Measurement) -> Measurement:
        """Return the measurement with its quality judged."""
        house, learnt, key = self._judge, self._learnt, sensor.id
        device = house.registry.device(sensor.key.esp_id)
        judged, track = judge(
            sample,
            measured,
            house.limits(sensor),
            learnt.get(key) or house._tracks.get(key),  # noqa: SLF001 - a part of it
            None if device is None else device.last_boot_at,
            (sensor.parameters, sensor.sources),
        )
        if track is not None:
            learnt[key] = track
        return judged

    def keep(self) -> None:
        """Remember what was learnt: it is stored."""
        self._judge._tracks.update(self._learnt)  # noqa: SLF001 - a part of it


@dataclass(frozen=True, slots=True)
class _Merged:
    own: QualityLimits
    library: QualityLimits | None
    both: QualityLimits
