"""What health says of the two connections to the broker."""

import pytest

from domain.errors import BrokerUnavailableError
from mqtt_bridge import health
from mqtt_bridge.session import BrokerAddress, MqttSession
from tests.fakes import FakeClock
from tests.makers import make_guard
from tests.unit.test_control import Wire as ControlWire
from tests.unit.test_intake import Wire, delivery


def new_session() -> MqttSession:
    clock = FakeClock()
    return MqttSession(
        address=BrokerAddress("127.0.0.1", 1),
        client_id="nobody",
        filters=(),
        deliver=lambda _delivery: None,
        guard=make_guard(clock, name="broker", away=BrokerUnavailableError),
    )


async def test_what_waits_for_the_store_is_told_while_the_broker_is_away() -> None:
    session, wire = new_session(), Wire()
    wire.intake.hear(wire.source, delivery(1))
    wire.intake.hear(wire.source, delivery(2, qos=0))
    wire.intake.hear(wire.source, delivery(3, retain=True))
    wire.intake.hear(wire.source, delivery(4, b"{"))
    with pytest.raises(BrokerUnavailableError) as caught:
        await health.telemetry(session, wire.intake)()
    assert str(caught.value) == (
        "not connected yet; breaker closed; backlog 4; unacknowledged 3; "
        "heard 4; retained 1; malformed 1; dropped 0; pauses 0"
    )


async def test_the_state_of_the_breaker_and_the_reason_are_told() -> None:
    session, wire = new_session(), Wire()
    for _ in range(session.guard.breaker.threshold):
        session.guard.breaker.failed(0.0)
    session.guard.last_error = BrokerUnavailableError("no route")
    with pytest.raises(BrokerUnavailableError, match=r"^no route; breaker open; backlog 0; "):
        await health.telemetry(session, wire.intake)()


async def test_what_could_not_be_published_is_counted() -> None:
    session, wire = new_session(), ControlWire()
    for _ in range(3):
        with pytest.raises(BrokerUnavailableError):
            await session.publish("a/b", b"")
    with pytest.raises(BrokerUnavailableError) as caught:
        await health.control(session, wire.control)()
    assert str(caught.value) == (
        "not connected yet; breaker closed; backlog 0; in flight 0; published 0; refused 3"
    )
