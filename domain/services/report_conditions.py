"""Turns what devices tell of their inner state into sentences for growers.

Newest firmware tells a lot: what it refused and why, that its queues fill up, what it threw away.
Every method is called in place and returns at once; see `RecordEvents`.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.intents import Outcome, about, explanation
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.system_events import Detail, EventKind, Severity

MOST_INTENTS = 10_000
"""Outcomes that are remembered: devices repeat some of them after each of their restarts."""

MOST_COUNTED = 10_000
"""Devices whose counters are remembered; the longest silent is forgotten first."""

_LOSSES = "_drop_count"
_SEVERITIES = {
    Outcome.REJECTED: Severity.WARNING,
    Outcome.EXPIRED: Severity.WARNING,
    Outcome.FAILED: Severity.ERROR,
}


@dataclass(slots=True, kw_only=True)
class ReportConditions:
    """What is worth telling of a device's inner state, and how it is said."""

    record: RecordEvents
    registry: Registry
    _outcomes: OrderedDict[tuple[str, str, Outcome], None] = field(
        default_factory=OrderedDict, init=False
    )
    _counters: OrderedDict[str, dict[str, int]] = field(default_factory=OrderedDict, init=False)

    def intent(  # noqa: PLR0913 - what an outcome says
        self,
        esp_id: str,
        intent_id: str,
        outcome: Outcome,
        *,
        flow: str,
        code: str = "",
        reason: str = "",
    ) -> None:
        """A device told what became of an order; refusals are told, each once.

        Args:
            esp_id: The device.
            intent_id: The order's id; a repeat has the same id and outcome.
            outcome: What became of it.
            flow: What kind of order it was, in the firmware's word.
            code: The firmware's word for what stood in the way.
            reason: The device's own sentence.
        """
        if not outcome.refused or self._told(esp_id, intent_id, outcome):
            return
        self.record(
            EventKind.INTENT_REFUSED,
            _SEVERITIES[outcome],
            f"{self.registry.called(esp_id)} did not carry out {about(flow)}: "
            f"{explanation(code, reason)}.",
            esp_id=esp_id,
            about=f"{flow} {outcome} {code}",
            details={
                "flow": flow,
                "outcome": outcome.value,
                "code": code,
                "said": reason,
                "intent_id": intent_id,
            },
        )

    def queue_pressure(self, esp_id: str, *, entered: bool, details: Mapping[str, Detail]) -> None:
        """A device cannot publish as fast as it wants to, or can again."""
        called = self.registry.called(esp_id)
        if entered:
            self.record(
                EventKind.QUEUE_PRESSURE,
                Severity.WARNING,
                f"{called} cannot send as fast as it measures: readings may be late or missing. "
                "Check its WiFi, or let its sensors measure less often.",
                esp_id=esp_id,
                details=details,
            )
        else:
            self.record(
                EventKind.QUEUE_RECOVERED,
                Severity.INFO,
                f"{called} sends as fast as it measures again.",
                esp_id=esp_id,
                details=details,
            )

    def counters(self, esp_id: str, counters: Mapping[str, Detail]) -> None:
        """A device told its counters: what it lost since it told them last is told.

        The first time only shows where they stand: what they counted before may be long ago.
        """
        before = self._counters.pop(esp_id, None)
        now = {
            name: value
            for name, value in counters.items()
            if name.endswith(_LOSSES) and isinstance(value, int)
        }
        self._counters[esp_id] = now
        if len(self._counters) > MOST_COUNTED:
            self._counters.popitem(last=False)
        if before is None:
            return
        lost = {name: _grown(before.get(name, 0), value) for name, value in now.items()}
        lost = {name: count for name, count in lost.items() if count}
        if lost:
            self.record(
                EventKind.MESSAGES_LOST,
                Severity.WARNING,
                f"{self.registry.called(esp_id)} lost {sum(lost.values())} messages that it could "
                "not send. Check its WiFi, or let its sensors measure less often.",
                esp_id=esp_id,
                details=lost,
            )

    def credentials(self, esp_id: str, *, success: bool, mode: str, error: str) -> None:
        """A device logged in to the broker with new credentials, or could not."""
        called = self.registry.called(esp_id)
        details = {"mode": mode, "said": error}
        if success:
            self.record(
                EventKind.CREDENTIALS_ACCEPTED,
                Severity.INFO,
                f"{called} logs in to the broker with its new credentials.",
                esp_id=esp_id,
                details=details,
            )
        else:
            self.record(
                EventKind.CREDENTIALS_REFUSED,
                Severity.ERROR,
                f"{called} could not log in to the broker with its new credentials"
                f"{error and f' ({error})'}. Check that the broker has the same ones.",
                esp_id=esp_id,
                details=details,
            )

    def onewire_found(self, esp_id: str, found: Sequence[tuple[str, str, int | None]]) -> None:
        """A device searched its OneWire buses, and nobody waits for what it found.

        Args:
            esp_id: The device.
            found: The ROM code, the kind and the pin of each chip.
        """
        chips = ", ".join(f"{rom} ({kind})" if kind else rom for rom, kind, _ in found)
        self.record(
            EventKind.ONEWIRE_FOUND,
            Severity.INFO,
            f"{self.registry.called(esp_id)} found {len(found)} sensors on its OneWire buses"
            f"{chips and f': {chips}'}.",
            esp_id=esp_id,
            about=chips,
            details={rom: f"{kind} on GPIO {pin}" for rom, kind, pin in found},
        )

    def _told(self, esp_id: str, intent_id: str, outcome: Outcome) -> bool:
        key = (esp_id, intent_id, outcome)
        if key in self._outcomes:
            self._outcomes.move_to_end(key)
            return True
        self._outcomes[key] = None
        if len(self._outcomes) > MOST_INTENTS:
            self._outcomes.popitem(last=False)
        return False


def _grown(before: int, now: int) -> int:
    """Return by how much a counter grew; one that went back began anew."""
    return now - before if now >= before else now
