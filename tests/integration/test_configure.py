"""Decisions about the same thing at the same moment: memory and database agree afterwards."""

import asyncio
from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from domain.actuators import Pin
from domain.devices import Device
from domain.lease_book import LeaseBook
from domain.services.configure import Configure
from domain.services.registry import Registry
from storage.connection import Database
from tests.fakes import FakeClock, FakeEventStream
from tests.fakes.configs import FakeAdmissions
from tests.integration.storing import stored_actuator

HOUR = timedelta(hours=1)
PIN = Pin("ESP_12AB34", 5)


@pytest.fixture
async def configure(database: Database) -> Configure:
    await stored_actuator(database)
    registry = Registry()
    await registry.load(database)
    return Configure(
        storage=database,
        registry=registry,
        events=FakeEventStream(),
        clock=FakeClock(),
        leases=LeaseBook(),
        new_id=uuid7,
        changed=lambda _esp_id: None,
        admitted=FakeAdmissions(),
    )


async def after_a_restart(database: Database) -> Registry:
    registry = Registry()
    await registry.load(database)
    return registry


async def test_settings_given_at_the_same_moment_are_all_kept(
    configure: Configure, database: Database
) -> None:
    await asyncio.gather(
        configure.set_actuator(PIN, "pump", name="Irrigation"),
        configure.set_actuator(PIN, "pump", enabled=False),
        configure.set_actuator(PIN, "pump", critical=True, max_runtime=HOUR),
    )
    kept = (await after_a_restart(database)).actuator(PIN)
    assert kept is not None
    assert (kept.name, kept.enabled, kept.critical) == ("Irrigation", False, True)
    assert kept == configure.registry.actuator(PIN)


async def test_names_given_at_the_same_moment_leave_one_that_everybody_sees(
    configure: Configure, database: Database
) -> None:
    await asyncio.gather(
        *(configure.approve_device(PIN.esp_id, f"Bench {number}") for number in range(8))
    )
    kept = (await after_a_restart(database)).device(PIN.esp_id)
    assert isinstance(kept, Device)
    assert kept == configure.registry.device(PIN.esp_id)
