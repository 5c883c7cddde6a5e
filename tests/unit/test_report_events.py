"""What devices say and do, as sentences that a grower understands."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.actuators import Command, CommandStatus, Pin
from domain.dead_letters import DeadLetter
from domain.services.report_events import MOST_DISCOVERIES, ReportEvents
from domain.silence import ENOUGH
from domain.system_events import EventKind, Severity, SystemEvent
from tests.fakes import START
from tests.makers import make_actuator, make_command, make_zone
from tests.unit.test_record_events import ESP, Books


class Desk(Books):
    """The reporter over a recorder over fakes."""

    def __init__(self, name: str | None = "Tomato bed") -> None:
        super().__init__()
        self.registry.change_device(ESP, name=name)
        self.report = ReportEvents(record=self.record, registry=self.registry)

    async def all(self, count: int = 1) -> list[SystemEvent]:
        """Return what is told by now, after so many events were stored."""
        async with self.open():
            await self.until_stored(count)
        assert len(self.told) == count
        return self.told


async def test_an_error_has_its_name_and_a_sentence() -> None:
    desk = Desk()
    desk.report.device_error(
        ESP, 1007, Severity.ERROR, message="sht31 read timeout", details={"uptime_ms": 707966}
    )
    (event,) = await desk.all()
    assert event.kind == EventKind.DEVICE_ERROR
    assert event.severity is Severity.ERROR
    assert event.message.startswith("Tomato bed: A sensor on the I2C bus did not answer in time. ")
    assert event.details == {
        "code": 1007,
        "name": "I2C_TIMEOUT",
        "category": "HARDWARE",
        "said": "sht31 read timeout",
        "uptime_ms": 707966,
    }


async def test_a_device_without_a_name_is_called_by_its_id() -> None:
    desk = Desk(name=None)
    desk.report.device_error(ESP, "GPIO_CONFLICT", Severity.WARNING)
    (event,) = await desk.all()
    assert event.message.startswith(f"{ESP}: A pin is used for two things at once.")


async def test_a_refused_setting_is_told_with_what_to_do_about_it() -> None:
    desk = Desk()
    refused = {
        "actuator on GPIO 12": "GPIO_CONFLICT: GPIO 12 is reserved",
        "sensor on GPIO 4": "a reason of its own",
    }
    desk.report.config_refused(ESP, refused)
    (event,) = await desk.all()
    assert (event.kind, event.severity) == (EventKind.CONFIG_REFUSED, Severity.WARNING)
    assert event.message == (
        "Tomato bed refused a part of its settings: actuator on GPIO 12 (the pin is reserved or in "
        "use; choose another one), sensor on GPIO 4 (a reason of its own). The rest it has taken."
    )
    assert event.details == refused


async def test_each_error_of_a_device_is_an_event_of_its_own() -> None:
    desk = Desk()
    for code in (1007, 1010, 1007):
        desk.report.device_error(ESP, code, Severity.ERROR)
    assert [event.details["code"] for event in await desk.all(2)] == [1007, 1010]


async def test_an_alert_names_the_actuator() -> None:
    desk = Desk()
    desk.registry.add_actuator(make_actuator(ESP, 25, name="Pump"))
    desk.report.alert(Pin(ESP, 25), "runtime_protection", "Actuator exceeded max runtime")
    desk.report.alert(Pin(ESP, 26), "fault")
    desk.report.alert(Pin(ESP, 255), "emergency_stop")
    pump, valve, whole = await desk.all(3)
    assert pump.message.startswith("Tomato bed, Pump: An actuator ran for as long as it may")
    assert pump.details == {
        "alert": "runtime_protection",
        "gpio": 25,
        "said": "Actuator exceeded max runtime",
    }
    assert valve.message.startswith("Tomato bed, GPIO 26: An actuator does not work.")
    assert whole.message.startswith("Tomato bed: An emergency stop switched it off.")
    assert whole.severity is Severity.CRITICAL
    assert whole.details["gpio"] is None


async def test_comings_and_goings_are_told() -> None:
    desk = Desk()
    desk.report.offline(ESP, "silent for 180 s")
    desk.report.online(ESP)
    desk.report.restarted(ESP, "its boot sequence went on")
    events = await desk.all(3)
    assert [(event.kind, event.severity) for event in events] == [
        (EventKind.DEVICE_OFFLINE, Severity.WARNING),
        (EventKind.DEVICE_ONLINE, Severity.INFO),
        (EventKind.DEVICE_RESTARTED, Severity.WARNING),
    ]
    assert events[0].message.startswith("Tomato bed is offline: silent for 180 s.")
    assert events[2].details == {"reason": "its boot sequence went on"}


async def test_a_device_is_named_with_its_zone() -> None:
    desk = Desk()
    desk.registry.put_zone(make_zone("north", name="North house"))
    desk.registry.change_device(ESP, zone_id="north")
    desk.report.online(ESP)
    (event,) = await desk.all()
    assert event.message == "Tomato bed (North house) is online."


async def test_a_new_device_is_told_with_what_to_do() -> None:
    desk = Desk()
    desk.report.discovered("ESP_NEW", START)
    (event,) = await desk.all()
    assert (event.kind, event.severity) == (EventKind.DEVICE_DISCOVERED, Severity.INFO)
    assert event.esp_id == "ESP_NEW"
    assert "let it in with approveDevice" in event.message


async def test_many_new_devices_are_one_event_together() -> None:
    desk = Desk()
    for number in range(MOST_DISCOVERIES + 30):
        desk.report.discovered(f"ESP_N{number}", START + timedelta(seconds=number))
    events = await desk.all(MOST_DISCOVERIES + 1)
    assert events[-1].severity is Severity.WARNING
    assert (events[-1].esp_id, events[-1].occurrences) == (None, 30)


async def test_an_hour_later_new_devices_are_told_one_by_one_again() -> None:
    desk = Desk()
    for number in range(MOST_DISCOVERIES + 1):
        desk.report.discovered(f"ESP_N{number}", START)
    desk.report.discovered("ESP_LATER", START + timedelta(hours=1, seconds=1))
    events = await desk.all(MOST_DISCOVERIES + 2)
    assert events[-1].esp_id == "ESP_LATER"


async def test_safe_mode_is_told_each_time_it_changes() -> None:
    desk = Desk()
    desk.report.safe_mode(ESP, active=True, reason="watchdog")
    desk.report.safe_mode(ESP, active=False)
    desk.report.safe_mode(ESP, active=True)
    entered, left, again = await desk.all(3)
    assert entered.message.startswith("Tomato bed is in safe mode (watchdog): ")
    assert (entered.severity, left.severity) == (Severity.ERROR, Severity.INFO)
    assert left.message == "Tomato bed left its safe mode."
    assert again.message.startswith("Tomato bed is in safe mode: ")


async def test_a_connection_that_breaks_again_is_told_again_once_it_held() -> None:
    desk = Desk()
    for _ in range(2):
        desk.report.flapping(ESP, "connection_lost")
        desk.report.steady(ESP)
    kinds = [event.kind for event in await desk.all(4)]
    assert kinds == [EventKind.DEVICE_FLAPPING, EventKind.DEVICE_STEADY] * 2


# ---------------------------------------------------------------- dead letters


def letter(topic: str) -> DeadLetter:
    return DeadLetter(topic=topic, payload=b"?", reason="it is no JSON", received_at=START)


async def test_unreadable_messages_are_one_event_per_device_and_kind() -> None:
    desk = Desk()
    desk.report.buried(
        [
            *(letter(f"kaiser/god/esp/{ESP}/sensor/{gpio}/data") for gpio in range(40)),
            letter(f"kaiser//esp/{ESP}/system/heartbeat"),
        ]
    )
    readings, heartbeat = await desk.all(2)
    assert readings.occurrences == 40
    assert "(sensor/+/data): it is no JSON." in readings.message
    assert readings.esp_id == ESP
    assert "(system/heartbeat)" in heartbeat.message


@pytest.mark.parametrize(
    "topic",
    [
        "kaiser/god/esp/ESP_STRANGER/sensor/4/data",
        "kaiser/god/esp/ESP_OTHER/sensor/4/data",
        "kaiser/esp",
        "esp",
        "",
    ],
)
async def test_those_of_strangers_are_one_event_without_a_device(topic: str) -> None:
    desk = Desk()
    desk.report.buried([letter("kaiser/god/esp/ESP_A1/x/y"), letter(topic)])
    (event,) = await desk.all()
    assert event.esp_id is None
    assert event.occurrences == 2


# ---------------------------------------------------------------- heartbeats, but no answers


def sent(second: int, status: CommandStatus) -> Command:
    command = make_command(status=status, sent_at=START + timedelta(seconds=second))
    return replace(command, pin=Pin(ESP, 5))


def goes_deaf(desk: Desk, start: int = 0) -> None:
    for second in range(start, start + ENOUGH):
        desk.report.command_ended(sent(second, CommandStatus.TIMED_OUT))
    desk.report.heartbeat(ESP, START + timedelta(seconds=start + ENOUGH))


async def test_a_device_that_lives_and_answers_nothing_is_reported_with_the_cure() -> None:
    desk = Desk()
    goes_deaf(desk)
    desk.report.heartbeat(ESP, START + timedelta(seconds=60))
    (event,) = await desk.all()
    assert event.kind == EventKind.COMMANDS_UNANSWERED
    assert event.severity is Severity.ERROR
    assert "Switch it off and on again." in event.message
    assert event.details == {"unanswered": ENOUGH}
    assert event.occurrences == 1


async def test_the_next_answer_clears_it_and_it_may_come_again() -> None:
    desk = Desk()
    goes_deaf(desk)
    desk.report.command_ended(sent(50, CommandStatus.ACKNOWLEDGED))
    goes_deaf(desk, 60)
    kinds = [event.kind for event in await desk.all(3)]
    assert kinds == [
        EventKind.COMMANDS_UNANSWERED,
        EventKind.COMMANDS_ANSWERED,
        EventKind.COMMANDS_UNANSWERED,
    ]


async def test_a_restart_starts_the_count_anew() -> None:
    desk = Desk()
    for second in range(ENOUGH):
        desk.report.command_ended(sent(second, CommandStatus.TIMED_OUT))
    desk.report.restarted(ESP, "power")
    desk.report.heartbeat(ESP, START + timedelta(seconds=60))
    assert [event.kind for event in await desk.all()] == [EventKind.DEVICE_RESTARTED]


async def test_devices_that_answer_leave_nothing_behind() -> None:
    desk = Desk()
    desk.report.command_ended(sent(1, CommandStatus.TIMED_OUT))
    desk.report.command_ended(sent(2, CommandStatus.ACKNOWLEDGED))
    assert not desk.report._silences
