"""One time zone and one place, set once, are meant wherever nobody says more."""

from pathlib import Path

from app.embedded.broker import EmbeddedBroker
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import NOVEMBER
from tests.e2e.asking import ask, client
from tests.e2e.devices import living
from tests.e2e.server import ServerProcess
from tests.e2e.test_leases import until_known

BOARD = "ESP_1EA5E1"
DAY = {"timeWindow": {"start": "06:00", "end": "20:00"}}
LIGHT = {"sun": {"from": {"event": "SUNRISE"}, "to": {"event": "SUNSET"}}}
BOTH = {"all": [DAY, LIGHT]}
INSTANT = "2026-07-01T04:30:00Z"
"""In Tokyo half past one in the afternoon; by UTC it is before six, and in London it dawns."""

CREATE = "mutation($input: RuleInput!) { createRule(input: $input) { condition } }"
TEST = """mutation($input: RuleInput!, $at: DateTime!) {
    testRule(input: $input, at: $at) { fires }
}"""
SET = """mutation($interlocks: [ConditionInput!], $effect: EffectInput) {
    setActuator(input: {espId: "ESP_1EA5E1", gpio: 5, actuatorType: "pump",
        interlocks: $interlocks, effect: $effect
    }) { interlocks effect runtime(from: "2026-07-01T00:00:00Z", to: "2026-07-02T00:00:00Z") {
        timeZone
    } }
}"""
HEATING = """mutation($parameters: JSON!) {
    createRuleFromBlueprint(blueprint: "heating", parameters: $parameters) { condition }
}"""
KNOWN = "{ blueprints { name parameters { name default } } }"
TOKYO = {"timeZone": "Asia/Tokyo"}
PLACE = {"latitude": 35.68, "longitude": 139.69}


async def test_rules_interlocks_effects_rehearsals_and_runtimes_mean_the_same_time_and_place(
    database_url: str, broker: EmbeddedBroker, directory: Path
) -> None:
    server = ServerProcess(
        directory,
        {
            "KAISER_DATABASE_URL": database_url,
            "KAISER_MQTT_URL": broker.url,
            "KAISER_TIMEZONE": "Asia/Tokyo",
            "KAISER_PLACE": "35.68,139.69",
        },
    )
    await server.start()
    pump = VirtualActuator(gpio=5, actuator_type="pump")
    device = VirtualDevice(esp_id=BOARD, dialect=NOVEMBER, kaiser_id="god", actuators=(pump,))
    async with living(broker.url, [device]), client(server) as http:
        await until_known(http, device)
        rule = {
            "name": "Day",
            "condition": BOTH,
            "actions": [{"notify": {"message": "day", "severity": "INFO"}}],
        }
        made = (await ask(http, CREATE, input=rule))["createRule"]["condition"]
        day, light = made["all"]
        assert TOKYO.items() <= day["timeWindow"].items()
        assert PLACE.items() <= light["sun"].items()
        assert (await ask(http, TEST, input=rule, at=INSTANT))["testRule"] == {"fires": True}

        effect = {"condition": BOTH, "within": "PT10M"}
        declared = (await ask(http, SET, interlocks=[BOTH], effect=effect))["setActuator"]
        assert declared["interlocks"] == [made]
        assert declared["effect"]["condition"] == made
        assert declared["runtime"] == TOKYO

        sensor = {"espId": BOARD, "gpio": 4, "sensorType": "ds18b20"}
        parameters = {"sensor": sensor, "heater": {"espId": BOARD, "gpio": 5}}
        heating = (await ask(http, HEATING, parameters=parameters))["createRuleFromBlueprint"]
        assert str(heating).count("'timeZone': 'Asia/Tokyo'") == 2
        listed = {one["name"]: one["parameters"] for one in (await ask(http, KNOWN))["blueprints"]}
        assert {"name": "timeZone", "default": "Asia/Tokyo"} in listed["heating"]
    await server.stop()
