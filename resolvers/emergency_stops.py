"""Root fields about emergency stops."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.errors import BadInputError
from domain.users import Role
from schema.context import Context, Info
from schema.emergency_stops import EmergencyStop, EmergencyStopInput
from schema.fields import early_mutation, field, mutation
from schema.ids import key_of

MOST_SHOWN = 200
"""Stops that are shown at once; those in force come first."""

MOST_DEVICES = 2000
"""Devices of cleared stops that are shown at once: all that waits for the answer is longer."""

OnlyActive = Annotated[
    bool | None,
    strawberry.argument(description="Only those in force, or only those cleared; all if left out."),
]
StopId = Annotated[
    strawberry.ID, strawberry.argument(name="id", description="The `id` of an emergency stop.")
]
Resume = Annotated[
    bool | None,
    strawberry.argument(
        description="Whether devices are asked to go on, one after the other, where their firmware "
        "can be asked."
    ),
]
Wish = Annotated[
    EmergencyStopInput, strawberry.argument(name="input", description="What to stop, and why.")
]


async def find_emergency_stop(context: Context, stop_id: UUID) -> EmergencyStop | None:
    """Return one stop; None: it is not known."""
    async with context.services.storage.autocommit() as work:
        found = await work.emergency_stops.by_id(stop_id)
    return EmergencyStop.of(found) if found else None


@strawberry.type
class EmergencyStopQueries:
    """Reading emergency stops."""

    @field
    async def emergency_stops(self, info: Info, active: OnlyActive = None) -> list[EmergencyStop]:
        """The emergency stops, newest first, those in force before all others; at most 200.

        Of cleared ones fewer, where they concern thousands of devices.
        """
        info.context.require(Role.VIEWER)
        async with info.context.services.storage.autocommit() as work:
            stops = await work.emergency_stops.newest(
                MOST_SHOWN, active=active, devices=MOST_DEVICES
            )
        return [EmergencyStop.of(stop) for stop in stops]


@strawberry.type
class EmergencyStopMutations:
    """Stopping, and letting go."""

    @early_mutation
    async def emergency_stop(self, info: Info, wish: Wish) -> EmergencyStop:
        """Stop everything, a device or an actuator, at once and until it is cleared.

        Returns when the stop is in force and under way; `devices` tells who confirmed it. A stop in
        software complements a wired emergency stop; it does not replace it. Role: OPERATOR.
        """
        identity = info.context.require(Role.OPERATOR)
        stop = await info.context.services.emergency.stop(
            wish.reason, esp_id=wish.esp_id, gpio=wish.gpio, by=identity.user_id
        )
        return EmergencyStop.of(stop)

    @mutation
    async def clear_emergency(
        self, info: Info, wrapped: StopId, resume: Resume = None
    ) -> EmergencyStop:
        """End an emergency stop; nothing is switched on by it.

        Each device becomes free 5 s after it stopped, unless another stop holds it. Rules live on:
        what one holds while its condition does comes on again soon; disable it first where nobody
        expects that. Role: OPERATOR.
        """
        identity = info.context.require(Role.OPERATOR)
        stop = await info.context.services.emergency.clear(
            _stop_id(wrapped), identity.user_id, resume=resume is True
        )
        return EmergencyStop.of(stop)


def _stop_id(wrapped: str) -> UUID:
    try:
        (text,) = key_of("EmergencyStop", wrapped)
        return UUID(text)
    except ValueError as error:
        raise BadInputError(f"{wrapped[:100]!r} is not the id of an EmergencyStop") from error
