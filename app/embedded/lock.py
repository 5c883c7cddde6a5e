"""One directory, one server: told by the kernel, not by a number in a file."""

import asyncio
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from app.errors import EmbeddedError

_POLL = 0.02  # seconds


class DirectoryLock:
    """Keeps a directory to one server, and is never fooled by a stale process id.

    The lock is inherited by every process that is started under it, so that it is free exactly
    when all of them are gone: also the ones whose parent was killed. A zombie holds nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    async def acquire(self, patience: float) -> None:
        """Take the lock.

        Args:
            patience: Seconds to wait for what a server that is gone has left behind.

        Raises:
            EmbeddedError: A running server has it, or what one left behind does not end.
        """
        self.release()
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            async with asyncio.timeout(patience):
                while not self._try(fd):  # noqa: ASYNC110 - the kernel sets no event
                    await asyncio.sleep(_POLL)
        except BaseException as error:
            os.close(fd)
            if isinstance(error, TimeoutError):
                raise self._in_use("processes of a server that has ended") from None
            raise
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()} {started_at(os.getpid())}".encode(), 0)
        self._fd = fd

    @property
    def held(self) -> Sequence[int]:
        """The file descriptors that a child has to inherit."""
        return () if self._fd is None else (self._fd,)

    def release(self) -> None:
        """Give up our share of it; what still runs keeps its own."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None

    def _try(self, fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, _, started = os.pread(fd, 64, 0).decode().partition(" ")
            if started and started_at(int(pid)) == started:
                raise self._in_use(f"the server with process id {pid}") from None
            return False
        return True

    def _in_use(self, holder: str) -> EmbeddedError:
        return EmbeddedError(
            f"KAISER_DATA_DIR: {self._path.parent} is in use by {holder}; "
            "stop that first, or choose another directory"
        )


def started_at(pid: int) -> str | None:
    """Return when a process started, in clock ticks; None when it is gone or a zombie.

    Source: proc(5), /proc/pid/stat, fields 3 (state) and 22 (starttime).
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def is_running_in(pid: int, directory: Path) -> bool:
    """Tell whether a process is alive and works in a directory."""
    if started_at(pid) is None:
        return False
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == directory.resolve()
    except OSError:
        return False
