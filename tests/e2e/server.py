"""The server as its operator starts it: a process of its own, on real parts."""

import asyncio
import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
from gql import Client
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

from tests.eventually import eventually

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"  # noqa: S105 - of a server that lives for one test
START_DEADLINE = 30.0
STOP_DEADLINE = 10.0
UNENCRYPTED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Knows no authorities: each client would read hundreds of them first, and it takes 20 ms."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Api:
    """What a client sees of a server."""

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def http_client(self, token: str | None = None) -> Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return Client(
            transport=HTTPXAsyncTransport(
                url=f"{self.url}/graphql", headers=headers, timeout=30, verify=UNENCRYPTED
            )
        )

    def live_client(self, token: str) -> Client:
        return Client(
            transport=WebsocketsTransport(
                url=f"ws://127.0.0.1:{self.port}/graphql",
                init_payload={"Authorization": f"Bearer {token}"},
                subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
            )
        )

    async def login(self, password: str = PASSWORD) -> str:
        """Log in as the first administrator; return the token."""
        body = {
            "query": "mutation($p: String!) "
            '{ login(username: "admin", password: $p) { accessToken } }',
            "variables": {"p": password},
        }
        answer = await self.post(body)
        assert "errors" not in answer, answer
        token: str = answer["data"]["login"]["accessToken"]
        return token

    async def post(self, body: object, token: str | None = None) -> dict[str, Any]:
        """Send a GraphQL request as it is, and return the answer as it is."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx2.AsyncClient(verify=UNENCRYPTED) as client:
            answer = await client.post(
                f"{self.url}/graphql", json=body, headers=headers, timeout=30
            )
        result: dict[str, Any] = answer.json()
        return result


class ServerProcess(Api):
    """Started, killed and started again as often as a test likes; always on the same port."""

    def __init__(
        self,
        directory: Path,
        settings: Mapping[str, str],
        *,
        program: Sequence[str] = ("-m", "app", "serve"),
    ) -> None:
        super().__init__(free_port())
        self.log = directory / "server.log"
        self._program = program
        self._environment = {
            **{name: value for name, value in os.environ.items() if "KAISER_" not in name},
            "KAISER_DATA_DIR": str(directory / "data"),
            "KAISER_HTTP_PORT": str(self.port),
            "KAISER_ADMIN_PASSWORD": PASSWORD,
            "KAISER_DISCOVERY": "auto",
            "KAISER_LOG_FORMAT": "json",
            "PYTHONPATH": str(ROOT),
            **settings,
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def launch(self) -> None:
        """Start the process, and do not wait for anything."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self._program,
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def start(self) -> None:
        await self.launch()
        await eventually(self.is_ready, within=START_DEADLINE, what="the server is ready")

    async def answers(self) -> bool:
        """Whether anybody answers, ready or not."""
        try:
            await self.health()
        except httpx2.TransportError:
            return False
        return True

    async def is_ready(self) -> bool:
        """Whether all parts are there; fails at once when the process has ended."""
        assert self.running, self.log_text()
        try:
            return (await self.health())[0] == 200
        except httpx2.TransportError:
            return False

    async def health(self) -> tuple[int, dict[str, Any]]:
        async with httpx2.AsyncClient(verify=UNENCRYPTED) as client:
            answer = await client.get(f"{self.url}/health/ready", timeout=5)
        return answer.status_code, answer.json()

    async def kill(self) -> None:
        """End it as a power cut does."""
        await self._signal(signal.SIGKILL)

    async def stop(self) -> int:
        """End it as a service manager does; return the exit code."""
        return await self._signal(signal.SIGTERM)

    async def _signal(self, number: signal.Signals) -> int:
        process = self._process
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        async with asyncio.timeout(STOP_DEADLINE):
            return await process.wait()

    def log_text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the log lines of one kind."""
        lines = [json.loads(line) for line in self.log_text().splitlines() if line[:1] == "{"]
        return [line for line in lines if line.get("event") == name]
