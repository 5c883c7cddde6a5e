"""A Redis of one's own: keeping nothing, stopped as rudely as a test wants."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.eventually import eventually

PROGRAM = shutil.which("redis-server", path=os.environ.get("PATH", "") + ":/usr/bin:/usr/local/bin")


class RedisServer:
    """Starts and stops; `url` stays the same: a Unix socket, or a port if one is given."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = folder / "redis.sock"
        self.url = f"redis://127.0.0.1:{port}" if port else f"unix://{self._socket}"

    async def start(self) -> None:
        assert PROGRAM is not None
        self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - returns at once; a fixed program
            [
                *(PROGRAM, "--bind", "127.0.0.1", "--port", str(self._port)),
                *("--unixsocket", str(self._socket)),
                *("--save", "", "--appendonly", "no", "--dir", str(self._folder)),
            ],
            stdout=subprocess.DEVNULL,
        )
        await eventually(self._answers, what="redis-server answers")

    def _answers(self) -> bool:
        try:
            with Redis.from_url(self.url) as redis:
                return bool(redis.ping())
        except RedisError:
            return False

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it hold its connections open and say nothing more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def publish(self, channel: str, data: bytes) -> None:
        """Say something on a channel, as somebody else."""
        with Redis.from_url(self.url) as redis:
            redis.publish(channel, data)

    def hang_up(self, kind: str) -> None:
        """Cut the connections of one kind of client: `normal` or `pubsub`."""
        with Redis.from_url(self.url) as redis:
            redis.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")


@contextmanager
def redis_server(port: int = 0) -> Iterator[RedisServer]:
    """Yield a server that is not started yet; skip where the program is missing, except in CI."""
    if PROGRAM is None:
        message = "redis-server is not installed: apt-get install redis-server"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    # A socket's path may have 107 bytes; pytest's own directories can be longer.
    with tempfile.TemporaryDirectory(prefix="kaiser-redis-") as folder:
        server = RedisServer(Path(folder), port)
        try:
            yield server
        finally:
            server.kill()
