"""What the watch over devices costs PostgreSQL, and what it leaves there for the next server."""

from datetime import timedelta

from uuid_utils.compat import uuid7

from domain.devices import DeviceHealth, Discovery, Heartbeat
from domain.presence import REPORTS, REPORTS_WITHIN, SEEN_EVERY
from domain.services.registry import Registry
from domain.services.watch_devices import WatchDevices
from storage.connection import Database
from tests.fakes import START, FakeClock, FakeEventStream, FakeReports
from tests.query_counting import counted_queries

ESP = "ESP_12AB34"


class Notes(list[str]):
    def info(self, event: str, **_fields: object) -> None:
        self.append(event)

    warning = info


async def watching(database: Database) -> tuple[WatchDevices, Notes]:
    """Return the watch of a server that just started."""
    registry, notes = Registry(), Notes()
    await registry.load(database)
    watch = WatchDevices(
        storage=database,
        registry=registry,
        events=FakeEventStream(),
        clock=FakeClock(),
        new_id=uuid7,
        discovery=Discovery.AUTO,
        journal=notes,
        reports=FakeReports(),
    )
    return watch, notes


def heartbeat(at: float, uptime: int) -> Heartbeat:
    time = START + timedelta(seconds=at)
    return Heartbeat(
        esp_id=ESP,
        kaiser_id="god",
        received_at=time,
        health=DeviceHealth(reported_at=time, uptime_seconds=uptime),
    )


async def test_a_flood_of_heartbeats_costs_a_few_statements(database: Database) -> None:
    watch, _ = await watching(database)
    await watch.heartbeat(heartbeat(0, 100))
    minute, rate = 60, 20
    async with counted_queries(database) as statements:
        for n in range(1, minute * rate):
            await watch.heartbeat(heartbeat(n / rate, 100 + n // rate))
    seen = minute // SEEN_EVERY.total_seconds()
    reports = REPORTS * minute // REPORTS_WITHIN.total_seconds()
    assert len(statements) == seen + reports - 2, "the first heartbeat was not counted"


async def test_the_next_server_knows_when_a_device_booted_and_what_it_announced(
    database: Database,
) -> None:
    watch, _ = await watching(database)
    await watch.heartbeat(heartbeat(0, 100))
    await watch.announced(ESP, 7)
    successor, notes = await watching(database)
    known = await successor.heartbeat(heartbeat(3600, 3700))
    assert known is not None
    assert (known.handover_epoch, known.last_boot_at) == (7, START - timedelta(seconds=100))
    assert notes == []
    await successor.heartbeat(heartbeat(3660, 30))
    assert notes == ["device.restarted"]
