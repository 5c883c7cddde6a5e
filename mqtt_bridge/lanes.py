"""Fair shares of a batch: a device that floods makes itself wait, and hardly anybody else.

Everything stays in one queue, in the order of arrival; a lane only counts what one device has in
it. While all that waits fits into a batch there is nothing to share. When it does not, the batch
takes the same from everybody, and what some do not need goes to those who have more (max-min
fairness: D. Bertsekas, R. Gallager, Data Networks, section 6.5.2). Nobody's share depends on how
much another sends, and a device alone gets all of it, so that a backlog drains at full speed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

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
    """

    name: str
    waiting: int = 0
    heard: int = 0
    dropped: int = 0
    taken: int = 0


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
            most: Readings in the batch; the last messages of each lane may go beyond by less than
                what one message holds.

        Returns:
            A batch in the order of arrival. A device's messages keep their order, and the oldest
            that waits is always among them.
        """
        busy = [lane for lane in self._lanes.values() if lane.waiting]
        share, spare = fair_share([lane.waiting for lane in busy], most)
        for lane in busy:
            lane.taken = 0
        batch: list[Q] = []
        room = most
        for queued in queue:
            if queued.stored:
                continue
            lane = queued.lane
            entitled = share - lane.taken
            if entitled <= 0:
                # Whoever is full stays full, so that nothing overtakes within a lane.
                if entitled < 0 or not spare:
                    continue
                spare -= 1
                entitled = 1
            lane.taken += queued.readings
            batch.append(queued)
            room -= min(entitled, queued.readings)
            if not room:
                break
        return batch

    def _forget_idle(self) -> None:
        self._lanes = {name: lane for name, lane in self._lanes.items() if lane.waiting}


def fair_share(wanted: Sequence[int], most: int) -> tuple[int, int]:
    """Share out fairly.

    Args:
        wanted: What each wants, 1 or more.
        most: What there is.

    Returns:
        The largest share with which everybody who wants no more is served and nobody gets more, and
        what is left then: less than one for each. With less than one for each the share is 0.
    """
    left = most
    for served, want in enumerate(sorted(wanted)):
        share, spare = divmod(left, len(wanted) - served)
        if want > share:
            return share, spare
        left -= want
    return most, 0


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
