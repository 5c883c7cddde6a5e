"""Samples of devices without a clock: what makes a redelivered one known again.

Their time of receipt differs at every delivery. So what does identify them (the ticks they carry,
their sequence and their raw value) is remembered for as long as a redelivery may take.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from asyncpg.pool import PoolConnectionProxy

from domain.repositories import NewReading

WINDOW = timedelta(minutes=5)
"""How long a redelivery may take (device protocol, section 7, decision 12)."""

Identity: TypeAlias = tuple[int, int, int | None, float]
"""Sensor id, ticks, sequence, raw value."""


def identity(reading: NewReading) -> Identity | None:
    """Return what identifies a sample without a clock.

    None for one that has a clock, which its time identifies, and for one that carries neither
    ticks nor a sequence: nothing tells it from the next, so it always counts as new.
    """
    sample = reading.sample
    if sample.measured_at is not None or (sample.ticks == 0 and sample.sequence is None):
        return None
    return reading.sensor.id, sample.ticks, sample.sequence, sample.raw_value


class ClocklessSamples:
    """The memory of the last minutes; it lives in the database and in its transactions."""

    def __init__(self) -> None:
        self._swept_at: datetime | None = None

    async def without_known(
        self, connection: PoolConnectionProxy, readings: Sequence[NewReading]
    ) -> Sequence[NewReading]:
        """Return the readings without those that are known, and remember the others.

        Must be called in the transaction that stores them.
        """
        first: dict[Identity, NewReading] = {}
        for reading in readings:
            if (known := identity(reading)) is not None:
                first.setdefault(known, reading)
        if not first:
            return readings
        new = await self._remember(connection, first)
        return [
            reading
            for reading in readings
            if (known := identity(reading)) is None or (known in new and first[known] is reading)
        ]

    async def _remember(
        self, connection: PoolConnectionProxy, first: dict[Identity, NewReading]
    ) -> set[Identity]:
        received = [reading.sample.received_at for reading in first.values()]
        await self._sweep(connection, max(received))
        columns = [list(column) for column in zip(*first, strict=True)]
        rows = await connection.fetch(_REMEMBER, *columns, received, WINDOW)
        return {tuple(row) for row in rows}

    async def _sweep(self, connection: PoolConnectionProxy, now: datetime) -> None:
        if self._swept_at is None or abs(now - self._swept_at) >= WINDOW:
            await connection.execute(_SWEEP, now, WINDOW)
            self._swept_at = now


# A clock that was set back leaves times in the future: those are as worthless as old ones.
_REMEMBER = """
INSERT INTO clockless_sample AS known (sensor_id, ticks, sequence, raw_value, received_at)
SELECT * FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::float8[], $5::timestamptz[])
ON CONFLICT (sensor_id, ticks, sequence, raw_value) DO UPDATE
SET received_at = excluded.received_at
WHERE known.received_at NOT BETWEEN excluded.received_at - $6::interval
                                AND excluded.received_at + $6::interval
RETURNING sensor_id, ticks, sequence, raw_value
"""

_SWEEP = """
DELETE FROM clockless_sample
WHERE received_at NOT BETWEEN $1::timestamptz - $2::interval AND $1::timestamptz + $2::interval
"""
