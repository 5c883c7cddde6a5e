"""Root fields that say why: why a command was given, and why a rule did nothing."""

from datetime import datetime
from typing import Annotated, cast

import strawberry
from strawberry.scalars import JSON

from domain.services.reasons import Reasons
from domain.users import Role
from schema.context import Context, Info
from schema.fields import field
from schema.rules import rule_uuid

WhichCommand = Annotated[strawberry.ID, strawberry.argument(description="The `id` of a command.")]
WhichRule = Annotated[strawberry.ID, strawberry.argument(description="The `id` of a rule.")]
At = Annotated[
    datetime | None,
    strawberry.argument(
        description="When; now if left out. The rule is judged as it stood then; of the past only "
        "stored readings are known, not what devices and actuators did."
    ),
]


def _reasons(context: Context) -> Reasons:
    services = context.services
    return Reasons(
        storage=services.storage,
        registry=services.registry,
        automate=services.manage_rules.automate,
    )


@strawberry.type
class ReasonQueries:
    """Asking why."""

    @field
    async def why(self, info: Info, command_id: WhichCommand) -> JSON:
        """Why a command was given: reading, library, calibration, rule, condition, and its end."""
        info.context.require(Role.VIEWER)
        found = await _reasons(info.context).why(rule_uuid(command_id, "Command"))
        return cast("JSON", found)

    @field
    async def why_not(self, info: Info, rule_id: WhichRule, at: At = None) -> JSON:
        """Why a rule does nothing, or did nothing: each part of its condition, and who stood by."""
        info.context.require(Role.VIEWER)
        return cast("JSON", await _reasons(info.context).why_not(rule_uuid(rule_id), at))
