"""Runs any number of virtual devices on real connections: the only part of the simulator with I/O.

Two tasks per device and two for all: connecting and publishing wait for the broker, each device for
itself; time is told to all of them by one ticker, and what arrives is handled in place.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from domain.errors import BrokerUnavailableError
from domain.ports import Clock
from mqtt_bridge.messages import Outgoing
from mqtt_bridge.session import Delivery
from simulator.actions import Action, Convert, Drop, Renew
from simulator.connections import Connect, Connection, Line
from simulator.devices import VirtualDevice
from simulator.processing import Processor

CONNECTS_PER_SECOND = 100.0
"""How fast a fleet starts: a broker that meets all at once refuses some."""

LARGEST_OUTBOX = 200
"""Messages of one device that may wait for the broker; the newest are lost beyond, and counted."""

_LONGEST_SLEEP = 0.1
"""The ticker looks up this often, in seconds: a device may be due earlier than it was."""

_SHORTEST_SLEEP = 0.001
_NEVER = float("inf")


@dataclass(slots=True)
class LoadReport:
    """What a fleet did so far.

    Attributes:
        connected: Devices that are connected now.
        connects: Connections made.
        failures: Connections refused or lost.
        sent: Messages handed to the broker.
        acked: Those of them that the broker confirmed (QoS 1).
        lost: Messages that a broken connection or a full outbox swallowed.
        obeyed: Commands carried out.
        refused: Commands answered with no.
        trouble: Why the last connection was refused or lost.
    """

    connected: int = 0
    connects: int = 0
    failures: int = 0
    sent: int = 0
    acked: int = 0
    lost: int = 0
    obeyed: int = 0
    refused: int = 0
    trouble: str = ""


@dataclass(slots=True)
class _Seat:
    """A device in the fleet, and what waits to leave it."""

    device: VirtualDevice
    failures: int = 0
    due: float = _NEVER
    outbox: deque[Action] = field(default_factory=deque)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, kw_only=True)
class Fleet:
    """Devices and their connections.

    Attributes:
        connect: Opens the connections, such as `connections.mqtt(address, clock)`.
        connects_per_second: How fast it starts.
        processors: How devices that ask their server reach it, by their ids.
    """

    devices: Sequence[VirtualDevice]
    connect: Connect
    clock: Clock
    connects_per_second: float = CONNECTS_PER_SECOND
    processors: Mapping[str, Processor] = field(default_factory=dict)
    _report: LoadReport = field(default_factory=LoadReport, init=False)
    _seats: list[_Seat] = field(default_factory=list, init=False)
    _calendar: list[tuple[float, int]] = field(default_factory=list, init=False)
    _zero: float = field(default=0.0, init=False)

    def report(self) -> LoadReport:
        """Return what the fleet did so far."""
        return replace(
            self._report,
            obeyed=sum(device.obeyed for device in self.devices),
            refused=sum(device.refused for device in self.devices),
        )

    async def run(self) -> None:
        """Run until cancelled; a broker that is away is waited for as each firmware does."""
        # The wall clock may be set while we run; the devices' time must not jump with it.
        self._zero = self.clock.now().timestamp() - self.clock.monotonic()
        self._seats = [_Seat(device) for device in self.devices]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_the_time(), name="the time of the fleet")
            for number, seat in enumerate(self._seats):
                tasks.create_task(self._live(number, seat), name=seat.device.esp_id)
                await self.clock.sleep(1.0 / self.connects_per_second)

    def _now(self) -> float:
        return self._zero + self.clock.monotonic()

    async def _tell_the_time(self) -> None:
        while True:
            now = self._now()
            while self._calendar and self._calendar[0][0] <= now:
                due, number = heappop(self._calendar)
                seat = self._seats[number]
                if due == seat.due:
                    self._take(number, seat.device.tick(now))
            pause = self._calendar[0][0] - now if self._calendar else _LONGEST_SLEEP
            await self.clock.sleep(min(pause, _LONGEST_SLEEP))

    def _take(self, number: int, actions: Sequence[Action]) -> None:
        seat = self._seats[number]
        room = LARGEST_OUTBOX - len(seat.outbox)
        seat.outbox.extend(actions[:room])
        self._report.lost += len(actions[room:])
        if seat.outbox:
            seat.waiting.set()
        due = max(seat.device.wake_at, self._now() + _SHORTEST_SLEEP)
        if due not in {seat.due, _NEVER}:
            heappush(self._calendar, (due, number))
        seat.due = due

    # ------------------------------------------------------------ one device

    async def _live(self, number: int, seat: _Seat) -> None:
        while True:
            try:
                await self._stay_connected(number, seat)
            except* BrokerUnavailableError as errors:
                seat.failures += 1
                self._report.failures += 1
                self._report.trouble = str(errors.exceptions[0])
            if (task := asyncio.current_task()) is not None and task.cancelling():
                # A group that was cancelled tells only of the errors that this led to.
                raise asyncio.CancelledError
            wait = seat.device.retry_wait(seat.failures)
            if wait is None:
                return
            await self.clock.sleep(wait)

    async def _stay_connected(self, number: int, seat: _Seat) -> None:
        device, here = seat.device, False
        if not device.reaches_broker:
            raise BrokerUnavailableError(f"{device.esp_id} has no network")

        def connected() -> None:
            nonlocal here
            here = True
            seat.failures = 0
            self._report.connects += 1
            self._report.connected += 1
            self._take(number, device.connected(self._now()))

        def deliver(delivery: Delivery) -> None:
            self._take(number, device.message(delivery.topic, delivery.payload, self._now()))
            connection.acknowledge([delivery])

        last_word = device.last_word(self._now())
        connection = self.connect(
            Line(
                client_id=device.esp_id,
                subscriptions=device.subscriptions(),
                last_word=last_word,
                deliver=deliver,
                connected=connected,
            )
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(connection.run(), name=f"connection of {device.esp_id}")
                await self._send_all(number, seat, connection, last_word)
        finally:
            device.disconnected()
            self._report.connected -= here
            self._report.lost += len(seat.outbox)
            seat.outbox.clear()

    async def _send_all(
        self, number: int, seat: _Seat, connection: Connection, last_word: Outgoing | None
    ) -> None:
        while True:
            await seat.waiting.wait()
            seat.waiting.clear()
            while seat.outbox:
                action = seat.outbox.popleft()
                match action:
                    case Drop():
                        await self._vanish(seat, connection, last_word)
                    case Renew():
                        raise BrokerUnavailableError(f"{seat.device.esp_id} moves")
                    case Convert():
                        await self._convert(number, seat, action)
                    case _:
                        await self._send(connection, action)

    async def _convert(self, number: int, seat: _Seat, action: Convert) -> None:
        device, processor = seat.device, self.processors.get(seat.device.esp_id)
        found = None
        if processor is not None:
            found = await processor.convert(device.esp_id, action.sampled, action.uptime_ms)
        self._take(number, device.converted(action.sampled, found, self._now()))

    async def _send(self, connection: Connection, message: Outgoing) -> None:
        try:
            await connection.publish(
                message.topic, message.payload, qos=message.qos, retain=message.retain
            )
        except BrokerUnavailableError:
            self._report.lost += 1
            raise
        self._report.sent += 1
        self._report.acked += message.qos > 0

    async def _vanish(
        self, seat: _Seat, connection: Connection, last_word: Outgoing | None
    ) -> None:
        # The session says goodbye when it ends, so that the broker keeps the last word to itself.
        if last_word is not None:
            await self._send(connection, last_word)
        raise BrokerUnavailableError(f"{seat.device.esp_id} let go")
