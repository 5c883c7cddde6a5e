"""The legacy REST interface stops through the same latch as everybody else, and clears it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from app.legacy_rest import LegacyServices, routes
from app.legacy_rest.emergencies import Emergencies
from app.legacy_rest.sensors import Sensors
from domain.actuators import Pin
from domain.emergency_stops import LONGEST_REASON
from domain.services.emergency import Emergency
from domain.users import Role
from tests.fakes import START
from tests.fakes.processing import Pipeline
from tests.makers import make_user
from tests.unit.test_accounts import accounts
from tests.unit.test_emergency import ANNA, AWAY, ESP, House

STOP, CLEAR = "/api/v1/actuators/emergency_stop", "/api/v1/actuators/clear_emergency"
OPERATOR = "Bearer operator"


class Door:
    """The endpoints over a house, without a network."""

    def __init__(self) -> None:
        self.house = House()
        pipeline, known = Pipeline(), accounts()
        services = LegacyServices(
            sensors=Sensors(pipeline.process, pipeline.process.chips, None),
            emergencies=Emergencies(self.house.service, self.house.registry),
            accounts=known,
            clock=self.house.clock,
            started=asyncio.Event(),
        )
        self.proofs = {
            role.name.lower(): known.tokens.access(make_user(role.name.lower(), role), START)[0]
            for role in Role
        }
        self.app = Starlette(routes=routes(services))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Emergency]:
        async with self.house.running() as service:
            yield service

    async def ask(self, path: str, body: object, proof: str = OPERATOR) -> httpx2.Response:
        scheme, _, who = proof.partition(" ")
        token = self.proofs.get(who, who)
        headers = {"Authorization": f"{scheme} {token}"} if proof else {}
        transport = httpx2.ASGITransport(app=self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://door") as client:
            return await client.post(path, json=body, headers=headers)

    async def told(self, path: str, body: object) -> Mapping[str, Any]:
        response = await self.ask(path, body)
        assert response.status_code == 200, response.text
        answer: Mapping[str, Any] = response.json()
        return answer

    def stopped(self) -> bool:
        return bool(self.house.latch.covering(Pin(ESP, 5)))


@pytest.mark.parametrize("path", [STOP, "/api/v1/actuators/emergency-stop"])
async def test_it_stops_everything_and_says_who_was_told(path: str) -> None:
    door = Door()
    async with door.open():
        answer = await door.told(path, {"reason": "water on the floor"})
        assert door.stopped()
    assert list(answer) == [
        "success",
        "message",
        "devices_stopped",
        "actuators_stopped",
        "reason",
        "timestamp",
        "details",
    ]
    assert answer["success"] is True
    assert (answer["devices_stopped"], answer["actuators_stopped"]) == (1, 1)
    assert answer["timestamp"].endswith("Z")
    away, here = (
        next(one for one in answer["details"] if one["esp_id"] == esp_id) for esp_id in (AWAY, ESP)
    )
    assert away["actuators"] == []
    (pump,) = here["actuators"]
    assert (pump["esp_id"], pump["gpio"], pump["success"]) == (ESP, 5, True)
    assert pump["message"] == "it has not confirmed yet, and is told again"


async def test_it_stops_one_actuator_and_no_other_device() -> None:
    door = Door()
    async with door.open():
        answer = await door.told(STOP, {"esp_id": ESP, "gpio": 5, "reason": "runs dry"})
        assert door.stopped()
        assert not door.house.latch.holds(ESP)
    assert [one["esp_id"] for one in answer["details"]] == [ESP]


async def test_a_reason_of_the_old_length_is_shortened_and_never_refused() -> None:
    door = Door()
    async with door.open():
        answer = await door.told(STOP, {"reason": "fire\n" * 100})
    assert len(answer["reason"]) <= LONGEST_REASON
    assert answer["reason"].startswith("fire fire")


async def test_a_pin_of_no_device_stops_everything_rather_than_nothing() -> None:
    door = Door()
    async with door.open():
        answer = await door.told(STOP, {"reason": "fire", "gpio": 5})
    assert "every device" in answer["message"]
    assert door.house.latch.covering(Pin(AWAY, 7))


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "reason"),
        ({"reason": "  "}, 422, "reason"),
        ({"reason": "fire", "esp_id": "ESP_000000"}, 404, "no device ESP_000000"),
        ({"reason": "fire", "esp_id": ESP, "gpio": 9}, 404, "no actuator"),
    ],
)
async def test_a_stop_of_nothing_is_refused(
    body: Mapping[str, object], status: int, said: str
) -> None:
    door = Door()
    async with door.open():
        response = await door.ask(STOP, body)
        assert door.house.latch.stops == ()
    assert response.status_code == status
    assert said in str(response.json()["detail"])


@pytest.mark.parametrize("path", [STOP, CLEAR])
@pytest.mark.parametrize(
    ("proof", "status"),
    [("", 401), ("Bearer nobody", 401), ("Basic operator", 401), ("Bearer viewer", 403)],
)
async def test_only_operators_stop_and_clear(path: str, proof: str, status: int) -> None:
    door = Door()
    async with door.open():
        response = await door.ask(path, {"reason": "fire"}, proof)
        assert door.house.latch.stops == ()
    assert response.status_code == status
    assert isinstance(response.json()["detail"], str)
    assert response.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


async def test_starting_without_a_database_it_lets_nobody_believe_that_anything_stopped() -> None:
    door = Door()
    door.house.storage.available = False
    response = await door.ask(STOP, {"reason": "fire"})
    assert response.status_code == 503
    assert "nothing has stopped yet" in response.json()["detail"]


async def test_while_the_server_starts_nobody_is_told_that_no_stop_is_in_force() -> None:
    response = await Door().ask(CLEAR, {})
    assert response.status_code == 503
    assert "ask again" in response.json()["detail"]


@pytest.mark.parametrize("path", [CLEAR, "/api/v1/actuators/clear-emergency"])
async def test_clearing_ends_every_stop_and_says_how_many(path: str) -> None:
    door = Door()
    async with door.open() as service:
        await service.stop("fire", by=ANNA)
        await service.stop("runs dry", esp_id=ESP, gpio=5, by=ANNA)
        answer = await door.told(path, {})
        assert not door.stopped()
        again = await door.told(path, {})
    assert (answer["devices_cleared"], answer["stops_cleared"]) == (2, 2)
    assert (again["success"], again["stops_cleared"]) == (True, 0)


async def test_a_device_is_cleared_alone_and_not_out_of_a_stop_of_everything() -> None:
    door = Door()
    async with door.open() as service:
        alone = await service.stop("smoke", esp_id=ESP, by=ANNA)
        everything = await service.stop("fire", by=ANNA)
        assert (await door.told(CLEAR, {"esp_id": ESP}))["stops_cleared"] == 1
        refused = await door.ask(CLEAR, {"esp_id": ESP})
        known = {stop.id: stop.active for stop in door.house.latch.stops}
    assert refused.status_code == 409
    assert "every device" in refused.json()["detail"]
    assert known == {alone.id: False, everything.id: True}


async def test_without_a_database_nothing_is_cleared() -> None:
    door = Door()
    async with door.open() as service:
        await service.stop("fire", by=ANNA)
        door.house.storage.available = False
        assert (await door.ask(CLEAR, {})).status_code == 503
        assert door.stopped()
