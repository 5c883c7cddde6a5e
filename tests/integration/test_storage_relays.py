"""Relays in the database: what is heard of one and what people decide go separate ways."""

from dataclasses import replace
from datetime import timedelta

from domain.relays import Relay, RelayHealth
from storage.connection import Database
from tests.fakes import START
from tests.makers import make_relay

FULL = Relay(
    kaiser_id="kaiser_001",
    online=True,
    last_seen=START + timedelta(microseconds=1),
    health=RelayHealth(
        state="OPERATIONAL",
        uptime_seconds=86_400,
        cpu_temperature=52.3,
        wifi_rssi_dbm=-55,
        local_connected=True,
        remote_connected=False,
        clients=("ESP_12AB34", "ESP_34CD56"),
        queued=0,
        relayed_total=15_230,
        relayed_last_minute=42,
        disk_usage_percent=35,
    ),
    created_at=START,
)


async def test_a_relay_comes_back_as_it_was_heard(database: Database) -> None:
    other = make_relay("barn", online=False)
    async with database.autocommit() as work:
        await work.relays.save_presence(FULL)
        await work.relays.save_presence(other)
        assert await work.relays.all() == [other, FULL]
        assert await work.relays.by_kaiser_ids(["kaiser_001", "nobody"]) == {"kaiser_001": FULL}


async def test_what_is_heard_leaves_name_and_first_time_alone(database: Database) -> None:
    later = START + timedelta(hours=1)
    heard = replace(FULL, online=False, last_seen=later, health=RelayHealth(), created_at=later)
    async with database.autocommit() as work:
        await work.relays.save_presence(FULL)
        await work.relays.save_name(replace(FULL, name="The barn", online=False))
        assert await work.relays.all() == [replace(FULL, name="The barn")]
        await work.relays.save_presence(heard)
        assert await work.relays.all() == [replace(heard, name="The barn", created_at=START)]


async def test_a_report_of_another_version_is_still_read(database: Database) -> None:
    async with database.autocommit() as work:
        await work.relays.save_presence(FULL)
        await work.relays._client.execute_query(
            """UPDATE relay SET health = '{"state": "NEW", "moon": "full"}'"""
        )
        (relay,) = await work.relays.all()
    assert relay.health == RelayHealth(state="NEW")
