"""The fast way in for readings: one statement for all that has gathered.

Not through Tortoise: an object per row costs ten times as much as the row. And not through a unit
of work: its task would be one that lives as long as the server.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from domain.dead_letters import DeadLetter
from domain.errors import StorageRejectedError
from domain.repositories import NewReading
from domain.sensors import Measurement, Reading
from storage.clockless import ClocklessSamples
from storage.conversions import Conversions, Meaning, meaning
from storage.dead_letters import insert_dead_letters
from storage.errors import translated
from storage.pages import microseconds
from storage.partitions import Partitions
from storage.qualities import QUALITIES

Connections: TypeAlias = Callable[[], AbstractAsyncContextManager[PoolConnectionProxy]]
"""Lends a connection for the length of a block."""


class PostgresReadingWriter:
    """Implements domain.repositories.ReadingWriter.

    Only one may write to a database at a time: ids grow in the order of commits because they are
    given out here, one batch after another.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._lock = asyncio.Lock()
        self._last_id: int | None = None
        self._unsure: list[Reading] = []
        self._conversions = Conversions()
        self._partitions = Partitions()
        self._clockless = ClocklessSamples()

    async def write(
        self, readings: Sequence[NewReading], dead_letters: Sequence[DeadLetter]
    ) -> Sequence[Reading]:
        """Store a batch in one transaction.

        Where the answer to an earlier batch was lost, what of it is stored comes first.
        """
        if not readings and not dead_letters:
            return []
        async with self._lock:
            with translated():
                async with self._connections() as connection:
                    await self._settle(connection)
                    settled = self._unsure
                    written = await self._write(connection, readings, dead_letters)
            self._unsure = []
            return [*settled, *written]

    async def _settle(self, connection: PoolConnectionProxy) -> None:
        """Find out what became of readings whose COMMIT may or may not have happened."""
        if self._unsure:
            ids = [reading.id for reading in self._unsure]
            rows = await connection.fetch("SELECT id FROM reading WHERE id = ANY ($1)", ids)
            stored = {row["id"] for row in rows}
            self._unsure = [reading for reading in self._unsure if reading.id in stored]

    async def _write(
        self,
        connection: PoolConnectionProxy,
        readings: Sequence[NewReading],
        dead_letters: Sequence[DeadLetter],
    ) -> Sequence[Reading]:
        """Write; where a partition turns out to have been dropped, make it and write again."""
        try:
            return await self._store(connection, readings, dead_letters)
        except asyncpg.CheckViolationError as error:
            if error.constraint_name is not None:  # a partition that is missing has no name
                raise
            self._partitions.forget()
            return await self._store(connection, readings, dead_letters)

    async def _store(
        self,
        connection: PoolConnectionProxy,
        readings: Sequence[NewReading],
        dead_letters: Sequence[DeadLetter],
    ) -> Sequence[Reading]:
        numbers = await self._prepare(connection, readings)
        if not dead_letters and all(r.sample.measured_at is not None for r in readings):
            return await self._insert(connection, readings, numbers)
        async with connection.transaction():
            readings = await self._clockless.without_known(connection, readings)
            stored = await self._insert(connection, readings, numbers)
            if dead_letters:
                await insert_dead_letters(connection, dead_letters)
            return stored

    async def _prepare(
        self, connection: PoolConnectionProxy, readings: Sequence[NewReading]
    ) -> Mapping[Meaning, int]:
        """See to what readings refer to; nothing is asked of the database when all is known.

        Returns:
            The numbers of their conversions.
        """
        if not readings:
            return {}
        if self._last_id is None:
            self._last_id = await connection.fetchval("SELECT coalesce(max(id), 0) FROM reading")
        await self._partitions.ensure(
            connection,
            [r.sample.measured_at or r.sample.received_at for r in readings],
            readings[-1].sample.received_at,
        )
        meanings = {meaning(reading.measurement) for reading in readings}
        return await self._conversions.numbers(connection, meanings)

    async def _insert(
        self,
        connection: PoolConnectionProxy,
        readings: Sequence[NewReading],
        numbers: Mapping[Meaning, int],
    ) -> Sequence[Reading]:
        if not readings:
            return []
        rows = [
            Reading(
                reading_id,
                sensor,
                sample.measured_at or sample.received_at,
                sample.received_at,
                sample.raw_value,
                measurement,
                sample.sequence,
            )
            for reading_id, (sensor, sample, measurement) in zip(
                self._next_ids(readings), readings, strict=True
            )
        ]
        self._unsure = [*self._unsure, *rows]
        inserted = await connection.fetch(
            _INSERT,
            [row.id for row in rows],
            [row.measured_at for row in rows],
            [row.received_at for row in rows],
            [row.raw_value for row in rows],
            [row.measurement.value for row in rows],
            [row.sequence for row in rows],
            [row.sensor.id for row in rows],
            [numbers[meaning(row.measurement)] for row in rows],
            [QUALITIES[row.measurement.quality] for row in rows],
            [written_notes(row.measurement) for row in rows],
        )
        if len(inserted) == len(rows):
            return rows
        new = {record[0] for record in inserted}
        return [row for row in rows if row.id in new]

    def _next_ids(self, readings: Sequence[NewReading]) -> Sequence[int]:
        """Give out ids: the time of receipt in microseconds, or one more than the last.

        What is given out and not stored leaves a gap, which harms nobody.
        """
        last, ids = self._last_id or 0, []
        for reading in readings:
            last = max(last + 1, microseconds(reading.sample.received_at))
            ids.append(last)
        self._last_id = last
        return ids


def written_notes(measurement: Measurement) -> str | None:
    """Return the notes of a measurement as JSON.

    Raises:
        StorageRejectedError: They are no text.
    """
    if not measurement.notes:
        return None
    try:
        return msgspec.json.encode({**measurement.notes}, enc_hook=str).decode()
    except ValueError as error:
        raise StorageRejectedError(f"the notes of a measurement are no text: {error}") from error


_INSERT = """
INSERT INTO reading (id, measured_at, received_at, raw_value, value, sequence, sensor_id,
                     conversion_id, quality, metadata)
SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::float8[],
                     $5::float8[], $6::bigint[], $7::int[], $8::int[], $9::smallint[],
                     $10::jsonb[])
ON CONFLICT DO NOTHING
RETURNING id
"""
