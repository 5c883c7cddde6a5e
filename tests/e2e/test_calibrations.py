"""A grower at the bench: probes that wear out are right again, and nobody is let do it wrong."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from gql.client import AsyncClientSession
from gql.transport.exceptions import TransportQueryError

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker
from simulator.devices import VirtualDevice
from simulator.dialects import HEAD
from simulator.probes import (
    BUFFER_4,
    BUFFER_7,
    BUFFER_10,
    DRY_AIR,
    EC_1413,
    EC_12880,
    EC_CELL,
    MOISTURE_PROBE,
    PH_ELECTRODE,
    WATER,
    Liquid,
    Probe,
)
from simulator.sensors import EC, MOISTURE, PH, VirtualSensor
from tests.e2e.devices import living
from tests.e2e.server import ServerProcess
from tests.e2e.test_stories import ask
from tests.eventually import eventually

ESP = "ESP_CA11B8"
BY_HAND = "ESP_CA11B9"
QUICK = PH_ELECTRODE._replace(lag=2.0)
PINS = {"ph": (PH, 34), "ec": (EC, 35), "moisture": (MOISTURE, 32)}

SENSOR = """query($esp: String!, $gpio: Int!, $type: String!) {
    sensor(espId: $esp, gpio: $gpio, sensorType: $type) { %s } }"""
LATEST = SENSOR % "latest { timestamp value rawValue }"
HISTORY = (
    SENSOR
    % """calibration { id expired } calibrations { edges { node {
    id calibratedAt calibratedBy { username } } } }"""
)
READINGS = """query($esp: String!) { readings(espId: $esp, sensorType: "ph", first: 1000) {
    edges { node { calibration { id } metadata } } } }"""
PROCEDURE = "{ id state stable nextStep points { reference } preview { slopePercent } }"
START = f"""mutation($sensor: SensorRefInput!, $method: String!) {{
    startCalibration(sensor: $sensor, method: $method) {PROCEDURE} }}"""
ADD = f"""mutation($id: ID!, $reference: Float!, $celsius: Float, $wait: Duration) {{
    addCalibrationPoint(id: $id, reference: $reference, temperature: $celsius, wait: $wait)
    {PROCEDURE} }}"""
FINISH = """mutation($id: ID!, $expiresAt: DateTime) {
    finishCalibration(id: $id, expiresAt: $expiresAt) {
        id parameters fit { slopePercent zeroError residuals findings { code } } } }"""
SHOW = f"query($id: ID!) {{ calibrationProcedure(id: $id) {PROCEDURE} }}"
AT_ONCE = """mutation($input: CalibrateSensorInput!) {
    calibrateSensor(input: $input) { calibration { method parameters } } }"""
EVENTS = ask("{ systemEvents { edges { node { kind severity message } } } }")


@dataclass
class Grower:
    """Somebody with a probe in one hand and a phone in the other."""

    http: AsyncClientSession
    probes: Mapping[str, Probe]

    async def asks(self, document: str, **variables: object) -> Any:  # noqa: ANN401 - JSON
        told = await self.http.execute(ask(document, **variables))
        (answer,) = told.values()
        return answer

    async def sensor(self, kind: str, document: str = LATEST) -> dict[str, Any]:
        """Return what is known of a sensor, at least nothing."""
        esp, gpio = ref(kind)["espId"], ref(kind)["gpio"]
        found: dict[str, Any] | None = await self.asks(document, esp=esp, gpio=gpio, type=kind)
        return found or {"latest": None}

    async def reads(self, kind: str, liquid: Liquid) -> float:
        """Return what the server shows once a probe has stood in a liquid for a while."""
        self.probes[kind].stands_in = liquid
        begun: datetime | None = None
        value = 0.0

        async def settled() -> bool:
            nonlocal begun, value
            latest = (await self.sensor(kind))["latest"]
            at = datetime.fromisoformat(latest["timestamp"])
            begun, value = begun or at, latest["value"]
            return at - begun >= timedelta(seconds=20)

        await eventually(settled, within=20, what=f"{kind} has settled")
        return value

    async def begins(self, kind: str, method: str) -> str:
        procedure: str = (await self.asks(START, sensor=ref(kind), method=method))["id"]
        return procedure

    async def dips(
        self, kind: str, liquid: Liquid, procedure: str, *, label: float | None = None
    ) -> dict[str, Any]:
        """Put the probe into a liquid and wait for the point; the label may be misread."""
        self.probes[kind].stands_in = liquid
        reference = liquid.value if label is None else label
        added: dict[str, Any] = await self.asks(
            ADD, id=procedure, reference=reference, celsius=liquid.celsius, wait="PT30S"
        )
        return added

    async def calibrates(self, kind: str, method: str, liquids: Sequence[Liquid]) -> dict[str, Any]:
        """Go all the way; return what was found."""
        procedure = await self.begins(kind, method)
        for liquid in liquids:
            await self.dips(kind, liquid, procedure)
        made: dict[str, Any] = await self.asks(FINISH, id=procedure)
        return made

    async def told(self, kind: str) -> list[str]:
        """Return what the system events of a kind say, oldest first."""
        edges = (await self.http.execute(EVENTS))["systemEvents"]["edges"]
        events = [edge["node"] for edge in reversed(edges)]
        return [f"{one['severity']} {one['message']}" for one in events if one["kind"] == kind]


def ref(kind: str) -> dict[str, Any]:
    if kind in PINS:
        return {"espId": ESP, "gpio": PINS[kind][1], "sensorType": kind}
    return {"espId": BY_HAND, "gpio": 4, "sensorType": kind}


@pytest.fixture
async def server(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> AsyncIterator[ServerProcess]:
    """A server that is content with a second, for the boards here live in a hurry."""
    settings = {
        "KAISER_DATABASE_URL": database_url,
        "KAISER_MQTT_URL": broker.url,
        "KAISER_CALIBRATION_STILL_SECONDS": "1",
    }
    process = ServerProcess(directory, settings)
    await process.start()
    yield process
    await process.stop()


@asynccontextmanager
async def at_the_bench(server: ServerProcess, **probes: Probe) -> AsyncIterator[Grower]:
    async with server.http_client(await server.login()) as http:
        grower = Grower(http, probes)

        async def all_known() -> bool:
            return all([(await grower.sensor(kind))["latest"] for kind in probes])

        await eventually(all_known, within=20, what="the sensors are known")
        yield grower


def board(**probes: Probe) -> VirtualDevice:
    return VirtualDevice(
        esp_id=ESP,
        dialect=HEAD,
        kaiser_id="god",
        seed=1,
        sensors=tuple(
            VirtualSensor(chip=PINS[kind][0], gpio=PINS[kind][1], interval=1.0, probe=probe)
            for kind, probe in probes.items()
        ),
    )


async def refused(grower: Grower, document: str, **variables: object) -> tuple[str, str]:
    """Return the code and the message of what must be refused."""
    with pytest.raises(TransportQueryError) as caught:
        await grower.asks(document, **variables)
    (error,) = caught.value.errors or []
    return error["extensions"]["code"], error["message"]


async def test_an_electrode_is_right_after_each_calibration_and_tells_when_it_is_worn(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    electrode = Probe(
        kind=QUICK, efficiency=0.97, zero_error=0.25, fading=0.001, drift=0.001, seed=1
    )
    async with (
        living(broker.url, [board(ph=electrode)]),
        at_the_bench(server, ph=electrode) as grower,
    ):
        assert abs(await grower.reads("ph", BUFFER_4) - BUFFER_4.value) > 0.2
        fresh = await grower.calibrates("ph", "ph_2point", [BUFFER_7, BUFFER_4])
        for liquid in (Liquid(5.5), BUFFER_10):
            assert await grower.reads("ph", liquid) == pytest.approx(liquid.value, abs=0.05)

        electrode.grow_older(timedelta(days=160))
        assert abs(await grower.reads("ph", BUFFER_4) - BUFFER_4.value) > 0.2
        worn = await grower.calibrates("ph", "ph_2point", [BUFFER_7, BUFFER_4])
        for liquid in (Liquid(5.5), BUFFER_10):
            assert await grower.reads("ph", liquid) == pytest.approx(liquid.value, abs=0.05)

        assert fresh["fit"]["slopePercent"] == pytest.approx(97, abs=1.5)
        assert worn["fit"]["slopePercent"] == pytest.approx(81, abs=1.5)
        assert worn["fit"]["zeroError"] == pytest.approx(0.41, abs=0.03)
        assert [fresh["fit"]["findings"], worn["fit"]["findings"]] == [[], [{"code": "slope_low"}]]
        sensor = await grower.sensor("ph", HISTORY)
        history = [edge["node"] for edge in sensor["calibrations"]["edges"]]
        assert [one["id"] for one in history] == [worn["id"], fresh["id"]]
        assert {one["calibratedBy"]["username"] for one in history} == {"admin"}
        assert history[1]["calibratedAt"] < history[0]["calibratedAt"]
        reasons = await first_reasons(grower)
        assert reasons.keys() == {None, fresh["id"], worn["id"]}
        assert "TOO_FAST" not in reasons[fresh["id"]] + reasons[worn["id"]]
        first, second = await grower.told("SENSOR_CALIBRATED")
        assert first.startswith("INFO ")
        assert second.startswith("WARNING ")
        assert "clean it, and replace it" in second


async def test_who_is_impatient_or_swaps_the_buffers_is_told_and_goes_on(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    electrode = Probe(kind=QUICK, efficiency=0.93, zero_error=-0.2, seed=2)
    async with (
        living(broker.url, [board(ph=electrode)]),
        at_the_bench(server, ph=electrode) as grower,
    ):
        procedure = await grower.begins("ph", "ph_2point")
        hasty = {"id": procedure, "reference": 7.0, "wait": "PT0S"}
        code, message = await refused(grower, ADD, **hasty)
        assert code == "CONFLICT"
        assert message.startswith("the value does not stand still yet: ")
        code, message = await refused(grower, START, sensor=ref("ph"), method="ph_2point")
        assert code == "CONFLICT"
        assert message.startswith("this sensor is being calibrated already: ")

        await grower.dips("ph", BUFFER_4, procedure, label=7.0)
        code, message = await refused(grower, FINISH, id=procedure)
        assert (code, message) == ("BAD_INPUT", "this method takes 2 buffers, not 1")
        await grower.dips("ph", BUFFER_7, procedure, label=4.01)
        code, message = await refused(grower, FINISH, id=procedure)
        assert (code, message) == (
            "BAD_INPUT",
            "the points run the wrong way: were two of them swapped?",
        )
        assert (await grower.asks(SHOW, id=procedure))["state"] == "OPEN"

        await grower.dips("ph", BUFFER_7, procedure)
        corrected = await grower.dips("ph", BUFFER_4, procedure)
        assert corrected["points"] == [{"reference": 7.0}, {"reference": 4.01}]
        assert corrected["preview"]["slopePercent"] == pytest.approx(93, abs=1.5)
        await grower.asks(FINISH, id=procedure)
        assert await grower.reads("ph", Liquid(6.1)) == pytest.approx(6.1, abs=0.05)


async def test_a_calibration_outlives_the_server_and_tells_when_it_has_run_out(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    electrode = Probe(kind=QUICK, zero_error=0.3, seed=3)
    async with living(broker.url, [board(ph=electrode)]):
        async with at_the_bench(server, ph=electrode) as grower:
            procedure = await grower.begins("ph", "ph_2point")
            await grower.dips("ph", BUFFER_7, procedure)
        await server.kill()
        await server.start()
        async with at_the_bench(server, ph=electrode) as grower:
            assert (await grower.asks(SHOW, id=procedure))["points"] == [{"reference": 7.0}]
            await grower.dips("ph", BUFFER_10, procedure)
            soon = SystemClock().now() + timedelta(seconds=1)
            await grower.asks(FINISH, id=procedure, expiresAt=soon.isoformat())
            assert await grower.reads("ph", BUFFER_4) == pytest.approx(4.01, abs=0.05)

            async def expired() -> bool:
                calibration = (await grower.sensor("ph", HISTORY))["calibration"]
                return bool(calibration["expired"])

            await eventually(expired, what="the calibration has run out")
        assert await server.stop() == 0
        await server.start()
        async with at_the_bench(server, ph=electrode) as grower:

            async def warned() -> bool:
                return len(await grower.told("CALIBRATION_EXPIRED")) > 0

            await eventually(warned, what="the grower is told")
            (warning,) = await grower.told("CALIBRATION_EXPIRED")
            assert warning.startswith("WARNING The calibration of ")
            assert warning.endswith("calibrate it again with startCalibration.")
            assert await grower.reads("ph", BUFFER_4) == pytest.approx(4.01, abs=0.05)


async def test_conductivity_and_moisture_are_calibrated_with_what_a_grower_has_at_hand(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    cell = Probe(kind=EC_CELL, efficiency=0.9, zero_error=40.0, seed=4)
    plates = Probe(kind=MOISTURE_PROBE, efficiency=0.8, zero_error=8.0, seed=4)
    async with (
        living(broker.url, [board(ec=cell, moisture=plates)]),
        at_the_bench(server, ec=cell, moisture=plates) as grower,
    ):
        assert abs(await grower.reads("ec", Liquid(5000)) - 5000) > 400
        cold = EC_12880._replace(celsius=22.0)
        made = await grower.calibrates("ec", "ec_2point", [EC_1413, cold])
        assert made["fit"]["slopePercent"] == pytest.approx(90, abs=1.5)
        assert await grower.reads("ec", Liquid(5000)) == pytest.approx(5000, abs=50)

        assert await grower.reads("moisture", WATER) < 90
        await grower.calibrates("moisture", "dry_wet", [DRY_AIR, WATER])
        assert await grower.reads("moisture", WATER) == pytest.approx(100, abs=1)
        assert await grower.reads("moisture", Liquid(50)) == pytest.approx(50, abs=1)


async def first_reasons(grower: Grower) -> dict[str | None, list[str]]:
    """Return what was said against the first reading that came from each calibration."""
    edges = (await grower.asks(READINGS, esp=ESP))["edges"]
    reasons: dict[str | None, list[str]] = {}
    for reading in (edge["node"] for edge in edges):  # the newest comes first
        calibration = reading["calibration"] and reading["calibration"]["id"]
        said = (reading["metadata"] or {}).get("reasons", [])
        reasons[calibration] = [reason["code"] for reason in said]
    return reasons


@dataclass(frozen=True)
class Shifted:
    """A chip that is only shifted: what it says beside something known, and then elsewhere."""

    kind: str
    method: str
    raw: int
    reference: float
    then: int
    right: float


FRESH_AIR = Shifted("mhz19", "zero", raw=520, reference=400, then=720, right=600)
BESIDE_A_BETTER_ONE = Shifted("ds18b20", "offset", raw=328, reference=20, then=360, right=22)


async def test_what_is_only_shifted_is_calibrated_at_once_with_what_was_noted(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    moment = int(SystemClock().now().timestamp()) - 100
    async with (
        aiomqtt.Client("127.0.0.1", broker.port) as client,
        server.http_client(await server.login()) as http,
    ):
        grower = Grower(http, {})

        async def says(kind: str, word: int, second: int) -> float:
            said = {"esp_id": BY_HAND, "gpio": 4, "sensor_type": kind, "raw": word}
            said |= {"raw_mode": True, "ts": moment + second, "time_valid": True}
            topic = f"kaiser/god/esp/{BY_HAND}/sensor/4/data"
            await client.publish(topic, json.dumps(said), qos=1)

            async def stored() -> bool:
                latest = (await grower.sensor(kind))["latest"]
                return latest is not None and latest["rawValue"] == word

            await eventually(stored, within=15, what="the reading is stored")
            value: float = (await grower.sensor(kind))["latest"]["value"]
            return value

        for chip in (FRESH_AIR, BESIDE_A_BETTER_ONE):
            assert await says(chip.kind, chip.raw, 0) != chip.reference
            point = {"raw": chip.raw, "reference": chip.reference}
            whole = {"sensor": ref(chip.kind), "method": chip.method, "points": [point]}
            made = await grower.asks(AT_ONCE, input=whole)
            assert made["calibration"]["method"] == chip.method
            assert await says(chip.kind, chip.then, 30) == chip.right
