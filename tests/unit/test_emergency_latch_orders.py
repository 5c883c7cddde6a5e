"""What the latch has devices told, how often, and what it remembers of it.

What may happen in which order is tried in `test_emergency_latch.py`.
"""

from datetime import datetime
from uuid import UUID

import pytest

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
from domain.emergency_stops import CLEAR_AFTER
from tests.fakes import START
from tests.latching import (
    BOTH,
    ESP,
    OTHER,
    PIN,
    SECOND,
    at,
    cleared,
    holding,
    of_all,
    of_pin,
    told,
)
from tests.makers import make_emergency_stop

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
    """Return how often it is tried."""
    count = 0
    for _ in range(2 * MOST_CLEARS):
        count += told(latch, now, ESP).count((Task.CLEAR, ESP))
        now += CLEAR_AGAIN
    assert latch.given_up(ESP)
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
    for _ in range(2 * MOST_CLEARS + 1):
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


def test_a_stop_is_repeated_to_who_is_there_and_to_who_seems_not_to_be() -> None:
    latch = holding(of_all())
    told(latch, START, *BOTH)
    assert told(latch, START + STOP_AGAIN, OTHER) == [(Task.STOP, ESP), (Task.STOP, OTHER)]


def test_who_is_held_by_a_stop_of_its_own_is_not_freed_with_all_others() -> None:
    own = make_emergency_stop(id=UUID(int=9), esp_id=ESP).including([ESP])
    latch = holding(cleared(of_all(), 1), own)
    assert told(latch, at(1), *BOTH) == [(Task.STOP, ESP)]
    assert told(latch, at(20), *BOTH) == [(Task.CLEAR, OTHER), (Task.STOP, ESP)]
    latch.freed(ESP, at(21))
    latch.freed(OTHER, at(21))
    known = latch.get(UUID(int=1))
    assert known is not None
    assert {e: d.released_at for e, d in known.devices.items()} == {ESP: None, OTHER: at(21)}


def test_another_stop_of_an_actuator_waits_for_no_pause_either() -> None:
    latch = holding(of_pin(2))
    assert told(latch, at(0), ESP) == [(Task.SWITCH_OFF, ESP)]
    assert told(latch, at(1), ESP) == []
    latch.put(of_pin(3))
    assert told(latch, at(1), ESP) == [(Task.SWITCH_OFF, ESP)]


def test_that_a_device_was_first_heard_of_during_a_stop_is_to_be_stored() -> None:
    latch = holding(of_all())
    latch.include(["ESP_0000AA"])
    (stop,) = latch.take_changed()
    assert stop.devices.keys() == {*BOTH, "ESP_0000AA"}
