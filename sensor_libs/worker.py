"""The process that runs one library file of the user: `python -m sensor_libs.worker LINK PROGRESS`.

Whatever the file does, it does it here: it may raise, loop, eat memory, print or exit, and all that
ends is this process. It guards against mistakes, not against malice: a library can still read what
the server can read.
"""

import mmap
import os
import resource
import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from math import ceil
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec

from sensor_libs.api import Converted, Quality, SensorLibrary
from sensor_libs.loader import Source, compile_source
from sensor_libs.usage import TIMED_EVERY
from sensor_libs.vectors import misses
from sensor_libs.worker_frames import (
    LARGEST,
    LENGTH,
    LONGEST_REASON,
    PROGRESS,
    Answer,
    Answers,
    Call,
    Calls,
    Declaration,
    Failed,
    File,
    Function,
    Loaded,
    Meant,
    Number,
    Refused,
    Unasked,
    encode,
)

MEMORY = 256 * 2**20
"""Bytes of address space; an idle process has a tenth of it."""

CPU_SECONDS = 10
"""Of one frame: a loop whose server is gone ends by itself."""

_FORBIDDEN = {
    *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn"),
    *("os.chmod", "os.chown", "os.kill", "os.killpg", "os.link", "os.mkdir", "os.remove"),
    *("os.rename", "os.rmdir", "os.symlink", "os.truncate", "signal.pthread_kill"),
}
_FORBIDDEN_KINDS = ("subprocess.", "socket.", "shutil.")
_WRITING = os.O_WRONLY | os.O_RDWR


class _Worker:
    def __init__(self, link: socket.socket, progress: mmap.mmap) -> None:
        self._link = link
        self._progress = progress
        self._libraries: Mapping[str, SensorLibrary] = {}
        self._calls = 0

    def run(self) -> None:
        """Load the file, then answer until the server is gone."""
        _limit_cpu()
        if not (file := self._receive()):
            return
        loaded = self._load(msgspec.msgpack.decode(file, type=File))
        self._send(encode(loaded))
        decoder = msgspec.msgpack.Decoder(Calls)
        while frame := self._receive():
            _limit_cpu()
            self._send(encode(self._answers(decoder.decode(frame))))

    def _load(self, file: File) -> Loaded | Refused:
        try:
            libraries = compile_source(Source(file.file, Path(file.path), file.content, False))  # noqa: FBT003 - a field, not a switch
            for library in libraries:
                for miss in misses(library):
                    return Refused(_cut(f"{library.name}: {miss.says}"))
            loaded = Loaded([Declaration.of(library) for library in libraries])
            if len(encode(loaded)) > LARGEST:
                return Refused("it declares far too much")
        # Somebody else's code: it may raise anything, and the server wants to know what.
        except BaseException as error:  # noqa: BLE001
            return Refused(_told(error))
        self._libraries = {library.name: library for library in libraries}
        return loaded

    def _answers(self, asked: Calls) -> Answers:
        until, late = monotonic() + asked.seconds, False
        answers: list[Answer] = []
        seconds: list[float] = []
        for number, call in enumerate(asked.calls):
            begun = monotonic()
            if begun > until:
                answers += [Unasked()] * (len(asked.calls) - number)
                late = True
                break
            PROGRESS.pack_into(self._progress, 0, number, begun)
            answers.append(self._answer(call))
            if self._calls % TIMED_EVERY == 0:
                seconds.append(monotonic() - begun)
            self._calls += 1
        return Answers(answers, seconds, late)

    def _answer(self, call: Call) -> Answer:
        try:
            return self._computed(call)
        # The same: whatever it raises costs this one answer.
        except BaseException as error:  # noqa: BLE001
            is_refusal = call.function is Function.PACK and isinstance(error, ValueError)
            return Failed(_told(error), is_refusal)

    def _computed(self, call: Call) -> Answer:
        library = self._libraries[call.library]
        if isinstance(call.raw, tuple):
            return Number(float(library.pack(call.raw)))
        if call.function is Function.VOLTS:
            return Number(float(library.volts(call.raw)))
        return Meant(_checked(library.convert(call.raw, call.parameters)))

    def _receive(self) -> bytes:
        """Return the next frame; empty: the server is gone."""
        length = self._read(LENGTH.size)
        return self._read(LENGTH.unpack(length)[0]) if length else b""

    def _read(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = self._link.recv(size - len(parts))
            if not part:
                return b""
            parts += part
        return bytes(parts)

    def _send(self, frame: bytes) -> None:
        self._link.sendall(LENGTH.pack(len(frame)) + frame)


def _checked(converted: Any) -> Converted:  # noqa: ANN401 - an author may return anything
    """Return a conversion that is nothing but numbers and words.

    Raises:
        TypeError: It is something else.
    """
    value, quality, reason = converted
    if quality.__class__ is not Quality:
        raise TypeError(f"{quality!r:.50} is no Quality")
    return Converted(
        None if value is None else float(value),
        quality,
        None if reason is None else _cut(str(reason)),
    )


def _told(error: BaseException) -> str:
    try:
        says = str(error)
    # An exception of somebody else's, too, whose words may be code.
    except BaseException:  # noqa: BLE001
        says = "it cannot be told why"
    return _cut(f"{type(error).__name__}: {says}" if says else type(error).__name__)


def _cut(text: str) -> str:
    short = text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"
    return short.encode(errors="replace").decode()


def _confine() -> None:
    """Take from this process what no conversion needs."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # Binds whoever is not root: no other process, however it is started.
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    # There is no audit event for them, and a thread that loops is noticed by nobody.
    threading.Thread.start = _refuse_thread  # type: ignore[method-assign,assignment]  # on purpose
    sys.addaudithook(_refuse)


def _limit_cpu() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soon = ceil(used.ru_utime + used.ru_stime) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (soon, hard))


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse what reaches beyond this process; it would outlive it, or hurt the server."""
    if event == "open":
        flags = arguments[2]
        if not isinstance(flags, int) or not flags & _WRITING:
            return
    elif event not in _FORBIDDEN and not event.startswith(_FORBIDDEN_KINDS):
        return
    raise PermissionError(f"a library only computes: no {event}")


def _refuse_thread(_thread: threading.Thread) -> None:
    raise PermissionError("a library only computes: no thread")


def main() -> None:
    """Run from the command line, with the numbers of two file descriptors."""
    link, progress = map(int, sys.argv[1:])
    memory = mmap.mmap(progress, PROGRESS.size)
    os.close(progress)
    with socket.socket(fileno=link) as connection:
        _confine()
        with suppress(ConnectionError):  # the server is gone, or ended this process's part in it
            _Worker(connection, memory).run()


if __name__ == "__main__":
    main()
