"""Root fields about actuators and commands."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Annotated, TypeVar
from uuid import UUID

import strawberry

from domain.actuators import Pin
from domain.configs import NO_PIN
from domain.errors import BadInputError
from domain.events import ActuatorChanged, CommandChanged
from domain.users import Role
from schema.actuators import (
    ACTUATORS,
    Actuator,
    ActuatorConfigInput,
    ActuatorConnection,
    ActuatorRefInput,
    ActuatorState,
    ActuatorStateEvent,
    Command,
    CommandEvent,
)
from schema.arguments import After, EspId, First, Gpio, OnlyEspId
from schema.commands import SendCommandInput
from schema.conditions import written
from schema.context import Context, Info
from schema.fields import field, mutation, subscription
from schema.ids import key_of
from schema.live import Filter, Moments, wanted

T = TypeVar("T")

ACTUATOR_MOMENTS = Moments("actuatorStates")
COMMAND_MOMENTS = Moments("commands")

OnlyType = Annotated[
    str | None, strawberry.argument(description="Only of this kind, such as `pump`.")
]
CommandId = Annotated[
    strawberry.ID, strawberry.argument(name="id", description="The `id` of a command.")
]
Order = Annotated[
    SendCommandInput, strawberry.argument(name="input", description="What to do with which pin.")
]
Ref = Annotated[ActuatorRefInput, strawberry.argument(name="input", description="Which actuator.")]
Settings = Annotated[
    ActuatorConfigInput,
    strawberry.argument(name="input", description="Which actuator, and its settings."),
]


async def find_actuator(context: Context, esp_id: str, gpio: int) -> Actuator | None:
    """Return one actuator; None: nothing is known to hang there."""
    async with context.services.storage.autocommit() as work:
        found = await work.actuators.by_pin(Pin(esp_id, gpio))
    return Actuator.of(found) if found else None


async def find_command(context: Context, command_id: UUID) -> Command | None:
    """Return one command; None: it is not known."""
    async with context.services.storage.autocommit() as work:
        found = await work.commands.by_id(command_id)
    return Command.of(found) if found else None


@strawberry.type
class ActuatorQueries:
    """Reading actuators and commands."""

    @field
    async def actuator(self, info: Info, esp_id: EspId, gpio: Gpio) -> Actuator | None:
        """One actuator; null: nothing is known to hang there."""
        info.context.require(Role.VIEWER)
        return await find_actuator(info.context, esp_id, gpio)

    @field
    async def actuators(
        self,
        info: Info,
        esp_id: OnlyEspId = None,
        actuator_type: OnlyType = None,
        first: First = None,
        after: After = None,
    ) -> ActuatorConnection:
        """The actuators, in order of device and pin."""
        info.context.require(Role.VIEWER)
        request = ACTUATORS.request(first, after)
        kind = actuator_type and actuator_type.lower()
        storage = info.context.services.storage
        async with storage.autocommit() as work:
            page = await work.actuators.page(request, esp_id=esp_id, actuator_type=kind)

        async def count() -> int:
            async with storage.autocommit() as work:
                return await work.actuators.count(esp_id=esp_id, actuator_type=kind)

        return ActuatorConnection.of(ACTUATORS, request, page, Actuator.of).counted_by(count)

    @field
    async def command(self, info: Info, wrapped: CommandId) -> Command | None:
        """One command; null: it is not known."""
        info.context.require(Role.VIEWER)
        return await find_command(info.context, _command_id(wrapped))


@strawberry.type
class ActuatorMutations:
    """Setting up actuators and commanding them."""

    @mutation
    async def set_actuator(self, info: Info, settings: Settings) -> Actuator:
        """Set up an actuator, new or known; its device is told. Role: ADMIN."""
        info.context.require(Role.ADMIN)
        services, pin = info.context.services, Pin(settings.esp_id, settings.gpio)
        declared = services.protect.read(
            pin,
            interlocks=_or_none_any_more(written(settings.interlocks), []),
            effect=_or_none_any_more(written(settings.effect), {}),
            on_server_loss=settings.on_server_loss,
        )
        return Actuator.of(
            await services.configure.set_actuator(
                pin,
                settings.actuator_type,
                name=settings.name,
                enabled=settings.enabled,
                critical=settings.critical,
                inverted=settings.inverted,
                aux_gpio=_aux_gpio(settings),
                default_value=settings.default_value,
                max_runtime=_or_none_any_more(settings.max_runtime, timedelta(0)),
                min_off_time=_or_none_any_more(settings.min_off_time, timedelta(0)),
                max_starts_per_hour=_or_none_any_more(settings.max_starts_per_hour, 0),
                safeguards=declared,
            )
        )

    @mutation
    async def remove_actuator(self, info: Info, ref: Ref) -> bool:
        """Forget an actuator and its commands, and have its device forget it. Role: ADMIN.

        False: it was not known.
        """
        info.context.require(Role.ADMIN)
        return await info.context.services.configure.remove_actuator(Pin(ref.esp_id, ref.gpio))

    @mutation
    async def send_command(self, info: Info, wish: Order) -> Command:
        """Command an actuator; returns once the outcome is known, unless `wait: false`.

        A command that the server refuses is REJECTED, one that could not leave in time EXPIRED, one
        that the device refuses FAILED, one without an answer TIMED_OUT; each says its reason.
        Role: OPERATOR.
        """
        identity = info.context.require(Role.OPERATOR)
        order = wish.order(identity.user_id)
        return Command.of(
            await info.context.services.send_command(order, wait=wish.wait is not False)
        )


@strawberry.type
class ActuatorSubscriptions:
    """Watching actuators and commands."""

    @subscription
    async def actuator_states(
        self, info: Info, only: Filter = None
    ) -> AsyncGenerator[ActuatorStateEvent, None]:
        """Tells when a device reports what a pin does, or somebody sets an actuator up."""
        info.context.require(Role.VIEWER)
        services = info.context.services
        wants = wanted(services.registry, only, sensor_types=False)
        async with services.events.listen(ActuatorChanged) as events:
            async for event in events:
                actuator = event.actuator
                if wants.pin(*actuator.pin):
                    yield ActuatorStateEvent(
                        cursor=ACTUATOR_MOMENTS.write(services.clock.now(), actuator.id),
                        actuator=Actuator.of(actuator),
                        state=ActuatorState.of(actuator.state),
                    )

    @subscription
    async def commands(self, info: Info, only: Filter = None) -> AsyncGenerator[CommandEvent, None]:
        """Tells each step of every command, from PENDING to its end."""
        info.context.require(Role.VIEWER)
        services = info.context.services
        wants = wanted(services.registry, only, sensor_types=False)
        async with services.events.listen(CommandChanged) as events:
            async for event in events:
                command = event.command
                if wants.pin(*command.pin):
                    yield CommandEvent(
                        cursor=COMMAND_MOMENTS.write(services.clock.now(), str(command.id)),
                        command=Command.of(command),
                    )


def _aux_gpio(settings: ActuatorConfigInput) -> int | None:
    """Return the pin to set, `NO_PIN` to have none any more, or None to leave it as it is."""
    if settings.aux_gpio is strawberry.UNSET:
        return None
    return NO_PIN if settings.aux_gpio is None else settings.aux_gpio


def _or_none_any_more(given: T | None, none: T) -> T | None:
    """Return a limit to set, `none` to have none any more, or None to leave it as it is."""
    if given is strawberry.UNSET:
        return None
    return none if given is None else given


def _command_id(wrapped: str) -> UUID:
    try:
        (text,) = key_of("Command", wrapped)
        return UUID(text)
    except ValueError as error:
        raise BadInputError(f"{wrapped[:100]!r} is not the id of a Command") from error
