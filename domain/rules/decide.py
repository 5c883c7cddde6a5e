"""What a rule does about a verdict: pure, so that live rules and backtests decide identically.

**A trigger** runs its actions when its condition *becomes* true. It is armed when it is new, and
when it was disabled; executing disarms it; only a condition that is known to be false arms it
again. Unknown does neither: a sensor that was silent for a while makes no edge. A rule that is
armed while its condition holds already, because it is new, executes at once.

It never executes twice for the same readings: what an execution rested on is remembered
(`fired_for`), and another one rests on at least one other reading, also after a restart, an edit,
or disabling and enabling; until there is one it stays armed. Conditions without readings have
nothing of the kind; for all alike, while the clock is behind the latest decision by up to an hour
a trigger neither executes nor is armed: it lived through that time already. A clock that went back
further was wrong before, and is believed now.

Cooldown and executions per hour delay, and lose nothing: an armed trigger executes as soon as they
permit, if its condition still holds then. An execution that could not be carried out because a
device was away (`unfulfilled`) is wanted further, and repeated when the device is back
(`returned`), until the condition is known to be false.

**A hold** has no edges but a state: it begins when its condition holds, is renewed every
`RENEW_EVERY` while it does, and ends, once, when the condition is false or unknown (its sensor went
stale), when the rule is disabled, deleted, edited, or made a trigger. A restart finds it on and
renews it, or ends it. One that ends before its turn to be carried out has come, as after an outage,
is not begun any more: actuators do not make up for what is over. A rule that was edited lets go as
it was before, and begins again as it is.

State must be stored together with the execution, before anything is done: what is stored as done
and was not, is lost; nothing is done twice. A reading that was stored, but not judged any more when
the server ended, is judged first of all when it starts again, in the order in which readings were
stored, at the time that it is then: what is too old by then says nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.rules.evaluate import Verdict
from domain.rules.model import EXECUTIONS_COUNTED, RENEW_EVERY, Rule, RuleMode, RuleState

CLOCK_BELIEVED = timedelta(hours=1)
"""How far a clock may go back and still be the one whose time was lived through."""


class Step(StrEnum):
    """What is to be done now."""

    FIRE = "FIRE"
    HOLD_BEGINS = "HOLD_BEGINS"
    HOLD_RENEWS = "HOLD_RENEWS"
    HOLD_ENDS = "HOLD_ENDS"
    NOTHING = "NOTHING"


class Reason(StrEnum):
    """Why that is to be done."""

    TRUE = "TRUE"
    RETURNED = "RETURNED"
    FALSE = "FALSE"
    UNKNOWN = "UNKNOWN"
    DISABLED = "DISABLED"
    DELETED = "DELETED"
    EDITED = "EDITED"
    STILL_TRUE = "STILL_TRUE"
    HELD = "HELD"
    SEEN = "SEEN"
    CLOCK_BEHIND = "CLOCK_BEHIND"
    COOLDOWN = "COOLDOWN"
    TOO_MANY = "TOO_MANY"

    @property
    def sentence(self) -> str:
        """The reason for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.TRUE: "its condition became true",
    Reason.RETURNED: "its condition still holds, and the device that was away is back",
    Reason.FALSE: "its condition is false",
    Reason.UNKNOWN: "it is unknown whether its condition holds",
    Reason.DISABLED: "it is disabled",
    Reason.DELETED: "it was deleted",
    Reason.EDITED: "it was edited",
    Reason.STILL_TRUE: "its condition has been true since it last ran",
    Reason.HELD: "it holds, and its actuators were told a moment ago",
    Reason.SEEN: "it ran for these readings already, and waits for another one",
    Reason.CLOCK_BEHIND: "the clock went back: it lived through this time already",
    Reason.COOLDOWN: "it waits until its cooldown is over",
    Reason.TOO_MANY: "it ran as often as it may within an hour, and waits",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a rule decided.

    Attributes:
        state: What to remember; to be stored before the step is done.
        wake_at: When to evaluate again, if nothing happens before; None: never.
    """

    step: Step
    reason: Reason
    state: RuleState
    wake_at: datetime | None


def decide(
    rule: Rule, state: RuleState, verdict: Verdict, now: datetime, *, returned: bool = False
) -> Decision:
    """Decide what a rule does.

    Args:
        rule: As it is now, enabled or not.
        state: What was remembered the last time.
        verdict: What its condition came to, from `state.condition`.
        now: The instant of the verdict.
        returned: Whether a device has just come back that the rule commands.
    """
    behind = _NOT_BEHIND if state.decided_at is None else state.decided_at - now
    lived = _NOT_BEHIND < behind <= CLOCK_BELIEVED
    state = replace(
        state,
        condition=verdict.state,
        decided_at=state.decided_at if lived else now,
        executed_at=state.executed_at if lived else _up_to(now, state.executed_at),
    )
    if rule.mode is RuleMode.HOLD:
        return _decide_hold(rule, state, verdict, now, returned=returned)
    if state.held_since is not None:
        return _let_go(state, Reason.EDITED, now)
    return _decide_trigger(rule, state, verdict, now, lived=lived, returned=returned)


_NOT_BEHIND = timedelta(0)


def end(state: RuleState, now: datetime) -> Decision:
    """Decide what is left to do of a rule that was deleted."""
    if state.held_since is None:
        return _nothing(state, Reason.DELETED)
    return replace(_let_go(state, Reason.DELETED, now), wake_at=None)


def unfulfilled(state: RuleState) -> RuleState:
    """Return what to remember when an execution of a trigger could not be carried out.

    It does not count for cooldown and executions per hour.
    """
    return replace(state, wanting=True, executed_at=state.executed_at[:-1])


def _decide_trigger(  # noqa: PLR0913 - two facts about time that a verdict does not know
    rule: Rule, state: RuleState, verdict: Verdict, now: datetime, *, lived: bool, returned: bool
) -> Decision:
    if not rule.enabled:
        return _nothing(replace(state, armed=True, wanting=False), Reason.DISABLED)
    if lived:
        return _nothing(state, Reason.CLOCK_BEHIND, verdict.wake_at, state.decided_at)
    if verdict.holds is False and (state.wanting or not state.armed):
        state = replace(state, armed=True, wanting=False)
    again = state.wanting and returned
    if (reason := _against_trigger(state, verdict, again=again)) is not None:
        return _nothing(state, reason, verdict.wake_at)
    if (limit := _limit(rule, state, now)) is not None:
        return _nothing(state, limit[0], verdict.wake_at, limit[1])
    return Decision(
        step=Step.FIRE,
        reason=Reason.RETURNED if again else Reason.TRUE,
        state=replace(
            _executed(rule, state, now), armed=False, wanting=False, fired_for=verdict.reading_ids
        ),
        wake_at=verdict.wake_at,
    )


def _against_trigger(state: RuleState, verdict: Verdict, *, again: bool) -> Reason | None:
    if not verdict.holds:
        return Reason.UNKNOWN if verdict.holds is None else Reason.FALSE
    if again:
        return None
    if not state.armed:
        return Reason.STILL_TRUE
    seen = verdict.reading_ids and verdict.reading_ids <= state.fired_for
    return Reason.SEEN if seen else None


def _decide_hold(  # noqa: PLR0911 - one for each thing that a hold can do
    rule: Rule, state: RuleState, verdict: Verdict, now: datetime, *, returned: bool
) -> Decision:
    reason = _against_hold(rule, verdict)
    if state.held_since is None:
        if reason is not None:
            return _nothing(state, reason, verdict.wake_at if rule.enabled else None)
        if (limit := _limit(rule, state, now)) is not None:
            return _nothing(state, limit[0], verdict.wake_at, limit[1])
        held = replace(
            _executed(rule, state, now),
            held_since=now,
            held_version=rule.version,
            renewed_at=now,
            fired_for=verdict.reading_ids,
        )
        return _held(Step.HOLD_BEGINS, Reason.TRUE, held, verdict, now)
    if reason is not None:
        return replace(_let_go(state, reason, now), wake_at=verdict.wake_at)
    if state.held_version != rule.version:
        return _let_go(state, Reason.EDITED, now)
    told = state.renewed_at
    if returned or told is None or not _NOT_BEHIND <= now - told < RENEW_EVERY:
        why = Reason.RETURNED if returned else Reason.TRUE
        return _held(Step.HOLD_RENEWS, why, replace(state, renewed_at=now), verdict, now)
    return _held(Step.NOTHING, Reason.HELD, state, verdict, told)


def _against_hold(rule: Rule, verdict: Verdict) -> Reason | None:
    if not rule.enabled:
        return Reason.DISABLED
    if verdict.holds is None:
        return Reason.UNKNOWN
    return None if verdict.holds else Reason.FALSE


def _held(
    step: Step, reason: Reason, state: RuleState, verdict: Verdict, told: datetime
) -> Decision:
    wake_at = _earliest((verdict.wake_at, told + RENEW_EVERY))
    return Decision(step=step, reason=reason, state=state, wake_at=wake_at)


def _let_go(state: RuleState, reason: Reason, now: datetime) -> Decision:
    """End a hold; what the rule does otherwise is decided at once, but separately."""
    state = replace(state, held_since=None, held_version=None, renewed_at=None, armed=True)
    return Decision(step=Step.HOLD_ENDS, reason=reason, state=state, wake_at=now)


def _nothing(state: RuleState, reason: Reason, *wakes: datetime | None) -> Decision:
    return Decision(step=Step.NOTHING, reason=reason, state=state, wake_at=_earliest(wakes))


def _earliest(wakes: Iterable[datetime | None]) -> datetime | None:
    return min((at for at in wakes if at is not None), default=None)


def _limit(rule: Rule, state: RuleState, now: datetime) -> tuple[Reason, datetime] | None:
    """Return what forbids an execution now, and until when; None: nothing does."""
    if not state.executed_at:
        return None
    if now < (until := state.executed_at[-1] + rule.cooldown):
        return Reason.COOLDOWN, until
    most = rule.max_executions_per_hour
    if most is None or len(state.executed_at) < most:
        return None
    until = state.executed_at[-most] + EXECUTIONS_COUNTED
    return (Reason.TOO_MANY, until) if now < until else None


def _executed(rule: Rule, state: RuleState, now: datetime) -> RuleState:
    most = rule.max_executions_per_hour or 1
    return replace(state, executed_at=(*state.executed_at, now)[-most:])


def _up_to(now: datetime, instants: tuple[datetime, ...]) -> tuple[datetime, ...]:
    if not instants or instants[-1] <= now:
        return instants
    return tuple(at for at in instants if at <= now)
