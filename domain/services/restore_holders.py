"""After a restart: who has which actuator, made again of leases, commands and rules that hold."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from domain.arbitration import PEOPLE, Holders
from domain.repositories import UnitOfWork
from domain.rules.model import Rule
from domain.services.remember_rules import Live


async def restore_holders(
    work: UnitOfWork, holders: Holders, rules: Mapping[UUID, Live], now: datetime
) -> None:
    """Let everybody have again what they had.

    Args:
        work: Where leases and commands are found.
        holders: Knows nobody yet.
        rules: Those that there are, with what they remember.
        now: The time.
    """
    leases = [lease.command_id for lease in await work.leases.all() if lease.command_id]
    commands = {**(await work.commands.by_ids(leases))}
    commands |= {command.id: command for command in await work.commands.overriding(now)}
    causes = {c.execution_id for c in commands.values() if c.execution_id is not None}
    executions = await work.rule_executions.by_ids(sorted(causes))

    def rule_of(execution_id: UUID) -> Rule | None:
        cause = executions.get(execution_id)
        live = None if cause is None else rules.get(cause.rule_id)
        return None if live is None else live.rule

    holds = [live.rule for live in rules.values() if live.state.held_since is not None]
    for rule in sorted(holds, key=lambda rule: rule.priority):
        for pin in rule.pins:
            holders.claim(pin, rule, now)
    found = [
        command
        for command in commands.values()
        if command.origin in PEOPLE or command.execution_id is not None
    ]
    found.sort(key=lambda command: command.created_at)
    holders.load(found, rule_of, now)
