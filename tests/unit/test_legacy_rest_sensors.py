"""What the legacy REST interface answers about sensors: three forms of request, one of answer."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from app.legacy_rest import LegacyServices, routes
from app.legacy_rest.bodies import LARGEST_BODY
from app.legacy_rest.emergencies import Emergencies
from app.legacy_rest.sensors import Sensors
from domain.resilience import TokenBuckets
from tests.fakes import START
from tests.fakes.processing import Pipeline
from tests.makers import make_sensor
from tests.unit.test_accounts import accounts
from tests.unit.test_emergency import House

PROCESS = "/api/v1/sensors/process"
FIRMWARE = {
    "esp_id": "ESP_12AB34",
    "gpio": 4,
    "sensor_type": "temperature_ds18b20",
    "raw_value": 340,
    "timestamp": 123456,
    "metadata": {},
}
REFERENCE = {"esp_id": "ESP_12AB34CD", "gpio": 4, "sensor_type": "ds18b20", "raw_value": 340}
SEED = {"raw_data": 340, "sensor_type": "ds18b20", "metadata": {}}


class Door:
    """The endpoints over the pipeline, without a network."""

    def __init__(self, limit: TokenBuckets | None = None, *, is_open: bool = True) -> None:
        self.pipeline = Pipeline()
        process = self.pipeline.process
        self.limit = limit or TokenBuckets(rate=10, burst=20)
        sensors = Sensors(process, process.chips, self.limit if is_open else None)
        house = House()
        services = LegacyServices(
            sensors=sensors,
            emergencies=Emergencies(house.service, house.registry),
            accounts=accounts(),
            clock=self.pipeline.clock,
            started=(started := asyncio.Event()),
        )
        self.started = started
        self.started.set()
        self.app = Starlette(routes=routes(services))

    async def get(self, path: str) -> httpx2.Response:
        async with self._client() as client:
            return await client.get(path)

    async def ask(self, body: object, *, address: str = "10.0.0.1") -> httpx2.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self._client(address) as client:
            return await client.post(PROCESS, content=content)

    async def told(self, body: object) -> Mapping[str, Any]:
        response = await self.ask(body)
        assert response.status_code == 200, response.text
        answer: Mapping[str, Any] = response.json()
        return answer

    def _client(self, address: str = "10.0.0.1") -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=self.app, client=(address, 50_000))
        return httpx2.AsyncClient(transport=transport, base_url="http://server")


async def test_while_the_server_starts_nothing_is_converted_without_its_calibration() -> None:
    door = Door()
    door.started.clear()
    response = await door.ask(FIRMWARE)
    assert response.status_code == 503
    assert "is starting; ask again" in response.json()["detail"]


@pytest.mark.parametrize("form", [FIRMWARE, REFERENCE, SEED], ids=["firmware", "reference", "seed"])
async def test_each_form_of_request_finds_what_its_client_looks_for(form: dict[str, Any]) -> None:
    response = await Door().ask(form)

    assert response.status_code == 200
    answer = response.json()
    spent, library = answer.pop("processing_time_ms"), answer.pop("metadata")
    assert spent >= 0
    assert library["library"] == "ds18b20"
    assert answer == {
        "processed_value": 21.25,
        "unit": "°C",
        "quality": "good",
        "timestamp": int(START.timestamp()),
        "success": True,
        "error": None,
        "temperature": 21.25,
        "status": "ok",
    }


async def test_what_firmware_searches_for_comes_first_without_a_blank_in_ascii() -> None:
    body = (await Door().ask(FIRMWARE)).content

    stamp = int(START.timestamp())
    assert body.startswith(
        rb'{"processed_value":21.25,"unit":"\u00b0C","quality":"good","timestamp":%d,' % stamp
    )
    assert body.endswith(b'"status":"ok"}\n\n')
    assert body.isascii()


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({"raw_value": 4294967216}, -5.0),
        ({"sensor_type": "temperature_sht31", "raw_value": 24173}, 19.55),
        ({"sensor_type": "humidity_sht31", "raw_value": 65535}, 100.0),
        ({"raw_value": "340"}, 21.25),
        ({"metadata": "{}"}, 21.25),
        ({"metadata": None}, 21.25),
        ({"esp_id": "ESP_12AB34CD"}, 21.25),
        ({"gpio": "4"}, 21.25),
        ({"esp_id": None, "gpio": None}, 21.25),
    ],
)
async def test_no_limit_of_the_reference_refuses_a_real_device(
    change: dict[str, Any], value: float
) -> None:
    assert (await Door().told(FIRMWARE | change))["processed_value"] == value


async def test_a_slash_at_the_end_sends_nobody_on() -> None:
    door = Door()
    async with door._client() as client:
        response = await client.post(f"{PROCESS}/", content=json.dumps(FIRMWARE))

    assert response.status_code == 200
    assert (await door.get("/api/v1/sensors/types/")).status_code == 200


@pytest.mark.parametrize("place", ["metadata", "params", "calibration"])
async def test_parameters_and_unit_may_stand_in_any_object(place: str) -> None:
    answer = await Door().told(SEED | {place: {"offset": 1, "unit": "°F", "note": "x", "ok": True}})

    assert (answer["processed_value"], answer["unit"]) == (72.05, "°F")
    assert answer["temperature"] == 72.05


@pytest.mark.parametrize("raw", ["340", " 340 ", "340.0"])
async def test_a_number_may_be_sent_as_text(raw: str) -> None:
    answer = await Door().told(FIRMWARE | {"raw_value": raw, "params": {"offset": "1.5"}})

    assert answer["processed_value"] == 22.75


async def test_yes_and_no_are_numbers_of_a_parameter() -> None:
    asked = {"sensor_type": "moisture", "raw_data": 2300}

    assert (await Door().told(asked))["processed_value"] == 52.9
    assert (await Door().told(asked | {"params": {"invert": True}}))["processed_value"] == 47.1


async def test_a_chip_of_two_quantities_is_answered_with_both() -> None:
    answer = await Door().told(
        {"sensor_type": "sht31", "raw_data": {"temperature": 24173, "humidity": 26551}}
    )

    assert (answer["temperature"], answer["humidity"]) == (19.55, 40.51)
    assert answer["status"] == "ok"


async def test_a_known_sensor_is_converted_as_its_readings_are() -> None:
    door = Door()
    await door.pipeline.has(make_sensor(parameters={"offset": -1.0}))

    assert (await door.told(FIRMWARE))["processed_value"] == 20.25


async def test_what_is_no_measurement_comes_back_as_an_error_that_ingest_ignores() -> None:
    answer = await Door().told(FIRMWARE | {"raw_value": 2**32 - 2032})

    assert answer["processed_value"] is None
    assert (answer["quality"], answer["status"], answer["success"]) == ("error", "error", False)
    assert answer["error"]


async def test_missing_parameters_are_an_error_too_for_firmware_takes_null_for_zero() -> None:
    answer = await Door().told(FIRMWARE | {"sensor_type": "bmp280_pressure", "raw_value": 415148})

    assert (answer["processed_value"], answer["quality"]) == (None, "error")
    assert "dig_T1" in answer["error"]


@pytest.mark.parametrize("form", [FIRMWARE, SEED, REFERENCE | {"fallback": True}])
async def test_an_unknown_type_gives_the_raw_value_back(form: dict[str, Any]) -> None:
    answer = await Door().told(form | {"sensor_type": "geiger"})

    assert (answer["processed_value"], answer["unit"], answer["quality"]) == (340, "raw", "raw")
    assert (answer["status"], answer["geiger"]) == ("fallback", 340)


@pytest.mark.parametrize("form", [REFERENCE, FIRMWARE | {"fallback": False}])
async def test_an_unknown_type_of_the_strict_form_is_not_found(form: dict[str, Any]) -> None:
    response = await Door().ask(form | {"sensor_type": "geiger"})

    assert response.status_code == 404
    assert "ds18b20" in response.json()["detail"]
    assert response.content.endswith(b"}\n\n")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", []),
        (b"{", []),
        (b"\xff", []),
        (b"[]", []),
        (b"[" * 10_000, []),
        (b'{"sensor_type":"ds18b20","raw_value":NaN}', []),
        ({"raw_value": 1}, []),
        ({"sensor_type": 7, "raw_value": 1}, ["sensor_type"]),
        ({"sensor_type": "ds18b20"}, ["raw_value"]),
        (FIRMWARE | {"gpio": 256}, ["gpio"]),
        (FIRMWARE | {"gpio": "x"}, ["gpio"]),
        (FIRMWARE | {"raw_value": True}, []),
        (FIRMWARE | {"raw_value": 1e300}, []),
        (FIRMWARE | {"raw_value": "warm"}, []),
        (FIRMWARE | {"raw_value": "NaN"}, []),
        (FIRMWARE | {"params": {"offset": "warm"}}, []),
        (FIRMWARE | {"raw_value": []}, []),
        (FIRMWARE | {"metadata": {"unit": "mS/cm"}}, []),
        (FIRMWARE | {"sensor_type": ""}, []),
        (FIRMWARE | {"sensor_type": "x" * 60}, []),
    ],
    ids=repr,
)
async def test_what_cannot_be_meant_is_refused_with_its_place(
    body: object, place: list[str]
) -> None:
    response = await Door().ask(body)

    assert response.status_code == 422
    ((entry),) = response.json()["detail"]
    assert entry["loc"] == ["body", *place]
    assert entry["msg"]
    assert response.content.endswith(b"}\n\n")


async def test_a_body_beyond_the_limit_is_refused_and_the_connection_ended() -> None:
    response = await Door().ask(b" " * (LARGEST_BODY + 1))

    assert response.status_code == 413
    assert response.headers["connection"] == "close"


async def test_a_flood_of_one_address_is_refused_until_a_token_is_there_and_others_are_served(
) -> None:  # fmt: skip
    door = Door(TokenBuckets(rate=10, burst=3))
    codes = [(await door.ask(FIRMWARE)).status_code for _ in range(5)]
    refusal = await door.ask(b"not even read")
    other = await door.ask(FIRMWARE, address="10.0.0.2")
    await door.pipeline.clock.advance(0.1)
    later = await door.ask(FIRMWARE)

    assert codes == [200, 200, 200, 429, 429]
    assert refusal.status_code == 429
    assert refusal.headers["retry-after"] == "1"
    assert refusal.headers["x-ratelimit-remaining"] == "0"
    assert refusal.content.endswith(b"}\n\n")
    assert (other.status_code, later.status_code) == (200, 200)
    assert door.limit.refused == 3


async def test_a_closed_door_says_so() -> None:
    response = await Door(is_open=False).ask(FIRMWARE)

    assert response.status_code == 403
    assert "closed" in response.json()["detail"]


async def test_what_is_read_can_be_listed() -> None:
    types = (await Door().get("/api/v1/sensors/types")).json()
    health = (await Door().get("/api/v1/sensors/health")).json()

    assert {"ds18b20", "sht31_temp", "ph", "dht22_temp"} <= set(types["sensor_types"])
    assert types["count"] == len(types["sensor_types"]) == health["processors_loaded"]
    assert health["status"] == "healthy"
    assert health["available_sensors"] == types["sensor_types"]


async def test_other_methods_are_refused() -> None:
    assert (await Door().get(PROCESS)).status_code == 405
