"""What the server tells devices of its own presence."""

import json

from mqtt_bridge.messages import Outgoing
from mqtt_bridge.own_status import OwnStatus
from tests.fakes import START, FakeClock

NOW = int(START.timestamp())


def said(word: Outgoing) -> dict[str, object]:
    assert (word.topic, word.qos, word.retain) == ("kaiser/god/server/status", 1, True)
    body: dict[str, object] = json.loads(word.payload)
    return body


async def test_a_connection_begins_with_online_at_the_time_it_was_made() -> None:
    clock = FakeClock()
    status = OwnStatus(clock)
    assert said(status.first_word()) == {"status": "online", "timestamp": NOW}
    await clock.advance(60)
    assert said(status.first_word()) == {"status": "online", "timestamp": NOW + 60}


def test_a_connection_that_breaks_leaves_a_last_will() -> None:
    assert said(OwnStatus(FakeClock()).last_word()) == {
        "status": "offline",
        "timestamp": NOW,
        "reason": "unexpected_disconnect",
    }


def test_who_left_does_not_come_back_by_a_late_connection() -> None:
    status = OwnStatus(FakeClock())
    gone = {"status": "offline", "timestamp": NOW, "reason": "shutdown"}
    assert said(status.farewell()) == gone
    assert said(status.first_word()) == gone
