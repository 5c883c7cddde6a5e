"""HTTP as uvicorn speaks it, with header names spelt as the standards spell them.

Header names are the same in any case, but early firmware compares `Content-Length:` letter by
letter, and waits 5 s for the end of a body whose length it could not find (device protocol, section
4.1). uvicorn's fast implementation lower-cases all names; its slow one (h11) does not, but takes
more than twice the time for each request. So the fast one it is, with the heads of its answers
written anew.
"""

import asyncio

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


def spelt(head: bytes) -> bytes:
    """Return the head of an answer with each header's name like `Content-Length`."""
    lines = head.split(b"\r\n")
    for index, line in enumerate(lines[1:], 1):
        name, colon, value = line.partition(b":")
        lines[index] = name.title() + colon + value
    return b"\r\n".join(lines)


class _Pen:
    """Writes one answer: a head, with its names spelt, and then a body as it is."""

    __slots__ = ("_headed", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._headed = False

    def write(self, data: bytes) -> None:
        if not self._headed and not data.startswith(b"HTTP/1.1 100 "):
            self._headed = True
            data = spelt(data)
        self._transport.write(data)

    def close(self) -> None:
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()


class SpeltHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol; a request's answer is written with a pen of its own."""

    @override
    def send_400_response(self, msg: str) -> None:
        self.transport = _Pen(self.transport)  # type: ignore[assignment]  # all it still needs
        super().send_400_response(msg)

    @override
    def on_headers_complete(self) -> None:
        before = self.cycle
        super().on_headers_complete()
        # The task that answers has been made, but cannot have begun.
        if self.cycle is not before:
            self.cycle.transport = _Pen(self.transport)  # type: ignore[assignment]  # all it needs
