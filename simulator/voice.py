"""How a board speaks: here every message gets its origin and topic, and leaves by the outlet."""

from dataclasses import dataclass, field

import msgspec

from mqtt_bridge import topics
from mqtt_bridge.messages import Outgoing
from mqtt_bridge.topics import Kind, Topic
from simulator.actions import Action
from simulator.clocks import BoardClock
from simulator.dialects import Dialect
from simulator.outlets import Outlet
from simulator.writing import Fields, Origin, intent_outcome, will

_ON_LITERAL_LEVEL = frozenset({Kind.SESSION_ANNOUNCE, Kind.ONEWIRE_SCAN})
"""What firmware publishes below `kaiser/god`, wherever it belongs."""


@dataclass(slots=True, kw_only=True)
class Voice:
    """What a board has to say.

    Attributes:
        level: The topic level it speaks on.
        zone_id: The zone it believes to be in; empty: none.
    """

    esp_id: str
    dialect: Dialect
    clock: BoardClock
    outlet: Outlet
    level: str
    zone_id: str = ""
    _sequence: int = field(default=0, init=False)
    _topics: dict[tuple[Kind, int | None], str] = field(default_factory=dict, init=False)
    _said: list[Action] = field(default_factory=list, init=False)

    def origin(self, now: float, *, numbered: bool = True) -> Origin:
        """Return what a payload begins with; each call takes the next number."""
        sequence = None
        if self.dialect.numbers and numbered:
            self._sequence += 1
            sequence = self._sequence
        return Origin(
            esp_id=self.esp_id,
            zone_id=self.zone_id,
            stamp=self.clock.stamp(now),
            sequence=sequence,
        )

    def say(self, kind: Kind, fields: Fields, now: float, *, gpio: int | None = None) -> None:
        """Send a message, if the board can now; keep it, if the firmware would."""
        payload = msgspec.json.encode(fields)
        self._said += self.outlet.send(kind, self.topic(kind, gpio), payload, now)

    def tell_outcome(
        self, flow: str, intent_id: str | None, outcome: str, now: float, *, code: str = "NONE"
    ) -> None:
        """Tell what became of an order, if it had a name and the firmware does so."""
        if self.dialect.correlates and intent_id:
            fields = intent_outcome(
                self.origin(now),
                flow,
                intent_id,
                verdict=(outcome, code),
                epoch=self.outlet.registration.announced,
            )
            self.say(Kind.INTENT_OUTCOME, fields, now)

    def pass_on(self, *actions: Action) -> None:
        """Add what needs no writing any more."""
        self._said += actions

    def release(self) -> None:
        """Send what was kept while nothing could leave, once it can."""
        self._said += self.outlet.release()

    def flush(self) -> list[Action]:
        """Return all that was said since the last call."""
        said, self._said = self._said, []
        return said

    def move(self, level: str) -> None:
        """Speak on another topic level from now on."""
        self.level = level
        self._topics.clear()

    def restart(self) -> None:
        """Count from the beginning, as after a reboot."""
        self._sequence = 0

    def topic(self, kind: Kind, gpio: int | None = None) -> str:
        """Return where a message of this board goes."""
        name = self._topics.get((kind, gpio))
        if name is None:
            level = topics.GOD if kind in _ON_LITERAL_LEVEL else self.level
            name = self._topics[kind, gpio] = str(Topic(kind, level, self.esp_id, gpio))
        return name

    def last_word(self, now: float) -> Outgoing:
        """Return what the broker shall say when the coming connection breaks."""
        stamp = self.clock.stamp(now)
        fields = will(self.esp_id, stamp, named=self.dialect.hands_over)
        return Outgoing(self.topic(Kind.WILL), msgspec.json.encode(fields), 1, retain=True)
