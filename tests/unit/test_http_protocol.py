"""The head of an answer as early firmware demands it, byte for byte, from a real server."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from app.http_protocol import SpeltHttpProtocol, spelt
from app.process import HttpServer
from app.serve import http_config
from app.settings import load_settings
from tests.eventually import eventually


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/broken":
        raise ZeroDivisionError
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = [(b"content-length", b"%d" % len(body)), (b"x-rATe", b"Content-length: 1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
    settings = load_settings({"KAISER_HTTP_PORT": str(free), "KAISER_DATA_DIR": str(tmp_path)})
    server = HttpServer(http_config(settings, app))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.run_until_stopped())
        await eventually(lambda: server.started)
        yield free
        await server.stop()


async def sent(port: int, *parts: bytes) -> bytes:
    """Send bytes as they are, and return all that comes until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


def request(body: bytes = b"", path: bytes = b"/", headers: bytes = b"Connection: close") -> bytes:
    length = b"Content-Length: %d" % len(body)
    lines = (b"POST " + path + b" HTTP/1.1", b"Host: h", length, headers, b"", body)
    return b"\r\n".join(lines)


async def test_every_header_is_spelt_and_ends_with_crlf_and_the_connection_is_closed(
    port: int,
) -> None:
    head, _, body = (await sent(port, request(b"two\n\n"))).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")

    assert lines[0] == b"HTTP/1.1 200 OK"
    assert b"Content-Length: 5" in lines
    assert b"Connection: close" in lines
    assert b"X-Rate: Content-length: 1" in lines
    assert b"\n" not in b"".join(lines)
    assert body == b"two\n\n"


async def test_what_is_no_http_is_refused_with_a_spelt_head_too(port: int) -> None:
    answer = await sent(port, b"MUMBLE\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nContent-Length: 30\r\n" in answer


async def test_a_body_that_looks_like_a_head_stays_as_it_is(port: int) -> None:
    lookalike = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"

    assert (await sent(port, request(lookalike))).endswith(b"\r\n\r\n" + lookalike)


async def test_a_connection_that_stays_open_has_each_head_spelt(port: int) -> None:
    answer = await sent(port, request(b"one", headers=b"X: y") + request(b"two"))

    assert answer.count(b"\r\nContent-Length: 3\r\n") == 2
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert answer.endswith(b"two")


async def test_a_client_that_waits_to_be_told_to_go_on_gets_a_spelt_head_after_that(
    port: int,
) -> None:
    headers = b"Connection: close\r\nExpect: 100-continue"
    head, body = request(b"body", headers=headers).split(b"\r\n\r\n")
    answer = await sent(port, head + b"\r\n\r\n", body)

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Length: 4\r\n" in answer


async def test_a_failure_is_spelt_too(port: int) -> None:
    answer = await sent(port, request(path=b"/broken"))

    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"\r\nContent-Length: 21\r\n" in answer


@given(
    st.lists(
        st.tuples(
            st.from_regex(rb"[a-z][a-z-]{0,20}", fullmatch=True),
            st.from_regex(rb"[!-~]{0,20}", fullmatch=True),
        ),
        max_size=8,
    )
)
def test_nothing_but_the_case_of_names_changes(headers: list[tuple[bytes, bytes]]) -> None:
    head = b"".join(
        [b"HTTP/1.1 200 OK\r\n", *(name + b": " + value + b"\r\n" for name, value in headers)]
    )
    written = spelt(head + b"\r\n")

    assert written.lower() == (head + b"\r\n").lower()
    for name, value in headers:
        assert name.title() + b": " + value + b"\r\n" in written


def test_the_server_speaks_it(tmp_path: Path) -> None:
    settings = load_settings({"KAISER_DATA_DIR": str(tmp_path)})
    config: uvicorn.Config = http_config(settings, app)

    assert config.http is SpeltHttpProtocol
