"""Fair shares of a batch: a device that floods makes itself wait, and hardly anybody else.

Everything stays in one queue, in the order of arrival; a lane only counts what one device has in
it. While all that waits fits into a batch there is nothing to share. When it does not, one half of
the batch takes the same from everybody, and what some do not need goes to those who have more
(max-min fairness: D. Bertsekas, R. Gallager, Data Networks, section 6.5.2). Nobody's share of that
depends on how much another sends. The other half goes by the order of arrival: acknowledgements
leave in that order, and when they stop, the broker stops too. A device alone gets all of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

from domain.devices import FirmwareEvidence

LANE = 1000
"""Readings of one device that may wait; of more, those without acknowledgement are dropped."""

FLOOD_FACTOR = 10
"""How many times what the others send on average is a flood."""

FLOOD_LEAST = 600
"""Messages between two looks (a minute) below which nobody floods: ten a second are welcome."""

MOST_LANES = 20_000
"""Devices that are counted at once; more than can wait, so that only idle ones are forgotten."""


@dataclass(slots=True, eq=False)
class Lane:
    """What one device has in the queue.

    Attributes:
        name: The device; empty for whatever names none.
        waiting: Readings that are not stored yet; a message without readings counts as one.
        heard: Messages since the last look, dropped ones included.
        dropped: Messages since the last look that were not taken in.
        taken: Readings in the batch that is being formed.
        firmware: What its readings last told of its firmware; forgotten with the lane.
    """

    name: str
    waiting: int = 0
    heard: int = 0
    dropped: int = 0
    taken: int = 0
    firmware: FirmwareEvidence | None = None


class Flood(NamedTuple):
    """A device that sent far more than its share between two looks."""

    name: str
    messages: int
    dropped: int


class Queued(Protocol):
    """A message in the queue."""

    lane: Lane
    readings: int
    stored: bool


Q = TypeVar("Q", bound=Queued)


@dataclass(slots=True)
class Lanes:
    """The lanes of all devices that were heard lately."""

    _lanes: dict[str, Lane] = field(default_factory=dict)

    def lane(self, name: str) -> Lane:
        """Return the lane of a device."""
        lane = self._lanes.get(name)
        if lane is None:
            if len(self._lanes) >= MOST_LANES:
                self._forget_idle()
            lane = self._lanes[name] = Lane(name)
        return lane

    def look(self) -> Sequence[Flood]:
        """Return who flooded since the last look, and count from here."""
        floods = flooding(self._lanes)
        self._forget_idle()
        for lane in self._lanes.values():
            lane.heard = lane.dropped = 0
        return floods

    def fair_batch(self, queue: Iterable[Q], most: int) -> Sequence[Q]:
        """Choose what is stored next.

        Args:
            queue: In the order of arrival; what is stored already is passed over.
            most: Readings in the batch. The last messages of each lane, and of the second half, may
                go beyond, by less than what one message holds.

        Returns:
            A batch in the order of arrival. A device's messages keep their order, and the oldest
            that waits is always among them.
        """
        busy = [lane for lane in self._lanes.values() if lane.waiting]
        share = fair_share([lane.waiting for lane in busy], most - most // 2)
        spare = room = most
        for lane in busy:
            lane.taken = 0
            spare -= min(lane.waiting, share)
        batch: list[Q] = []
        for queued in queue:
            if queued.stored:
                continue
            lane, readings = queued.lane, queued.readings
            if lane.taken < share:
                room -= min(share - lane.taken, readings)
            elif spare > 0:
                room -= min(spare, readings)
                spare -= readings
            else:
                # Neither grows again, so that nothing overtakes within a lane.
                continue
            lane.taken += readings
            batch.append(queued)
            if not room:
                break
        return batch

    def _forget_idle(self) -> None:
        self._lanes = {name: lane for name, lane in self._lanes.items() if lane.waiting}


def fair_share(wanted: Sequence[int], most: int) -> int:
    """Share out fairly.

    Args:
        wanted: What each wants, 1 or more.
        most: What there is.

    Returns:
        The largest share that there is enough of, when everybody who wants less takes only that;
        0 when there is less than one for each.
    """
    left = most
    for served, want in enumerate(sorted(wanted)):
        share = left // (len(wanted) - served)
        if want > share:
            return share
        left -= want
    return most


def flooding(lanes: Mapping[str, Lane]) -> Sequence[Flood]:
    """Return who sent far more than the others do on average, or lost something by sending it."""
    heard = [lane for lane in lanes.values() if lane.heard]
    total, others = sum(lane.heard for lane in heard), len(heard) - 1
    return [
        Flood(lane.name, lane.heard, lane.dropped)
        for lane in heard
        if lane.dropped
        or (
            others
            and lane.heard >= FLOOD_LEAST
            and lane.heard * others >= FLOOD_FACTOR * (total - lane.heard)
        )
    ]
