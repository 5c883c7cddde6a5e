"""Why a command was given, and why a rule did nothing: one answer, from the message to the pump.

Everything is put together from what was stored; nothing is written down twice for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.actuators import Command, CommandStatus
from domain.errors import NotFoundError
from domain.repositories import Storage
from domain.rule_executions import RuleExecution
from domain.rules.conditions import watched_sensors
from domain.rules.decide import decide
from domain.rules.evaluate import Verdict, evaluate
from domain.rules.explain import explanation_json
from domain.rules.model import Rule
from domain.rules.notation import write_sensor
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
            execution = rule = reading = None
            if command.execution_id is not None:
                found = await work.rule_executions.by_ids([command.execution_id])
                execution = found.get(command.execution_id)
            if execution is not None:
                rule = await work.rules.version(execution.rule_id, execution.rule_version)
                if execution.triggered_by is not None:
                    reading = await work.readings.by_key(*execution.triggered_by)
        return {
            "command": _command(command),
            "rule": None if rule is None else _rule(rule),
            "execution": None if execution is None else _execution(execution),
            "reading": None if reading is None else _reading(reading),
            "arbitration": "nobody more important held it" if execution else "no rule asked for it",
            "safety": _safety(command),
            "published": _instant(command.sent_at),
            "acknowledged": _acknowledged(command),
        }

    async def why_not(self, rule_id: UUID, at: datetime | None) -> Answer:
        """Return what kept a rule from doing something.

        Args:
            rule_id: The rule, as it is now.
            at: When; None: now. Of the past only stored readings are known: what devices and
                actuators did then is not, and holds and hysteresis begin at nothing.

        Raises:
            NotFoundError: No such rule is known.
        """
        live = self.automate.get(rule_id)
        if live is None:
            raise NotFoundError("no such rule is known")
        rule, now = live.rule, self.automate.carry_out.clock.now()
        if at is None or at >= now:
            verdict = self.automate.judge(rule, live.state)
            decision = decide(rule, live.state, verdict, now)
            carry_out = self.automate.carry_out
            holders = (carry_out.holders.in_the_way(pin, rule, now) for pin in rule.pins)
            return {
                **_verdict(rule, verdict, now),
                "decision": decision.reason.sentence,
                "devices": carry_out.obstacle(rule),
                "arbitration": [holder.reason for holder in holders if holder is not None],
            }
        world = await self._world_at(rule, at)
        return _verdict(rule, evaluate(rule.condition, world, ConditionState(), at), at)

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


def _verdict(rule: Rule, verdict: Verdict, at: datetime) -> Answer:
    return {
        "at": write_instant(at),
        "rule": _rule(rule),
        "holds": verdict.holds,
        "objections": list(objections(verdict.explanation)),
        "explanation": explanation_json(verdict.explanation),
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
    refused = command.status is CommandStatus.REJECTED
    return f"refused: {command.reason}" if refused else "nothing stood against it"


def _acknowledged(command: Command) -> str | None:
    confirmed = command.status is CommandStatus.ACKNOWLEDGED
    return _instant(command.completed_at) if confirmed else None


def _instant(at: datetime | None) -> str | None:
    return None if at is None else write_instant(at)
