"""Devices in GraphQL."""

from collections.abc import Collection
from datetime import datetime
from typing import Self

import strawberry
from strawberry.scalars import JSON

from domain import configs, devices
from domain.relays import CENTRAL
from schema.actuators import Actuator
from schema.arguments import After, First, From, To
from schema.configs import ConfigSync
from schema.context import Info
from schema.fields import field
from schema.ids import global_id
from schema.nodes import Node
from schema.pages import Connection, CountedConnection, Cursors
from schema.relays import KaiserNode
from schema.sensors import Sensor
from schema.zones import Zone

DEVICES = Cursors("devices")
HEALTH = Cursors("health")

strawberry.enum(
    devices.FirmwareGeneration,
    description=(
        "What a device was flashed with, oldest first. UNKNOWN: it has said nothing yet that tells."
    ),
)


@strawberry.type(description="A device's own report about itself.")
class DeviceHealth:
    """Null wherever the firmware does not say."""

    reported_at: datetime = strawberry.field(description="When the server had the report.")
    system_state: str = strawberry.field(
        description="The firmware's name for what it does, such as `OPERATIONAL`; `UNKNOWN` where "
        "it has none."
    )
    uptime_seconds: int | None = strawberry.field(description="Seconds since the device started.")
    free_heap_bytes: int | None = strawberry.field(description="Free memory, in bytes.")
    min_free_heap_bytes: int | None = strawberry.field(
        description="The least memory that was ever free since it started, in bytes."
    )
    heap_fragmentation_percent: int | None = strawberry.field(
        description="How much of its free memory is in pieces, 0 to 100."
    )
    wifi_rssi_dbm: int | None = strawberry.field(
        description="Strength of its radio signal, in dBm: -50 is strong, -80 is weak."
    )
    safe_mode: bool = strawberry.field(
        description="Whether the device has shut its actuators off to be safe."
    )
    sensor_count: int | None = strawberry.field(description="How many sensors it runs.")
    actuator_count: int | None = strawberry.field(description="How many actuators it runs.")
    error_count: int | None = strawberry.field(
        description="How many errors it has counted since it started."
    )

    @classmethod
    def of(cls, health: devices.DeviceHealth) -> Self:
        """Show a report to clients."""
        return cls(
            reported_at=health.reported_at,
            system_state=health.system_state,
            uptime_seconds=health.uptime_seconds,
            free_heap_bytes=health.free_heap_bytes,
            min_free_heap_bytes=health.min_free_heap_bytes,
            heap_fragmentation_percent=health.heap_fragmentation_percent,
            wifi_rssi_dbm=health.wifi_rssi_dbm,
            safe_mode=health.safe_mode,
            sensor_count=health.sensor_count,
            actuator_count=health.actuator_count,
            error_count=health.error_count,
        )


@strawberry.type(description="A page of reports, newest first.")
class DeviceHealthConnection(Connection[DeviceHealth]):
    """Reports, page by page; they are too many to be counted."""


@strawberry.type(description="An ESP32 board.")
class Device(Node):
    """A device with what hangs on it."""

    esp_id: str = strawberry.field(
        description="Its name as in its topics, such as `ESP_12AB34CD`; unique."
    )
    name: str | None = strawberry.field(description="What people call it.")
    status: devices.DeviceStatus = strawberry.field(description="What is known of its presence.")
    approved: bool = strawberry.field(
        description="Whether it was let in: only then it takes commands and its values are told."
    )
    subzone_id: str | None = strawberry.field(
        description="The part of its zone that its pins belong to; null: none."
    )
    is_zone_master: bool = strawberry.field(description="Whether it speaks for its zone.")
    metadata: JSON = strawberry.field(
        description="What people noted about it; the server does not look into it."
    )
    ip_address: str | None = strawberry.field(description="Its address as it last said.")
    mac_address: str | None = strawberry.field(
        description="The address of its radio, such as `24:6F:28:12:AB:34`, if it says."
    )
    firmware_version: str | None = strawberry.field(description="Its firmware, if it says.")
    hardware_type: str | None = strawberry.field(description="Its board, if it says.")
    firmware_generation: devices.FirmwareGeneration = strawberry.field(
        description="What it was flashed with, as far as its way of writing tells."
    )
    last_seen: datetime | None = strawberry.field(
        description="When the server last heard it; null: never."
    )
    created_at: datetime = strawberry.field(description="When the server first knew it.")
    updated_at: datetime = strawberry.field(description="When a person last changed it.")
    zone_key: strawberry.Private[str | None]
    level: strawberry.Private[str]

    @classmethod
    def of(cls, device: devices.Device) -> Self:
        """Show a device to clients."""
        return cls(
            id=global_id("Device", device.esp_id),
            esp_id=device.esp_id,
            name=device.name,
            status=device.status,
            approved=device.approved,
            subzone_id=device.subzone_id,
            is_zone_master=device.is_zone_master,
            metadata=JSON(dict(device.metadata)),
            zone_key=device.zone_id,
            level=device.kaiser_id,
            ip_address=device.ip_address,
            mac_address=device.mac_address,
            firmware_version=device.firmware_version,
            hardware_type=device.hardware_type,
            firmware_generation=device.firmware_generation,
            last_seen=device.last_seen,
            created_at=device.created_at,
            updated_at=device.updated_at,
        )

    @field
    async def capabilities(self, info: Info) -> JSON:
        """What its firmware can do; each key is null while that is not known.

        An object with these keys: `clearsEmergency` (ends an emergency when told, else only a
        restart does), `honoursDuration` (switches off by itself after a command's duration),
        `limitsRuntime` (is told the longest time on of its actuators), `stopsAlone` (switches
        everything off once the server is gone for two minutes), `honoursInterval` (measures in the
        rhythm it is told), `honoursPwm` (gives any part of full
        power), `measuresOnDemand`, `knowsSubzones`, `confirmsByCommand` (says which command it
        answers), `hasLastWill` (its loss is noticed at once), `survivesReconnect` (hears commands
        after it lost the broker; else only after a restart), `knowsTime` (its readings carry their
        own time), and `systemCommands` (what it can be told to do with itself).
        """
        return JSON(dict(info.context.services.capabilities(self.firmware_generation)))

    @field
    async def health(self, info: Info) -> DeviceHealth | None:
        """Its newest report about itself; null: it never sent one."""
        health = await info.context.loaders.health.load(self.esp_id)
        return DeviceHealth.of(health) if health else None

    @field
    async def health_history(
        self,
        info: Info,
        start: From = None,
        end: To = None,
        first: First = None,
        after: After = None,
    ) -> DeviceHealthConnection:
        """Its health over time, newest first: every report for a day, one an hour for a year."""
        info.context.loaders.spend_page()
        request = HEALTH.request(first, after)
        async with info.context.services.storage.autocommit() as work:
            page = await work.health_history.page(self.esp_id, request, start=start, end=end)
        return DeviceHealthConnection.of(HEALTH, request, page, DeviceHealth.of)

    @field
    async def zone(self, info: Info) -> Zone | None:
        """The zone it belongs to; null: none."""
        if self.zone_key is None:
            return None
        zone = await info.context.loaders.zones.load(self.zone_key)
        return Zone.of(zone) if zone else None

    @field
    async def kaiser(self, info: Info) -> KaiserNode | None:
        """The relay it sits behind; null: none, or one that was never heard itself."""
        if self.level in CENTRAL:
            return None
        relay = await info.context.loaders.relays.load(self.level)
        return KaiserNode.of(relay) if relay else None

    @field
    async def config_sync(self, info: Info) -> ConfigSync:
        """What it was last sent, and whether it confirmed it."""
        sync = await info.context.loaders.config_syncs.load(self.esp_id)
        return ConfigSync.of(sync or configs.ConfigSync())

    @field
    async def sensors(self, info: Info) -> list[Sensor]:
        """Its sensors, in order of pin and kind."""
        found = await info.context.loaders.sensors_of.load(self.esp_id)
        return [Sensor.of(sensor) for sensor in found or ()]

    @field
    async def actuators(self, info: Info) -> list[Actuator]:
        """Its actuators, in order of pin."""
        found = await info.context.loaders.actuators_of.load(self.esp_id)
        return [Actuator.of(actuator) for actuator in found or ()]


@strawberry.type(description="A page of devices, in order of `espId`.")
class DeviceConnection(CountedConnection[Device]):
    """Devices, page by page."""

    @classmethod
    async def find(  # noqa: PLR0913 - what may be asked for, by name
        cls,
        info: Info,
        first: int | None,
        after: str | None,
        *,
        statuses: Collection[devices.DeviceStatus] | None = None,
        search: str | None = None,
        zone_id: str | None = None,
        kaiser_id: str | None = None,
    ) -> Self:
        """Return a page of a selection; see `domain.repositories.Devices.page`."""
        request = DEVICES.request(first, after)
        storage = info.context.services.storage
        async with storage.autocommit() as work:
            page = await work.devices.page(
                request, statuses=statuses, search=search, zone_id=zone_id, kaiser_id=kaiser_id
            )

        async def count() -> int:
            async with storage.autocommit() as work:
                return await work.devices.count(
                    statuses=statuses, search=search, zone_id=zone_id, kaiser_id=kaiser_id
                )

        return cls.of(DEVICES, request, page, Device.of).counted_by(count)


@strawberry.type(description="A device gave a sign of life, went offline, or was approved.")
class DeviceHealthEvent:
    """What the subscription deviceHealth tells."""

    cursor: str = strawberry.field(description="Opaque; names this moment.")
    device: Device = strawberry.field(description="The device as it is now.")
    health: DeviceHealth | None = strawberry.field(
        description="What it reported; null when this is not about a report."
    )


@strawberry.input(description="What is to change of a device; what is left out stays as it is.")
class UpdateDeviceInput:
    """The settings of a device as clients write them."""

    esp_id: str = strawberry.field(description="The device, by its `espId`.")
    name: str | None = strawberry.field(default=None, description="What people shall call it.")
    zone_id: str | None = strawberry.field(
        default=None,
        description="The zone it shall belong to, which comes into being if it is new: 1 to 32 "
        "letters, digits, `_` or `-`; empty for none.",
    )
    subzone_id: str | None = strawberry.field(
        default=None, description="The part of the zone that its pins belong to; empty for none."
    )
    is_zone_master: bool | None = strawberry.field(
        default=None, description="Whether it speaks for its zone."
    )
    metadata: JSON | None = strawberry.field(
        default=None, description="What people note about it: a JSON object."
    )
