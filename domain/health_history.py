"""How long reports of a device's health are kept, and how densely.

Everything for a day, to look into what just went wrong; then ever fewer, to see what changes over
weeks and seasons.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

KEPT_WHOLE = timedelta(hours=24)
"""Age until which every report is kept."""

FORGOTTEN = timedelta(days=365)
"""Age from which no report is kept."""

_TIERS = (
    (FORGOTTEN, timedelta(hours=1)),
    (timedelta(days=30), timedelta(hours=1)),
    (KEPT_WHOLE, timedelta(minutes=5)),
)
"""From this age on, one report per so much time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Slot(NamedTuple):
    begin: datetime
    age: timedelta


def superfluous(times: Sequence[datetime], now: datetime) -> Sequence[datetime]:
    """Return which reports are not kept.

    Time is cut into slots that begin at full hours and minutes. The first report of a slot is kept,
    once all of the slot is old enough: so it never matters how often, or in which pieces, a
    history is thinned, if each piece begins with a report that was kept.

    Args:
        times: When the reports of one device were received, oldest first.
        now: The age counts from here.
    """
    gone = []
    last = None
    for time in times:
        slot = _slot(time, now)
        if slot is not None and (slot.age == FORGOTTEN or slot == last):
            gone.append(time)
        last = slot
    return gone


def _slot(time: datetime, now: datetime) -> _Slot | None:
    """Return the slot that a report lies in; None: it is too young."""
    for age, length in _TIERS:
        begin = time - (time - _EPOCH) % length
        if begin + length <= now - age:
            return _Slot(begin, age)
    return None
