"""Whom actuators obey, in GraphQL."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from domain import arbitration
from schema.context import Info
from schema.fields import field
from schema.users import User

if TYPE_CHECKING:
    from schema.rules import Rule


@strawberry.type(description="Whom an actuator obeys: a rule, or a person who overrides the rules.")
class ActuatorHolder:
    """A holder as clients see it."""

    reason: str = strawberry.field(description="Who holds it and why, as a sentence.")
    priority: int = strawberry.field(
        description="Of the rule, 1 is the most important; 0: a person, whom no rule overrides."
    )
    since: datetime = strawberry.field(description="When it took hold.")
    until: datetime | None = strawberry.field(
        description="When it lets go; null: when the condition, or what was switched on, ends."
    )
    rule_key: strawberry.Private[UUID | None]
    user_key: strawberry.Private[UUID | None]

    @classmethod
    def of(cls, holder: arbitration.Holder) -> Self:
        """Show a holder to clients."""
        return cls(
            reason=holder.reason,
            priority=holder.priority,
            since=holder.since,
            until=holder.until,
            rule_key=holder.rule_id,
            user_key=holder.user_id,
        )

    @field
    async def rule(self, info: Info) -> Annotated["Rule", strawberry.lazy("schema.rules")] | None:
        """The rule; null: a person."""
        from schema.rules import Rule  # noqa: PLC0415 - rules show actuators, and these them

        if self.rule_key is None:
            return None
        stored = await info.context.loaders.rules.load(self.rule_key)
        return Rule.of(stored) if stored else None

    @field
    async def user(self, info: Info) -> User | None:
        """The person; null: a rule, or the account is gone."""
        if self.user_key is None:
            return None
        user = await info.context.loaders.users.load(self.user_key)
        return User.of(user) if user else None
