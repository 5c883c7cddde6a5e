"""Monthly partitions of `reading`, made when the first reading of a month needs one.

Old months then leave by dropping a table, and every index stays small enough for memory.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple, Self

from asyncpg.pool import PoolConnectionProxy

from domain.errors import StorageRejectedError

FIRST_YEAR, LAST_YEAR = 2000, 2099
"""No reading is older than the firmware, and a broken clock must not make a table per month."""


class Month(NamedTuple):
    """A month of UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, instant: datetime) -> Self:
        """Return the month that an instant lies in."""
        utc = instant.astimezone(UTC)
        return cls(utc.year, utc.month)

    def following(self) -> "Month":
        """Return the month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def start(self) -> str:
        """Its first instant, as PostgreSQL reads it."""
        return f"{self.year}-{self.month:02}-01 00:00:00+00"

    @property
    def partition(self) -> str:
        """The name of its table."""
        return f"reading_{self.year}_{self.month:02}"


class Partitions:
    """The partitions that are there, as far as this process knows."""

    def __init__(self) -> None:
        self._known: set[Month] = set()

    def forget(self) -> None:
        """Look again: somebody dropped one."""
        self._known.clear()

    async def ensure(
        self, connection: PoolConnectionProxy, measured: Iterable[datetime], now: datetime
    ) -> None:
        """Make partitions for readings, and for this and the next month in advance.

        Must not be called inside a transaction: it commits its own.

        Raises:
            StorageRejectedError: A time lies outside the years that can be kept.
        """
        needed = {Month.of(instant) for instant in measured}
        if missing := needed - self._known:
            _check(missing)
        this_month = Month.of(now)
        needed |= {this_month, this_month.following()}
        if missing := needed - self._known:
            async with connection.transaction():
                await connection.execute(_LOCK)
                for month in sorted(missing):
                    await _make(connection, month)
            self._known |= missing


def _check(months: Iterable[Month]) -> None:
    for month in months:
        if not FIRST_YEAR <= month.year <= LAST_YEAR:
            raise StorageRejectedError(
                f"a reading of {month.year} cannot be kept, only of {FIRST_YEAR} to {LAST_YEAR}"
            )


async def _make(connection: PoolConnectionProxy, month: Month) -> None:
    # Made beside the table and attached: PARTITION OF would lock out everybody who reads.
    name = month.partition
    if await connection.fetchval("SELECT to_regclass($1)", name) is not None:
        return
    await connection.execute(f"CREATE TABLE {name} (LIKE reading INCLUDING CONSTRAINTS)")
    await connection.execute(
        f"ALTER TABLE reading ATTACH PARTITION {name}"
        f" FOR VALUES FROM ('{month.start}') TO ('{month.following().start}')"
    )


_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('god-kaiser partitions', 0))"
