"""Leases and clocks: whoever sets which clock when, nothing is on for longer than it may be."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.lease_book import Closed, LeaseBook
from domain.leases import Lease, Moment
from tests.fakes import START
from tests.makers import make_actuator

PUMP = make_actuator(max_runtime=timedelta(hours=1))
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


def moment(ticks: float, set_by: timedelta = timedelta(0)) -> Moment:
    return Moment(START + timedelta(seconds=ticks) + set_by, ticks)


def lease_of(book: LeaseBook, now: Moment, length: timedelta = MINUTE) -> Lease:
    return book.grant(UUID(int=1), PUMP, 1.0, length, now, command_id=UUID(int=2))


def started_at(at: datetime, lease: Lease) -> LeaseBook:
    """Return the book of a server that starts at some wall time; its ticks begin at zero."""
    book = LeaseBook()
    book.load([lease], [], Moment(at, 0.0))
    return book


def is_due(book: LeaseBook, now: Moment) -> bool:
    book.settle(now)
    return bool(book.due(now))


# ---------------------------------------------------------------- set while the server runs


def test_a_lease_that_is_given_right_after_the_clock_was_set_is_on_the_new_one() -> None:
    book = LeaseBook()
    book.settle(moment(0.0))
    lease = lease_of(book, moment(0.1, set_by=-DAY))
    book.settle(moment(0.2, set_by=-DAY))
    assert book.get(PUMP.pin) == lease
    assert lease.until == moment(60.1, set_by=-DAY).at


def test_a_time_on_that_ends_right_after_the_clock_was_set_is_as_long_as_it_was() -> None:
    book = LeaseBook()
    book.settle(moment(0.0))
    lease = lease_of(book, moment(1.0))
    book.confirmed(PUMP.pin, lease.id)
    book.off(PUMP.pin, moment(6.0, set_by=DAY))
    (closed,) = book.take_changes()
    assert isinstance(closed, Closed)
    assert closed.run is not None
    assert closed.run.ended - closed.run.began == 5 * SECOND


def test_a_lease_that_is_cut_short_right_after_the_clock_was_set_ends_on_the_new_one() -> None:
    book = LeaseBook()
    book.settle(moment(0.0))
    lease_of(book, moment(1.0))
    book.end(PUMP.pin, moment(6.0, set_by=DAY))
    book.settle(moment(6.1, set_by=DAY))
    lease = book.get(PUMP.pin)
    assert lease is not None
    assert lease.until == moment(6.0, set_by=DAY).at


# ---------------------------------------------------------------- set while the server is away


def test_a_clock_that_reads_earlier_than_the_lease_was_last_seen_ends_it_at_once() -> None:
    lease = lease_of(LeaseBook(), moment(0.0))
    assert is_due(started_at(START - SECOND, lease), Moment(START - SECOND, 0.0))


def test_what_a_clock_that_was_set_back_has_ended_stays_over_for_the_next_server() -> None:
    book = started_at(START - DAY, lease_of(LeaseBook(), moment(0.0)))
    lease = book.get(PUMP.pin)
    assert lease is not None
    assert book.take_moved(), "it is stored so"
    assert lease.until == START - DAY
    seen = replace(lease, seen_at=START - DAY + SECOND)
    later = START - DAY + 2 * SECOND
    assert is_due(started_at(later, seen), Moment(later, 0.0))


def test_that_the_database_was_away_since_hides_no_clock_that_was_set_back() -> None:
    book, lease = LeaseBook(), lease_of(LeaseBook(), moment(0.0))
    now = Moment(START + 20 * SECOND, 21.0)
    book.load([lease], [], now, started=Moment(START - SECOND, 0.0))
    assert is_due(book, now)


@pytest.mark.parametrize(
    ("set_by", "left"), [(-DAY, 40.0), (-5 * SECOND, 40.0), (5 * SECOND, 35.0)]
)
def test_a_clock_that_is_set_while_the_server_waits_for_the_database_prolongs_nothing(
    set_by: timedelta, left: float
) -> None:
    book, lease = LeaseBook(), lease_of(LeaseBook(), moment(0.0))
    book.load([lease], [], moment(20.0, set_by), started=moment(0.0))
    assert not is_due(book, moment(20.0 + left - 0.1, set_by))
    assert is_due(book, moment(20.0 + left, set_by))


def test_a_clock_that_was_set_back_prolongs_a_lease_by_no_more_than_the_server_was_away() -> None:
    """It reads as if no time had passed: what is left is what was left when it went away."""
    book = started_at(START, lease_of(LeaseBook(), moment(0.0)))
    assert not is_due(book, moment(59.9))
    assert is_due(book, moment(60.0))


def test_a_clock_that_is_put_right_after_the_start_ends_what_is_over_by_then() -> None:
    """A small computer without a clock of its own starts with the time at which it went down."""
    book = started_at(START, lease_of(LeaseBook(), moment(0.0)))
    assert not is_due(book, moment(5.0))
    assert not is_due(book, moment(5.0, set_by=54 * SECOND))
    assert is_due(book, moment(6.0, set_by=54 * SECOND))


def test_a_clock_that_is_put_right_after_the_start_counts_the_time_on_before_it_too() -> None:
    book = started_at(START, lease_of(LeaseBook(), moment(0.0), length=60 * MINUTE))
    book.settle(moment(5.0, set_by=50 * MINUTE))
    lease_of(book, moment(5.0, set_by=50 * MINUTE), length=60 * MINUTE)
    assert not is_due(book, moment(599.0, set_by=50 * MINUTE))
    assert is_due(book, moment(600.0, set_by=50 * MINUTE))


def test_a_clock_that_is_put_right_bit_by_bit_ends_what_was_renewed_in_between() -> None:
    book = started_at(START, lease_of(LeaseBook(), moment(0.0), length=60 * MINUTE))
    lease_of(book, moment(1.0, set_by=MINUTE), length=60 * MINUTE)
    right = moment(2.0, set_by=61 * MINUTE)
    book.settle(right)
    book.limit(PUMP, right)
    lease = book.get(PUMP.pin)
    assert lease is not None
    assert lease.until <= right.at
    assert is_due(book, right)


def test_a_clock_that_is_set_back_after_the_start_prolongs_nothing() -> None:
    book = started_at(START, lease_of(LeaseBook(), moment(0.0)))
    assert not is_due(book, moment(59.9, set_by=-DAY))
    assert is_due(book, moment(60.0, set_by=-DAY))


def test_what_was_given_by_this_server_a_clock_that_is_set_forward_does_not_shorten() -> None:
    book = LeaseBook()
    book.settle(moment(0.0))
    lease_of(book, moment(0.0))
    assert not is_due(book, moment(59.9, set_by=DAY))
    assert is_due(book, moment(60.0, set_by=DAY))
