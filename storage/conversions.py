"""How a value came about, stored once: readings only carry its number."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from domain.sensors import Measurement

Meaning: TypeAlias = tuple[str, str | None, str | None, str | None, UUID | None]
"""Mode, library, library version, unit, calibration."""

REMEMBERED = 4096
"""Meanings kept in memory. A greenhouse has tens; a device that invents units has no end."""


def meaning(measurement: Measurement) -> Meaning:
    """Return what a measurement has in common with others."""
    return (
        measurement.mode,
        measurement.library,
        measurement.library_version,
        measurement.unit,
        measurement.calibration_id,
    )


class Conversions:
    """Numbers of meanings; what the database gave out is kept in memory."""

    def __init__(self) -> None:
        self._known: dict[Meaning, int] = {}

    async def numbers(
        self, connection: PoolConnectionProxy, wanted: Iterable[Meaning]
    ) -> Mapping[Meaning, int]:
        """Return the numbers of (at least) these meanings.

        New ones are committed at once: a number that was handed out must outlive the transaction
        of the readings that carry it.
        """
        missing = set(wanted) - self._known.keys()
        if missing:
            if len(self._known) + len(missing) > REMEMBERED:
                self._known.clear()
                missing = set(wanted)
            columns = [list(column) for column in zip(*missing, strict=True)]
            for row in await connection.fetch(INTERN, *columns):
                number, *known = row
                self._known[tuple(known)] = number
        return self._known


# The update changes nothing; it makes RETURNING tell of rows that were there.
INTERN = """
INSERT INTO conversion AS known (mode, library, library_version, unit, calibration_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[])
ON CONFLICT (mode, library, library_version, unit, calibration_id)
DO UPDATE SET mode = excluded.mode
RETURNING id, mode, library, library_version, unit, calibration_id
"""
