"""How devices stand to what they should have, in GraphQL."""

from datetime import datetime
from typing import Self

import strawberry

from domain import configs

strawberry.enum(
    configs.ConfigSyncState,
    description=(
        "How a device stands to what it should have. IN_SYNC: it confirmed all of it. PENDING: on "
        "its way, or waiting until the device is there. REJECTED: it refused some of it. "
        "TIMED_OUT: it did not answer; it is told again when it comes back. NEVER_SENT: nobody "
        "decided anything about it yet."
    ),
)


@strawberry.type(description="Something that a device refused to be set up with.")
class RefusedItem:
    """An item and the device's reason."""

    item: str = strawberry.field(description="What was refused, such as `sensor on GPIO 4`.")
    reason: str = strawberry.field(description="Why, in the device's words.")


@strawberry.type(description="What a device was last sent, and whether it confirmed it.")
class ConfigSync:
    """A device's configuration on its way."""

    state: configs.ConfigSyncState = strawberry.field(description="How it stands.")
    config_id: str | None = strawberry.field(
        description="Names the last configuration; null: there was none."
    )
    sent_at: datetime | None = strawberry.field(
        description="When a message of it last left the server."
    )
    confirmed_at: datetime | None = strawberry.field(
        description="When the device last answered all of a configuration."
    )
    attempts: int = strawberry.field(
        description="How many messages were sent for this configuration, repeats included."
    )
    error: str | None = strawberry.field(description="Why it is not in sync; null where it is.")
    refused: list[RefusedItem] = strawberry.field(
        description="What the device refused; the rest it has taken."
    )

    @classmethod
    def of(cls, sync: configs.ConfigSync) -> Self:
        """Show how a device stands to clients."""
        return cls(
            state=sync.state,
            config_id=sync.config_id,
            sent_at=sync.sent_at,
            confirmed_at=sync.confirmed_at,
            attempts=sync.attempts,
            error=sync.error,
            refused=[RefusedItem(item=item, reason=why) for item, why in sync.items.items()],
        )
