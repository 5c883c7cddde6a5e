"""Rules and what is remembered of them as JSON: the shape of `RuleInput`, and of what is stored."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.actuators import LONGEST_DURATION, CommandAction
from domain.errors import BadInputError
from domain.rules.conditions import AllOf
from domain.rules.fields import Fields, Findings
from domain.rules.model import (
    LONGEST_COOLDOWN,
    LONGEST_DELAY,
    LOWEST_PRIORITY,
    MOST_ACTIONS,
    MOST_EXECUTIONS,
    USUAL_PRIORITY,
    Action,
    CommandStep,
    DelayStep,
    EmergencyStep,
    EnableRuleStep,
    NotifyStep,
    Rule,
    RuleMode,
    RuleState,
    default_mode,
)
from domain.rules.notation import (
    USUAL,
    Defaults,
    read_condition_into,
    write_condition,
    write_pin,
)
from domain.rules.schedule import DstPolicy
from domain.rules.state_notation import read_state, write_state
from domain.system_events import Severity
from domain.times import read_instant, write_duration, write_instant

_RULE = (
    "name",
    "description",
    "enabled",
    "priority",
    "mode",
    "condition",
    "actions",
    "cooldown",
    "maxExecutionsPerHour",
    "dst",
)
_ACTIONS = ("command", "delay", "notify", "emergencyStop", "setRuleEnabled")
_COMMAND = ("actuator", "action", "value", "duration")
_SECOND = timedelta(seconds=1)
_LONGEST_NAME = 200
_LAST_PIN = 254


def read_rule(given: object, rule_id: UUID, version: int, defaults: Defaults = USUAL) -> Rule:
    """Read a rule as people write it.

    Args:
        given: The shape of `RuleInput`.
        rule_id: Which rule it is to be.
        version: Which version.
        defaults: What is meant where it does not say; its own `dst` stands over the one in them.

    Raises:
        FindingsError: It says all that is wrong, each with its place.
    """
    findings = Findings()
    rule = _rule(given, findings, rule_id, version, defaults)
    findings.require_none()
    if rule is None:
        raise AssertionError("a rule that could not be read has a finding")
    return rule


def _rule(
    given: object, findings: Findings, rule_id: UUID, version: int, defaults: Defaults
) -> Rule | None:
    fields = Fields.of(given, "rule", _RULE, findings)
    if fields is None:
        return None
    dst = fields.choice("dst", DstPolicy) or defaults.dst
    meant = Defaults(time_zone=defaults.time_zone, place=defaults.place, dst=dst)
    name = fields.required("name", lambda key: fields.text(key, _LONGEST_NAME))
    condition = None
    if fields.need("condition"):
        condition = read_condition_into(findings, fields.entries["condition"], meant)
    items = fields.items("actions") if fields.need("actions") else None
    actions = _actions(items or (), findings)
    mode, enabled = fields.choice("mode", RuleMode), fields.flag("enabled")
    if mode is RuleMode.HOLD or (mode is None and condition is not None):
        usual = default_mode(condition) if condition is not None else RuleMode.HOLD
        mode = mode or usual
    if mode is RuleMode.HOLD and not any(_keeps(action) for action in actions):
        findings.add("actions", "a rule that holds needs a command that switches something on")
    rule = Rule(
        id=rule_id,
        version=version,
        name=name or "",
        description=fields.text("description"),
        condition=condition or AllOf(()),
        actions=actions,
        mode=mode or RuleMode.TRIGGER,
        enabled=enabled is not False,
        priority=fields.whole("priority", 1, LOWEST_PRIORITY) or USUAL_PRIORITY,
        cooldown=fields.duration("cooldown", longest=LONGEST_COOLDOWN) or timedelta(0),
        max_executions_per_hour=fields.whole("maxExecutionsPerHour", 1, MOST_EXECUTIONS),
        dst=dst,
    )
    return None if name is None or condition is None else rule


def _keeps(action: Action) -> bool:
    return isinstance(action, CommandStep) and action.action is not CommandAction.OFF


def read_actions(given: object) -> tuple[Action, ...]:
    """Read a list of actions.

    Raises:
        FindingsError: It says all that is wrong, each with its place.
    """
    findings = Findings()
    if not isinstance(given, list | tuple) or not given:
        findings.add("actions", "must be a list with something in it")
    else:
        actions = _actions(given, findings)
    findings.require_none()
    return actions


def _actions(given: Any, findings: Findings) -> tuple[Action, ...]:  # noqa: ANN401 - JSON
    if len(given) > MOST_ACTIONS:
        findings.add("actions", f"a rule has {MOST_ACTIONS} actions at most")
        return ()
    read = (_action(item, f"actions[{place}]", findings) for place, item in enumerate(given))
    return tuple(action for action in read if action is not None)


def _action(  # noqa: PLR0911 - one for each kind
    given: object, place: str, findings: Findings
) -> Action | None:
    fields = Fields.of(given, place, _ACTIONS, findings)
    if fields is None:
        return None
    found = [key for key in fields.entries if key in _ACTIONS]
    if len(found) != 1:
        findings.add(place, f"must have exactly one of {', '.join(_ACTIONS)}")
        return None
    match found[0]:
        case "command":
            return _command(fields)
        case "delay":
            time = fields.duration("delay", _SECOND, LONGEST_DELAY)
            return None if time is None else DelayStep(time)
        case "notify":
            return _notify(fields)
        case "emergencyStop":
            return _emergency(fields)
        case _:
            return _enable(fields)


def _command(fields: Fields) -> CommandStep | None:
    command = fields.within("command", _COMMAND)
    if command is None:
        return None
    pin = command.actuator("actuator")
    action = command.required("action", lambda key: command.choice(key, CommandAction))
    value = command.number("value", 0, 1)
    duration = command.duration("duration", _SECOND, LONGEST_DURATION)
    if action is CommandAction.PWM:
        command.need("value")
    elif command.has("value"):
        command.wrong("value", "is only for PWM")
    if action is CommandAction.OFF and command.has("duration"):
        command.wrong("duration", "is not for OFF")
    if pin is None or action is None:
        return None
    return CommandStep(pin=pin, action=action, value=value, duration=duration)


def _notify(fields: Fields) -> NotifyStep | None:
    notify = fields.within("notify", ("message", "severity"))
    if notify is None:
        return None
    message = notify.required("message", notify.text)
    severity = notify.required("severity", lambda key: notify.choice(key, Severity))
    return None if message is None or severity is None else NotifyStep(message, severity)


def _emergency(fields: Fields) -> EmergencyStep | None:
    stop = fields.within("emergencyStop", ("espId", "gpio", "reason"))
    if stop is None:
        return None
    esp_id, reason = stop.text("espId"), stop.required("reason", stop.text)
    gpio = stop.whole("gpio", 0, _LAST_PIN)
    if stop.has("gpio") and not stop.has("espId"):
        stop.wrong("espId", "is needed with gpio")
    return None if reason is None else EmergencyStep(reason=reason, esp_id=esp_id, gpio=gpio)


def _enable(fields: Fields) -> EnableRuleStep | None:
    enable = fields.within("setRuleEnabled", ("id", "enabled"))
    if enable is None:
        return None
    text = enable.required("id", enable.text)
    enabled = enable.required("enabled", enable.flag)
    if text is None or enabled is None:
        return None
    try:
        return EnableRuleStep(UUID(text), enabled)
    except ValueError:
        enable.wrong("id", "must be the id of a rule")
        return None


def write_actions(actions: tuple[Action, ...]) -> list[dict[str, Any]]:
    """Return what `read_actions` reads, ready for JSON."""
    return [_written(action) for action in actions]


def _written(action: Action) -> dict[str, Any]:
    match action:
        case CommandStep():
            entries = {
                "actuator": write_pin(action.pin),
                "action": action.action.value,
                "value": action.value,
                "duration": None if action.duration is None else write_duration(action.duration),
            }
            return {"command": _said(entries)}
        case DelayStep():
            return {"delay": write_duration(action.time)}
        case NotifyStep():
            return {"notify": {"message": action.message, "severity": action.severity.value}}
        case EmergencyStep():
            entries = {"espId": action.esp_id, "gpio": action.gpio, "reason": action.reason}
            return {"emergencyStop": _said(entries)}
        case EnableRuleStep():
            return {"setRuleEnabled": {"id": str(action.rule_id), "enabled": action.enabled}}


def write_rule(rule: Rule) -> dict[str, Any]:
    """Return what `read_rule` reads, ready for JSON; id and version stand beside it."""
    return _said(
        {
            "name": rule.name,
            "description": rule.description,
            "enabled": rule.enabled,
            "priority": rule.priority,
            "mode": rule.mode.value,
            "condition": write_condition(rule.condition),
            "actions": write_actions(rule.actions),
            "cooldown": write_duration(rule.cooldown) if rule.cooldown else None,
            "maxExecutionsPerHour": rule.max_executions_per_hour,
            "dst": rule.dst.value,
        }
    )


def write_rule_state(state: RuleState) -> dict[str, Any]:
    """Return what `read_rule_state` reads, ready for JSON."""
    return {
        "condition": write_state(state.condition),
        "armed": state.armed,
        "wanting": state.wanting,
        "firedFor": sorted(state.fired_for),
        "executedAt": [write_instant(at) for at in state.executed_at],
        "heldVersion": state.held_version,
    } | {
        key: None if at is None else write_instant(at)
        for key, at in (
            ("decidedAt", state.decided_at),
            ("heldSince", state.held_since),
            ("renewedAt", state.renewed_at),
        )
    }


def read_rule_state(given: Any) -> RuleState:  # noqa: ANN401 - JSON, and what is wrong with it raises
    """Read what `write_rule_state` wrote.

    Raises:
        BadInputError: It is something else.
    """
    try:
        decided, held, renewed = (
            None if given[key] is None else read_instant(given[key])
            for key in ("decidedAt", "heldSince", "renewedAt")
        )
        return RuleState(
            condition=read_state(given["condition"]),
            armed=bool(given["armed"]),
            wanting=bool(given["wanting"]),
            fired_for=frozenset(int(reading) for reading in given["firedFor"]),
            executed_at=tuple(read_instant(at) for at in given["executedAt"]),
            decided_at=decided,
            held_since=held,
            held_version=given["heldVersion"],
            renewed_at=renewed,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"this is no state of a rule: {error!r}") from error


def _said(entries: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entries.items() if value is not None}
