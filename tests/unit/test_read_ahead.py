"""However the stream is cut, every message is delivered once and in order, the rest left whole."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from mqtt_bridge.read_ahead import Published, ReadAheadSocket


def with_length(head: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([head]) + bytes(digits) + body


def packet(message: Published, properties: bytes = b"") -> bytes:
    """Return a PUBLISH packet; the properties of MQTT 5 come with their length before them."""
    topic = message.topic.encode()
    mid = message.mid.to_bytes(2, "big") if message.qos else b""
    body = len(topic).to_bytes(2, "big") + topic + mid + properties + message.payload
    return with_length(0x30 | message.qos << 1 | message.retain, body)


def property_list(properties: dict[str, object]) -> bytes:
    """Return properties as paho, an implementation of somebody else's, writes them."""
    packed = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's is untyped
    for name, value in properties.items():
        setattr(packed, name, value)
    return bytes(packed.pack())  # type: ignore[no-untyped-call]  # as above


@dataclass
class CutStream:
    """A socket that gives what it has in pieces of given sizes, and then would block."""

    stream: bytes
    sizes: list[int]
    closed: bool = False
    _sizes: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._sizes = list(self.sizes)

    def recv(self, size: int) -> bytes:
        if not self.stream:
            if self.closed:
                return b""
            raise BlockingIOError
        take = min(size, self._sizes.pop(0) if self._sizes else len(self.stream))
        given, self.stream = self.stream[:take], self.stream[take:]
        return given


def drain(reader: ReadAheadSocket, source: CutStream) -> bytes:
    """Read as paho does, a byte or some at a time, until nothing comes any more."""
    rest = b""
    while True:
        try:
            given = reader.recv(3)
        except BlockingIOError:
            if not source.stream:
                return rest
            continue
        if not given:
            return rest
        rest += given


published = st.integers(0, 1).flatmap(
    lambda qos: st.builds(
        Published,
        topic=st.text(max_size=40),
        payload=st.binary(max_size=300),
        qos=st.just(qos),
        retain=st.booleans(),
        mid=st.integers(1, 65_535) if qos else st.just(0),
    )
)
others = st.builds(
    with_length, st.sampled_from([0x20, 0x40, 0x50, 0x62, 0x70, 0x90, 0xD0, 0x34]), st.binary()
)


@given(
    packets=st.lists(st.one_of(published, others), max_size=30),
    sizes=st.lists(st.integers(1, 400), max_size=200),
)
def test_messages_are_taken_out_in_order_and_the_rest_is_left_whole(
    packets: list[Published | bytes], sizes: list[int]
) -> None:
    stream = b"".join(packet(p) if isinstance(p, Published) else p for p in packets)
    source, delivered = CutStream(stream, sizes), list[Published]()
    reader = ReadAheadSocket(source, delivered.append)  # type: ignore[arg-type]  # only recv is used
    rest = drain(reader, source)
    assert delivered == [p for p in packets if isinstance(p, Published)]
    assert rest == b"".join(p for p in packets if isinstance(p, bytes))
    assert reader.pending() == 0


property_lists = st.fixed_dictionaries(
    {},
    optional={
        "PayloadFormatIndicator": st.integers(0, 1),
        "MessageExpiryInterval": st.integers(0, 2**32 - 1),
        "ResponseTopic": st.text("abc/", min_size=1, max_size=80),
        "CorrelationData": st.binary(max_size=200),
        "SubscriptionIdentifier": st.integers(1, 268_435_455),
        "ContentType": st.text("abc/", max_size=80),
        "UserProperty": st.lists(
            st.tuples(st.text("abc", max_size=9), st.text("xyz", max_size=99)),
            min_size=1,
            max_size=5,
        ),
    },
).map(property_list)


@given(
    packets=st.lists(st.one_of(st.tuples(published, property_lists), others), max_size=20),
    sizes=st.lists(st.integers(1, 400), max_size=200),
)
def test_whatever_properties_a_message_of_mqtt_5_carries_it_is_read_the_same(
    packets: list[tuple[Published, bytes] | bytes], sizes: list[int]
) -> None:
    stream = b"".join(p if isinstance(p, bytes) else packet(*p) for p in packets)
    source, delivered = CutStream(stream, sizes), list[Published]()
    reader = ReadAheadSocket(source, delivered.append, properties=True)  # type: ignore[arg-type]  # only recv is used
    rest = drain(reader, source)
    assert delivered == [p[0] for p in packets if not isinstance(p, bytes)]
    assert rest == b"".join(p for p in packets if isinstance(p, bytes))


@pytest.mark.parametrize("properties", [b"\x7f", b"\x80", b"\xff\xff\xff\xff\x01", b""])
def test_properties_that_make_no_sense_end_the_connection(properties: bytes) -> None:
    message = Published("a", b"", 1, retain=False, mid=7)
    following = packet(Published("a", b"a" * 200, 0, retain=False, mid=0), b"\0")
    source = CutStream(packet(message, properties) + following, [])
    reader = ReadAheadSocket(source, lambda _: None, properties=True)  # type: ignore[arg-type]  # only recv is used
    with pytest.raises(ConnectionError, match="no sense"):
        reader.recv(1)


def test_a_closed_connection_is_told_after_the_last_message() -> None:
    message = Published("a/b", b"1", 1, retain=False, mid=7)
    source, delivered = CutStream(packet(message), [], closed=True), list[Published]()
    reader = ReadAheadSocket(source, delivered.append)  # type: ignore[arg-type]  # only recv is used
    with pytest.raises(BlockingIOError):
        reader.recv(1)
    assert reader.recv(1) == b""
    assert delivered == [message]


def test_a_length_that_makes_no_sense_ends_the_connection() -> None:
    reader = ReadAheadSocket(CutStream(b"\x30\xff\xff\xff\xff\x01", []), lambda _: None)  # type: ignore[arg-type]  # only recv is used
    with pytest.raises(ConnectionError, match="length"):
        reader.recv(1)


def test_a_delivery_that_fails_does_not_come_again() -> None:
    delivered: list[int] = []

    def deliver(message: Published) -> None:
        delivered.append(message.mid)
        raise RuntimeError("a defect")

    stream = packet(Published("a", b"", 1, retain=False, mid=1)) * 2
    reader = ReadAheadSocket(CutStream(stream, []), deliver)  # type: ignore[arg-type]  # only recv is used
    with pytest.raises(RuntimeError):
        reader.recv(1)
    with pytest.raises(BlockingIOError):
        reader.recv(1)
    assert delivered == [1]


def test_everything_but_reading_is_the_sockets_own() -> None:
    source = CutStream(b"", [], closed=True)
    assert ReadAheadSocket(source, lambda _: None).closed is True  # type: ignore[arg-type]  # see above
