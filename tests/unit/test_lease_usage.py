"""How an actuator was used lately, as its limits count it: over restarts and set clocks."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.lease_book import Closed, LeaseBook
from domain.leases import Moment, Run, Usage
from tests.fakes import START
from tests.makers import make_actuator

PUMP = make_actuator(max_runtime=timedelta(hours=2))
SECOND, MINUTE, HOUR, DAY = (
    *(timedelta(seconds=1), timedelta(minutes=1)),
    *(timedelta(hours=1), timedelta(days=1)),
)


class Server:
    """A book, its database and its clocks; the wall clock is `set_by` ahead of the true time."""

    def __init__(self) -> None:
        self.book = LeaseBook()
        self.ticks, self.set_by, self.began = 0.0, timedelta(0), 0.0
        self.runs: list[Run] = []

    @property
    def now(self) -> Moment:
        at = START + timedelta(seconds=self.ticks) + self.set_by
        return Moment(at, self.ticks - self.began)

    @property
    def usage(self) -> Usage:
        return self.book.usage(PUMP.pin, self.now)

    def wait(self, time: timedelta) -> None:
        self.ticks += time.total_seconds()
        self.book.settle(self.now)

    def on(self, *, confirmed: bool = True) -> UUID:
        lease = self.book.grant(UUID(int=1), PUMP, 1.0, None, self.now, command_id=UUID(int=2))
        if confirmed:
            self.book.confirmed(PUMP.pin, lease.id)
        return lease.id

    def off(self) -> None:
        self.book.asked_off(PUMP.pin)
        self.book.passed_on(PUMP.pin, UUID(int=1))
        self.book.off(PUMP.pin, self.now, answered=True)
        for change in self.book.take_changes():
            if isinstance(change, Closed) and change.run is not None:
                self.runs.append(change.run)

    def run(self, time: timedelta) -> None:
        self.on()
        self.wait(time)
        self.off()

    def restart(self, down: timedelta, set_by: timedelta = timedelta(0)) -> None:
        leases = self.book.leases
        self.ticks += down.total_seconds()
        self.set_by += set_by
        self.began = self.ticks
        self.book = LeaseBook()
        recent = [run for run in self.runs if run.ended >= self.now.at - DAY]
        self.book.load(leases, recent, self.now)


@pytest.fixture
def server() -> Server:
    return Server()


def test_what_was_never_on_was_not_used(server: Server) -> None:
    assert server.usage == Usage()


def test_starts_are_counted_for_an_hour_and_renewals_are_none(server: Server) -> None:
    for _ in range(3):
        server.on()
        server.wait(MINUTE)
        server.on()
        server.wait(MINUTE)
        server.off()
    assert server.usage == Usage(off_for=timedelta(0), starts=3)
    server.wait(HOUR - 5 * MINUTE)
    assert server.usage.starts == 2
    server.wait(4 * MINUTE)
    assert server.usage.starts == 0


def test_what_its_device_refused_was_no_start(server: Server) -> None:
    server.run(MINUTE)
    server.book.failed(PUMP.pin, server.on(confirmed=False), server.now, refused=True)
    assert server.usage.starts == 1


def test_it_is_on_without_a_pause_however_often_it_is_renewed(server: Server) -> None:
    for _ in range(90):
        server.on()
        server.wait(MINUTE)
    assert server.usage == Usage(on_for=90 * MINUTE, starts=0)
    lease = server.book.get(PUMP.pin)
    assert lease is not None
    assert lease.until == lease.on_since + 2 * HOUR
    server.off()
    assert server.usage.off_for == timedelta(0)


def test_it_rests_from_when_its_device_showed_that_it_is_off(server: Server) -> None:
    server.run(MINUTE)
    server.wait(7 * SECOND)
    assert server.usage.off_for == 7 * SECOND


def test_what_may_have_run_without_an_answer_rests_as_well(server: Server) -> None:
    server.on(confirmed=False)
    server.wait(MINUTE)
    server.off()
    server.wait(7 * SECOND)
    assert server.usage == Usage(off_for=7 * SECOND, starts=1)


@pytest.mark.parametrize("by", [-DAY, -HOUR, HOUR, DAY])
def test_a_clock_that_is_set_while_the_server_runs_changes_no_limit(
    server: Server, by: timedelta
) -> None:
    server.run(MINUTE)
    server.set_by = by
    server.wait(7 * SECOND)
    assert server.usage == Usage(off_for=7 * SECOND, starts=1)
    server.run(MINUTE)
    assert server.usage.starts == 2


def test_a_restart_forgets_no_limit(server: Server) -> None:
    server.run(MINUTE)
    server.wait(MINUTE)
    server.run(MINUTE)
    server.restart(down=MINUTE)
    assert server.usage == Usage(off_for=MINUTE, starts=2)
    server.on()
    server.restart(down=MINUTE)
    assert server.usage.starts == 3
    assert server.usage.on_for == MINUTE


@pytest.mark.parametrize("by", [-5 * SECOND, -HOUR, -3 * DAY])
def test_a_clock_that_is_set_back_while_the_server_is_away_makes_nobody_rest_less(
    server: Server, by: timedelta
) -> None:
    server.run(MINUTE)
    server.restart(down=MINUTE, set_by=by)
    usage = server.usage
    assert usage.starts == 1
    assert usage.off_for is not None
    assert usage.off_for <= MINUTE
    server.wait(HOUR)
    assert server.usage.starts == 0
