"""Safeguards of actuators in a real database."""

from datetime import timedelta

import asyncpg
import pytest

from domain.actuators import Pin
from domain.errors import BadInputError
from domain.rules.conditions import ActuatorIs, AllOf, Limit, Not, Operator, Stale, Threshold
from domain.safeguards import Effect, OnServerLoss, Safeguards
from domain.sensors import SensorKey
from storage.connection import Database
from tests.fakes import START
from tests.integration.storing import stored_actuator

LEVEL = SensorKey("ESP_12AB34", 34, "level")
SAFEGUARDS = Safeguards(
    interlocks=(
        Threshold(sensor=LEVEL, limit=Limit(Operator.GT, 10.0), unit="%"),
        AllOf((Not(Stale(sensor=LEVEL, older_than=timedelta(minutes=1))),)),
    ),
    effect=Effect(
        condition=ActuatorIs(pin=Pin("ESP_12AB34", 6), on=True),
        within=timedelta(minutes=10),
        switch_off=True,
    ),
    on_server_loss=OnServerLoss.OFF,
)


async def test_what_is_declared_comes_back_as_it_was(database: Database) -> None:
    actuator = await stored_actuator(database)
    async with database.autocommit() as work:
        assert await work.safeguards.all() == {}
        await work.safeguards.save(actuator.id, SAFEGUARDS)
        assert await work.safeguards.all() == {actuator.pin: SAFEGUARDS}
        await work.safeguards.save(actuator.id, Safeguards())
        assert await work.safeguards.all() == {actuator.pin: Safeguards()}


async def test_when_an_effect_was_decided_outlives_another_declaration(database: Database) -> None:
    actuator = await stored_actuator(database)
    async with database.autocommit() as work:
        await work.safeguards.save_judged(actuator.pin, START)
        assert await work.safeguards.judged() == {}
        await work.safeguards.save(actuator.id, SAFEGUARDS)
        await work.safeguards.save_judged(actuator.pin, START)
        await work.safeguards.save(actuator.id, Safeguards())
        assert await work.safeguards.judged() == {actuator.pin: START}


async def test_safeguards_go_with_their_actuator(database: Database) -> None:
    actuator = await stored_actuator(database)
    async with database.autocommit() as work:
        await work.safeguards.save(actuator.id, SAFEGUARDS)
        await work.actuators.remove(actuator.id)
        assert await work.safeguards.all() == {}


async def test_an_interlock_that_cannot_be_read_is_never_taken_for_none(
    database: Database, database_url: str
) -> None:
    actuator = await stored_actuator(database)
    async with database.autocommit() as work:
        await work.safeguards.save(actuator.id, SAFEGUARDS)
    connection = await asyncpg.connect(database_url)
    await connection.execute("""UPDATE actuator_safeguards SET interlocks = '[{"moon": {}}]'""")
    await connection.close()
    async with database.autocommit() as work:
        with pytest.raises(BadInputError, match="moon"):
            await work.safeguards.all()
