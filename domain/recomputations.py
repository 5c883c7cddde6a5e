"""Recomputations: stored readings of one sensor are converted again, and can be as they were again.

Raw values never change. What readings said before is kept until the recomputation is too old to be
taken back, so that taking back is exact whatever came of libraries and calibrations meanwhile.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import NamedTuple, TypeAlias
from uuid import UUID

from domain.errors import ConflictError
from domain.quality import Track
from domain.sensors import Measurement, Quality, Reading

KEPT_FOR = timedelta(days=30)
"""How long a recomputation can be taken back: what it keeps for that takes as much room again."""


RECOMPUTED = "recomputed"
"""The note of a measurement that was made again, which no conversion makes."""


class RecomputationState(StrEnum):
    """How far a recomputation has come."""

    PLANNED = "PLANNED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    TAKING_BACK = "TAKING_BACK"
    TAKEN_BACK = "TAKEN_BACK"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


_State = RecomputationState

UNFINISHED = frozenset({_State.PLANNED, _State.RUNNING, _State.TAKING_BACK})
"""Something is still to be done."""


class Left(Enum):
    """Why a reading is left as it is."""

    LOCAL = "its device made the value"
    UNCONVERTED = "nobody can convert it now"


Outcome: TypeAlias = Measurement | Left
"""What converting a reading again came to."""


class Tally(NamedTuple):
    """What many numbers have in common; `low` and `high` mean nothing where there are none."""

    size: int = 0
    total: float = 0.0
    low: float = 0.0
    high: float = 0.0

    @property
    def mean(self) -> float | None:
        """Their mean; None: there are none."""
        return self.total / self.size if self.size else None

    def plus(self, other: "Tally") -> "Tally":
        """Return the tally of both."""
        if not self.size or not other.size:
            return self if self.size else other
        return Tally(
            self.size + other.size,
            self.total + other.total,
            min(self.low, other.low),
            max(self.high, other.high),
        )


NOTHING = Tally()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Readings before and after.

    Attributes:
        rows: Readings that were looked at.
        local: Of these, left alone because their devices made the value.
        unconverted: Left alone because nobody can convert them now.
        rewritten: Those of which anything differs: value, quality, version, calibration, notes.
        changed: Those whose value differs.
        before: Values of the readings that were converted, as far as they had the unit that they
            have now.
        after: Their values now.
        largest_change: The largest difference of a value from what it was in the same unit.
        quality_changes: How often a quality became another, by both.
    """

    rows: int = 0
    local: int = 0
    unconverted: int = 0
    rewritten: int = 0
    changed: int = 0
    before: Tally = NOTHING
    after: Tally = NOTHING
    largest_change: float = 0.0
    quality_changes: Mapping[tuple[Quality, Quality], int] = field(default_factory=dict)

    @property
    def converted(self) -> int:
        """Readings that were not left alone."""
        return self.rows - self.local - self.unconverted

    def plus(self, other: "Summary") -> "Summary":
        """Return the summary of both."""
        return Summary(
            rows=self.rows + other.rows,
            local=self.local + other.local,
            unconverted=self.unconverted + other.unconverted,
            rewritten=self.rewritten + other.rewritten,
            changed=self.changed + other.changed,
            before=self.before.plus(other.before),
            after=self.after.plus(other.after),
            largest_change=max(self.largest_change, other.largest_change),
            quality_changes=Counter(self.quality_changes) + Counter(other.quality_changes),
        )


def compare(outcomes: Iterable[tuple[Reading, Outcome]]) -> Summary:
    """Return what converting readings again changes."""
    left: Counter[Left] = Counter()
    qualities: Counter[tuple[Quality, Quality]] = Counter()
    before, after, rows, rewritten, changed, largest = _Tallying(), _Tallying(), 0, 0, 0, 0.0
    for reading, new in outcomes:
        rows += 1
        if isinstance(new, Left):
            left[new] += 1
            continue
        old = reading.measurement
        rewritten += differs(old, new)
        changed += old.value != new.value or (old.value is not None and old.unit != new.unit)
        if old.quality is not new.quality:
            qualities[old.quality, new.quality] += 1
        if new.value is not None:
            after.add(new.value)
        if old.value is not None and old.unit == new.unit:
            before.add(old.value)
            if new.value is not None:
                largest = max(largest, abs(new.value - old.value))
    return Summary(
        rows=rows,
        local=left[Left.LOCAL],
        unconverted=left[Left.UNCONVERTED],
        rewritten=rewritten,
        changed=changed,
        before=before.tally,
        after=after.tally,
        largest_change=largest,
        quality_changes=qualities,
    )


def differs(old: Measurement, new: Measurement) -> bool:
    """Return whether a reading must be written again."""
    said = {name: note for name, note in (old.notes or {}).items() if name != RECOMPUTED}
    return old._replace(notes=said or None) != new._replace(notes=new.notes or None)


def marked(made: Measurement, recomputation_id: UUID, now: datetime) -> Measurement:
    """Let a measurement say that it is not the one that was made when its reading came in."""
    mark = {"at": now.isoformat(), "recomputation": str(recomputation_id)}
    return made._replace(notes={**(made.notes or {}), RECOMPUTED: mark})


def recomputed_at(measurement: Measurement) -> datetime | None:
    """Return when a measurement was made again; None: it is the first one."""
    mark = (measurement.notes or {}).get(RECOMPUTED)
    return datetime.fromisoformat(mark["at"]) if mark else None


@dataclass(slots=True)
class _Tallying:
    tally: Tally = NOTHING

    def add(self, value: float) -> None:
        self.tally = self.tally.plus(Tally(1, value, value, value))


class Span(NamedTuple):
    """A part of the history of a sensor.

    Attributes:
        start: From this time measured on.
        end: Before this time measured.
        last_id: Up to this reading, in the order of arrival.
    """

    sensor_id: int
    start: datetime
    end: datetime
    last_id: int


class Place(NamedTuple):
    """A place in the history of a sensor: behind the reading of this time and id."""

    measured_at: datetime
    reading_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputation:
    """Converting the history of one sensor again.

    Attributes:
        span: What is converted. Readings that are stored later are converted as things are then,
            and left alone.
        calibration_id: The calibration that is used; None: none.
        total: Readings that there were in this time when it was ordered.
        library_version: The one version that converts all of them; None: not known yet.
        place: How far it has come; None: at the beginning.
        track: What the judge of qualities remembers at that place.
        undone: Readings that are as they were again.
        seconds: How long it was at work.
        outcome: What it will be once everything is as it was; means something while TAKING_BACK.
        reason: Why it failed.
        requested_by: The account that ordered it; None: the account is gone.
    """

    id: UUID
    span: Span
    calibration_id: UUID | None
    total: int
    state: RecomputationState = _State.PLANNED
    library_version: str | None = None
    place: Place | None = None
    track: Track | None = None
    summary: Summary = field(default_factory=Summary)
    undone: int = 0
    seconds: float = 0.0
    outcome: RecomputationState | None = None
    reason: str | None = None
    requested_by: UUID | None = None
    requested_at: datetime
    ended_at: datetime | None = None

    @property
    def progress(self) -> float:
        """How far it, or taking it back, has come, 0 to 1."""
        done, of = self.summary.rows, self.total
        if self.state is _State.TAKING_BACK:
            done, of = self.undone, self.summary.rewritten
        if self.state not in UNFINISHED:
            return 1.0
        return min(1.0, done / of) if of else 0.0

    @property
    def rows_per_second(self) -> float | None:
        """How fast it went, pauses included; None: it has not begun."""
        return self.summary.rows / self.seconds if self.seconds else None

    def overlaps(self, other: "Recomputation") -> bool:
        """Return whether both may have written the same reading."""
        one, two = self.span, other.span
        return one.sensor_id == two.sensor_id and one.start < two.end and two.start < one.end

    def advanced(
        self, page: Summary, place: Place, track: Track | None, version: str | None, seconds: float
    ) -> "Recomputation":
        """Return it one page further."""
        return replace(
            self,
            state=_State.RUNNING,
            summary=self.summary.plus(page),
            place=place,
            track=track,
            library_version=self.library_version or version,
            seconds=self.seconds + seconds,
        )

    def done(self, now: datetime) -> "Recomputation":
        """Return it at its end."""
        return replace(self, state=_State.DONE, track=None, ended_at=now)

    def cancelled(self) -> "Recomputation":
        """Return it on its way back to where it began.

        Raises:
            ConflictError: It is not under way.
        """
        if self.state not in {_State.PLANNED, _State.RUNNING}:
            raise ConflictError(
                f"this recomputation is {self.state}: only one that is under way can be cancelled"
                + ("; take it back instead" if self.state is _State.DONE else "")
            )
        return replace(self, state=_State.TAKING_BACK, outcome=_State.CANCELLED)

    def failed(self, reason: str) -> "Recomputation":
        """Return it on its way back, with the reason: what is half converted helps nobody."""
        return replace(self, state=_State.TAKING_BACK, outcome=_State.FAILED, reason=reason)

    def taken_back(self, now: datetime) -> "Recomputation":
        """Return it on its way back after it was done.

        Raises:
            ConflictError: It is not done, or was done too long ago.
        """
        if self.state is not _State.DONE:
            raise ConflictError(
                f"this recomputation is {self.state}: only one that is DONE can be taken back"
                + ("" if self.state not in UNFINISHED else "; cancel it instead")
            )
        if self.ended_at is not None and now - self.ended_at >= KEPT_FOR:
            raise ConflictError(
                f"this recomputation is older than {KEPT_FOR.days} days: what was before is gone"
            )
        return replace(self, state=_State.TAKING_BACK, outcome=_State.TAKEN_BACK)

    def undid(self, rows: int, now: datetime) -> "Recomputation":
        """Return it with some more readings as they were; 0: all of them are."""
        if rows:
            return replace(self, undone=self.undone + rows)
        return replace(self, state=self.outcome or _State.TAKEN_BACK, track=None, ended_at=now)
