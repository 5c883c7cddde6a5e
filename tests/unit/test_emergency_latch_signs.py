"""What each sign of a device says about which stop, and from when on it counts.

What may happen in which order is tried in `test_emergency_latch.py`.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest

from domain.actuators import Pin
from domain.emergency_latch import STOP_AGAIN, Latch, Task
from domain.emergency_stops import CLEAR_AFTER, EmergencyStop
from tests.fakes import START
from tests.latching import (
    BOTH,
    ESP,
    OTHER,
    PIN,
    SECOND,
    at,
    clear,
    cleared,
    confirmed_at,
    holding,
    of_all,
    of_device,
    of_pin,
    told,
)
from tests.makers import make_emergency_stop

# ---------------------------------------------------------------- a device has stopped


def test_a_device_confirms_for_itself_and_for_nobody_else() -> None:
    stop = of_all()
    latch = holding(stop)
    latch.stopped(ESP, at(1))
    assert confirmed_at(latch, stop) == at(1)
    assert confirmed_at(latch, stop, OTHER) is None
    assert latch.holds(ESP)


def test_a_device_confirms_in_the_very_moment_of_the_stop_but_not_before() -> None:
    early, stop = of_all(1), of_all(2, triggered=5)
    latch = holding(early, stop)
    latch.stopped(ESP, at(4))
    assert confirmed_at(latch, early) == at(4)
    assert confirmed_at(latch, stop) is None
    latch.stopped(ESP, at(5))
    assert confirmed_at(latch, early) == at(4), "the first sign stands"
    assert confirmed_at(latch, stop) == at(5)


def test_what_is_cleared_is_confirmed_no_more() -> None:
    stop = of_all()
    latch = holding(cleared(stop, 1))
    latch.stopped(ESP, at(2))
    assert confirmed_at(latch, stop) is None


def test_without_any_stop_a_sign_leaves_no_trace() -> None:
    latch = Latch()
    latch.stopped(ESP, START)
    latch.refused(ESP, "busy", START)
    assert latch.refusal(ESP) is None
    assert not latch.given_up(ESP)
    assert latch.due(START, BOTH) == ()


@pytest.mark.parametrize("stop", [of_all(), of_device()])
def test_clearing_waits_from_the_moment_in_which_the_device_really_stopped(
    stop: EmergencyStop,
) -> None:
    latch = holding(stop)
    told(latch, START, *BOTH)
    latch.stopped(ESP, at(3))
    latch.stopped(ESP, at(1))
    latch.put(cleared(stop, 4))
    almost = at(3) + CLEAR_AFTER - SECOND / 10
    assert (Task.CLEAR, ESP) not in told(latch, almost, *BOTH)
    assert (Task.CLEAR, ESP) in told(latch, at(3) + CLEAR_AFTER, *BOTH)


def test_a_sign_after_clearing_does_not_put_it_off() -> None:
    stop = of_all()
    latch = holding(stop)
    told(latch, START, ESP)
    latch.put(cleared(stop, 1))
    latch.stopped(ESP, at(4))
    assert (Task.CLEAR, ESP) in told(latch, START + CLEAR_AFTER, ESP)


@pytest.mark.parametrize("stop", [of_all(), of_device()])
def test_after_a_broadcast_clearing_waits_its_full_time_anew(stop: EmergencyStop) -> None:
    one = of_pin()
    latch = holding(stop, one)
    told(latch, START, *BOTH)
    latch.broadcast(stop, at(3))
    latch.put(cleared(stop, 3))
    assert (Task.CLEAR, ESP) not in told(latch, START + CLEAR_AFTER, ESP)
    assert (Task.CLEAR, ESP) in told(latch, at(3) + CLEAR_AFTER, ESP)


def test_clearing_waits_from_the_last_order_to_stop() -> None:
    stop = of_all()
    latch = holding(stop)
    told(latch, START, ESP)
    assert (Task.STOP, ESP) in told(latch, START + STOP_AGAIN, ESP)
    latch.put(cleared(stop, 3))
    assert told(latch, START + CLEAR_AFTER, ESP) == []
    assert told(latch, START + STOP_AGAIN + CLEAR_AFTER, ESP) == [(Task.CLEAR, ESP)]


# ---------------------------------------------------------------- an actuator is off, or runs


def test_an_actuator_is_off_from_the_moment_in_which_it_was_told() -> None:
    stop = of_pin()
    latch = holding(stop)
    told(latch, at(1), ESP)
    latch.off(PIN, at(0.9))
    assert confirmed_at(latch, stop) is None
    latch.off(PIN, at(1))
    assert confirmed_at(latch, stop) == at(1)


def test_an_actuator_that_is_off_confirms_only_the_stop_of_just_that_one() -> None:
    whole, stop, neighbour, far = of_all(1), of_pin(2), of_pin(3, gpio=6), of_pin(4, OTHER)
    latch = holding(whole, stop, neighbour, far)
    told(latch, START, *BOTH)
    latch.off(PIN, at(1))
    assert confirmed_at(latch, stop) == at(1)
    assert confirmed_at(latch, whole) is None
    assert confirmed_at(latch, neighbour) is None
    assert confirmed_at(latch, far, OTHER) is None
    latch.off(PIN, at(2))
    assert confirmed_at(latch, stop) == at(1), "the first sign stands"


def test_what_is_cleared_is_off_without_a_word() -> None:
    stop = of_pin()
    latch = holding(stop)
    told(latch, START, ESP)
    latch.put(cleared(stop))
    latch.off(PIN, at(1))
    assert confirmed_at(latch, stop) is None


def test_an_off_from_before_the_device_was_away_says_nothing() -> None:
    stop = of_pin()
    latch = holding(stop)
    told(latch, START, ESP)
    latch.returned(ESP, at(5))
    latch.off(PIN, at(6))
    assert confirmed_at(latch, stop) is None, "it was not told again yet"
    told(latch, at(7), ESP)
    latch.off(PIN, at(8))
    assert confirmed_at(latch, stop) == at(8)


def test_a_sign_of_the_moment_in_which_a_device_came_back_counts() -> None:
    stop = of_all()
    latch = holding(stop)
    told(latch, START, ESP)
    latch.returned(ESP, at(5))
    latch.stopped(ESP, at(4.9))
    assert confirmed_at(latch, stop) is None
    latch.stopped(ESP, at(5))
    assert confirmed_at(latch, stop) == at(5)


def test_only_what_runs_later_than_its_device_confirmed_is_told_again() -> None:
    stop, other = of_all(1), of_pin(2, gpio=6)
    latch = holding(stop, other)
    latch.running(PIN, at(1))
    told(latch, START, *BOTH)
    latch.off(Pin(ESP, 6), at(1))
    latch.stopped(ESP, at(1))
    latch.stopped(OTHER, at(1))
    latch.running(PIN, at(0.5))
    latch.running(PIN, at(1))
    assert confirmed_at(latch, stop) == at(1)
    latch.running(PIN, at(2))
    assert confirmed_at(latch, stop) is None
    assert confirmed_at(latch, stop, OTHER) == at(1)
    assert confirmed_at(latch, other) == at(1), "another pin"


def test_what_runs_after_clearing_is_as_it_should_be() -> None:
    stop = of_all()
    latch = holding(stop)
    latch.stopped(ESP, at(1))
    clear(latch, stop, 2)
    latch.running(PIN, at(3))
    assert confirmed_at(latch, stop) == at(1)


# ---------------------------------------------------------------- freed, back, restarted


def test_a_device_is_freed_for_itself_and_for_nobody_else() -> None:
    latch = holding(cleared(of_all()))
    latch.freed(ESP, at(9))
    assert [esp_id for _, esp_id in latch.unreleased()] == [OTHER]


@pytest.mark.parametrize("stop", [of_all(), of_device()])
def test_who_is_freed_by_somebody_else_is_stopped_again_and_only_it(stop: EmergencyStop) -> None:
    other = make_emergency_stop(id=UUID(int=3), esp_id=OTHER).including([OTHER])
    latch = holding(stop, other)
    told(latch, START, *BOTH)
    for esp_id in BOTH:
        latch.stopped(esp_id, at(1))
    latch.freed(ESP, at(1.5))
    assert confirmed_at(latch, stop) is None
    assert confirmed_at(latch, other, OTHER) == at(1)
    assert told(latch, at(1.5), *BOTH) == [(Task.STOP, ESP)]


def test_a_device_that_another_stop_holds_is_not_to_be_freed() -> None:
    held = make_emergency_stop(id=UUID(int=3), esp_id=ESP).including([ESP])
    latch = holding(cleared(of_all()), held)
    assert [esp_id for _, esp_id in latch.unreleased()] == [OTHER]
    assert (Task.CLEAR, OTHER) in told(latch, at(0), *BOTH) + told(latch, at(9), *BOTH)


def test_an_actuator_of_a_device_that_is_freed_is_switched_off_once_more() -> None:
    whole, stop = of_all(1), of_pin()
    latch = holding(whole, stop)
    told(latch, START, *BOTH)
    latch.off(PIN, at(1))
    latch.stopped(ESP, at(1))
    latch.put(cleared(whole, 2))
    latch.freed(ESP, at(9))
    assert confirmed_at(latch, stop) is None
    assert (Task.SWITCH_OFF, ESP) in told(latch, at(9), ESP)


def test_who_says_to_be_free_without_having_been_stopped_changes_nothing() -> None:
    stop = of_pin()
    latch = holding(stop)
    told(latch, START, ESP)
    latch.off(PIN, at(1))
    latch.freed(ESP, at(2))
    assert confirmed_at(latch, stop) == at(1)


def test_who_comes_back_is_told_again_and_nobody_else() -> None:
    stop = of_all()
    latch = holding(stop)
    told(latch, START, *BOTH)
    latch.stopped(ESP, at(1))
    latch.stopped(OTHER, at(1))
    latch.returned(ESP, at(1))
    assert confirmed_at(latch, stop) == at(1), "what it says as it comes back counts"
    latch.returned(ESP, at(1.5))
    assert confirmed_at(latch, stop) is None
    assert confirmed_at(latch, stop, OTHER) == at(1)
    assert told(latch, at(1.5), *BOTH) == [(Task.STOP, ESP)]


def test_who_was_told_as_it_came_back_is_not_told_twice() -> None:
    latch = holding(of_all())
    told(latch, at(1), *BOTH)
    latch.returned(ESP, at(1))
    assert told(latch, at(1), *BOTH) == []
    latch.returned(ESP, at(1.1))
    assert told(latch, at(1.1), *BOTH) == [(Task.STOP, ESP)]


def test_coming_back_does_not_unsettle_what_is_cleared() -> None:
    stop = of_all()
    latch = holding(stop)
    latch.stopped(ESP, at(1))
    clear(latch, stop, 2)
    latch.returned(ESP, at(3))
    assert confirmed_at(latch, stop) == at(1)


def test_only_a_device_that_began_anew_after_clearing_is_free() -> None:
    latch = holding(cleared(of_all(), 5))
    latch.restarted(ESP, at(4))
    latch.restarted(ESP, at(5))
    assert len(latch.unreleased()) == 2
    latch.restarted(ESP, at(6))
    assert [esp_id for _, esp_id in latch.unreleased()] == [OTHER]


def test_presence_is_news_only_when_it_changes() -> None:
    stop = of_all()
    latch = holding(stop)
    boot = at(-60)
    latch.present(ESP, at(0), online=True, booted_at=boot)
    told(latch, at(0), ESP)
    latch.stopped(ESP, at(1))
    latch.present(ESP, at(2), online=True, booted_at=boot)
    latch.present(ESP, at(3), online=True, booted_at=None)
    assert confirmed_at(latch, stop) == at(1), "it never was away"
    latch.present(ESP, at(4), online=False, booted_at=None)
    assert confirmed_at(latch, stop) == at(1), "it is only gone"
    latch.present(ESP, at(5), online=True, booted_at=None)
    assert confirmed_at(latch, stop) is None


def test_one_device_that_is_back_says_nothing_of_another() -> None:
    stop = of_all()
    latch = holding(stop)
    for esp_id in BOTH:
        latch.present(esp_id, at(0), online=esp_id == OTHER, booted_at=None)
        latch.stopped(esp_id, at(1))
    latch.present(OTHER, at(2), online=True, booted_at=None)
    latch.present(ESP, at(2), online=True, booted_at=None)
    assert confirmed_at(latch, stop) is None
    assert confirmed_at(latch, stop, OTHER) == at(1)


# ---------------------------------------------------------------- a device stopped by itself


@pytest.mark.parametrize(
    ("stops", "seconds", "news"),
    [
        ([], 0, True),
        ([of_all()], 0, False),
        ([of_device()], 1000, False),
        ([make_emergency_stop()], 0, False),
        ([make_emergency_stop(esp_id=ESP)], 0, False),
        ([of_pin()], 0, True),
        ([make_emergency_stop(esp_id=OTHER).including([OTHER])], 0, True),
        ([cleared(of_device(), 5)], 14.9, False),
        ([cleared(of_device(), 5)], 15, True),
        ([cleared(of_pin(), 5)], 5, True),
        ([of_pin(), of_device()], 0, False),
    ],
)
def test_an_alarm_is_news_unless_a_stop_of_the_whole_device_explains_it(
    stops: list[EmergencyStop], seconds: float, *, news: bool
) -> None:
    assert holding(*stops).alarmed(ESP, at(seconds)) == news


def test_an_alarm_of_a_device_that_was_freed_is_news_at_once() -> None:
    latch = holding(cleared(of_all(), 5))
    latch.freed(ESP, at(6))
    assert latch.alarmed(ESP, at(7))
    assert not latch.alarmed(OTHER, at(7))


def found(latch: Latch, *seconds: float, esp_id: str = ESP) -> list[bool]:
    return [latch.found_stopped(esp_id, at(second)) for second in seconds]


def test_who_is_stopped_for_long_and_nobody_knows_why_is_found_once() -> None:
    assert found(Latch(), 1, 10.9, 11, 12, 21.9, 22) == [False, False, True, False, False, True]


def test_each_device_is_stopped_for_as_long_as_it_says_itself() -> None:
    latch = Latch()
    assert found(latch, 0) == [False]
    assert found(latch, 10, esp_id=OTHER) == [False]
    assert found(latch, 10) == [True]


@pytest.mark.parametrize("sign", [Latch.off, Latch.running])
def test_who_says_otherwise_meanwhile_is_not_stopped_for_long(
    sign: Callable[[Latch, Pin, datetime], None],
) -> None:
    latch = Latch()
    assert found(latch, 0) == [False]
    sign(latch, Pin(OTHER, 5), at(5))
    assert found(latch, 10) == [True]
    assert found(latch, 20) == [False]
    sign(latch, PIN, at(25))
    assert found(latch, 30, 40) == [False, True]


def test_who_is_stopped_because_of_a_stop_is_not_found_and_counted_anew_afterwards() -> None:
    latch = Latch()
    assert found(latch, 0) == [False]
    latch.put(of_device())
    assert found(latch, 10) == [False]
    clear(latch, of_device(), 10)
    latch.freed(ESP, at(11))
    assert found(latch, 12, 21.9, 22) == [False, False, True]


def test_who_is_stopped_as_it_should_be_is_never_found() -> None:
    assert found(holding(of_device()), 0, 10, 20) == [False, False, False]


def test_who_is_stopped_while_only_an_actuator_of_it_should_be_is_found() -> None:
    assert found(holding(of_pin()), 0, 10) == [False, True]
