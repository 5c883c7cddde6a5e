"""Series, put together from readings in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from domain.sensors import Reading
from domain.series import ORIGIN, SHOWN, Bucket, Window


@dataclass(slots=True)
class FakeSeries:
    rows: list[Reading] = field(default_factory=list)

    async def buckets(self, sensor_id: int, window: Window) -> Sequence[Bucket]:
        found = sorted(
            (
                (ORIGIN + (r.measured_at - ORIGIN) // window.every * window.every, r)
                for r in self.rows
                if r.sensor.id == sensor_id
                and window.start <= r.measured_at < window.end
                and r.measurement.quality in SHOWN
            ),
            key=lambda pair: (pair[0], pair[1].measurement.unit or "", pair[1].measured_at),
        )
        buckets = []
        for (start, unit), pairs in groupby(found, lambda p: (p[0], p[1].measurement.unit)):
            readings = [reading for _, reading in pairs]
            values = [r.measurement.value for r in readings if r.measurement.value is not None]
            if values:
                mean = sum(values) / len(values)
                at = readings[-1].measured_at
                extremes = min(values), max(values)
                buckets.append(Bucket(start, unit, len(values), mean, *extremes, values[-1], at))
        return buckets
