"""The latch: in whatever order things happen, a stop holds until it is cleared, and no longer."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from domain.actuators import Pin
from domain.emergency_latch import (
    AWAY_SPACING,
    CLEAR_AGAIN,
    MOST_CLEARS,
    RESUME_SPACING,
    STOP_AGAIN,
    Latch,
    Task,
)
from domain.emergency_stops import CLEAR_AFTER, RESUME_WITHIN, EmergencyStop
from tests.fakes import START
from tests.latching import BOTH, ESP, OTHER, SECOND, confirmed_at, holding, told
from tests.makers import make_emergency_stop


def test_a_device_is_told_until_it_confirms_with_a_pause_in_between() -> None:
    stop = make_emergency_stop().including([ESP])
    latch = holding(stop)
    assert told(latch, START, ESP) == [(Task.STOP, ESP)]
    assert told(latch, START + SECOND, ESP) == []
    assert told(latch, START + STOP_AGAIN, ESP) == [(Task.STOP, ESP)]
    latch.stopped(ESP, START + 3 * SECOND)
    assert confirmed_at(latch, stop) is not None
    assert told(latch, START + timedelta(hours=1), ESP) == []
    assert latch.holds(ESP)


def test_a_device_that_seems_to_be_away_is_told_again_and_again_for_it_may_hear() -> None:
    latch = holding(make_emergency_stop().including([ESP]))
    latch.present(ESP, START, online=False, booted_at=None)
    assert told(latch, START) == [(Task.STOP, ESP)]
    assert told(latch, START + SECOND) == []
    assert told(latch, START + STOP_AGAIN) == [(Task.STOP, ESP)]
    latch.present(ESP, START + 3 * SECOND, online=True, booted_at=None)
    assert told(latch, START + 3 * SECOND, ESP) == [(Task.STOP, ESP)]


def test_where_many_are_away_each_is_told_less_often() -> None:
    crowd = [f"ESP_{number:06X}" for number in range(1000)]
    latch = holding(make_emergency_stop().including([ESP, *crowd]))
    assert len(told(latch, START, ESP)) == 1001
    assert told(latch, START + STOP_AGAIN, ESP) == [(Task.STOP, ESP)]
    assert len(told(latch, START + 1000 * AWAY_SPACING, ESP)) == 1001


def test_a_clock_that_is_set_back_makes_no_stop_wait() -> None:
    stop = make_emergency_stop().including([ESP])
    latch = holding(stop)
    latch.present(ESP, START, online=False, booted_at=None)
    latch.present(ESP, START + SECOND, online=True, booted_at=None)
    assert told(latch, START + SECOND, ESP) == [(Task.STOP, ESP)]
    past = START - timedelta(days=1)
    assert told(latch, past, ESP) == [(Task.STOP, ESP)]
    assert told(latch, past + SECOND, ESP) == []
    latch.stopped(ESP, past + SECOND)
    assert confirmed_at(latch, stop) is not None


def test_what_a_device_confirmed_says_nothing_once_it_restarted() -> None:
    stop = make_emergency_stop().including([ESP])
    latch = holding(stop)
    latch.present(ESP, START, online=True, booted_at=START - SECOND)
    told(latch, START, ESP)
    latch.stopped(ESP, START + SECOND)
    boot = START + timedelta(seconds=30)
    latch.present(ESP, boot + SECOND, online=True, booted_at=boot)
    assert confirmed_at(latch, stop) is None
    assert told(latch, boot + SECOND, ESP) == [(Task.STOP, ESP)]
    latch.stopped(ESP, boot - SECOND)
    assert confirmed_at(latch, stop) is None, "a sign from before the restart"


def test_a_device_that_runs_although_it_confirmed_is_told_again() -> None:
    stop = make_emergency_stop().including([ESP])
    latch = holding(stop)
    told(latch, START, ESP)
    latch.stopped(ESP, START)
    latch.running(Pin(ESP, 5), START + 9 * SECOND)
    assert told(latch, START + 9 * SECOND, ESP) == [(Task.STOP, ESP)]


def test_a_device_first_heard_of_during_a_stop_for_all_is_stopped_too() -> None:
    latch = holding(make_emergency_stop())
    latch.include([OTHER])
    assert told(latch, START, OTHER) == [(Task.STOP, OTHER)]


def test_a_stop_of_one_device_does_not_block_another() -> None:
    latch = holding(make_emergency_stop(esp_id=ESP).including(BOTH))
    assert told(latch, START, *BOTH) == [(Task.STOP, ESP)]
    assert not latch.covering(Pin(OTHER, 5))


def test_another_stop_waits_for_no_pause() -> None:
    latch = holding(make_emergency_stop().including([ESP]))
    assert told(latch, START, ESP) == [(Task.STOP, ESP)]
    latch.put(make_emergency_stop(id=UUID(int=1)).including([ESP]))
    assert told(latch, START, ESP) == [(Task.STOP, ESP)]


def test_a_stop_of_one_actuator_switches_it_off_and_only_it() -> None:
    stop = make_emergency_stop(esp_id=ESP, gpio=5).including([ESP])
    latch = holding(stop)
    assert told(latch, START, ESP) == [(Task.SWITCH_OFF, ESP)]
    assert latch.covering(Pin(ESP, 5))
    assert not latch.covering(Pin(ESP, 6))
    latch.off(Pin(ESP, 6), START + SECOND)
    assert confirmed_at(latch, stop) is None
    latch.off(Pin(ESP, 5), START + SECOND)
    assert confirmed_at(latch, stop) is not None
    latch.put(stop.cleared(START + 2 * SECOND, None, resume=False))
    assert told(latch, START + timedelta(minutes=1), ESP) == []


def test_an_actuator_that_was_off_before_it_was_told_confirms_nothing() -> None:
    stop = make_emergency_stop(esp_id=ESP, gpio=5).including([ESP])
    latch = holding(stop)
    latch.off(Pin(ESP, 5), START)
    assert confirmed_at(latch, stop) is None


def test_clearing_is_tried_so_often_and_taken_up_again_when_the_device_comes_back() -> None:
    stop = make_emergency_stop().including([ESP])
    latch = holding(stop.cleared(START, None, resume=False))
    now, clears = START, 0
    for _ in range(200):
        clears += told(latch, now, ESP).count((Task.CLEAR, ESP))
        now += SECOND
    assert clears == MOST_CLEARS
    assert latch.given_up(ESP)
    latch.returned(ESP, now)
    assert told(latch, now + CLEAR_AGAIN, ESP) == [(Task.CLEAR, ESP)]
    latch.freed(ESP, now + CLEAR_AGAIN)
    latch.take_changed()
    latch.drop_over(now, [ESP])
    assert latch.stops == ()


def test_a_device_that_somebody_else_frees_is_stopped_again() -> None:
    stop = make_emergency_stop().including([ESP])
    latch = holding(stop)
    told(latch, START, ESP)
    latch.stopped(ESP, START + SECOND)
    latch.freed(ESP, START + 9 * SECOND)
    assert confirmed_at(latch, stop) is None
    assert told(latch, START + 9 * SECOND, ESP) == [(Task.STOP, ESP)]


def test_a_restart_of_the_device_frees_it_where_the_stop_is_cleared() -> None:
    latch = holding(make_emergency_stop().including([ESP]).cleared(START, None, resume=False))
    latch.present(ESP, START + SECOND, online=True, booted_at=START - SECOND)
    assert latch.unreleased()
    latch.present(ESP, START + 9 * SECOND, online=True, booted_at=START + 5 * SECOND)
    assert not latch.unreleased()


def test_devices_resume_one_by_one_and_none_that_another_stop_touches() -> None:
    devices = [f"ESP_00000{number}" for number in range(4)]
    stop = make_emergency_stop().including(devices).cleared(START, None, resume=True)
    other = make_emergency_stop(id=UUID(int=1), esp_id=devices[0], gpio=3).including(devices)
    latch = holding(stop, other)
    for esp_id in devices:
        latch.freed(esp_id, START)
    resumed: list[tuple[timedelta, str]] = []
    for half in range(40):
        at = half * SECOND / 2
        for task, esp_id in told(latch, START + at, *devices):
            if task is Task.RESUME:
                resumed.append((at, esp_id))
    assert resumed == [
        (number * RESUME_SPACING, esp_id) for number, esp_id in enumerate(devices[1:])
    ]
    latch.put(other.cleared(START + RESUME_WITHIN, None, resume=False))
    assert (Task.RESUME, devices[0]) not in told(latch, START + RESUME_WITHIN, *devices)


def test_after_a_restart_of_the_server_clearing_waits_its_full_time() -> None:
    latch = holding(make_emergency_stop().including([ESP]).cleared(START, None, resume=False))
    later = START + timedelta(hours=1)
    assert told(latch, later, ESP) == []
    assert told(latch, later + CLEAR_AFTER, ESP) == [(Task.CLEAR, ESP)]


def test_nobody_resumes_right_after_a_restart_for_somebody_may_have_right_before() -> None:
    stop = make_emergency_stop(esp_id=ESP).including([ESP]).cleared(START, None, resume=True)
    latch = holding(stop)
    latch.begun(START)
    latch.freed(ESP, START)
    assert told(latch, START + RESUME_SPACING - SECOND, ESP) == []
    assert told(latch, START + RESUME_SPACING, ESP) == [(Task.RESUME, ESP)]


@dataclass
class Board:
    """A device as the protocol has it: stopped as a whole, or one pin at a time."""

    online: bool = True
    emergency: bool = False
    stopped_at: datetime | None = None
    running: set[int] = field(default_factory=lambda: {5, 6})
    booted_at: datetime = START - timedelta(days=1)


class Greenhouse(RuleBasedStateMachine):
    """Two boards, people who stop and clear, and everything that can happen in between."""

    def __init__(self) -> None:
        super().__init__()
        self.latch = Latch()
        self.now = START
        self.boards = {esp_id: Board() for esp_id in BOTH}
        self.stops: dict[UUID, EmergencyStop] = {}
        self.resumed_at: datetime | None = None

    @rule(esp_id=st.sampled_from([None, *BOTH]), gpio=st.sampled_from([None, 5]))
    def stop(self, esp_id: str | None, gpio: int | None) -> None:
        stop = make_emergency_stop(
            id=UUID(int=len(self.stops)),
            esp_id=esp_id,
            gpio=gpio if esp_id else None,
            triggered_at=self.now,
        ).including(BOTH)
        self.stops[stop.id] = stop
        self.latch.put(stop)
        self.look()

    @precondition(lambda self: any(stop.active for stop in self.stops.values()))
    @rule(data=st.data(), resume=st.booleans())
    def clear(self, data: st.DataObject, *, resume: bool) -> None:
        active = sorted(stop.id for stop in self.stops.values() if stop.active)
        stop_id = data.draw(st.sampled_from(active))
        stop = self.latch.get(stop_id)
        assert stop is not None, "a stop in force is never forgotten"
        self.stops[stop_id] = cleared = stop.cleared(self.now, None, resume=resume)
        self.latch.put(cleared)

    @rule(seconds=st.sampled_from([0.25, 1, 3, 7, 700]))
    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.look()

    @rule(esp_id=st.sampled_from(BOTH))
    def lose(self, esp_id: str) -> None:
        self.boards[esp_id].online = False
        self.look()

    @rule(esp_id=st.sampled_from(BOTH), booted=st.booleans())
    def come_back(self, esp_id: str, *, booted: bool) -> None:
        board = self.boards[esp_id]
        self.now += SECOND
        if booted:
            board.emergency, board.booted_at, board.running = False, self.now, {5, 6}
        board.online = True
        self.look()

    @rule()
    def restart_server(self) -> None:
        stops = self.latch.stops
        self.latch = holding(*stops)
        self.latch.begun(self.now)
        self.look()

    def look(self) -> None:
        """Do what the service does at every tick; boards answer at once."""
        for esp_id, board in self.boards.items():
            self.latch.present(esp_id, self.now, online=board.online, booted_at=board.booted_at)
        online = [esp_id for esp_id, board in self.boards.items() if board.online]
        for instruction in self.latch.due(self.now, online):
            self.latch.sent(instruction, self.now)
            board = self.boards[instruction.esp_id]
            if board.online:
                self.now += timedelta(milliseconds=1)
                self.obey(instruction.task, instruction.esp_id, instruction.stop, board)
        self.latch.take_changed()
        self.latch.drop_over(self.now, BOTH)

    def obey(self, task: Task, esp_id: str, stop: EmergencyStop, board: Board) -> None:
        held = any(known.holds(esp_id) for known in self.stops.values())
        if task is Task.STOP:
            board.emergency, board.stopped_at, board.running = True, self.now, set()
            self.latch.stopped(esp_id, self.now)
        elif task is Task.SWITCH_OFF:
            board.running.discard(stop.gpio or 0)
            self.latch.off(Pin(esp_id, stop.gpio or 0), self.now)
        elif task is Task.CLEAR:
            assert not held, "cleared although a stop still holds the device"
            waited = board.stopped_at is None or self.now - board.stopped_at >= CLEAR_AFTER
            assert waited, "cleared too early: the device refuses"
            board.emergency = False
            self.latch.freed(esp_id, self.now)
        else:
            assert not any(s.active and s.concerns(esp_id) for s in self.stops.values())
            early = self.resumed_at and self.now - self.resumed_at < RESUME_SPACING
            assert not early, "two devices resume at once"
            self.resumed_at = self.now

    @invariant()
    def what_is_stopped_is_off_wherever_a_device_is_there(self) -> None:
        for esp_id, board in self.boards.items():
            for gpio in (5, 6):
                covered = any(stop.covers(Pin(esp_id, gpio)) for stop in self.stops.values())
                assert bool(self.latch.covering(Pin(esp_id, gpio))) == covered
                told_by_now = self.latch.due(self.now, [esp_id]) == ()
                if covered and board.online and told_by_now:
                    assert gpio not in board.running

    @invariant()
    def what_is_left_to_be_done_is_known_without_a_look_at_everybody(self) -> None:
        left = {(stop.id, device.esp_id) for stop, device in self.latch._left()}
        assert left == {
            (stop.id, device.esp_id)
            for stop in self.latch.stops
            for device in stop.devices.values()
            if (device.confirmed_at is None if stop.active else device.released_at is None)
            or (not stop.active and stop.resume and device.resumed_at is None)
        }

    @override
    def teardown(self) -> None:
        """Whatever happened: cleared and left alone, every board becomes free."""
        for stop_id, stop in self.stops.items():
            if stop.active:
                known = self.latch.get(stop_id)
                assert known is not None
                self.stops[stop_id] = cleared = known.cleared(self.now, None, resume=False)
                self.latch.put(cleared)
        for esp_id in BOTH:
            self.come_back(esp_id, booted=False)
        for _ in range(40):
            self.wait(7)
        assert self.latch.stops == () or not self.latch.unreleased()
        assert not any(board.emergency for board in self.boards.values())


TestGreenhouse = Greenhouse.TestCase
TestGreenhouse.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
