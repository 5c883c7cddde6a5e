"""A bare MQTT 3.1.1 client: what the protocol itself costs, and nothing more.

Load generators and floors are made of it, because a client library would be measured along with the
server. Packets are handled where they are read, acknowledgements leave in one write per read, and
nothing is kept for a reconnect: a benchmark that loses its broker has failed.

Packet layouts: OASIS MQTT 3.1.1, section 3.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import NamedTuple, cast

from typing_extensions import override

from mqtt_bridge.session import BrokerAddress

KEEPALIVE = 0
"""No pings: a benchmark lasts minutes, and a broken connection is noticed by the socket."""

_DEADLINE = 10.0
_CONNECT, _CONNACK, _PUBLISH, _PUBACK = 0x10, 0x20, 0x30, 0x40
_PUBREC, _PUBREL, _PUBCOMP, _SUBSCRIBE, _SUBACK = 0x50, 0x62, 0x70, 0x82, 0x90
_MIDS = 65_535
_LENGTH_BITS = 7
_MORE = 0x80


class Message(NamedTuple):
    """A message as it arrived.

    Attributes:
        mid: Packet id; 0 with QoS 0.
        duplicate: The broker says that it may have been sent before.
    """

    topic: bytes
    payload: bytes
    qos: int
    mid: int
    retain: bool
    duplicate: bool


def _length(size: int) -> bytes:
    encoded = bytearray()
    while True:
        size, digit = size >> _LENGTH_BITS, size & (_MORE - 1)
        encoded.append(digit | _MORE if size else digit)
        if not size:
            return bytes(encoded)


def _text(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def _packet(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + _length(len(body)) + body


def publish_packet(topic: bytes, payload: bytes, qos: int = 0, mid: int = 0) -> bytes:
    """Return the bytes of one PUBLISH packet."""
    number = mid.to_bytes(2, "big") if qos else b""
    return _packet(_PUBLISH | qos << 1, _text(topic) + number + payload)


class MqttWire(asyncio.Protocol):
    """One connection.

    Attributes:
        deliver: Called in place for every message; a message with QoS 2 when it is released.
        acked: Called in place with the number of QoS 1 and 2 messages that were just confirmed.
        hold_acks: Do not acknowledge QoS 1 by itself; `acknowledge` does it later.
        lost: Resolved with the reason when the connection is gone.
    """

    def __init__(
        self,
        deliver: Callable[[Message], None] | None = None,
        *,
        acked: Callable[[int], None] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.deliver = deliver
        self.acked = acked
        self.hold_acks = False
        self.lost: asyncio.Future[Exception | None] = loop.create_future()
        self.session_present = False
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._replies = bytearray()
        self._confirmed = 0
        self._connack: asyncio.Future[int] = loop.create_future()
        self._suback: asyncio.Future[bytes] = loop.create_future()
        self._mids = cycle(range(1, _MIDS + 1))
        self._unreleased: dict[int, Message] = {}

    # ------------------------------------------------------------ what it does

    async def connect(self, client_id: str, *, clean: bool = True) -> None:
        """Say hello.

        Raises:
            ConnectionError: The broker refuses.
        """
        body = b"\x00\x04MQTT\x04" + bytes([0x02 if clean else 0x00])
        body += KEEPALIVE.to_bytes(2, "big") + _text(client_id.encode())
        self.write(_packet(_CONNECT, body))
        async with asyncio.timeout(_DEADLINE):
            code = await self._connack
        if code:
            raise ConnectionError(f"the broker refuses {client_id}: code {code}")

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> None:
        """Ask for messages; returns when the broker has agreed.

        Raises:
            ConnectionError: It does not agree to one of them.
        """
        self._suback = asyncio.get_running_loop().create_future()
        asked = b"".join(_text(name.encode()) + bytes([qos]) for name, qos in filters)
        self.write(_packet(_SUBSCRIBE, self.next_mid().to_bytes(2, "big") + asked))
        async with asyncio.timeout(_DEADLINE):
            granted = await self._suback
        if _MORE in granted:
            raise ConnectionError("the broker refuses a subscription")

    def publish(self, topic: bytes, payload: bytes, qos: int = 0) -> None:
        """Send a message; `acked` tells when it is confirmed."""
        self.write(publish_packet(topic, payload, qos, self.next_mid() if qos else 0))

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Confirm messages with QoS 1 that were held back."""
        self.write(b"".join(b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids))

    def next_mid(self) -> int:
        """Return an unused packet id: with fewer than 65,535 in flight they never meet."""
        return next(self._mids)

    def write(self, data: bytes) -> None:
        """Send packets that are ready.

        Raises:
            ConnectionError: There is no connection.
        """
        if self._transport is None:
            raise ConnectionError("not connected")
        self._transport.write(data)

    def close(self) -> None:
        """Say goodbye."""
        if self._transport is not None:
            self._transport.write(b"\xe0\x00")
            self._transport.close()

    # ------------------------------------------------------------ asyncio.Protocol

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Both event loops set TCP_NODELAY by themselves; uvloop's transports have no common base.
        self._transport = cast("asyncio.Transport", transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.lost.done():
            self.lost.set_result(exc)

    @override
    def data_received(self, data: bytes) -> None:
        buffer = self._rest + data if self._rest else data
        start, end = 0, len(buffer)
        while end - start > 1:
            size, body, shift = 0, start + 1, 0
            while body < end:
                digit = buffer[body]
                size |= (digit & 0x7F) << shift
                body += 1
                if digit < _MORE:
                    break
                shift += _LENGTH_BITS
            else:
                break
            if body + size > end:
                break
            self._handle(buffer, buffer[start], body, body + size)
            start = body + size
        self._rest = buffer[start:]
        self._flush()

    def _flush(self) -> None:
        if self._replies:
            self.write(bytes(self._replies))
            self._replies.clear()
        if self._confirmed and self.acked is not None:
            confirmed, self._confirmed = self._confirmed, 0
            self.acked(confirmed)

    def _handle(self, buffer: bytes, head: int, start: int, end: int) -> None:
        kind = head & 0xF0
        if kind == _PUBLISH:
            self._heard(buffer, head, start, end)
        elif kind in {_PUBACK, _PUBCOMP}:
            self._confirmed += 1
        elif kind == _PUBREC:
            self._replies += b"\x62\x02" + buffer[start:end]
        elif kind == _PUBREL & 0xF0:
            self._released(buffer[start:end])
        elif kind == _CONNACK:
            self.session_present = bool(buffer[start])
            self._connack.set_result(buffer[start + 1])
        elif kind == _SUBACK:
            self._suback.set_result(buffer[start + 2 : end])

    def _heard(self, buffer: bytes, head: int, start: int, end: int) -> None:
        qos = head >> 1 & 3
        split = start + 2 + (buffer[start] << 8 | buffer[start + 1])
        mid, body = 0, split
        if qos:
            mid, body = buffer[split] << 8 | buffer[split + 1], split + 2
        message = Message(
            buffer[start + 2 : split], buffer[body:end], qos, mid, bool(head & 1), bool(head & 8)
        )
        if qos == 2:  # noqa: PLR2004  # its name
            self._unreleased[mid] = message
            self._replies += b"\x50\x02" + buffer[split:body]
            return
        if qos and not self.hold_acks:
            self._replies += b"\x40\x02" + buffer[split:body]
        if self.deliver is not None:
            self.deliver(message)

    def _released(self, mid: bytes) -> None:
        self._replies += b"\x70\x02" + mid
        message = self._unreleased.pop(int.from_bytes(mid, "big"), None)
        if message is not None and self.deliver is not None:
            self.deliver(message)


async def open_wire(
    address: BrokerAddress,
    client_id: str,
    deliver: Callable[[Message], None] | None = None,
    *,
    acked: Callable[[int], None] | None = None,
    clean: bool = True,
) -> MqttWire:
    """Connect to a broker."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_DEADLINE):
        _, wire = await loop.create_connection(
            lambda: MqttWire(deliver, acked=acked), address.host, address.port
        )
    await wire.connect(client_id, clean=clean)
    return wire
