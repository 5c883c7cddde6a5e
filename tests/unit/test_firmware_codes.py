"""Whatever number a device says becomes a name, a part of the device and a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.firmware_codes import ALERTS, CODES, COUNTED_TWICE, Category, alert_type, firmware_code
from domain.system_events import Severity


@pytest.mark.parametrize(
    ("said", "code", "name", "category"),
    [
        (1007, 1007, "I2C_TIMEOUT", Category.HARDWARE),
        ("1007", 1007, "I2C_TIMEOUT", Category.HARDWARE),
        ("gpio_conflict", 1002, "GPIO_CONFLICT", Category.HARDWARE),
        (1060, 1060, "DS18B20_SENSOR_FAULT", Category.HARDWARE),
        (2003, 2003, "NVS_WRITE", Category.SERVICE),
        (2502, 2502, "SUBZONE_PARENT_MISMATCH", Category.SERVICE),
        (3501, 3501, "EMERGENCY_REJECTED_NO_TOKEN", Category.COMMUNICATION),
        (4033, 4033, "CONTRACT_CORRELATION_MISSING", Category.APPLICATION),
        (6000, 6000, "TEST_6000", Category.TEST),
        (6050, 6050, "TEST_6050", Category.TEST),
    ],
)
def test_a_known_error_has_its_name(
    said: int | str, code: int, name: str, category: Category
) -> None:
    found = firmware_code(said)
    assert (found.code, found.name, found.category) == (code, name, category)


@pytest.mark.parametrize(("said", "name"), [(6011, "MQTT_CONNECT"), (6014, "MQTT_DISCONNECT")])
def test_what_older_firmware_counted_twice_is_counted_once(said: int, name: str) -> None:
    assert firmware_code(said) == firmware_code(said - 3000)
    assert firmware_code(said).name == name


@pytest.mark.parametrize(
    ("said", "code", "name", "category"),
    [
        (1999, 1999, "ERROR_1999", Category.HARDWARE),
        (6007, 3007, "ERROR_3007", Category.COMMUNICATION),
        (9, 9, "ERROR_9", Category.UNKNOWN),
        ("NO_IDEA", None, "NO_IDEA", Category.UNKNOWN),
        ("", None, "UNNAMED", Category.UNKNOWN),
    ],
)
def test_an_unknown_error_says_that_it_is_unknown(
    said: int | str, code: int | None, name: str, category: Category
) -> None:
    found = firmware_code(said)
    assert (found.code, found.name, found.category) == (code, name, category)
    assert name in found.sentence
    assert "does not know" in found.sentence


@given(st.integers() | st.text())
def test_nothing_that_a_device_can_say_fails(said: int | str) -> None:
    found = firmware_code(said)
    assert found.sentence.endswith(".")
    assert 0 < len(found.name) < 100
    assert found.code not in COUNTED_TWICE


def test_every_error_says_what_happened_and_what_to_do() -> None:
    assert len(CODES) > 100
    for code in CODES.values():
        assert code.sentence[0].isupper()
        assert code.sentence.count(". ") >= 1, code.name
        assert code.sentence.endswith("."), code.name


def test_no_two_errors_share_a_name() -> None:
    assert len({code.name for code in CODES.values()}) == len(CODES)


def test_the_table_covers_what_the_firmware_can_say() -> None:
    ranges = [
        *(range(1001, 1008), range(1009, 1020), range(1020, 1033), range(1040, 1044)),
        *(range(1050, 1054), range(1060, 1064), range(2001, 2006), range(2010, 2015)),
        *(range(2020, 2022), range(2030, 2033), range(2301, 2307), range(2500, 2507)),
        *(range(3001, 3006), range(3010, 3017), range(3020, 3024), range(3030, 3033)),
        *(range(3500, 3502), range(4001, 4004), range(4010, 4013), range(4020, 4023)),
        *(range(4030, 4034), range(4040, 4043), range(4050, 4053), range(4060, 4063)),
        *(range(4070, 4073), range(4200, 4203)),
    ]
    assert CODES.keys() == {code for part in ranges for code in part}


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ("emergency_stop", Severity.CRITICAL),
        ("RUNTIME_PROTECTION", Severity.WARNING),
        ("offline_rule_hold", Severity.INFO),
        ("safety_forced_off", Severity.WARNING),
    ],
)
def test_an_alert_has_its_severity(said: str, severity: Severity) -> None:
    assert alert_type(said).severity is severity
    assert alert_type(said).name == said.lower()


def test_every_alert_says_what_to_do() -> None:
    assert all(alert.sentence.count(". ") >= 1 for alert in ALERTS.values())


def test_an_unknown_alert_is_a_warning() -> None:
    found = alert_type("smoke")
    assert found.severity is Severity.WARNING
    assert "'smoke'" in found.sentence
