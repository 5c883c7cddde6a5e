"""What goes on inside devices, as sentences that a grower understands, each thing once."""

import pytest

from domain.intents import Outcome, about, explanation
from domain.services.report_conditions import MOST_COUNTED, MOST_INTENTS, ReportConditions
from domain.system_events import EventKind, Severity
from tests.unit.test_record_events import ESP
from tests.unit.test_report_events import Desk


class Consulting(Desk):
    def __init__(self) -> None:
        super().__init__()
        self.tell = ReportConditions(record=self.record, registry=self.registry)

    def outcome(
        self, intent_id: str, outcome: Outcome, *, code: str = "", flow: str = "command"
    ) -> None:
        self.tell.intent(ESP, intent_id, outcome, flow=flow, code=code)


async def test_a_refusal_is_told_with_what_its_code_means() -> None:
    desk = Consulting()
    desk.tell.intent(
        ESP, "i1", Outcome.REJECTED, flow="config", code="CONFIG_LANE_BUSY", reason="busy"
    )
    (event,) = await desk.all()
    assert event.kind == EventKind.INTENT_REFUSED
    assert event.severity is Severity.WARNING
    assert event.message == (
        "Tomato bed did not carry out its configuration: it is busy with another configuration; "
        "try it again in a moment (CONFIG_LANE_BUSY)."
    )
    assert event.details == {
        "flow": "config",
        "outcome": "rejected",
        "code": "CONFIG_LANE_BUSY",
        "said": "busy",
        "intent_id": "i1",
    }


async def test_what_a_device_repeats_after_its_restart_is_told_once() -> None:
    desk = Consulting()
    for intent_id in ("i1", "i1", "i2", "i1"):
        desk.outcome(intent_id, Outcome.FAILED, code="COMMIT_FAILED")
    (event,) = await desk.all()
    assert (event.occurrences, event.severity) == (2, Severity.ERROR)


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.APPLIED, Outcome.PERSISTED])
async def test_what_goes_well_is_no_event(outcome: Outcome) -> None:
    desk = Consulting()
    desk.outcome("i1", outcome)
    desk.outcome("i2", Outcome.EXPIRED)
    (event,) = await desk.all()
    assert event.details["intent_id"] == "i2"


async def test_the_memory_for_outcomes_is_bounded() -> None:
    desk = Consulting()
    for number in range(MOST_INTENTS + 5):
        desk.outcome(str(number), Outcome.EXPIRED)
    assert len(desk.tell._outcomes) == MOST_INTENTS


@pytest.mark.parametrize(
    ("code", "reason", "said"),
    [
        ("NONE", "", "it gave no reason"),
        ("", "no room", "no room"),
        ("BRAND_NEW", "no room", "no room (BRAND_NEW)"),
        ("BRAND_NEW", "", "BRAND_NEW"),
        ("stale_sensor", "old", "it already has something newer (STALE_SENSOR)"),
    ],
)
def test_a_code_that_nobody_knows_is_told_as_the_device_said_it(
    code: str, reason: str, said: str
) -> None:
    assert explanation(code, reason) == said


def test_a_flow_that_nobody_knows_keeps_its_word() -> None:
    assert about("ota") == "something it was told (ota)"
    assert about("ZONE") == "its zone"


async def test_queue_pressure_is_told_when_it_begins_and_when_it_ends() -> None:
    desk = Consulting()
    desk.tell.queue_pressure(ESP, entered=True, details={"fill_level": 7})
    desk.tell.queue_pressure(ESP, entered=False, details={"fill_level": 2})
    begun, over = await desk.all(2)
    assert (begun.kind, begun.severity) == (EventKind.QUEUE_PRESSURE, Severity.WARNING)
    assert begun.details == {"fill_level": 7}
    assert (over.kind, over.severity) == (EventKind.QUEUE_RECOVERED, Severity.INFO)


# ---------------------------------------------------------------- counters


async def test_what_was_lost_since_the_last_counters_is_told() -> None:
    desk = Consulting()
    desk.tell.counters(ESP, {"publish_queue_drop_count": 100, "publish_queue_fill": 1})
    desk.tell.counters(ESP, {"publish_queue_drop_count": 103, "publish_outbox_drop_count": 2})
    (event,) = await desk.all()
    assert event.kind == EventKind.MESSAGES_LOST
    assert event.message.startswith("Tomato bed lost 5 messages that it could not send.")
    assert event.details == {"publish_queue_drop_count": 3, "publish_outbox_drop_count": 2}


async def test_a_counter_that_went_back_began_anew() -> None:
    desk = Consulting()
    desk.tell.counters(ESP, {"publish_queue_drop_count": 100})
    desk.tell.counters(ESP, {"publish_queue_drop_count": 4})
    (event,) = await desk.all()
    assert event.details == {"publish_queue_drop_count": 4}


def test_counters_that_stand_are_no_event() -> None:
    desk = Consulting()
    for _ in range(3):
        desk.tell.counters(ESP, {"publish_queue_drop_count": 4, "x_drop_count": "many"})
    assert not desk.record._waiting


def test_the_memory_for_counters_is_bounded() -> None:
    desk = Consulting()
    for number in range(MOST_COUNTED + 5):
        desk.tell.counters(f"ESP_{number}", {})
    assert len(desk.tell._counters) == MOST_COUNTED


# ---------------------------------------------------------------- credentials, searches


async def test_credentials_that_work_or_do_not_are_told() -> None:
    desk = Consulting()
    desk.tell.credentials(ESP, success=True, mode="authenticated", error="")
    desk.tell.credentials(ESP, success=False, mode="anonymous", error="CONNACK 5")
    works, fails = await desk.all(2)
    assert (works.kind, works.severity) == (EventKind.CREDENTIALS_ACCEPTED, Severity.INFO)
    assert (fails.kind, fails.severity) == (EventKind.CREDENTIALS_REFUSED, Severity.ERROR)
    assert "(CONNACK 5). Check that the broker" in fails.message


async def test_what_a_device_found_by_itself_is_told() -> None:
    desk = Consulting()
    desk.tell.onewire_found(ESP, [("28FF641E8D3C0C79", "ds18b20", 4), ("28FF641E8D3C0C80", "", 4)])
    desk.tell.onewire_found(ESP, [])
    found, nothing = await desk.all(2)
    assert found.message == (
        "Tomato bed found 2 sensors on its OneWire buses: 28FF641E8D3C0C79 (ds18b20), "
        "28FF641E8D3C0C80."
    )
    assert nothing.message == "Tomato bed found 0 sensors on its OneWire buses."
