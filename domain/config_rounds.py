"""One round of bringing a device in line: what to send next, and what its answers mean.

Pure and told the time. One message is under way at a time: most firmware repeats no id, so an
answer belongs to whatever was sent last.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from domain.configs import (
    ANSWER_TIMEOUT,
    LARGEST_GENERATION,
    MOST_TRIES,
    ConfigAnswer,
    ConfigSync,
    ConfigSyncState,
    DeviceConfig,
    Section,
)
from domain.zones import SubzoneAssignment, SubzoneRemoval, ZoneAnswer, ZoneAssignment

Message: TypeAlias = DeviceConfig | ZoneAssignment | SubzoneAssignment | SubzoneRemoval
"""What a device is told during a round."""

Answer: TypeAlias = ConfigAnswer | ZoneAnswer
"""What it says to that."""

SETTLE = timedelta(seconds=1)
"""How long further refusals are waited for: early firmware sends one answer per refused item."""

BUSY_PAUSE = timedelta(seconds=2)
"""How long a device that says it is busy is left alone."""

FIRST_PAUSE = timedelta(seconds=30)
"""How long a device that did not answer is left alone before it is told again."""

LONGEST_PAUSE = timedelta(hours=1)
"""How far that pause grows; it doubles with each round that stayed unanswered."""

_BUSY = {
    "CONFIG_LANE_BUSY",
    "QUEUE_FULL",
    "REPLAY_QUEUE_FULL",
    "OUTBOX_FULL",
    "WRITE_TIMEOUT",
    "STALE_SCOPE",
    "STALE_SENSOR",
    "STALE_ACTUATOR",
    "STALE_OFFLINE_SCOPE",
}
"""Codes that mean: the same again, with a newer generation, may be taken (section 5.2)."""


def pause_after(unanswered: int) -> timedelta:
    """Return how long to wait after some rounds in a row, 1 or more, that nobody answered."""
    return min(FIRST_PAUSE * (1 << min(unanswered - 1, 16)), LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class Step:
    """One message of a round.

    Attributes:
        answered: Whether the device answers it; some firmware takes some messages in silence.
    """

    message: Message
    answered: bool = True


@dataclass(slots=True, kw_only=True)
class ConfigRound:
    """A configuration on its way to one device.

    Attributes:
        steps: The messages, in order.
        sync: What is known of it so far; PENDING until the round is over.
    """

    steps: Sequence[Step]
    sync: ConfigSync
    _at: int = field(default=0, init=False)
    _tries: int = field(default=0, init=False)
    _deadline: datetime | None = field(default=None, init=False)
    _open: set[Section] = field(default_factory=set, init=False)
    _refused: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.sync = replace(
            self.sync, state=ConfigSyncState.PENDING, attempts=0, error=None, items={}
        )

    @property
    def over(self) -> bool:
        """Whether nothing more is to be sent or heard."""
        return self.sync.state is not ConfigSyncState.PENDING

    def due(self, now: datetime) -> Message | None:
        """Return the message to be sent now; None: an answer is waited for, or all is over.

        The same message is due until `sent` says that it went out.
        """
        self._expire(now)
        if self.over or self._deadline is not None:
            return None
        if self._at == len(self.steps):
            self._finish(now)
            return None
        seconds = int(now.timestamp())
        generation = min(max(self.sync.generation + 1, seconds), LARGEST_GENERATION)
        correlation_id = self._correlation_id()
        message = self.steps[self._at].message
        match message:
            case DeviceConfig():
                return replace(
                    message,
                    correlation_id=correlation_id,
                    config_id=correlation_id if message.both_spellings else "",
                    generation=generation,
                    timestamp=seconds,
                )
            case ZoneAssignment() | SubzoneAssignment():
                return replace(message, correlation_id=correlation_id, timestamp=seconds)
            case SubzoneRemoval():
                return replace(message, correlation_id=correlation_id)

    def sent(self, message: Message, now: datetime) -> None:
        """Note that the broker has a message that was due."""
        generation = message.generation if isinstance(message, DeviceConfig) else 0
        self.sync = replace(
            self.sync,
            sent_at=now,
            attempts=self.sync.attempts + 1,
            generation=max(generation, self.sync.generation),
        )
        self._tries += 1
        if not self.steps[self._at].answered:
            self._advance()
            return
        self._deadline = now + ANSWER_TIMEOUT
        self._open = set(message.sections) if isinstance(message, DeviceConfig) else set()

    def not_sent(self) -> None:
        """Note that the broker did not take the message after all; it is due again."""
        self.sync = replace(self.sync, attempts=max(0, self.sync.attempts - 1))
        if self._deadline is not None:
            self._tries -= 1
            self._deadline = None

    def refuse(self, reason: str, now: datetime) -> None:
        """End the round: what is due cannot be said to any device."""
        self._refused["configuration"] = reason
        self._finish(now)

    def answered(self, answer: Answer, now: datetime) -> None:
        """Take in what the device says; what belongs to nothing that was sent changes nothing."""
        self._expire(now)
        if self.over or self._deadline is None or not self._mine(answer):
            return
        if answer.code in _BUSY and not answer.success:
            self._deadline = min(self._deadline, now + BUSY_PAUSE)
            return
        if isinstance(answer, ZoneAnswer):
            if not answer.success:
                self._refused["subzone" if answer.subzone else "zone"] = answer.reason
            self._advance()
            return
        self._section_answered(answer, now)

    def _section_answered(self, answer: ConfigAnswer, now: datetime) -> None:
        if answer.empty:
            return
        self._open -= {answer.section} if answer.section else set(Section)
        if not answer.success:
            self._refuse(answer)
        if self._open:
            return
        if answer.success or answer.listed:
            self._advance()
        else:
            self._deadline = min(self._deadline or now, now + SETTLE)

    def _refuse(self, answer: ConfigAnswer) -> None:
        reason = answer.message or answer.code or "the device refused without a reason"
        for failure in answer.failures:
            section = failure.section or answer.section
            name = f"{section} on GPIO {failure.gpio}" if section else f"GPIO {failure.gpio}"
            self._refused[name] = failure.reason or reason
        if not answer.failures:
            self._refused[f"{answer.section}s" if answer.section else "configuration"] = reason

    def _mine(self, answer: Answer) -> bool:
        message = self.steps[self._at].message
        if answer.correlation_id is not None and answer.correlation_id != self._correlation_id():
            return False
        if isinstance(answer, ConfigAnswer):
            return isinstance(message, DeviceConfig)
        if isinstance(message, ZoneAssignment):
            return not answer.subzone and (
                not answer.success or answer.name in {"", message.zone_id}
            )
        if isinstance(message, SubzoneAssignment | SubzoneRemoval):
            return answer.subzone and answer.name in {"", message.subzone_id}
        return False

    def _correlation_id(self) -> str:
        return f"{self.sync.config_id}-{self._at}"

    def _expire(self, now: datetime) -> None:
        if self._deadline is None or now < self._deadline:
            return
        self._deadline = None
        message = self.steps[self._at].message
        if isinstance(message, DeviceConfig) and not self._open:
            self._advance()
        elif self._tries >= MOST_TRIES:
            self.sync = replace(
                self.sync,
                state=ConfigSyncState.TIMED_OUT,
                items=dict(self._refused),
                error=f"the device did not answer within {ANSWER_TIMEOUT.total_seconds():g} s, "
                f"asked {MOST_TRIES} times",
            )

    def _advance(self) -> None:
        self._at += 1
        self._tries = 0
        self._deadline = None
        self._open = set()

    def _finish(self, now: datetime) -> None:
        refused = dict(self._refused)
        self.sync = replace(
            self.sync,
            state=ConfigSyncState.REJECTED if refused else ConfigSyncState.IN_SYNC,
            confirmed_at=now,
            items=refused,
            error="; ".join(f"{name}: {reason}" for name, reason in refused.items()) or None,
        )
