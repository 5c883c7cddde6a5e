"""Nested fields in few queries: what one operation asks for of the same kind is fetched at once.

A loader remembers what it fetched, so it lives for one operation, or for one event of a
subscription: `Context.fresh` makes new ones.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from domain.actuators import Actuator, Command
from domain.calibrations import Calibration
from domain.configs import ConfigSync
from domain.devices import Device, DeviceHealth
from domain.errors import BadInputError
from domain.relays import Relay
from domain.repositories import Storage, UnitOfWork
from domain.rule_executions import RuleExecution, StoredRule, Tally
from domain.sensors import Reading, Sensor
from domain.users import User
from domain.zones import Zone

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

BATCH = 1000
"""Keys of one query."""

NESTED_PAGES = 50
"""Nested lists that one operation may page through: each of them is a query of its own."""


class Loaders:
    """One loader per kind of look-up, all over the same storage, each made when first used."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._pages_left = NESTED_PAGES

    @cached_property
    def devices(self) -> DataLoader[str, Device | None]:
        """Devices by `esp_id`."""
        return self._loader(lambda work, keys: work.devices.by_esp_ids(keys))

    @cached_property
    def health(self) -> DataLoader[str, DeviceHealth | None]:
        """Newest reports of devices, by `esp_id`."""
        return self._loader(lambda work, keys: work.devices.health(keys))

    @cached_property
    def sensors_of(self) -> DataLoader[str, Sequence[Sensor] | None]:
        """Sensors of devices, by `esp_id`."""
        return self._loader(lambda work, keys: work.sensors.of_devices(keys))

    @cached_property
    def actuators_of(self) -> DataLoader[str, Sequence[Actuator] | None]:
        """Actuators of devices, by `esp_id`."""
        return self._loader(lambda work, keys: work.actuators.of_devices(keys))

    @cached_property
    def zones(self) -> DataLoader[str, Zone | None]:
        """Zones by `zone_id`."""
        return self._loader(lambda work, keys: work.zones.by_zone_ids(keys))

    @cached_property
    def relays(self) -> DataLoader[str, Relay | None]:
        """Relays by `kaiser_id`."""
        return self._loader(lambda work, keys: work.relays.by_kaiser_ids(keys))

    @cached_property
    def config_syncs(self) -> DataLoader[str, ConfigSync | None]:
        """How devices stand to what they should have, by `esp_id`."""
        return self._loader(lambda work, keys: work.config_syncs.by_esp_ids(keys))

    @cached_property
    def latest(self) -> DataLoader[int, Reading | None]:
        """Newest readings of sensors, by id."""
        return self._loader(lambda work, keys: work.readings.latest(keys))

    @cached_property
    def calibrations(self) -> DataLoader[int, Calibration | None]:
        """Calibrations in force, by sensor id."""
        return self._loader(lambda work, keys: work.calibrations.of_sensors(keys))

    @cached_property
    def calibrations_by_id(self) -> DataLoader[UUID, Calibration | None]:
        """Calibrations by id."""
        return self._loader(lambda work, keys: work.calibrations.by_ids(keys))

    @cached_property
    def actuators(self) -> DataLoader[int, Actuator | None]:
        """Actuators by id."""
        return self._loader(lambda work, keys: work.actuators.by_ids(keys))

    @cached_property
    def commands(self) -> DataLoader[UUID, Command | None]:
        """Commands by id."""
        return self._loader(lambda work, keys: work.commands.by_ids(keys))

    @cached_property
    def asked(self) -> DataLoader[int, Command | None]:
        """What was last asked of actuators, by their id."""
        return self._loader(lambda work, keys: work.commands.last_asked(keys))

    @cached_property
    def rules(self) -> DataLoader[UUID, StoredRule | None]:
        """Rules by id, deleted ones too."""
        return self._loader(lambda work, keys: work.rules.by_ids(keys))

    @cached_property
    def rule_executions(self) -> DataLoader[UUID, RuleExecution | None]:
        """Executions of rules by id."""
        return self._loader(lambda work, keys: work.rule_executions.by_ids(keys))

    @cached_property
    def commands_of_executions(self) -> DataLoader[UUID, Sequence[Command] | None]:
        """Commands of executions, by their id."""
        return self._loader(lambda work, keys: work.commands.of_executions(keys))

    @cached_property
    def rule_tallies(self) -> DataLoader[UUID, Tally | None]:
        """How rules went lately, by id."""
        return self._loader(lambda work, keys: work.rule_executions.tallies(keys))

    @cached_property
    def users(self) -> DataLoader[UUID, User | None]:
        """Accounts by id."""
        return self._loader(lambda work, keys: work.users.by_ids(keys))

    def spend_page(self) -> None:
        """Count a nested list that is paged through.

        Raises:
            BadInputError: The operation has had its share.
        """
        self._pages_left -= 1
        if self._pages_left < 0:
            raise BadInputError(
                f"one operation may page through at most {NESTED_PAGES} nested lists: ask for "
                "fewer parents, or for the list at the root"
            )

    def _loader(
        self, find: Callable[[UnitOfWork, Sequence[K]], Awaitable[Mapping[K, V]]]
    ) -> DataLoader[K, V | None]:
        async def load(keys: list[K]) -> list[V | None]:
            async with self._storage.autocommit() as work:
                found = await find(work, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load, max_batch_size=BATCH)
