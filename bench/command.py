"""How long a command takes: from the mutation to what the device confirmed.

`python -m bench.command [--quick]`: one bare MQTT device answers at once, so what is measured is
the way through the server: GraphQL, safety gate, three stored states, MQTT out (QoS 2) and back
(QoS 1). The floor is the same MQTT round trip without a server.
"""

import argparse
from collections.abc import Sequence

import msgspec
import uvloop

from app.clock import SystemClock
from bench import floors
from bench.graphql_wire import HttpWire
from bench.mqtt_wire import Message, MqttWire, open_wire
from bench.parts import PASSWORD, Parts, running_parts, running_server
from bench.reporting import Report, percentile

ESP = "ESP_BE7C40"
GPIO = 5
MOST_RATIO = 3.0
_LEVEL = f"kaiser/god/esp/{ESP}"
_PATIENCE = 10.0
_POLL = 0.05

_SEND = """
mutation($input: SendCommandInput!) { sendCommand(input: $input) { id status reason } }
"""
_SET_UP = """
mutation($input: ActuatorConfigInput!) { setActuator(input: $input) { id } }
"""
_DEVICE = "query($espId: String!) { device(espId: $espId) { status } }"


class _Command(msgspec.Struct):
    command: str
    value: float
    correlation_id: str


_DECODER = msgspec.json.Decoder(_Command)
_ENCODER = msgspec.json.Encoder()


def confirm(wire: MqttWire, topic: bytes, message: Message) -> None:
    """Answer a command as the newest firmware does."""
    command = _DECODER.decode(message.payload)
    answer = {
        "esp_id": ESP,
        "seq": 1,
        "zone_id": "",
        "ts": 0,
        "gpio": GPIO,
        "command": command.command,
        "value": command.value,
        "duration": 0,
        "success": True,
        "message": "Command executed",
        "correlation_id": command.correlation_id,
    }
    wire.publish(topic, _ENCODER.encode(answer), 1)


async def measure(times: int, report: Report) -> None:
    """Run everything and fill the report."""
    async with running_parts() as parts:
        async with running_server(parts) as running:
            seconds = await through_server(running, times)
        request = _ENCODER.encode(
            {"command": "ON", "value": 1.0, "duration": 0, "correlation_id": "0" * 36}
        )
        bare = await floors.round_trips(
            parts, times, lambda wire, command: confirm(wire, b"bench/answer", command), request
        )
    for share in (0.5, 0.99):
        name = f"p{share * 100:.0f}"
        report.add(
            f"mutation to ACKNOWLEDGED, {name}",
            percentile(seconds, share) * 1000.0,
            "ms",
            floor=f"MQTT round trip, {name}",
            target=f"<= {MOST_RATIO:g} x",
        )
        report.add(f"MQTT round trip, {name}", percentile(bare, share) * 1000.0, "ms")


async def through_server(parts: Parts, times: int) -> Sequence[float]:
    """Send commands through a server, one after the other; return the seconds of each."""
    clock = SystemClock()
    device = await open_wire(
        parts.address,
        ESP,
        lambda command: confirm(device, f"{_LEVEL}/actuator/{GPIO}/response".encode(), command),
    )
    await device.subscribe([(f"{_LEVEL}/actuator/+/command", 2)])
    http = await HttpWire.open(parts.http, PASSWORD)
    await _introduce(device, http)
    order = {"input": {"espId": ESP, "gpio": GPIO, "action": "ON"}}
    spent: list[float] = []
    for number in range(-_warm_up(times), times):
        order["input"]["action"] = "ON" if number % 2 else "OFF"
        began = clock.monotonic()
        answer = (await http.ask(_SEND, order))["sendCommand"]
        if answer["status"] != "ACKNOWLEDGED":
            raise RuntimeError(f"command {number}: {answer}")
        if number >= 0:
            spent.append(clock.monotonic() - began)
    http.close()
    device.close()
    return spent


def _warm_up(times: int) -> int:
    return max(10, times // 10)


async def _introduce(device: MqttWire, http: HttpWire) -> None:
    """Let the server hear of the device, and set up its pump."""
    clock = SystemClock()
    heartbeat = {"esp_id": ESP, "ts": 0, "uptime": 1, "heap_free": 150_000, "wifi_rssi": -60}
    deadline = clock.monotonic() + _PATIENCE
    status = None
    while status != "ONLINE":
        if clock.monotonic() > deadline:
            raise RuntimeError(f"{ESP} is {status}")
        device.publish(f"{_LEVEL}/system/heartbeat".encode(), _ENCODER.encode(heartbeat))
        await clock.sleep(_POLL)
        status = ((await http.ask(_DEVICE, {"espId": ESP}))["device"] or {}).get("status")
    pump = {"espId": ESP, "gpio": GPIO, "actuatorType": "pump", "name": "Pump"}
    await http.ask(_SET_UP, {"input": pump})


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a rough look in some 15 seconds")
    parser.add_argument("--times", type=int, default=3000, help="commands, one after the other")
    options = parser.parse_args()
    times = 300 if options.quick else options.times
    report = Report(benchmark="command", settings={"times": times})
    uvloop.run(measure(times, report))
    report.finish()


if __name__ == "__main__":
    main()
