"""The latch, sign by sign: what each one says about which stop of which device, and from when on.

What may happen in which order is tried in `test_emergency_latch.py`.
"""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.actuators import Pin
from domain.emergency_latch import (
    CLEAR_AGAIN,
    MOST_CLEARS,
    RESUME_SPACING,
    STOP_AGAIN,
    UNCONFIRMED_AFTER,
    Instruction,
    Latch,
    Task,
)
from domain.emergency_stops import CLEAR_AFTER, EmergencyStop
from tests.fakes import START
from tests.makers import make_emergency_stop

ESP = "ESP_12AB34"
OTHER = "ESP_FFFFFF"
BOTH = (ESP, OTHER)
PIN = Pin(ESP, 5)
SECOND = timedelta(seconds=1)


def at(seconds: float) -> datetime:
    return START + seconds * SECOND


def told(latch: Latch, now: datetime, *online: str) -> list[tuple[Task, str]]:
    """Carry out what is due; return what went to whom."""
    due = latch.due(now, online)
    for instruction in due:
        latch.sent(instruction, now)
    return [(instruction.task, instruction.esp_id) for instruction in due]


def holding(*stops: EmergencyStop) -> Latch:
    latch = Latch()
    for stop in stops:
        latch.put(stop)
    return latch


def confirmed_at(latch: Latch, stop: EmergencyStop, esp_id: str = ESP) -> datetime | None:
    known = latch.get(stop.id)
    assert known is not None
    return known.devices[esp_id].confirmed_at


def of_all(number: int = 1, triggered: float = 0) -> EmergencyStop:
    return make_emergency_stop(id=UUID(int=number), triggered_at=at(triggered)).including(BOTH)


def of_pin(number: int = 2, esp_id: str = ESP, gpio: int = 5) -> EmergencyStop:
    stop = make_emergency_stop(id=UUID(int=number), esp_id=esp_id, gpio=gpio)
    return stop.including([esp_id])


def cleared(stop: EmergencyStop, seconds: float = 0, *, resume: bool = False) -> EmergencyStop:
    return stop.cleared(at(seconds), None, resume=resume)


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


def test_clearing_waits_from_the_moment_in_which_the_device_really_stopped() -> None:
    stop = of_all()
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


def test_after_a_broadcast_clearing_waits_its_full_time_anew() -> None:
    stop, one = of_all(1), of_pin()
    latch = holding(stop, one)
    told(latch, START, *BOTH)
    latch.broadcast(at(3))
    latch.put(cleared(stop, 3))
    assert (Task.CLEAR, ESP) not in told(latch, START + CLEAR_AFTER, ESP)
    assert (Task.CLEAR, ESP) in told(latch, at(3) + CLEAR_AFTER, ESP)


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
    known = latch.get(stop.id)
    assert known is not None
    latch.put(cleared(known, 2))
    latch.running(PIN, at(3))
    assert confirmed_at(latch, stop) == at(1)


# ---------------------------------------------------------------- freed, back, restarted


def test_a_device_is_freed_for_itself_and_for_nobody_else() -> None:
    latch = holding(cleared(of_all()))
    latch.freed(ESP, at(9))
    assert [esp_id for _, esp_id in latch.unreleased()] == [OTHER]


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
    known = latch.get(stop.id)
    assert known is not None
    latch.put(cleared(known, 2))
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


# ---------------------------------------------------------------- orders, one after another


def test_clearing_is_repeated_after_its_pause_and_not_before() -> None:
    stop = of_all()
    latch = holding(cleared(stop))
    told(latch, START, *BOTH)
    first = START + CLEAR_AFTER
    assert told(latch, first, ESP) == [(Task.CLEAR, ESP)]
    assert told(latch, first + CLEAR_AGAIN - SECOND / 10, ESP) == []
    assert told(latch, first + CLEAR_AGAIN, ESP) == [(Task.CLEAR, ESP)]


def clear_until_given_up(latch: Latch, now: datetime) -> int:
    count = 0
    while not latch.given_up(ESP):
        count += told(latch, now, ESP).count((Task.CLEAR, ESP))
        now += CLEAR_AGAIN
        assert count <= MOST_CLEARS
    return count


@pytest.mark.parametrize("meanwhile", ["stopped again", "came back"])
def test_who_was_given_up_gets_all_its_tries_anew(meanwhile: str) -> None:
    stop = of_all()
    latch = holding(cleared(stop))
    told(latch, START, ESP)
    assert clear_until_given_up(latch, at(10)) == MOST_CLEARS
    assert not latch.given_up(OTHER)
    if meanwhile == "came back":
        latch.returned(ESP, at(1000))
    else:
        again = of_all(3, triggered=1000)
        latch.put(again)
        told(latch, at(1000), ESP)
        assert not latch.given_up(ESP)
        latch.put(cleared(again, 1001))
    assert not latch.given_up(ESP)
    assert clear_until_given_up(latch, at(2000)) == MOST_CLEARS


def test_an_order_to_clear_that_the_broker_did_not_take_does_not_count() -> None:
    latch = holding(cleared(of_all()))
    told(latch, START, ESP)
    now = at(10)
    for _ in range(2 * MOST_CLEARS):
        (instruction,) = latch.due(now, [ESP])
        latch.sent(instruction, now)
        latch.not_sent(instruction)
        now += CLEAR_AGAIN
    assert not latch.given_up(ESP)
    assert clear_until_given_up(latch, now) == MOST_CLEARS


def test_that_another_order_was_not_taken_gives_no_further_try_to_clear() -> None:
    stop = cleared(of_all())
    latch = holding(stop)
    latch.not_sent(Instruction(Task.CLEAR, ESP, stop))
    told(latch, START, ESP)
    latch.not_sent(Instruction(Task.CLEAR, ESP, stop))
    assert told(latch, at(10), ESP) == [(Task.CLEAR, ESP)]
    latch.not_sent(Instruction(Task.STOP, ESP, stop))
    latch.not_sent(Instruction(Task.RESUME, OTHER, stop))
    assert clear_until_given_up(latch, at(20)) == MOST_CLEARS - 1


def test_a_pin_that_is_switched_off_does_not_put_off_clearing_its_device() -> None:
    whole, stop = of_all(1), of_pin()
    latch = holding(whole)
    told(latch, START, ESP)
    latch.put(cleared(whole))
    latch.put(stop)
    assert told(latch, at(4), ESP) == [(Task.SWITCH_OFF, ESP)]
    assert (Task.CLEAR, ESP) in told(latch, START + CLEAR_AFTER, ESP)


def test_a_device_and_a_pin_of_it_are_told_each_for_itself() -> None:
    free = make_emergency_stop(id=UUID(int=9), esp_id=OTHER).including([OTHER])
    latch = holding(free, of_all(1), of_pin(2), of_pin(3, gpio=6))
    latch.stopped(OTHER, at(0))
    assert sorted(told(latch, START, ESP)) == [
        (Task.STOP, ESP),
        (Task.SWITCH_OFF, ESP),
        (Task.SWITCH_OFF, ESP),
    ]


def test_the_stop_that_asks_for_it_goes_with_the_order_to_resume() -> None:
    stop = cleared(of_all(), resume=True)
    latch = holding(stop)
    latch.freed(ESP, at(1))
    (instruction,) = [i for i in latch.due(at(2), [ESP]) if i.task is Task.RESUME]
    assert (instruction.esp_id, instruction.stop.id) == (ESP, stop.id)


def test_over_a_restart_of_the_server_too_devices_resume_one_after_another() -> None:
    stop = cleared(of_all(), resume=True)
    latch = holding(stop)
    for esp_id in BOTH:
        latch.freed(esp_id, at(1))
    assert told(latch, at(10), *BOTH) == [(Task.RESUME, ESP)]
    (known,) = latch.stops
    after = holding(known)
    after.put(of_pin(3, "ESP_000001"))
    assert (Task.RESUME, OTHER) not in told(after, at(11), *BOTH)
    assert (Task.RESUME, OTHER) in told(after, at(10) + RESUME_SPACING, *BOTH)


# ---------------------------------------------------------------- what is remembered of it


def test_what_is_new_is_told_once_and_kept_until_it_was() -> None:
    stop = of_all()
    latch = holding(stop)
    assert latch.take_changed() == []
    latch.stopped(ESP, at(1))
    (changed,) = latch.take_changed()
    assert changed.id == stop.id
    assert changed.devices[ESP].confirmed_at == at(1)
    assert latch.take_changed() == []


def test_what_is_over_is_forgotten_once_it_is_stored_and_nothing_else_is() -> None:
    over, held = of_all(1), make_emergency_stop(id=UUID(int=2), esp_id="ESP_000001")
    latch = holding(over)
    told(latch, START, *BOTH)
    latch.put(cleared(over, 2))
    for esp_id in BOTH:
        latch.freed(esp_id, at(9))
    latch.refused(ESP, "busy", at(9))
    latch.put(held)
    latch.drop_over(at(9), BOTH)
    assert len(latch.stops) == 2, "it is not stored yet"
    latch.take_changed()
    latch.drop_over(at(9), BOTH)
    assert [stop.id for stop in latch.stops] == [held.id]
    assert latch.refusal(ESP) == "busy"
    latch.put(cleared(held, 10))
    latch.drop_over(at(10), BOTH)
    assert latch.stops == ()
    assert latch.refusal(ESP) is None


def test_a_stop_whose_devices_still_resume_is_not_over() -> None:
    latch = holding(cleared(of_all(), resume=True))
    for esp_id in BOTH:
        latch.freed(esp_id, at(1))
    latch.take_changed()
    latch.drop_over(at(1), BOTH)
    assert len(latch.stops) == 1


def test_of_a_stop_that_is_cleared_nothing_is_in_force() -> None:
    latch = holding(of_all())
    latch.put(cleared(of_all()))
    assert not latch.holds(ESP)
    assert not latch.covering(PIN)
    assert latch.refusal(ESP) is None


# ---------------------------------------------------------------- what people should know


def test_why_a_device_refused_is_known_until_it_obeys_or_begins_anew() -> None:
    latch = holding(of_all())
    latch.refused(ESP, "no token", at(1))
    assert latch.refusal(ESP) == "no token"
    assert latch.refusal(OTHER) is None
    latch.stopped(ESP, at(2))
    assert latch.refusal(ESP) is None
    latch.refused(ESP, "busy", at(3))
    latch.returned(ESP, at(4))
    assert latch.refusal(ESP) is None


def test_a_stranger_that_refuses_is_of_no_concern() -> None:
    latch = holding(of_all())
    latch.refused("ESP_000001", "no token", at(1))
    assert latch.refusal("ESP_000001") is None


def test_people_are_told_of_who_should_have_confirmed_by_now() -> None:
    stop, over = of_all(1), of_all(2)
    latch = holding(stop, cleared(over))
    latch.stopped(OTHER, at(1))
    before = START + UNCONFIRMED_AFTER - SECOND / 10
    assert latch.unconfirmed(before) == []
    ((found, esp_id),) = latch.unconfirmed(START + UNCONFIRMED_AFTER)
    assert (found.id, esp_id) == (stop.id, ESP)


def test_a_stop_is_repeated_only_to_who_is_there() -> None:
    latch = holding(of_all())
    told(latch, START, *BOTH)
    assert told(latch, START + STOP_AGAIN, OTHER) == [(Task.STOP, OTHER)]
