"""Why a command was given, and why a rule did nothing: one answer, from the message to the pump.

Everything is put together from what was stored when it happened; nothing is judged anew of a
command, and of a rule in the past only its condition, in the version that was in force.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.actuators import Command, CommandStatus
from domain.arbitration import PEOPLE
from domain.calibrations import Calibration
from domain.errors import NotFoundError
from domain.repositories import Storage
from domain.rule_executions import RuleExecution, StoredRule
from domain.rules.conditions import watched_sensors
from domain.rules.decide import decide
from domain.rules.evaluate import Verdict, evaluate
from domain.rules.explain import explanation_json
from domain.rules.model import Rule
from domain.rules.notation import write_pin, write_sensor
from domain.rules.objections import objections
from domain.rules.rule_notation import write_rule
from domain.rules.world import MAX_AGE, ConditionState, Observation, World
from domain.sensors import Reading
from domain.services.automate import Automate
from domain.services.registry import Registry
from domain.times import write_instant

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Answers."""

    storage: Storage
    registry: Registry
    automate: Automate

    async def why(self, command_id: UUID) -> Answer:
        """Return all that led to a command, and what became of it.

        Raises:
            NotFoundError: No such command is known.
        """
        async with self.storage.autocommit() as work:
            command = await work.commands.by_id(command_id)
            if command is None:
                raise NotFoundError("no such command is known")
            execution = rule = reading = calibration = None
            if command.execution_id is not None:
                found = await work.rule_executions.by_ids([command.execution_id])
                execution = found.get(command.execution_id)
            if execution is not None:
                rule = await work.rules.version(execution.rule_id, execution.rule_version)
                if execution.triggered_by is not None:
                    reading = await work.readings.by_key(*execution.triggered_by)
            if reading is not None and (made_with := reading.measurement.calibration_id):
                calibration = await work.calibrations.by_id(made_with)
        return {
            "command": _command(command),
            "rule": None if rule is None else _rule(rule),
            "execution": None if execution is None else _execution(execution),
            "message": None if reading is None else _message(reading),
            "reading": None if reading is None else _reading(reading),
            "calibration": None if calibration is None else _calibration(calibration),
            "arbitration": _arbitration(command, execution),
            "safety": _safety(command),
            "published": _instant(command.sent_at),
            "acknowledged": _acknowledged(command),
        }

    async def why_not(self, rule_id: UUID, at: datetime | None) -> Answer:
        """Return what kept a rule from doing something.

        Args:
            rule_id: The rule.
            at: When; None: now. The rule is judged as it stood then. Of the past only stored
                readings are known: what devices and actuators did then is not, and holds and
                hysteresis begin at nothing.

        Raises:
            NotFoundError: No such rule is known.
        """
        now = self.automate.carry_out.clock.now()
        if at is not None and at < now:
            return await self._why_not_then(rule_id, at)
        live = self.automate.get(rule_id)
        if live is not None:
            rule = live.rule
            verdict = self.automate.judge(rule, live.state)
            decision = decide(rule, live.state, verdict, now)
            carry_out = self.automate.carry_out
            holders = (carry_out.holders.in_the_way(pin, rule, now) for pin in rule.pins)
            return {
                **_judged(live.stored, verdict, now),
                "decision": decision.reason.sentence,
                "devices": carry_out.obstacle(rule),
                "arbitration": [holder.reason for holder in holders if holder is not None],
            }
        return await self._why_not_then(rule_id, now)

    async def _why_not_then(self, rule_id: UUID, at: datetime) -> Answer:
        async with self.storage.autocommit() as work:
            stood = await work.rules.at(rule_id, at)
            known = stood or (await work.rules.by_ids([rule_id])).get(rule_id)
        if known is None:
            raise NotFoundError("no such rule is known")
        if stood is None:
            return _not_yet(known, at)
        world = await self._world_at(stood.rule, at)
        return _judged(stood, evaluate(stood.rule.condition, world, ConditionState(), at), at)

    async def _world_at(self, rule: Rule, at: datetime) -> World:
        readings = {}
        async with self.storage.autocommit() as work:
            for key in watched_sensors(rule.condition):
                sensor = self.registry.sensor(key)
                if sensor is None:
                    continue
                (reading,) = await work.history.held_at(sensor.id, [at], MAX_AGE)
                if reading is not None:
                    readings[key] = Observation.of(reading)
        return World(readings=readings)


def _judged(stood: StoredRule, verdict: Verdict, at: datetime) -> Answer:
    """Return what a rule came to, as it stood then."""
    rule, against = stood.rule, list(objections(verdict.explanation))
    if stood.deleted_at is not None:
        against.insert(0, f"it was deleted at {write_instant(stood.deleted_at)}")
    elif not rule.enabled:
        against.insert(0, f"it was disabled, at the latest at {write_instant(stood.updated_at)}")
    return {
        "at": write_instant(at),
        "rule": {
            **_rule(rule),
            "enabled": rule.enabled and stood.deleted_at is None,
            "since": write_instant(stood.updated_at),
        },
        "holds": verdict.holds,
        "objections": against,
        "explanation": explanation_json(verdict.explanation),
    }


def _not_yet(known: StoredRule, at: datetime) -> Answer:
    """Return that there was nothing to judge."""
    made = write_instant(known.created_at)
    return {
        "at": write_instant(at),
        "rule": None,
        "holds": None,
        "objections": [f"there was no such rule yet: {known.rule.name} was made at {made}"],
        "explanation": None,
    }


def _rule(rule: Rule) -> Answer:
    return {"name": rule.name, "version": rule.version, "definition": write_rule(rule)}


def _command(command: Command) -> Answer:
    return {
        "action": command.action.value,
        "value": command.value,
        "espId": command.pin.esp_id,
        "gpio": command.pin.gpio,
        "origin": command.origin.value,
        "status": command.status.value,
        "reason": command.reason,
        "createdAt": write_instant(command.created_at),
    }


def _execution(execution: RuleExecution) -> Answer:
    return {
        "step": execution.step.value,
        "cause": execution.why.sentence,
        "outcome": execution.outcome.value,
        "reason": execution.reason,
        "triggeredAt": write_instant(execution.triggered_at),
        "explanation": execution.explanation,
    }


def _message(reading: Reading) -> Answer:
    """Return what a device said: nothing that is made of it later changes it."""
    return {
        "espId": reading.sensor.key.esp_id,
        "sensor": write_sensor(reading.sensor.key),
        "rawValue": reading.raw_value,
        "measuredAt": write_instant(reading.measured_at),
        "receivedAt": write_instant(reading.received_at),
        "sequence": reading.sequence,
    }


def _calibration(calibration: Calibration) -> Answer:
    return {
        "id": str(calibration.id),
        "method": calibration.method.value,
        "calibratedAt": write_instant(calibration.calibrated_at),
        "parameters": {**calibration.fit.parameters},
        "points": len(calibration.points),
    }


def _arbitration(command: Command, execution: RuleExecution | None) -> Answer:
    """Return who had the actuator when it was taken, and what was said for it; as written then."""
    if execution is None:
        asked = command.origin in PEOPLE
        held = command.arbitration
        by = "a person takes it from every rule" if asked else "the server asks nobody"
        until = command.override_until
        return {
            "by": by,
            "heldBy": held,
            "preempted": held is not None,
            "overridesUntil": None if until is None else write_instant(until),
        }
    said = execution.arbitration
    if not said:
        return {"by": "it was not written down", "heldBy": None, "preempted": None}
    pin = write_pin(command.pin)
    held = next((one for one in said["heldBy"] if pin.items() <= one.items()), None)
    mine = held is None or held["ruleId"] == str(execution.rule_id)
    by = f"the rule had priority {said['priority']}"
    return {**said, "by": by, "heldBy": held, "preempted": not mine}


def _reading(reading: Reading) -> Answer:
    made = reading.measurement
    return {
        "sensor": write_sensor(reading.sensor.key),
        "rawValue": reading.raw_value,
        "value": made.value,
        "unit": made.unit,
        "quality": made.quality.value,
        "measuredAt": write_instant(reading.measured_at),
        "receivedAt": write_instant(reading.received_at),
        "sequence": reading.sequence,
        "library": made.library,
        "libraryVersion": made.library_version,
        "calibration": None if made.calibration_id is None else str(made.calibration_id),
        "notes": made.notes,
    }


def _safety(command: Command) -> str:
    match command.status:
        case CommandStatus.REJECTED:
            return f"refused: {command.reason}"
        case CommandStatus.EXPIRED | CommandStatus.SUPERSEDED:
            return f"kept back: {command.reason}"
        case _:
            return "nothing stood against it"


def _acknowledged(command: Command) -> str | None:
    confirmed = command.status is CommandStatus.ACKNOWLEDGED
    return _instant(command.completed_at) if confirmed else None


def _instant(at: datetime | None) -> str | None:
    return None if at is None else write_instant(at)
