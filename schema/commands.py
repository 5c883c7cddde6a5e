"""Commands as clients write them."""

from datetime import timedelta
from uuid import UUID

import strawberry

from domain import actuators
from domain.actuators import CommandAction


@strawberry.input(description="What is wanted of an actuator.")
class SendCommandInput:
    """An order as clients write it."""

    esp_id: str = strawberry.field(description="The device, by its `espId`.")
    gpio: int = strawberry.field(description="The pin of the actuator, 0 to 254.")
    action: CommandAction = strawberry.field(description="What to do.")
    value: float | None = strawberry.field(
        default=None,
        description="0.0 to 1.0; always with PWM, and else nothing that says otherwise.",
    )
    duration: timedelta | None = strawberry.field(
        default=None,
        description="Switch off again after this time, at most 7 days; if left out, or longer "
        "than it may be on, when `maxRuntime` is over.",
    )
    wait: bool | None = strawberry.field(
        default=True,
        description="Whether to return only when the device has answered or its time is up.",
    )
    override_for: timedelta | None = strawberry.field(
        default=None,
        description="How long rules leave it alone, at most 7 days, `PT0S`: not at all. If left "
        "out, until what is switched on ends, and for 30 minutes where it is switched off.",
    )
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="1 to 255 characters. A repeat with the same key returns the first command and "
        "sends nothing; another command with it is refused.",
    )

    def order(self, user_id: UUID) -> actuators.Order:
        """Return the wish as the domain says it."""
        return actuators.Order(
            pin=actuators.Pin(self.esp_id, self.gpio),
            action=self.action,
            value=self.value,
            duration=self.duration,
            origin=actuators.CommandOrigin.USER,
            user_id=user_id,
            idempotency_key=self.idempotency_key,
            override_for=self.override_for,
        )
