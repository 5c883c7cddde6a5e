"""The wire, the libraries, the event stream, passwords and tokens."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from domain.actuators import Command, CommandResponse, Pin
from domain.errors import (
    BrokerUnavailableError,
    DomainError,
    EventStreamLostError,
    UnauthenticatedError,
)
from domain.events import Event
from domain.parameters import Recipe
from domain.sensors import Measurement, ProcessingMode, Quality, Sample
from domain.users import Identity, User
from tests.fakes.clock import FakeClock

E = TypeVar("E", bound=Event)


@dataclass(slots=True)
class FakeCommandLink:
    """Devices that answer at once; `error` silences them, `success = False` makes them refuse.

    `slot` keeps commands from leaving until it is set, `hold` answers from coming; `most_open` is
    how many exchanges a pin ever had.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    success: bool = True
    message: str = "ok"
    error: DomainError | None = None
    hold: asyncio.Event | None = None
    slot: asyncio.Event | None = None
    sent: list[tuple[Command, str]] = field(default_factory=list)
    most_open: int = 0
    _open: list[Pin] = field(default_factory=list)

    @asynccontextmanager
    async def exchange(
        self, command: Command, kaiser_id: str
    ) -> AsyncIterator["FakeCommandExchange"]:
        self._open.append(command.pin)
        self.most_open = max(self.most_open, self._open.count(command.pin))
        try:
            yield FakeCommandExchange(self, command, kaiser_id)
        finally:
            self._open.remove(command.pin)


@dataclass(slots=True)
class FakeCommandExchange:
    """Implements CommandExchange over a `FakeCommandLink`."""

    link: FakeCommandLink
    command: Command
    kaiser_id: str

    async def publish(self, permit: Callable[[], None]) -> None:
        await asyncio.sleep(0)
        if self.link.slot is not None:
            await self.link.slot.wait()
        if isinstance(self.link.error, BrokerUnavailableError):
            raise self.link.error
        permit()
        self.link.sent.append((self.command, self.kaiser_id))

    async def response(self) -> CommandResponse:
        if self.link.hold is not None:
            await self.link.hold.wait()
        if self.link.error:
            raise self.link.error
        return CommandResponse(
            pin=self.command.pin,
            received_at=self.link.clock.now(),
            success=self.link.success,
            message=self.link.message,
            correlation_id=str(self.command.id),
            action=self.command.action.value,
            value=self.command.value,
        )


@dataclass(slots=True)
class FakeLibraries:
    """Passes every raw value through."""

    unit: str | None = "°C"
    measured: list[Sample] = field(default_factory=list)

    @property
    def edition(self) -> object:
        return self

    def recipe(self, sensor_type: str) -> Recipe | None:  # noqa: ARG002 - it knows none
        return None

    async def measure_all(
        self, samples: Sequence[tuple[Sample, Mapping[str, float] | None]]
    ) -> Sequence[Measurement]:
        self.measured += [sample for sample, _ in samples]
        return [
            Measurement(sample.raw_value, self.unit, Quality.GOOD, ProcessingMode.RAW)
            for sample, _ in samples
        ]


class _Lost:
    """Put in an inbox: the stream cannot vouch for what follows."""


@dataclass(slots=True)
class FakeEventStream:
    """Every listener gets every event of its kind; `lose` breaks all streams."""

    published: list[Event] = field(default_factory=list)
    _inboxes: list[tuple[type[object], asyncio.Queue[Event | _Lost]]] = field(default_factory=list)

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._inboxes)

    async def publish(self, event: Event) -> None:
        self.published.append(event)
        for kind, inbox in self._inboxes:
            if isinstance(event, kind):
                inbox.put_nowait(event)

    def lose(self) -> None:
        for _, inbox in self._inboxes:
            inbox.put_nowait(_Lost())

    @asynccontextmanager
    async def listen(self, kind: type[E]) -> AsyncIterator[AsyncIterator[E]]:
        inbox: asyncio.Queue[Event | _Lost] = asyncio.Queue(maxsize=10_000)
        entry = (kind, inbox)
        self._inboxes.append(entry)
        try:
            yield self._drain(kind, inbox)
        finally:
            self._inboxes.remove(entry)

    async def _drain(self, kind: type[E], inbox: asyncio.Queue[Event | _Lost]) -> AsyncIterator[E]:
        while True:
            event = await inbox.get()
            if not isinstance(event, kind):
                raise EventStreamLostError("events were lost; subscribe again")
            yield event


@dataclass(slots=True)
class FakePasswords:
    """Fast and transparent; `verified` counts how often a hash was worked on."""

    verified: int = 0

    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def verify(self, password: str, password_hash: str) -> bool:
        self.verified += 1
        return password_hash == f"hash of {password}"


@dataclass(slots=True)
class FakeTokens:
    """Tokens that say in clear text whom they stand for and until when."""

    access_seconds: int = 3600
    refresh_seconds: int = 30 * 86400
    known: dict[str, tuple[User, datetime]] = field(default_factory=dict)

    def _issue(self, kind: str, user: User, ends: datetime) -> str:
        token = f"{kind} {user.username} {ends.isoformat()}"
        self.known[token] = (user, ends)
        return token

    def _read(self, kind: str, token: str, now: datetime) -> tuple[User, datetime]:
        user, ends = self.known.get(token, (None, now))
        if user is None or not token.startswith(kind) or ends <= now:
            raise UnauthenticatedError("the token is not valid")
        return user, ends

    def access(self, user: User, now: datetime) -> tuple[str, datetime]:
        ends = now + timedelta(seconds=self.access_seconds)
        return self._issue("access", user, ends), ends

    def refresh(self, user: User, now: datetime) -> str:
        return self._issue("refresh", user, now + timedelta(seconds=self.refresh_seconds))

    def read_access(self, token: str, now: datetime) -> Identity:
        user, ends = self._read("access", token, now)
        return Identity(user_id=user.id, username=user.username, role=user.role, expires_at=ends)

    def read_refresh(self, token: str, now: datetime) -> str:
        return self._read("refresh", token, now)[0].username
