"""One command shows a living greenhouse, ends with Ctrl-C, and outlives a power cut."""

import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command_line import END_DEADLINE, Foreground, run, running_in
from tests.e2e.server import Api, free_port
from tests.eventually import eventually

GREENHOUSE = """{
    devices { edges { node {
        espId name status approved
        sensors { sensorType latest { value timestamp } }
        actuators { gpio name actuatorType }
    } } }
}"""
SWITCH_ON = """mutation($esp: String!, $gpio: Int!) {
    sendCommand(input: {espId: $esp, gpio: $gpio, action: ON}) { status reason value }
}"""
CONVERSIONS = "{ sensorLibraries { name calls } }"
READINGS = "{ readings(first: 1000) { edges { node { id } } } }"
SIGN_IN = re.compile(r"admin, password (\S+)")


class Demo(Foreground):
    """The demo on ports and data of its own, and its API."""

    def __init__(self, directory: Path) -> None:
        self.api = Api(free_port())
        self.broker = f"mqtt://127.0.0.1:{free_port()}"
        self.settings = {
            "KAISER_DATA_DIR": str(directory),
            "KAISER_HTTP_PORT": str(self.api.port),
            "KAISER_MQTT_PORT": self.broker.rpartition(":")[2],
        }
        super().__init__(directory.with_name("demo.log"), "demo", settings=self.settings)

    @property
    def password(self) -> str:
        """The one-time password that it shows."""
        found = SIGN_IN.search(self.said)
        assert found, self.said
        return found[1]

    async def ask(self, token: str, query: str, **variables: object) -> Any:  # noqa: ANN401 - any JSON
        answer = await self.api.post({"query": query, "variables": variables}, token)
        assert "errors" not in answer, answer
        return answer["data"]

    async def devices(self, token: str) -> dict[str, dict[str, Any]]:
        """Return the devices by name; those that are not named yet by their id."""
        edges = (await self.ask(token, GREENHOUSE))["devices"]["edges"]
        return {edge["node"]["name"] or edge["node"]["espId"]: edge["node"] for edge in edges}

    async def readings(self, token: str) -> set[str]:
        """Return the ids of what is stored, once something is."""
        found: set[str] = set()

        async def some() -> bool:
            edges = (await self.ask(token, READINGS))["readings"]["edges"]
            found.update(edge["node"]["id"] for edge in edges)
            return bool(found)

        await eventually(some, what="the first readings are stored")
        return found


@pytest.fixture
def data(directory: Path) -> Path:
    return directory / "data"


@asynccontextmanager
async def started(data: Path) -> AsyncIterator[Demo]:
    """Start the demo; whatever happens, nothing of it is left."""
    try:
        async with Demo(data) as demo:
            await demo.until_said("Ctrl-C ends all of it")
            yield demo
    finally:
        await eventually(lambda: not running_in(data), what="all of it has ended")


async def end(demo: Demo, data: Path) -> None:
    """Press Ctrl-C: everything has ended in time, and in order."""
    assert len(running_in(data)) > 1
    assert await demo.interrupt() == 0
    assert running_in(data) == []


async def test_the_demo_shows_a_living_greenhouse(data: Path) -> None:
    async with started(data) as demo:
        assert f"{demo.api.url}/graphql" in demo.said
        assert demo.broker in demo.said
        token = await demo.api.login(demo.password)

        async def everything_is_named_and_there() -> bool:
            found = await demo.devices(token)
            return found.keys() == {
                "Climate, under the ridge",
                "Tomato bed",
                "Herb table",
                "Propagation bench",
            } and all(
                device["status"] == "ONLINE"
                and all(actuator["name"] for actuator in device["actuators"])
                and len(device["sensors"]) > 1
                and all(sensor["latest"] for sensor in device["sensors"])
                for device in found.values()
            )

        await eventually(everything_is_named_and_there, what="the greenhouse is complete")
        before = await demo.devices(token)

        async def every_device_measured_again() -> bool:
            now = await demo.devices(token)
            return all(
                {s["latest"]["timestamp"] for s in now[name]["sensors"]}.isdisjoint(
                    s["latest"]["timestamp"] for s in device["sensors"]
                )
                and now[name]["sensors"] != device["sensors"]
                for name, device in before.items()
            )

        await eventually(every_device_measured_again, what="the values move")
        libraries = (await demo.ask(token, CONVERSIONS))["sensorLibraries"]
        (ph,) = (each for each in libraries if each["name"] == "ph")
        assert ph["calls"] > 0, "the board of November 2025 has its server convert"
        bed = before["Tomato bed"]
        pump = bed["actuators"][0]
        assert pump["name"] == "Irrigation pump"
        answer = await demo.ask(token, SWITCH_ON, esp=bed["espId"], gpio=pump["gpio"])
        assert answer["sendCommand"] == {"status": "ACKNOWLEDGED", "reason": None, "value": 1.0}
        await end(demo, data)


async def test_a_second_start_keeps_the_data_and_shows_no_password(data: Path) -> None:
    async with started(data) as demo:
        password = demo.password
        token = await demo.api.login(password)
        stored = await demo.readings(token)
        await end(demo, data)
    async with started(data) as again:
        assert not SIGN_IN.search(again.said)
        assert password not in again.said
        token = await again.api.login(password)
        assert stored <= await again.readings(token)
        await end(again, data)
    await replace_password(data, again.said, "a new one")
    async with started(data) as once_more:
        await once_more.api.login("a new one")
        with pytest.raises(AssertionError, match="UNAUTHENTICATED"):
            await once_more.api.login(password)


async def replace_password(data: Path, said: str, password: str) -> None:
    """Do what the demo advises somebody who has forgotten it."""
    advice = next(line for line in said.splitlines() if "Forgotten?" in line)
    setting, script, *words = shlex.split(advice.partition("then ")[2])
    assert (setting, script) == (f"KAISER_DATA_DIR={data}", "./kaiser")
    outcome = await run(*words, settings={"KAISER_DATA_DIR": str(data)}, typed=f"{password}\n")
    assert outcome.code == 0, outcome.complained


async def test_a_power_cut_leaves_nothing_running_and_the_next_start_recovers(data: Path) -> None:
    async with started(data) as demo:
        token = await demo.api.login(demo.password)
        stored = await demo.readings(token)
        assert len(running_in(data)) > 1
        await demo.kill()
        await eventually(lambda: not running_in(data), within=END_DEADLINE, what="all have ended")
    async with started(data) as again:
        assert stored <= await again.readings(token)
        await end(again, data)
