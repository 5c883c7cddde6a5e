"""What firmware a device has, and what it can do, is shown to who has to live with it."""

from typing import Any

import pytest

from domain.devices import FirmwareGeneration
from tests.graphql_server import GraphqlServer
from tests.makers import make_device

ASK = '{ device(espId: "ESP_A") { firmwareGeneration capabilities } }'


async def told(generation: FirmwareGeneration) -> dict[str, Any]:
    server = GraphqlServer()
    await server.has_device(make_device("ESP_A", firmware_generation=generation))
    device: dict[str, Any] = (await server.ask(ASK))["device"]
    return device


@pytest.mark.parametrize("generation", FirmwareGeneration)
async def test_every_generation_has_the_same_keys(generation: FirmwareGeneration) -> None:
    device = await told(generation)
    assert device["firmwareGeneration"] == generation.value
    assert set(device["capabilities"]) == {
        "clearsEmergency",
        "honoursDuration",
        "honoursInterval",
        "limitsRuntime",
        "stopsAlone",
        "honoursPwm",
        "measuresOnDemand",
        "knowsSubzones",
        "confirmsByCommand",
        "hasLastWill",
        "survivesReconnect",
        "knowsTime",
        "systemCommands",
    }


async def test_the_first_firmware_promises_little() -> None:
    able = (await told(FirmwareGeneration.NOVEMBER_2025))["capabilities"]
    assert able.pop("systemCommands") == ["factory_reset"]
    assert able.pop("honoursPwm") is True
    assert set(able.values()) == {False}


async def test_the_newest_does_what_it_is_told() -> None:
    able = (await told(FirmwareGeneration.APRIL_2026))["capabilities"]
    assert "safe_mode" in able.pop("systemCommands")
    assert set(able.values()) == {True}


async def test_of_unknown_firmware_nothing_is_claimed() -> None:
    able = (await told(FirmwareGeneration.UNKNOWN))["capabilities"]
    assert set(able.values()) == {None}
