"""A plant without a network: gate, leases, database and two boards, told the time.

What the real server does in tasks happens here in steps, so that every order of them can be tried.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from domain.actuators import CommandAction, Pin
from domain.emergency_stops import EmergencyStop
from domain.lease_book import Closed, LeaseBook, Opened
from domain.leases import LONGEST_REST, Lease, Moment, Run
from domain.safety import Wish, refusal
from tests.fakes import START
from tests.makers import make_actuator, make_device, make_emergency_stop

LOOK = 1.0
PINS = (Pin("ESP_A", 1), Pin("ESP_B", 2))
LONGEST = timedelta(seconds=60)


@dataclass
class Plant:
    """Two pumps on two boards that count no time themselves.

    Attributes:
        on_since: Since when each pin is on, in ticks; None: it is off.
        away: Boards that hear nothing and are not heard.
    """

    ticks: float = 0.0
    set_by: float = 0.0
    book: LeaseBook = field(default_factory=LeaseBook)
    stored: dict[Pin, Lease] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    stop: EmergencyStop | None = None
    on_since: dict[Pin, float | None] = field(default_factory=lambda: dict.fromkeys(PINS))
    away: set[str] = field(default_factory=set)
    passed_while_stopped: list[CommandAction] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.actuators = {
            pin: make_actuator(
                *pin, id=number, max_runtime=LONGEST, min_off_time=timedelta(seconds=2)
            )
            for number, pin in enumerate(PINS)
        }

    @property
    def now(self) -> Moment:
        at: datetime = START + timedelta(seconds=self.ticks + self.set_by)
        return Moment(at, self.ticks)

    # ------------------------------------------------------------ what happens

    def command(self, pin: Pin, action: CommandAction, seconds: float | None, lost: str) -> bool:
        """Give a command; `lost` says what is lost: nothing, the order or the answer."""
        on = action is CommandAction.ON
        wish = Wish(
            action=action,
            value=1.0 if on else 0.0,
            actuator=self.actuators[pin],
            device=make_device(pin.esp_id, online=pin.esp_id not in self.away),
            stops=[self.stop] if self.stop else [],
            usage=self.book.usage(pin, self.now),
        )
        if refusal(wish) is not None:
            if not on:
                self.book.end(pin, self.now)
            return False
        if self.stop:
            self.passed_while_stopped.append(action)
        if on:
            self._switch_on(pin, None if seconds is None else timedelta(seconds=seconds), lost)
        else:
            lease = self.book.asked_off(pin)
            if lease is not None:
                self.book.passed_on(pin, lease.id)
            self._obey_off(pin, lost)
            if lost != "nothing":
                self.book.end(pin, self.now)
        self._store()
        return True

    def _switch_on(self, pin: Pin, duration: timedelta | None, lost: str) -> None:
        lease = self.book.grant(
            UUID(int=next(self._ids)),
            self.actuators[pin],
            1.0,
            duration,
            self.now,
            command_id=UUID(int=1),
        )
        self.stored[pin] = lease
        if lost != "order":
            self._run(pin, on=True)
        if lost == "nothing":
            self.book.confirmed(pin, lease.id)

    def by_hand(self, pin: Pin) -> None:
        """Somebody switches it on at the board."""
        self._run(pin, on=True)

    def report(self, pin: Pin) -> None:
        """A board says what its pin does."""
        if pin.esp_id in self.away:
            return
        if self.on_since[pin] is None:
            self.book.off(pin, self.now)
        else:
            self.book.on(UUID(int=next(self._ids)), self.actuators[pin], 1.0, self.now)
        self._store()

    def press_stop(self) -> None:
        self.stop = make_emergency_stop()
        for pin in PINS:
            if pin.esp_id not in self.away:
                self._run(pin, on=False)
                self.report(pin)

    def clear(self) -> None:
        self.stop = None

    def go_away(self, esp_id: str) -> None:
        self.away.add(esp_id)

    def come_back(self, esp_id: str) -> None:
        """A board is heard again; during a stop it is stopped at once."""
        self.away.discard(esp_id)
        self.book.returned(esp_id)
        for pin in PINS:
            if pin.esp_id == esp_id and self.stop:
                self._run(pin, on=False)
            self.report(pin)

    def set_clock(self, by: float) -> None:
        """The server's clock is set, while it runs."""
        self.set_by += by
        self.look()

    def restart(self, *, down: float = 0.0, set_by: float = 0.0) -> None:
        """The server dies and comes back; meanwhile time goes on, and its clock may be set back."""
        self._see()
        self.ticks += down
        self.set_by += set_by
        self.book = LeaseBook()
        recent = [run for run in self.runs if run.ended >= self.now.at - LONGEST_REST]
        self.book.load(self.stored.values(), recent, self.now)
        self.look()

    def wait(self, seconds: float) -> None:
        end = self.ticks + seconds
        while self.ticks < end:
            self.ticks = min(end, self.ticks + LOOK)
            self.look()

    def look(self, lost: str = "nothing") -> None:
        """Do what the watchdog does at each look."""
        self.book.settle(self.now)
        for actuator in self.actuators.values():
            self.book.limit(actuator, self.now)
        for lease in self.book.due(self.now):
            self.book.told(lease.pin, self.now)
            self.book.passed_on(lease.pin, lease.id)
            self._obey_off(lease.pin, "order" if lease.pin.esp_id in self.away else lost)
        if self.book.take_moved():
            self._see()
        self._store()

    # ------------------------------------------------------------ inside

    def _obey_off(self, pin: Pin, lost: str) -> None:
        if lost != "order":
            self._run(pin, on=False)
        if lost == "nothing":
            self.book.off(pin, self.now, answered=True)

    def _run(self, pin: Pin, *, on: bool) -> None:
        since = self.on_since[pin]
        self.on_since[pin] = (self.ticks if since is None else since) if on else None

    def _see(self) -> None:
        for lease in self.book.leases:
            if lease.pin in self.stored and self.stored[lease.pin].id == lease.id:
                self.stored[lease.pin] = replace(lease, seen_at=self.now.at)

    def _store(self) -> None:
        for change in self.book.take_changes():
            match change:
                case Opened(lease):
                    self.stored.setdefault(lease.pin, lease)
                case Closed(lease, run):
                    if self.stored.get(lease.pin, lease).id == lease.id:
                        self.stored.pop(lease.pin, None)
                    if run is not None:
                        self.runs.append(run)

    # ------------------------------------------------------------ what must always hold

    def check(self) -> None:
        """Fail where something is on that must not be.

        Of a board that is there and says what it does: it has a lease, stored too, and is off
        soon after the lease and its longest time on are over.
        """
        assert set(self.passed_while_stopped) <= {CommandAction.OFF}
        for pin in PINS:
            lease, since = self.book.get(pin), self.on_since[pin]
            if lease is not None:
                # A clock that is put right may show that something has been on for too long.
                ending = self.book.usage(pin, self.now).ending
                assert ending or lease.until - lease.on_since <= LONGEST + timedelta(seconds=LOOK)
                assert self.stored[pin].id == lease.id
            if since is not None and pin.esp_id not in self.away:
                self.report(pin)
                assert self.book.get(pin) is not None
        self.look()
        for pin in PINS:
            if self.on_since[pin] is not None and pin.esp_id not in self.away:
                usage = self.book.usage(pin, self.now)
                assert usage.on_for is not None
                assert usage.on_for < LONGEST
