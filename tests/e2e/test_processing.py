"""Conversions on demand from a real server: the very bytes, and the answer over MQTT."""

import asyncio
import json
import re

import aiomqtt

from app.embedded.broker import EmbeddedBroker
from mqtt_bridge.session import BrokerAddress
from tests.e2e.server import ServerProcess

BODY = (
    b'{"esp_id":"ESP_12AB34","gpio":4,"sensor_type":"temperature_ds18b20",'
    b'"raw_value":4294967216,"timestamp":123456,"metadata":{}}'
)
HEAD = (
    b"POST /api/v1/sensors/process HTTP/1.1\r\nHost: 192.168.0.9:8000\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
)


async def sent(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


async def test_early_firmware_gets_the_bytes_that_it_can_read(server: ServerProcess) -> None:
    answer = await sent(server.port, HEAD % len(BODY) + BODY)
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")

    assert lines[0] == b"HTTP/1.1 200 OK"
    assert b"Content-Length: %d" % len(body) in lines
    assert b"Content-Type: application/json" in lines
    assert b"Connection: close" in lines
    assert all(b"\n" not in line and not re.match(rb"[a-z]", line) for line in lines)
    wanted = rb'\{"processed_value":-5\.0,"unit":"\\u00b0C","quality":"\w+","timestamp":\d{10},'
    assert re.match(wanted, body)
    assert body.endswith(b'"status":"ok"}\n\n')
    assert body.count(b"\n") == 2


async def test_a_flood_is_refused_in_bytes_that_it_can_read_and_nothing_is_stored(
    server: ServerProcess,
) -> None:
    request = HEAD % len(BODY) + BODY
    codes: list[bytes] = []
    refusal = b""
    for _ in range(30):
        for answer in await asyncio.gather(*(sent(server.port, request) for _ in range(50))):
            codes.append(answer.split(b" ", 2)[1])
            refusal = answer if codes[-1] == b"429" else refusal
        if refusal:
            break

    assert set(codes) == {b"200", b"429"}
    head, _, body = refusal.partition(b"\r\n\r\n")
    assert b"\r\nRetry-After: 1" in head
    assert b"\r\nContent-Length: %d" % len(body) in head
    assert body.endswith(b"}\n\n")
    token = await server.login()
    found = await server.post({"query": "{ devices { edges { node { espId } } } }"}, token)
    assert found["data"]["devices"]["edges"] == []


async def test_a_request_over_mqtt_is_answered_by_the_same_pipeline(
    server: ServerProcess, broker: EmbeddedBroker
) -> None:
    level = "kaiser/god/esp/ESP_12AB34/pi_enhanced"
    address = BrokerAddress.from_url(broker.url)
    asked = {"gpio": 4, "raw_value": 4294967216, "type": "digital", "sensor_type": "ds18b20"}
    async with aiomqtt.Client(address.host, address.port) as client, asyncio.timeout(10):
        await client.subscribe(f"{level}/response")
        await client.publish(f"{level}/request", json.dumps(asked))
        async for message in client.messages:
            answer = json.loads(bytes(message.payload))
            break

    assert (answer["processed_value"], answer["unit"], answer["status"]) == (-5.0, "°C", "ok")
