"""What the tests of the embedded parts share: directories, and a server process to kill."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from app.embedded.lock import started_at
from app.embedded.service import Service
from tests.eventually import eventually

PROJECT = Path(__file__).parents[2]


@contextmanager
def data_directory() -> Iterator[Path]:
    """Yield a place for a data directory that other users can reach; pytest's own is closed."""
    base = Path(tempfile.mkdtemp(prefix="kaiser-test-"))
    base.chmod(0o711)
    try:
        yield base / "data"
    finally:
        shutil.rmtree(base)


@asynccontextmanager
async def server_process(
    code: str, *arguments: str, environ: Mapping[str, str] | None = None
) -> AsyncIterator[list[str]]:
    """Run code that starts an embedded part, prints "ready PID WORD..." and waits.

    Yields the words. The process is killed at the end, so that nothing of it can tidy up, and its
    child has three seconds to follow.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        cwd=PROJECT,
        env={**os.environ, **(environ or {})},
    )
    assert process.stdout is not None
    words: list[str] = []
    try:
        async with asyncio.timeout(60):
            # Log lines come first on the same stream; ours has a mark.
            while (line := await process.stdout.readline()) and not line.startswith(b"ready "):
                continue
        assert line, "the server process ended before it was ready"
        words = line.decode().split()[1:]
        yield words
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
        if words:
            await eventually(lambda: started_at(int(words[0])) is None, within=3, what="its end")


@asynccontextmanager
async def watched(service: Service) -> AsyncIterator[None]:
    """Keep a part running for the length of a block."""
    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(service.run())
        yield
        watch.cancel()


POSTGRES = """
import asyncio, sys
from pathlib import Path
from app.embedded.postgres import EmbeddedPostgres

async def main():
    async with EmbeddedPostgres(Path(sys.argv[1])) as postgres:
        print("ready", postgres.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""

BROKER = """
import asyncio, sys
from pathlib import Path
from app.embedded.broker import EmbeddedBroker

async def main():
    async with EmbeddedBroker(Path(sys.argv[1]), port=0, prefer=sys.argv[2]) as broker:
        print("ready", broker.pid, broker.port, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
