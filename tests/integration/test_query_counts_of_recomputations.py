"""How many statements it costs to look at recomputations, and to order them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLObjectType
from typing_extensions import override

from app.graphql import build_schema
from domain.recomputations import UNFINISHED
from domain.repositories import NewReading
from domain.sensors import Measurement, ProcessingMode, Quality, Sample, Sensor
from schema.ids import global_id
from storage.connection import Database
from tests.fakes import START
from tests.integration.counted_operations import Operation
from tests.integration.test_query_counts import FEW, MANY, Greenhouse

PAST = START - timedelta(days=1)
OLD = Measurement(1.0, "°C", Quality.GOOD, ProcessingMode.PI_ENHANCED, "ds18b20", "0.9.0")


@dataclass(slots=True)
class Archive(Greenhouse):
    """A greenhouse of which the first device has a past."""

    recomputation_ids: list[UUID] = field(default_factory=list)

    @override
    async def grow(self, devices: int) -> None:
        await Greenhouse.grow(self, devices)
        service = self.server.services.recompute
        async with self.database.autocommit() as work:
            while await work.recomputations.unfinished():
                await service._go_on()
        self.recomputation_ids = []
        for sensor in self.sensors[:2]:
            await self.database.reading_writer().write([old(sensor)], [])
            order = await service(sensor.key, PAST, user_id=self.server.user.id)
            self.recomputation_ids.append(order.id)
            if sensor is self.sensors[0]:
                while await self._is_unfinished(order.id):
                    await service._go_on()

    async def _is_unfinished(self, recomputation_id: UUID) -> bool:
        async with self.database.autocommit() as work:
            found = await work.recomputations.by_id(recomputation_id)
        return found is not None and found.state in UNFINISHED

    @property
    @override
    def variables(self) -> dict[str, Any]:
        done, planned = self.recomputation_ids
        return {
            "esp": self.sensors[0].key.esp_id,
            "done": global_id("Recomputation", done),
            "planned": global_id("Recomputation", planned),
        }


def old(sensor: Sensor) -> NewReading:
    at = PAST + timedelta(hours=1)
    return NewReading(sensor, Sample(sensor.key, 336.0, at, at), OLD)


OF = '(sensor: {espId: $esp, gpio: %s, sensorType: "ds18b20"}, from: "2025-12-01T00:00:00Z")'
SHOWN = "{ state sensor { name } calibration { method } requestedBy { username } }"

QUERIES = [
    Operation(f"query($esp: String!) {{ previewRecomputation{OF % 0} {{ total }} }}", 4),
    Operation(f"query($done: ID!) {{ recomputation(id: $done) {SHOWN} }}", 2),
    Operation(f"{{ recomputations {{ edges {{ node {SHOWN} }} }} }}", 2),
]

MUTATIONS = [
    Operation(f"mutation($esp: String!) {{ recomputeReadings{OF % 0} {{ state }} }}", 4),
    Operation("mutation($planned: ID!) { cancelRecomputation(id: $planned) { state } }", 4),
    Operation("mutation($done: ID!) { takeBackRecomputation(id: $done) { state } }", 4),
]


@pytest.mark.parametrize(("root", "operations"), [("Query", QUERIES), ("Mutation", MUTATIONS)])
def test_no_operation_is_forgotten(root: str, operations: Sequence[Operation]) -> None:
    kind = build_schema()._schema.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    known = {name for name in kind.fields if "ecomput" in name}
    assert {operation.name for operation in operations} == known


async def test_a_recomputation_costs_the_same_however_much_there_is(database: Database) -> None:
    archive = Archive(database)
    for devices in (FEW, MANY):
        costs = {}
        for operation in QUERIES + MUTATIONS:
            await archive.grow(devices)
            costs[operation.document] = (await archive.ask(operation))[1]
        assert costs == {one.document: one.statements for one in QUERIES + MUTATIONS}
