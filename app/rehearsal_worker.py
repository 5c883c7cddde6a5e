"""The process in which rules live through the past: `python -m app.rehearsal_worker`.

It is told what to do on its standard input, and writes frames to its standard output: how far it is
(a number), and at the end what came out, or the error. Whoever started it holds the other end of
its input; when that closes it ends at once, whatever it is doing.
"""

import asyncio
import os
import pickle
import resource
import struct
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from domain.errors import DomainError, OverloadedError
from domain.services.relive import Rehearsal, relive
from storage.past import past_readings

LENGTH = struct.Struct(">I")
"""What goes before each frame: its bytes."""

MEMORY = 1024
"""MiB of addresses that it may have; it needs a tenth of that in memory."""

_LOWEST_PRIORITY = 19
_MOST_EXPENDABLE = "1000"
"""For Linux, if memory runs out: this first, and not the server (proc(5), oom_score_adj)."""


class Job(NamedTuple):
    """What is to be done, and where the past is."""

    database: str
    rehearsal: Rehearsal


def main() -> None:
    """Do what the standard input says."""
    os.nice(_LOWEST_PRIORITY)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_MOST_EXPENDABLE, encoding="ascii")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY * 2**20, MEMORY * 2**20))
    job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301 - of the process that started this one
    threading.Thread(target=_leave_when_alone, daemon=True).start()
    try:
        _tell(asyncio.run(_work(job)))
    except DomainError as error:
        _tell(error)
    except MemoryError:
        _tell(OverloadedError(f"it takes more than {MEMORY} MiB of memory"))


async def _work(job: Job) -> object:
    async with past_readings(job.database) as past:
        return await relive(past, job.rehearsal, _tell)


def _tell(something: object) -> None:
    frame = pickle.dumps(something)
    sys.stdout.buffer.write(LENGTH.pack(len(frame)) + frame)
    sys.stdout.buffer.flush()


def _leave_when_alone() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
