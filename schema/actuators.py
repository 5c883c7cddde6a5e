"""Actuators, their state and the commands given to them in GraphQL."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from domain import actuators, leases, safeguards
from domain.actuators import Pin
from domain.errors import NotFoundError
from domain.guarantees import guarantees
from domain.safeguards import write_effect, write_interlocks
from schema.arguments import After, First, From, To
from schema.conditions import ConditionInput
from schema.context import Info
from schema.fields import field
from schema.holders import ActuatorHolder
from schema.ids import global_id
from schema.nodes import Node
from schema.pages import Connection, CountedConnection, Cursors
from schema.runtimes import (
    CHANGES,
    RUNS,
    ActuatorRun,
    ActuatorRunConnection,
    ActuatorStateChange,
    ActuatorStateChangeConnection,
    Runtime,
    RuntimeFrom,
    RuntimeTo,
    runtime_of,
)
from schema.safeguards import EffectInput, InterlockState
from schema.users import User

if TYPE_CHECKING:
    from schema.devices import Device
    from schema.rules import RuleExecution

ACTUATORS = Cursors("actuators")
COMMANDS = Cursors("commands")

strawberry.enum(
    actuators.ActuatorMode,
    description=(
        "What values an actuator takes. DIGITAL: 0.0 or 1.0. PWM: any part of full power. SERVO: "
        "a position."
    ),
)
strawberry.enum(
    actuators.CommandAction,
    description=(
        "What a command asks for. PWM: the value given; 0.0 becomes OFF. TOGGLE: the other of on "
        "and off, decided by the server before it is sent."
    ),
)
strawberry.enum(
    actuators.CommandStatus,
    description=(
        "How far a command has come. PENDING: stored. SENT: on its way. ACKNOWLEDGED: the device "
        "did it. REJECTED: the server refused it. FAILED: the device refused it, or it never left "
        "the server. TIMED_OUT: the device did not answer. EXPIRED: too late to be sent. "
        "SUPERSEDED: a newer one took its place."
    ),
)
strawberry.enum(actuators.CommandOrigin, description="Who or what gave a command.")


@strawberry.type(description="What the device last said that its pin does.")
class ActuatorState:
    """The reported state of a pin."""

    value: float = strawberry.field(description="0.0 (off) to 1.0 (full).")
    is_active: bool = strawberry.field(description="Whether it is on at all.")
    emergency: actuators.EmergencyPhase = strawberry.field(
        description="How far an emergency stop has come here."
    )
    runtime_ms: float | None = strawberry.field(
        description="How long it has been on, in milliseconds, by the device's count."
    )
    last_command_at: datetime | None = strawberry.field(
        description="When the device last did what a command asked for."
    )
    reported_at: datetime | None = strawberry.field(
        description="When the device itself last said so; null: never heard, the rest is assumed."
    )

    @classmethod
    def of(cls, state: actuators.ActuatorState) -> Self:
        """Show a state to clients."""
        return cls(
            value=state.value,
            is_active=state.is_active,
            emergency=state.emergency,
            runtime_ms=state.runtime_ms,
            last_command_at=state.last_command_at,
            reported_at=state.reported_at,
        )


@strawberry.type(description="Until when an actuator may be on: nothing is simply on.")
class Lease:
    """A lease as clients see it."""

    until: datetime = strawberry.field(description="When the server switches it off.")
    started_at: datetime = strawberry.field(description="When this lease was given.")
    on_since: datetime = strawberry.field(
        description="Since when it is on without a pause; new leases keep it."
    )
    confirmed: bool = strawberry.field(description="Whether its device has shown that it is on.")
    command_key: strawberry.Private[UUID | None]

    @classmethod
    def of(cls, lease: leases.Lease) -> Self:
        """Show a lease to clients."""
        return cls(
            until=lease.until,
            started_at=lease.began,
            on_since=lease.on_since,
            confirmed=lease.confirmed,
            command_key=lease.command_id,
        )

    @field
    async def command(self, info: Info) -> "Command | None":
        """What switched it on last; null: nobody here did."""
        if self.command_key is None:
            return None
        command = await info.context.loaders.commands.load(self.command_key)
        return Command.of(command) if command else None


@strawberry.type(description="What was last asked of an actuator, whether it does so or not.")
class DesiredState:
    """The wish, kept apart from the reported state."""

    value: float = strawberry.field(description="0.0 (off) to 1.0 (full).")
    action: actuators.CommandAction = strawberry.field(description="What was asked for.")
    origin: actuators.CommandOrigin = strawberry.field(description="Who or what asked.")
    status: actuators.CommandStatus = strawberry.field(description="How far that has come.")
    asked_at: datetime = strawberry.field(description="When it was asked.")

    @classmethod
    def of(cls, command: actuators.Command) -> Self:
        """Show a wish to clients."""
        return cls(
            value=command.value,
            action=command.action,
            origin=command.origin,
            status=command.status,
            asked_at=command.created_at,
        )


@strawberry.type(description="A pin that does something.")
class Actuator(Node):
    """An actuator with its state and its commands."""

    gpio: int = strawberry.field(description="The pin, 0 to 254.")
    actuator_type: str = strawberry.field(
        description=f"The kind: {', '.join(f'`{kind}`' for kind in actuators.MODES)}."
    )
    name: str = strawberry.field(description="What people call it.")
    enabled: bool = strawberry.field(description="Whether it takes commands.")
    critical: bool = strawberry.field(description="Whether its failure does harm.")
    inverted: bool = strawberry.field(description="Whether the pin is low when it is on.")
    aux_gpio: int | None = strawberry.field(description="A second pin that it needs; null: none.")
    default_value: float = strawberry.field(
        description="What it does from the device's start on, 0.0 to 1.0."
    )
    max_runtime: timedelta | None = strawberry.field(
        description="The longest time on without a pause, whoever switched it on; null: what is "
        "usual for its kind, one hour for pumps and valves, else a day."
    )
    min_off_time: timedelta | None = strawberry.field(
        description="How long it rests before it is switched on again; null: not at all."
    )
    max_starts_per_hour: int | None = strawberry.field(
        description="How often it may be switched on within an hour; null: any number."
    )
    mode: actuators.ActuatorMode = strawberry.field(description="What values its kind takes.")
    state: ActuatorState = strawberry.field(description="What its device last said it does.")
    created_at: datetime = strawberry.field(description="When the server first knew it.")
    updated_at: datetime = strawberry.field(description="When a person last changed it.")
    row_id: strawberry.Private[int]
    esp_id: strawberry.Private[str]

    @classmethod
    def of(cls, actuator: actuators.Actuator) -> Self:
        """Show an actuator to clients."""
        return cls(
            id=global_id("Actuator", *actuator.pin),
            gpio=actuator.pin.gpio,
            actuator_type=actuator.actuator_type,
            name=actuator.name,
            enabled=actuator.enabled,
            critical=actuator.critical,
            inverted=actuator.inverted,
            aux_gpio=actuator.aux_gpio,
            default_value=actuator.default_value,
            max_runtime=actuator.max_runtime,
            min_off_time=actuator.min_off_time,
            max_starts_per_hour=actuator.max_starts_per_hour,
            mode=actuator.mode,
            state=ActuatorState.of(actuator.state),
            created_at=actuator.created_at,
            updated_at=actuator.updated_at,
            row_id=actuator.id,
            esp_id=actuator.pin.esp_id,
        )

    @field
    async def device(self, info: Info) -> Annotated["Device", strawberry.lazy("schema.devices")]:
        """The device it hangs on."""
        from schema.devices import Device  # noqa: PLC0415 - devices show actuators, and these them

        device = await info.context.loaders.devices.load(self.esp_id)
        if device is None:
            raise NotFoundError(f"the device {self.esp_id} is gone")
        return Device.of(device)

    @field
    def lease(self, info: Info) -> Lease | None:
        """Until when it may be on; null: it is off, as far as the server knows."""
        found = info.context.services.send_command.leases.get(Pin(self.esp_id, self.gpio))
        return Lease.of(found) if found else None

    @field
    def holder(self, info: Info) -> ActuatorHolder | None:
        """Whom it obeys, while less important rules wait; null: nobody in particular."""
        holders = info.context.services.manage_rules.holders
        found = holders.get(Pin(self.esp_id, self.gpio), info.context.services.clock.now())
        return ActuatorHolder.of(found) if found else None

    @field
    async def desired(self, info: Info) -> DesiredState | None:
        """What was last asked of it, beside what it does; null: nothing ever was.

        What the server refused does not count.
        """
        asked = await info.context.loaders.asked.load(self.row_id)
        return DesiredState.of(asked) if asked else None

    @field
    def interlocks(self, info: Info) -> JSON:
        """What must hold for it to be on, as `ActuatorConfigInput.interlocks` has it."""
        return JSON(write_interlocks(self._safeguards(info).interlocks))

    @field
    def interlock_states(self, info: Info) -> list[InterlockState]:
        """Whether its interlocks hold now, each with the reason."""
        watch = info.context.services.watch_interlocks
        return [InterlockState.of(verdict) for verdict in watch.verdicts(self._pin)]

    @field
    def effect(self, info: Info) -> JSON | None:
        """What must be seen once it is on, as `ActuatorConfigInput.effect`; null: nothing."""
        effect = write_effect(self._safeguards(info).effect)
        return None if effect is None else JSON(effect)

    @field
    def on_server_loss(self, info: Info) -> safeguards.OnServerLoss:
        """What it is to do when server or broker are gone; `guarantees` tells what can be."""
        return self._safeguards(info).on_server_loss

    @field
    def warnings(self, info: Info) -> list[str]:
        """What its interlocks and its effect ask for that is not there yet, each at its place."""
        return [finding.text for finding in info.context.services.protect.warnings(self._pin)]

    @property
    def _pin(self) -> Pin:
        return Pin(self.esp_id, self.gpio)

    def _safeguards(self, info: Info) -> safeguards.Safeguards:
        return info.context.services.registry.safeguards(self._pin)

    @field
    async def guarantees(self, info: Info) -> list[str]:
        """What can be promised of it, and what cannot, by the firmware of its device."""
        device = info.context.services.registry.device(self.esp_id)
        if device is None:
            return []
        able = info.context.services.capabilities(device.firmware_generation)
        return list(guarantees(self.mode, able, self._safeguards(info).on_server_loss))

    @field
    async def runtime(self, info: Info, start: RuntimeFrom, end: RuntimeTo = None) -> Runtime:
        """How long it was on, and how often it was switched on, in all and day by day."""
        info.context.loaders.spend_page()
        return await runtime_of(info, self._pin, self.row_id, start, end)

    @field
    async def runs(
        self,
        info: Info,
        start: From = None,
        end: To = None,
        first: First = None,
        after: After = None,
    ) -> ActuatorRunConnection:
        """When it was on, newest first; not the time that goes on now, see `lease`."""
        info.context.loaders.spend_page()
        request = RUNS.request(first, after)
        async with info.context.services.storage.autocommit() as work:
            page = await work.leases.runs_of(self.row_id, request, start=start, end=end)
        return ActuatorRunConnection.of(RUNS, request, page, ActuatorRun.of)

    @field
    async def state_changes(
        self,
        info: Info,
        start: From = None,
        end: To = None,
        first: First = None,
        after: After = None,
    ) -> ActuatorStateChangeConnection:
        """When its device said that it does something else, newest first; kept for a year."""
        info.context.loaders.spend_page()
        request = CHANGES.request(first, after)
        async with info.context.services.storage.autocommit() as work:
            page = await work.actuators.changes_of(self.row_id, request, start=start, end=end)
        return ActuatorStateChangeConnection.of(CHANGES, request, page, ActuatorStateChange.of)

    @field
    async def commands(
        self, info: Info, first: First = None, after: After = None
    ) -> "CommandConnection":
        """The commands given to it, newest first."""
        info.context.loaders.spend_page()
        request = COMMANDS.request(first, after)
        async with info.context.services.storage.autocommit() as work:
            page = await work.commands.of_actuator(self.row_id, request)
        return CommandConnection.of(COMMANDS, request, page, Command.of)


@strawberry.type(description="An order to an actuator, and what became of it.")
class Command(Node):
    """A command with its history."""

    action: actuators.CommandAction = strawberry.field(description="What it asks for.")
    value: float | None = strawberry.field(description="What the pin is to become, 0.0 to 1.0.")
    duration: timedelta | None = strawberry.field(
        description="How long to stay on; null: as long as it may be (see `maxRuntime`)."
    )
    status: actuators.CommandStatus = strawberry.field(description="How far it has come.")
    reason: str | None = strawberry.field(
        description="Why it was rejected, failed, expired or timed out; null where it was not."
    )
    origin: actuators.CommandOrigin = strawberry.field(description="Who or what gave it.")
    created_at: datetime = strawberry.field(description="When it was given.")
    sent_at: datetime | None = strawberry.field(description="When it left the server.")
    completed_at: datetime | None = strawberry.field(description="When its status became final.")
    actuator_row: strawberry.Private[int]
    user_id: strawberry.Private[UUID | None]
    execution_id: strawberry.Private[UUID | None]

    @classmethod
    def of(cls, command: actuators.Command) -> Self:
        """Show a command to clients."""
        return cls(
            id=global_id("Command", command.id),
            action=command.action,
            value=command.value,
            duration=command.duration,
            status=command.status,
            reason=command.reason,
            origin=command.origin,
            created_at=command.created_at,
            sent_at=command.sent_at,
            completed_at=command.completed_at,
            actuator_row=command.actuator_id,
            user_id=command.user_id,
            execution_id=command.execution_id,
        )

    @field
    async def actuator(self, info: Info) -> Actuator:
        """What it was given to."""
        actuator = await info.context.loaders.actuators.load(self.actuator_row)
        if actuator is None:
            raise NotFoundError("the actuator of this command is gone")
        return Actuator.of(actuator)

    @field
    async def user(self, info: Info) -> User | None:
        """The person who gave it; null where none did."""
        if self.user_id is None:
            return None
        user = await info.context.loaders.users.load(self.user_id)
        return User.of(user) if user else None

    @field
    async def rule_execution(
        self, info: Info
    ) -> Annotated["RuleExecution", strawberry.lazy("schema.rules")] | None:
        """The execution of a rule that caused it, down to the readings; null: no rule did."""
        from schema.rules import RuleExecution  # noqa: PLC0415 - rules show commands, and these them

        if self.execution_id is None:
            return None
        found = await info.context.loaders.rule_executions.load(self.execution_id)
        return RuleExecution.of(found) if found else None


@strawberry.type(description="A page of actuators, in order of device and pin.")
class ActuatorConnection(CountedConnection[Actuator]):
    """Actuators, page by page."""


@strawberry.type(description="A page of commands, newest first.")
class CommandConnection(Connection[Command]):
    """Commands, page by page."""


@strawberry.type(description="A device reported what a pin does, or somebody configured it.")
class ActuatorStateEvent:
    """What the subscription actuatorStates tells."""

    cursor: str = strawberry.field(description="Opaque; names this moment.")
    actuator: Actuator = strawberry.field(description="The actuator.")
    state: ActuatorState = strawberry.field(description="What it does now.")


@strawberry.type(description="A command came a step further.")
class CommandEvent:
    """What the subscription commands tells."""

    cursor: str = strawberry.field(description="Opaque; names this moment.")
    command: Command = strawberry.field(description="The command at this step.")


@strawberry.input(description="How an actuator is set up; what is left out stays as it is.")
class ActuatorConfigInput:
    """The settings of an actuator as clients write them."""

    esp_id: str = strawberry.field(description="The device, by its `espId`.")
    gpio: int = strawberry.field(description="The pin, 0 to 254.")
    actuator_type: str = strawberry.field(
        description=f"The kind: {', '.join(f'`{kind}`' for kind in actuators.MODES)}."
    )
    name: str | None = strawberry.field(default=None, description="What people call it.")
    enabled: bool | None = strawberry.field(
        default=None, description="Whether it takes commands; a new one does."
    )
    critical: bool | None = strawberry.field(
        default=None, description="Whether its failure does harm; a new one's does not."
    )
    inverted: bool | None = strawberry.field(
        default=None, description="Whether the pin is low when it is on; a new one's is not."
    )
    aux_gpio: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="A second pin that it needs, 0 to 254; null: it needs none, as a new one.",
    )
    default_value: float | None = strawberry.field(
        default=None,
        description="What it does from the device's start on, 0.0 to 1.0; a new one is off.",
    )
    max_runtime: timedelta | None = strawberry.field(
        default=strawberry.UNSET,
        description="The longest time on without a pause, PT1S to P7D; it must be set for what is "
        "critical. null: what is usual for its kind.",
    )
    min_off_time: timedelta | None = strawberry.field(
        default=strawberry.UNSET,
        description="How long it rests before it is switched on again, up to P1D; null: not at "
        "all.",
    )
    max_starts_per_hour: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="How often it may be switched on within an hour, 1 to 1000; null: any number.",
    )
    interlocks: list[ConditionInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Every one must hold for anything but OFF, and what is not known does not; "
        "when one ends to hold, it is switched off at once. 16 at most; null: none.",
    )
    effect: EffectInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="What must be seen once it is on, else people are told; null: nothing.",
    )
    on_server_loss: safeguards.OnServerLoss | None = strawberry.field(
        default=None,
        description="What it is to do when server or broker are gone; a new one holds its lease.",
    )


@strawberry.input(description="Which actuator.")
class ActuatorRefInput:
    """An actuator's key as clients write it."""

    esp_id: str = strawberry.field(description="The device, by its `espId`.")
    gpio: int = strawberry.field(description="The pin, 0 to 254.")
