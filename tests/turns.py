"""Lets a test have the machine to itself while other processes of the same run test, too.

A measurement of time says nothing while a neighbour floods a database on the same two cores. Two
separate runs would do as well, but then there are two reports, and two commands to remember.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, lockf
from pathlib import Path

_DOOR, _ROOM = 0, 1
"""Bytes of the file that are locked; nothing is ever written to it."""


class Turns:
    """The turns of one process, agreed on with the others through locks on one file.

    Who waits to be alone stands in the door, so that the others do not enter one by one for ever.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        os.close(self._file)

    @contextmanager
    def take(self, *, alone: bool) -> Iterator[None]:
        """Wait for a turn, and have it until the end of the block."""
        self._lock(LOCK_EX, _DOOR)
        self._lock(LOCK_EX if alone else LOCK_SH, _ROOM)
        self._lock(LOCK_UN, _DOOR)
        try:
            yield
        finally:
            self._lock(LOCK_UN, _ROOM)

    def _lock(self, kind: int, byte: int) -> None:
        lockf(self._file, kind, 1, byte)
