"""What every resolver can reach, and nothing more."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self, TypeAlias
from zoneinfo import ZoneInfo

import strawberry

from domain.devices import FirmwareGeneration
from domain.errors import STARTING, ForbiddenError, StorageUnavailableError, UnauthenticatedError
from domain.ports import Clock, EventStream
from domain.repositories import Storage
from domain.services.accounts import Accounts
from domain.services.calibrate import Calibrate
from domain.services.command import SendCommand
from domain.services.configure import Configure
from domain.services.convert_samples import ConvertSamples
from domain.services.emergency import Emergency
from domain.services.health import CheckHealth
from domain.services.install_libraries import InstallLibraries
from domain.services.manage_rules import ManageRules
from domain.services.order import SendOrder
from domain.services.process import ProcessReading
from domain.services.protect import Protect
from domain.services.recompute import Recompute
from domain.services.registry import Registry
from domain.services.rehearse import Rehearse
from domain.services.reload_libraries import ReloadLibraries
from domain.services.watch_interlocks import WatchInterlocks
from domain.services.watch_relays import WatchRelays
from domain.services.watch_thresholds import WatchThresholds
from domain.users import Identity, Role
from schema.loaders import Loaders

Capabilities: TypeAlias = Mapping[str, bool | list[str] | None]
"""What a device can do, by names that stay; None: nobody knows yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of the server that resolvers work with; built once, when it starts.

    Attributes:
        started: Set once all is loaded that answers depend on.
        capabilities: Says what firmware of a generation can do.
        time_zone: Whose days are told of.
    """

    storage: Storage
    registry: Registry
    events: EventStream
    clock: Clock
    accounts: Accounts
    configure: Configure
    calibrate: Calibrate
    recompute: Recompute
    rehearse: Rehearse
    convert: ConvertSamples
    process: ProcessReading
    send_command: SendCommand
    emergency: Emergency
    manage_rules: ManageRules
    send_order: SendOrder
    install_libraries: InstallLibraries
    reload_libraries: ReloadLibraries
    watch_relays: WatchRelays
    watch_thresholds: WatchThresholds
    watch_interlocks: WatchInterlocks
    protect: Protect
    check_health: CheckHealth
    started: asyncio.Event
    capabilities: Callable[[FirmwareGeneration], Capabilities]
    time_zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What belongs to one operation, or to one event of a subscription.

    Attributes:
        identity: Who asks; None: nobody has proved to be anybody.
        refusal: Why `identity` is None, fit to be shown.
        allow: Gives the operation so much longer, where its time is limited: it waits for a person.
    """

    services: Services
    loaders: Loaders
    identity: Identity | None = None
    refusal: str = "log in first: the mutation login gives a token"
    allow: Callable[[timedelta], None] = lambda _longer: None

    def fresh(self) -> Self:
        """Return the context of the next operation or event: nothing fetched before is kept."""
        return replace(self, loaders=Loaders(self.services.storage))

    def require_started(self) -> None:
        """See to it that nobody is told that a device is not known, only because none is yet.

        Raises:
            StorageUnavailableError: The server is starting.
        """
        if not self.services.started.is_set():
            raise StorageUnavailableError(STARTING)

    def require(self, role: Role) -> Identity:
        """Return who asks, if they may act in this role.

        Raises:
            UnauthenticatedError: Nobody is logged in.
            ForbiddenError: The role of the person logged in does not include this one.
        """
        if self.identity is None:
            raise UnauthenticatedError(self.refusal)
        if self.identity.role < role:
            raise ForbiddenError(f"this needs the role {role.name}")
        return self.identity


Info: TypeAlias = strawberry.Info[Context, None]
