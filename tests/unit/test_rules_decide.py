"""What rules do about verdicts: one execution for an edge, one end for a hold, nothing twice."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.actuators import CommandAction, Pin
from domain.devices import DeviceStatus
from domain.rules.conditions import DeviceIs
from domain.rules.decide import Decision, Reason, Step, decide, end, unfulfilled
from domain.rules.evaluate import Explanation, Verdict
from domain.rules.model import RENEW_EVERY, CommandStep, Rule, RuleMode, RuleState
from domain.rules.world import ConditionState
from tests.conditions import NOON

CONDITION = DeviceIs(esp_id="ESP_A", status=DeviceStatus.ONLINE)
MINUTE = timedelta(minutes=1)
TRIGGER = Rule(
    id=UUID(int=1),
    version=1,
    name="Water",
    condition=CONDITION,
    actions=(CommandStep(pin=Pin("ESP_B", 20), action=CommandAction.ON),),
    mode=RuleMode.TRIGGER,
)
HOLD = replace(TRIGGER, mode=RuleMode.HOLD)


def verdict(
    holds: bool | None,  # noqa: FBT001 - what it is about
    *readings: int,
    wake_at: datetime | None = None,
) -> Verdict:
    explanation = Explanation(condition=CONDITION, holds=holds)
    return Verdict(holds, explanation, ConditionState(), wake_at, frozenset(readings))


class Life:
    """A rule that goes through time; each verdict rests on a new reading unless said."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.state = RuleState()
        self.now = NOON
        self.reading = 0
        self.last: Decision | None = None

    def see(
        self,
        holds: bool | None,  # noqa: FBT001 - what it is about
        after: timedelta = MINUTE,
        *,
        same: bool = False,
        returned: bool = False,
    ) -> Step:
        self.now += after
        self.reading += 0 if same else 1
        found = verdict(holds, *(() if holds is None else (self.reading,)))
        self.last = decide(self.rule, self.state, found, self.now, returned=returned)
        self.state = self.last.state
        return self.last.step

    @property
    def reason(self) -> Reason | None:
        return None if self.last is None else self.last.reason


def test_a_trigger_executes_when_its_condition_becomes_true_and_not_while_it_stays_so() -> None:
    life = Life(TRIGGER)
    assert [life.see(holds) for holds in (False, True, True, False, True)] == [
        Step.NOTHING,
        Step.FIRE,
        Step.NOTHING,
        Step.NOTHING,
        Step.FIRE,
    ]


def test_a_new_rule_executes_at_once_if_its_condition_holds_already() -> None:
    assert Life(TRIGGER).see(True) is Step.FIRE


def test_unknown_is_no_edge_and_arms_nothing() -> None:
    life = Life(TRIGGER)
    assert [life.see(holds) for holds in (True, None, True)] == [
        Step.FIRE,
        Step.NOTHING,
        Step.NOTHING,
    ]
    assert life.reason is Reason.STILL_TRUE


def test_a_restart_does_not_execute_again_for_a_reading_that_was_seen() -> None:
    life = Life(TRIGGER)
    life.see(True)
    assert life.see(True, same=True) is Step.NOTHING
    life.state = replace(life.state, armed=True)
    assert life.see(True, same=True) is Step.NOTHING
    assert life.reason is Reason.SEEN
    assert life.see(True) is Step.FIRE


def test_enabling_a_rule_again_does_not_execute_it_for_the_same_reading() -> None:
    life = Life(TRIGGER)
    life.see(True)
    life.rule = replace(TRIGGER, enabled=False)
    assert life.see(True, same=True) is Step.NOTHING
    assert life.reason is Reason.DISABLED
    life.rule = TRIGGER
    assert life.see(True, same=True) is Step.NOTHING
    assert life.see(True) is Step.FIRE


def test_a_cooldown_delays_an_execution_and_does_not_lose_it() -> None:
    life = Life(replace(TRIGGER, cooldown=10 * MINUTE))
    life.see(True)
    begun = life.now
    life.see(False)
    assert life.see(True) is Step.NOTHING
    assert life.last is not None
    assert (life.last.reason, life.last.wake_at) == (Reason.COOLDOWN, begun + 10 * MINUTE)
    assert life.see(True, begun + 10 * MINUTE - life.now, same=True) is Step.FIRE


def test_an_execution_whose_condition_ended_during_the_cooldown_is_not_wanted_any_more() -> None:
    life = Life(replace(TRIGGER, cooldown=10 * MINUTE))
    found = [life.see(holds) for holds in (True, False, True, False)]
    assert found.count(Step.FIRE) == 1
    assert life.see(False, 20 * MINUTE) is Step.NOTHING


def test_no_more_executions_within_an_hour_than_permitted() -> None:
    life = Life(replace(TRIGGER, max_executions_per_hour=2))
    first = life.now + MINUTE
    found = [life.see(holds) for holds in (True, False, True, False, True)]
    assert found.count(Step.FIRE) == 2
    assert life.last is not None
    assert (life.last.reason, life.last.wake_at) == (Reason.TOO_MANY, first + 60 * MINUTE)
    assert life.see(True, first + 60 * MINUTE - life.now, same=True) is Step.FIRE


def test_an_execution_that_met_an_absent_device_is_repeated_once_when_it_is_back() -> None:
    life = Life(replace(TRIGGER, cooldown=60 * MINUTE))
    life.see(True)
    life.state = unfulfilled(life.state)
    assert life.see(True) is Step.NOTHING
    assert life.see(True, same=True, returned=True) is Step.FIRE
    assert life.reason is Reason.RETURNED
    assert life.see(True, returned=True) is Step.NOTHING


def test_it_is_not_repeated_when_its_condition_ended_meanwhile() -> None:
    life = Life(TRIGGER)
    life.see(True)
    life.state = unfulfilled(life.state)
    life.see(False)
    assert life.see(False, returned=True) is Step.NOTHING


def test_a_clock_that_goes_back_makes_no_trigger_execute_twice() -> None:
    life = Life(TRIGGER)
    life.see(True, 30 * MINUTE)
    assert life.see(False, -20 * MINUTE) is Step.NOTHING
    assert (life.see(True, MINUTE), life.reason) == (Step.NOTHING, Reason.CLOCK_BEHIND)
    assert (life.see(True, 20 * MINUTE), life.reason) == (Step.NOTHING, Reason.STILL_TRUE)


def test_a_clock_that_was_far_ahead_does_not_silence_a_rule() -> None:
    life = Life(TRIGGER)
    life.see(True, timedelta(days=365))
    life.see(False, -timedelta(days=365))
    assert life.see(True) is Step.FIRE


def test_a_hold_begins_is_renewed_and_ends_once() -> None:
    life = Life(HOLD)
    assert life.see(True) is Step.HOLD_BEGINS
    assert life.last is not None
    assert life.last.wake_at == life.now + RENEW_EVERY
    assert life.see(True, RENEW_EVERY / 2) is Step.NOTHING
    assert life.reason is Reason.HELD
    assert life.see(True, RENEW_EVERY / 2) is Step.HOLD_RENEWS
    assert life.see(False) is Step.HOLD_ENDS
    assert life.see(False) is Step.NOTHING


def test_a_sensor_that_goes_stale_ends_a_hold() -> None:
    life = Life(HOLD)
    life.see(True)
    assert (life.see(None), life.reason) == (Step.HOLD_ENDS, Reason.UNKNOWN)
    assert life.see(None) is Step.NOTHING
    assert life.see(True) is Step.HOLD_BEGINS


def test_disabling_ends_a_hold_once_and_enabling_begins_it_again() -> None:
    life = Life(HOLD)
    life.see(True)
    life.rule = replace(HOLD, enabled=False)
    assert (life.see(True), life.reason) == (Step.HOLD_ENDS, Reason.DISABLED)
    assert life.see(True) is Step.NOTHING
    life.rule = HOLD
    assert life.see(True, same=True) is Step.HOLD_BEGINS


def test_deleting_ends_a_hold_once() -> None:
    life = Life(HOLD)
    life.see(True)
    gone = end(life.state, life.now)
    assert (gone.step, gone.reason, gone.wake_at) == (Step.HOLD_ENDS, Reason.DELETED, None)
    assert end(gone.state, life.now).step is Step.NOTHING


def test_an_edited_rule_lets_go_as_it_was_and_begins_again_as_it_is() -> None:
    life = Life(HOLD)
    life.see(True)
    life.rule = replace(HOLD, version=2)
    assert (life.see(True), life.reason) == (Step.HOLD_ENDS, Reason.EDITED)
    assert life.last is not None
    assert life.last.wake_at == life.now
    assert life.see(True, timedelta(0), same=True) is Step.HOLD_BEGINS
    life.rule = replace(TRIGGER, version=3)
    assert (life.see(True), life.reason) == (Step.HOLD_ENDS, Reason.EDITED)


def test_a_hold_is_told_again_to_a_device_that_came_back() -> None:
    life = Life(HOLD)
    life.see(True)
    assert life.see(True, timedelta(seconds=1), returned=True) is Step.HOLD_RENEWS


def test_a_hold_waits_for_its_cooldown() -> None:
    life = Life(replace(HOLD, cooldown=10 * MINUTE))
    found = [life.see(holds) for holds in (True, False, True)]
    assert found == [Step.HOLD_BEGINS, Step.HOLD_ENDS, Step.NOTHING]
    assert life.see(True, 8 * MINUTE) is Step.HOLD_BEGINS


steps = st.lists(
    st.tuples(
        st.sampled_from([True, True, False, None]),
        st.sampled_from([timedelta(0), RENEW_EVERY, 7 * MINUTE, 61 * MINUTE]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=30,
)


@given(steps)
def test_executions_are_as_many_as_edges_with_new_readings(
    lived: list[tuple[bool | None, timedelta, bool, bool]],
) -> None:
    life, armed, rested_on = Life(TRIGGER), True, None
    for holds, after, same, _ in lived:
        step = life.see(holds, after, same=same)
        fires = holds is True and armed and life.reading != rested_on
        assert (step is Step.FIRE) is fires
        if fires:
            rested_on = life.reading
        if fires or holds is False:
            armed = not fires


@given(steps, st.sampled_from([None, 1, 3]), st.sampled_from([0, 5, 90]))
def test_limits_are_kept_and_a_hold_is_never_begun_or_ended_twice(
    lived: list[tuple[bool | None, timedelta, bool, bool]], most: int | None, minutes: int
) -> None:
    for rule in (TRIGGER, HOLD):
        limited = replace(rule, max_executions_per_hour=most, cooldown=minutes * MINUTE)
        life, on, begun = Life(limited), False, list[datetime]()
        for holds, after, same, enabled in lived:
            life.rule = replace(limited, enabled=enabled)
            step = life.see(holds, after, same=same)
            assert step is not Step.HOLD_BEGINS or not on
            assert step not in {Step.HOLD_ENDS, Step.HOLD_RENEWS} or on
            on = step is Step.HOLD_BEGINS or (on and step is not Step.HOLD_ENDS)
            assert not on or (enabled and holds is True)
            if step in {Step.FIRE, Step.HOLD_BEGINS}:
                assert enabled
                assert holds is True
                assert not begun or life.now - begun[-1] >= limited.cooldown
                begun.append(life.now)
                recent = [at for at in begun if life.now - at < timedelta(hours=1)]
                assert most is None or len(recent) <= most


def test_every_reason_is_a_sentence() -> None:
    assert {reason.sentence[0].islower() for reason in Reason} == {True}
