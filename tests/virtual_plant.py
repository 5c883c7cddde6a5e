"""A plant in virtual time: the real services and the real wire, a broker and boards that can fail.

Everything between the gate and the bytes of the firmware is what runs in production; only database,
sockets and time are stood in for. What leaves the server is judged in the moment it leaves, and
what the boards do all the time.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from uuid import UUID

from domain.actuators import ACK_TIMEOUT, CommandAction, CommandOrigin, CommandStatus, Order, Pin
from domain.emergency_stops import EmergencyStop
from domain.errors import DomainError
from domain.sensors import Measurement, ProcessingMode, Quality
from mqtt_bridge import payloads, topics
from mqtt_bridge.messages import ActuatorCommand, Outgoing
from mqtt_bridge.session import Delivery
from mqtt_bridge.topics import Kind
from simulator.actions import Action, Drop
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.faults import Fault
from tests.fakes import START, FakeStorage
from tests.makers import make_actuator, make_device, make_reading
from tests.virtual_boards import (
    DIALECTS,
    ENOUGH,
    FIRST,
    FRESH,
    LEVEL,
    PINS,
    PUMP,
    RULES,
    SAFEGUARDS,
    SECOND,
    Board,
    Held,
    Water,
)
from tests.virtual_server import LATENCY, Server
from tests.virtual_time import VirtualClock, VirtualLoop

ANNA = UUID(int=7)
LONGEST = timedelta(seconds=60)
BOUND = 2.0
"""Seconds for which a pump may be on that must be off, while its board can be told."""

LATEST = 2 * ACK_TIMEOUT.total_seconds() + BOUND
"""Seconds after which nothing may leave the server any more that was asked for before."""

UNTIL_KNOWN = 32.0
"""Seconds from its start until a board has said what all of its pins do."""

UNTOLD = 65.0
"""Seconds until a board says by itself what its pins do, at the latest: that it is on, too."""

SEEN_EVERY = 10.0


# ---------------------------------------------------------------- all of it


@dataclass(slots=True)
class Plant:
    """Three boards of three generations, a broker, a server that may die, and the judge.

    Attributes:
        expires: Whether the broker speaks MQTT 5, so that what it holds for a board expires.
        watched: Whether the watchdog of leases runs; without it the judge must find something.
        ruled: Whether rules command, too.
    """

    expires: bool = True
    watched: bool = True
    ruled: bool = False
    loop: VirtualLoop = field(default_factory=VirtualLoop)
    storage: FakeStorage = field(default_factory=FakeStorage)
    broker_there: bool = True
    boards: dict[str, Board] = field(default_factory=dict)
    stops: dict[UUID, EmergencyStop] = field(default_factory=dict)
    pressed: list[tuple[str | None, int | None]] = field(default_factory=list)
    water: Water = field(default_factory=Water)
    by_hand: set[Pin] = field(default_factory=set)
    kept: deque[Outgoing] = field(default_factory=deque)
    rule_ids: dict[str, UUID] = field(default_factory=dict)
    passed: int = 0
    wrongs: list[str] = field(default_factory=list)
    clock: VirtualClock = field(init=False)
    server: Server = field(init=False)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _made: dict[UUID, float] = field(default_factory=dict)
    _said_off: dict[Pin, float] = field(default_factory=dict)
    _life: asyncio.Task[None] | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.clock = VirtualClock(self.loop)
        for number, pin in enumerate(PINS, start=1):
            self.storage.devices.rows[pin.esp_id] = make_device(pin.esp_id, online=False)
            self.storage.actuators.rows[pin] = make_actuator(
                *pin, id=number, max_runtime=LONGEST, min_off_time=timedelta(seconds=1)
            )
            self.boards[pin.esp_id] = Board(
                VirtualDevice(
                    esp_id=pin.esp_id,
                    dialect=DIALECTS[pin.esp_id],
                    kaiser_id="god",
                    actuators=(VirtualActuator(gpio=pin.gpio, actuator_type="pump"),),
                )
            )
        self.storage.sensors.rows[LEVEL.key] = LEVEL
        self.start()
        for board in self.boards.values():
            self.connect(board)
        self.wait(UNTIL_KNOWN)
        for given in RULES if self.ruled else ():
            self.make(given)

    def new_id(self) -> UUID:
        made = UUID(int=next(self._numbers))
        self._made[made] = self.loop.time()
        return made

    # ------------------------------------------------------------ time

    def wait(self, seconds: float) -> None:
        """Let time pass, and look at everything several times a second."""
        self.loop.run_until_complete(self._wait(seconds))

    async def _wait(self, seconds: float) -> None:
        end = self.loop.time() + seconds
        while (left := end - self.loop.time()) > 0:
            await asyncio.sleep(min(left, 0.25))
            self._judge()
            if self._life is not None and self._life.done():
                self._life.result()

    def close(self) -> None:
        self.kill()
        for board in self.boards.values():
            if board.timer is not None:
                board.timer.cancel()
        for task in self._tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(LATENCY))
        self.loop.close()

    # ------------------------------------------------------------ the server's life

    def start(self) -> None:
        self.server = Server(
            storage=self.storage,
            clock=self.clock,
            new_id=self.new_id,
            take=self.take,
            safeguards=SAFEGUARDS,
            watched=self.watched,
            broker_there=self.broker_there,
        )
        self._life = self.loop.create_task(self._live(self.server))

    def kill(self) -> None:
        self.server.alive = self.server.ready = False
        if self._life is not None:
            self._life.cancel()
            self.loop.run_until_complete(asyncio.wait([self._life]))
            self._life = None
        for pin, lease in self.storage.leases.rows.items():
            # Whether the command of a fresh lease reached its board, the next life cannot know.
            if self.clock.now() - lease.began < 2 * ACK_TIMEOUT:
                left = (lease.until - self.clock.now()).total_seconds()
                board = self.boards[pin.esp_id]
                board.until = max(board.until, self.loop.time() + left)
        # What was pressed while the database was away, and is not stored yet, dies with the server.
        stored = self.storage.emergency_stops.rows
        self.stops = {stop_id: stop for stop_id, stop in self.stops.items() if stop_id in stored}

    def restart(self, down: float, set_by: float = 0.0) -> None:
        self.kill()
        if set_by < 0:
            # What a clock hides that was set back is not longer than since the last word of it.
            for board in self.boards.values():
                board.until += SEEN_EVERY + down
        self.wait(down)
        self.clock.set_by += set_by
        self.start()
        self.wait(0.1)

    async def _live(self, server: Server) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.run())
            while not server.ready:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(LATENCY)
            while self.kept:
                self._deliver(self.kept.popleft())

    # ------------------------------------------------------------ what people do

    def make(self, rule: object) -> None:
        """Make a rule."""
        stored = self.loop.run_until_complete(self.server.rules.create(rule)).rule
        self.rule_ids[stored.name] = stored.id

    def enable(self, name: str, *, enabled: bool) -> None:
        """Enable a rule, or disable it."""
        self._begin(self._enable(name, enabled=enabled))

    async def _enable(self, name: str, *, enabled: bool) -> None:
        if not self.server.ready:
            return
        with suppress(DomainError):
            await self.server.rules.set_enabled(self.rule_ids[name], enabled)

    def order(self, pin: Pin, action: CommandAction, seconds: float | None = None) -> None:
        """Give a command, and do not wait for it."""
        duration = None if seconds is None else timedelta(seconds=seconds)
        wanted = Order(pin=pin, action=action, duration=duration, origin=CommandOrigin.USER)
        self._begin(self._give(wanted))

    async def _give(self, wanted: Order) -> None:
        with suppress(DomainError):
            command = await self.server.send(wanted, wait=False)
            if command.value == 0.0 and command.status is CommandStatus.PENDING:
                self._said_off[wanted.pin] = self.loop.time()

    def press(self, esp_id: str | None, gpio: int | None) -> None:
        self._begin(self._press(esp_id, gpio))

    async def _press(self, esp_id: str | None, gpio: int | None) -> None:
        if not self.server.ready:
            return
        where = (esp_id, gpio)
        self.pressed.append(where)
        stop = await self.server.emergency.stop("fire", esp_id=esp_id, gpio=gpio, by=ANNA)
        self.pressed.remove(where)
        self.stops[stop.id] = stop

    def clear(self) -> None:
        """Clear every stop; nothing goes on by that."""
        for stop_id in tuple(self.stops):
            self._begin(self._clear(stop_id))

    async def _clear(self, stop_id: UUID) -> None:
        if not self.server.ready or stop_id not in self.stops:
            return
        del self.stops[stop_id]
        with suppress(DomainError):
            await self.server.emergency.clear(stop_id, ANNA, resume=False)

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def switch_by_hand(self, pin: Pin) -> None:
        """Somebody switches it on at the board, which says so when it is its turn to."""
        board = self.boards[pin.esp_id]
        if board.device.pins.stopped_at is None:
            board.pump.obey(CommandAction.ON, 1.0, self._now())
            board.until = max(board.until, self.loop.time() + UNTOLD + LONGEST.total_seconds())
            self.by_hand.add(pin)

    def measure(self, value: float | None) -> None:
        """The level meter says something; None: that it is broken."""
        self.water = Water(value, self.loop.time())
        quality = Quality.BAD if value is None else Quality.GOOD
        measured = Measurement(value, "%", quality, ProcessingMode.RAW)
        reading = make_reading(
            sensor=LEVEL, measured_at=self.clock.now(), measurement=measured, raw_value=value or 0.0
        )
        if self.server.ready:
            self.server.world([reading])

    # ------------------------------------------------------------ what fails

    def lose_broker(self, seconds: float) -> None:
        """The broker dies, and with it all that it held."""
        self.broker_there = self.server.broker_there = False
        self.kept.clear()
        for board in self.boards.values():
            self.disconnect(board)
        self.loop.call_later(seconds, self._find_broker)

    def _find_broker(self) -> None:
        self.broker_there = self.server.broker_there = True
        if self.server.ready:
            self.server.devices.connected()

    def lose_database(self, seconds: float) -> None:
        self.storage.available = False
        self.loop.call_later(seconds, self._find_database)

    def _find_database(self) -> None:
        self.storage.available = True

    def lose_network(self, board: Board, seconds: float, *, noticed: bool) -> None:
        """A board loses its network; the broker notices at once, or not while it is away."""
        word = board.device.last_word(self._now())
        board.away = True
        self.disconnect(board)
        if noticed and word is not None:
            self._hear(word)
        self.loop.call_later(seconds, self._find_network, board)

    def _find_network(self, board: Board) -> None:
        board.away = False

    def stall(self, board: Board, seconds: float) -> None:
        """Nothing reaches a board for a while, and then all of it at once."""
        if not board.stalled:
            board.stalled = True
            self.loop.call_later(seconds, self._thaw, board)

    def _thaw(self, board: Board) -> None:
        board.stalled = False
        while board.held and board.connected:
            message, since = board.held.popleft()
            expiry = message.expiry
            late = expiry is not None and self.loop.time() - since >= expiry.total_seconds()
            if not (late and self.expires):
                self._reach(board, message)

    def heal(self) -> None:
        """Bring everything back, and wait until everybody has found the others."""
        self._find_broker()
        self._find_database()
        for board in self.boards.values():
            self._find_network(board)
            self._thaw(board)
            self.mute(board, on=False)
        self.clear()
        self.wait(3.0)
        self.measure(2 * ENOUGH)

    def reboot(self, board: Board) -> None:
        board.device.faults.switch(Fault.REBOOT)
        self._act(board, board.device.tick(self._now()))

    def mute(self, board: Board, *, on: bool) -> None:
        """A board obeys, and does not answer."""
        board.device.faults.switch(Fault.NO_ANSWERS, on=on)

    # ------------------------------------------------------------ the broker

    def take(self, server: Server, message: Outgoing) -> None:
        """Take a message of the server, and pass it on."""
        topic = topics.parse(message.topic)
        assert topic is not None
        if topic.kind is Kind.ACTUATOR_COMMAND:
            command = payloads.decode_outbound(topic, message.payload)
            assert isinstance(command, ActuatorCommand)
            self._check(server, command, message)
        for esp_id, board in self.boards.items():
            if topic.esp_id in {esp_id, ""} and board.connected:
                if board.stalled or board.held:
                    board.held.append(Held(message, self.loop.time()))
                else:
                    self._reach(board, message)

    def _reach(self, board: Board, message: Outgoing) -> None:
        self._act(board, board.device.message(message.topic, message.payload, self._now()))

    def _hear(self, message: Outgoing) -> None:
        if not self.broker_there:
            return
        if self.server.ready:
            self._deliver(message)
        elif message.qos:
            self.kept.append(message)

    def _deliver(self, message: Outgoing) -> None:
        self.server.control.hear(
            Delivery(message.topic, message.payload, message.qos, retain=False, mid=1, connection=1)
        )

    # ------------------------------------------------------------ boards

    def _now(self) -> float:
        return START.timestamp() + self.loop.time()

    def connect(self, board: Board) -> None:
        if board.away or not self.broker_there:
            self.loop.call_later(1.0, self.connect, board)
            return
        board.connected = True
        self._act(board, board.device.connected(self._now()))

    def disconnect(self, board: Board) -> None:
        if board.connected:
            board.connected = False
            board.held.clear()
            board.device.disconnected()
            self.loop.call_later(1.0, self.connect, board)

    def _act(self, board: Board, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, Drop):
                self.disconnect(board)
            elif isinstance(action, Outgoing) and board.connected:
                # In order: the loop does not keep that of what is due at the same moment.
                board.heard_at = max(self.loop.time() + LATENCY, board.heard_at + 1e-6)
                self.loop.call_at(board.heard_at, self._hear, action)
        if board.timer is not None:
            board.timer.cancel()
        pause = min(max(board.device.wake_at - self._now(), 0.05), 60.0)
        board.timer = self.loop.call_later(pause, self._tick, board)

    def _tick(self, board: Board) -> None:
        self._act(board, board.device.tick(self._now()))

    # ------------------------------------------------------------ the judge

    def _check(self, server: Server, command: ActuatorCommand, message: Outgoing) -> None:
        """Judge what leaves the server, by what only the plant knows."""
        pin = Pin(command.esp_id, command.gpio)
        self.passed += 1
        if command.action is CommandAction.OFF:
            return
        where = [*self.pressed, *((stop.esp_id, stop.gpio) for stop in self.stops.values())]
        for esp_id, gpio in where:
            if esp_id in {None, pin.esp_id} and gpio in {None, pin.gpio}:
                self.wrongs.append(f"{command.action} of {pin} during a stop")
        lease = self.storage.leases.rows.get(pin)
        if lease is None or lease.until <= self.clock.now() or server.leases.get(pin) is None:
            self.wrongs.append(f"{command.action} of {pin} without a lease")
        if message.expiry is None or message.expiry > ACK_TIMEOUT:
            self.wrongs.append(f"{command.action} of {pin} may be obeyed late")
        made = self._made[UUID(command.correlation_id)]
        if made < self._said_off.get(pin, 0.0):
            self.wrongs.append(f"{command.action} of {pin} leaves though OFF was said after it")
        age = self.loop.time() - made
        if age > LATEST:
            self.wrongs.append(f"{command.action} of {pin} leaves {age:.1f} s after it was asked")
        if not self._permitted(pin):
            self.wrongs.append(f"{command.action} of {pin} against its interlock")
        board, length = self.boards[pin.esp_id], min(command.duration, LONGEST.total_seconds())
        # A board that refuses leaves on what somebody switched on by hand.
        by_hand = board.until if pin in self.by_hand else 0.0
        board.until = max(by_hand, self.loop.time() + length)

    def _permitted(self, pin: Pin) -> bool:
        if pin == PUMP:
            fresh = self.loop.time() - self.water.at <= FRESH.total_seconds()
            return fresh and self.water.value is not None and self.water.value > ENOUGH
        other = SECOND if pin == FIRST else FIRST
        # What somebody switched on at the board nobody knows of before it says so.
        return other in self.by_hand or not self.boards[other.esp_id].pump.is_on

    def _judge(self) -> None:
        """See whether something is on that must be off, while somebody could have told it."""
        now, watching = self.loop.time(), self.server.ready and self.broker_there
        for pin in PINS:
            board = self.boards[pin.esp_id]
            held = not watching or not board.connected or board.stalled or board.is_locked_up
            if not board.pump.is_on:
                self.by_hand.discard(pin)
            elif held and pin in self.by_hand - self.storage.leases.rows.keys():
                # The server is yet to hear of it: its board says it again once it can be heard; or
                # the last server heard of it, but stored nothing that the next one could know.
                board.until = max(board.until, now + UNTOLD + LONGEST.total_seconds())
            covered = any(stop.covers(pin) for stop in self.stops.values())
            stopped = covered and pin not in self.by_hand
            if held or not board.pump.is_on or (now <= board.until and not stopped):
                board.overdue_since = None
            elif board.overdue_since is None:
                board.overdue_since = now
            elif now - board.overdue_since > BOUND:
                self.wrongs.append(f"{pin} is on for {now - board.overdue_since:.1f} s too long")

    def check(self) -> None:
        """Fail where anything went wrong so far."""
        assert self.wrongs == [], self.wrongs[0]
