import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import aiomqtt
import pytest

from app.embedded.broker import EmbeddedBroker, Flavour, installed_mosquitto
from app.embedded.lock import started_at
from app.errors import StartError
from app.listening import check_http_port
from tests.eventually import eventually
from tests.integration.embedded import BROKER, data_directory, server_process, watched

needs_mosquitto = pytest.mark.skipif(
    installed_mosquitto() is None and "CI" not in os.environ,
    reason="Mosquitto is not installed: sudo apt install mosquitto",
)
both = pytest.mark.parametrize(
    "flavour", [pytest.param("mosquitto", marks=needs_mosquitto), "iotcore"]
)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs children as others")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with data_directory() as path:
        yield path


def client(broker: EmbeddedBroker, *, identifier: str | None = None) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        identifier=identifier,
        clean_session=identifier is None,
        protocol=aiomqtt.ProtocolVersion.V311,
    )


async def next_payload(messages: aiomqtt.Client) -> bytes:
    async with asyncio.timeout(5):
        async for message in messages.messages:
            assert isinstance(message.payload, bytes)
            return message.payload
    raise AssertionError("the client's messages ended")


async def refusal(broker: EmbeddedBroker) -> str:
    with pytest.raises(StartError) as caught:
        await broker.start()
    assert broker.pid is None
    text = str(caught.value)
    assert "\n" not in text
    return text


def user_of(pid: int | None) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def accepts(port: int) -> bool:
    with closing(socket.socket()) as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


@both
async def test_what_is_published_arrives(data_dir: Path, flavour: Flavour) -> None:
    async with EmbeddedBroker(data_dir, port=0, prefer=flavour) as broker:
        assert broker.url == f"mqtt://127.0.0.1:{broker.port}"
        async with client(broker) as device:
            await device.subscribe("kaiser/#", qos=1)
            await device.publish("kaiser/large", b"x" * 200_000, qos=1)
            assert await next_payload(device) == b"x" * 200_000


@both
async def test_it_stops_at_once_and_frees_its_port(data_dir: Path, flavour: Flavour) -> None:
    broker = EmbeddedBroker(data_dir, port=0, prefer=flavour)
    await broker.start()
    async with asyncio.timeout(1):
        await broker.stop()
    assert not accepts(broker.port)
    async with EmbeddedBroker(data_dir, port=broker.port, prefer=flavour) as again:
        assert accepts(again.port)


@both
async def test_killed_it_comes_back_at_the_same_address(data_dir: Path, flavour: Flavour) -> None:
    async with EmbeddedBroker(data_dir, port=0, prefer=flavour) as broker:
        killed, url = broker.pid, broker.url
        assert killed is not None
        async with watched(broker):
            os.kill(killed, signal.SIGKILL)
            await eventually(lambda: broker.pid not in {None, killed}, what="a new broker")
            await eventually(lambda: accepts(broker.port), what="connections")
        assert broker.url == url


@needs_mosquitto
async def test_it_comes_back_when_its_port_was_taken_meanwhile(data_dir: Path) -> None:
    async with EmbeddedBroker(data_dir, port=0, prefer="mosquitto") as broker:
        killed = broker.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await eventually(lambda: not accepts(broker.port))
        other = socket.create_server(("127.0.0.1", broker.port))
        async with watched(broker):
            with closing(other):
                await eventually(lambda: "is in use" in str(broker.last_failure), what="a failure")
            await eventually(lambda: broker.last_failure is None, what="a new broker")
            assert broker.pid not in {None, killed}


async def test_stopped_it_does_not_come_back(data_dir: Path) -> None:
    async with EmbeddedBroker(data_dir, port=0) as broker, asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(broker.run())
        await broker.stop()
        await watch
        assert broker.pid is None


@needs_mosquitto
async def test_mosquitto_keeps_sessions_and_retained_messages_when_killed(data_dir: Path) -> None:
    broker = EmbeddedBroker(data_dir, port=0, prefer="mosquitto")
    async with broker:
        async with client(broker, identifier="server") as server:
            await server.subscribe("reading", qos=1)
        async with client(broker) as device:
            await device.publish("state", b"on", qos=1, retain=True)
            await device.publish("reading", b"21.5", qos=1)
        saved = data_dir / "mosquitto" / "mosquitto.db"
        await eventually(lambda: saved.exists() and b"21.5" in saved.read_bytes())
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
    async with broker:
        async with client(broker, identifier="server") as server:
            assert await next_payload(server) == b"21.5"
        async with client(broker) as device:
            await device.subscribe("state")
            assert await next_payload(device) == b"on"


@both
async def test_it_ends_with_its_parent(data_dir: Path, flavour: Flavour) -> None:
    async with server_process(BROKER, str(data_dir), flavour) as (pid, port):
        assert accepts(int(port))
    assert started_at(int(pid)) is None
    await eventually(lambda: not accepts(int(port)), within=1)


@both
async def test_a_port_that_is_taken_is_named_with_the_setting(
    data_dir: Path, flavour: Flavour
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        text = await refusal(EmbeddedBroker(data_dir, port=port, prefer=flavour))
    assert text.startswith(f"KAISER_MQTT_PORT: port {port} is in use")
    assert "KAISER_MQTT_URL" in text


@needs_mosquitto
async def test_a_damaged_file_of_mosquitto_is_refused_with_the_way_out(data_dir: Path) -> None:
    async with EmbeddedBroker(data_dir, port=0, prefer="mosquitto"):
        pass
    saved = data_dir / "mosquitto" / "mosquitto.db"
    saved.write_bytes(b"garbage")
    assert f"mv {saved}" in await refusal(EmbeddedBroker(data_dir, port=0, prefer="mosquitto"))


async def test_an_address_of_another_computer_is_refused(data_dir: Path) -> None:
    text = await refusal(EmbeddedBroker(data_dir, host="192.0.2.1", port=0))
    assert text.startswith("KAISER_MQTT_HOST: this computer cannot listen on 192.0.2.1")


@both
async def test_a_second_broker_on_the_same_directory_is_refused(
    data_dir: Path, flavour: Flavour
) -> None:
    async with EmbeddedBroker(data_dir, port=0, prefer=flavour):
        text = await refusal(EmbeddedBroker(data_dir, port=0, prefer=flavour))
    assert text.startswith("KAISER_DATA_DIR")


@both
async def test_it_listens_on_loopback_alone(data_dir: Path, flavour: Flavour) -> None:
    async with EmbeddedBroker(data_dir, port=0, prefer=flavour) as broker:
        with closing(socket.socket()) as elsewhere:
            # The whole of 127.0.0.0/8 is this computer: a wildcard listener would answer here.
            assert elsewhere.connect_ex(("127.0.0.2", broker.port)) != 0


@as_root
@both
async def test_root_runs_it_as_somebody_else(data_dir: Path, flavour: Flavour) -> None:
    async with EmbeddedBroker(data_dir, port=0, prefer=flavour) as broker:
        assert user_of(broker.pid) != 0


async def test_a_taken_http_port_is_named_with_the_setting() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=f"^KAISER_HTTP_PORT: port {port} is in use"):
            check_http_port("127.0.0.1", port)
    check_http_port("127.0.0.1", port)
