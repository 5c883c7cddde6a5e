"""What devices mean by their numbers: the firmware's error codes and alert types, in sentences.

Source of codes, names and ranges: device protocol, sections 5.1 and 5.3. The numbers stand for all
firmware generations; an older one knows a part of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.system_events import Severity

COUNTED_TWICE = range(6001, 6033)
"""Communication errors of older firmware, numbered 3000 too high: 6011 is 3011."""

_TWICE = 3000
_TESTS = range(6000, 6051)


class Category(StrEnum):
    """Which part of a device is concerned."""

    HARDWARE = "HARDWARE"
    SERVICE = "SERVICE"
    COMMUNICATION = "COMMUNICATION"
    APPLICATION = "APPLICATION"
    TEST = "TEST"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class FirmwareCode:
    """An error that a device can report.

    Attributes:
        code: Its number as the newest firmware counts; None: it was told by a name without one.
        name: Its name, such as `I2C_TIMEOUT`.
        sentence: What happened and what to do, for a grower.
    """

    code: int | None
    name: str
    category: Category
    sentence: str


@dataclass(frozen=True, slots=True)
class AlertType:
    """What a device can be alarmed about."""

    name: str
    severity: Severity
    sentence: str


_WIRING = "Check the wiring and the power of what hangs on this pin."
_PINS = "Choose another pin for it in the configuration."
_BUS = "Check the cable, the plugs and the pull-up resistors of the sensor bus."
_PROBE = "Check the cable of the sensor, and replace the sensor if it happens again."
_ACTUATOR = "Check how the actuator is set up and wired."
_MEMORY = "Restart the device; if it happens again, its memory chip wears out: replace the board."
_SETTINGS = "Send the configuration again, or correct what it says."
_SPACE = "Restart the device; reset it to factory settings if it happens again."
_WIFI = "Check that the access point is on, in reach, and that name and password are right."
_BROKER = "Check that the server is on and that the device has its right address."
_NETWORK = "Check the network between the device and the server."
_FIRMWARE = "Restart the device; update its firmware if it happens again."
_ASK = "Try it again; update the firmware of the device if it happens again."
_SUBZONES = "Correct the subzone and send it again."
_STOP = "Set the emergency token of the device, and stop it by hand until then."
_APPROVAL = "Let the device in with approveDevice if it is yours."

_TABLE: tuple[tuple[str, str, Mapping[int, tuple[str, str]]], ...] = (
    ("GPIO", _PINS, {
        1001: ("RESERVED", "A pin was asked for that the board needs itself."),
        1002: ("CONFLICT", "A pin is used for two things at once."),
        1004: ("INVALID_MODE", "A pin cannot do what it was set up for."),
    }),
    ("GPIO", _WIRING, {
        1003: ("INIT_FAILED", "A pin could not be set up."),
        1005: ("READ_FAILED", "A pin could not be read."),
        1006: ("WRITE_FAILED", "A pin could not be switched."),
    }),
    ("I2C", _BUS, {
        1007: ("TIMEOUT", "A sensor on the I2C bus did not answer in time."),
        1009: ("CRC", "What a sensor on the I2C bus said arrived damaged."),
        1010: ("INIT", "The I2C bus could not be started."),
        1011: ("DEVICE_NOT_FOUND", "A sensor on the I2C bus is missing."),
        1012: ("READ", "A sensor on the I2C bus could not be read."),
        1013: ("WRITE", "A sensor on the I2C bus took no orders."),
        1014: ("BUS_ERROR", "The I2C bus is disturbed."),
        1015: ("BUS_STUCK", "The I2C bus hangs: a sensor holds a line down."),
        1016: ("RECOVERY_STARTED", "The device tries to free the I2C bus that hangs."),
        1017: ("RECOVERY_FAILED", "The I2C bus hangs and could not be freed."),
    }),
    ("I2C", "Nothing need be done, unless it happens often.", {
        1018: ("RECOVERED", "The I2C bus hung, and works again."),
    }),
    ("I2C", "Choose the right kind of sensor in the configuration.", {
        1019: ("PROTOCOL_UNSUPPORTED", "The firmware cannot talk to this kind of I2C sensor."),
    }),
    ("ONEWIRE", _BUS, {
        1020: ("INIT", "The OneWire bus could not be started."),
        1021: ("NO_DEVICES", "No sensor answers on the OneWire bus."),
        1022: ("READ", "A sensor on the OneWire bus could not be read."),
        1026: ("DEVICE_NOT_FOUND", "A sensor on the OneWire bus is missing."),
        1027: ("BUS_NOT_INITIALIZED", "The OneWire bus was used before it was started."),
        1028: ("READ_TIMEOUT", "A sensor on the OneWire bus did not answer in time."),
    }),
    ("ONEWIRE", "Scan the bus and correct the address in the configuration.", {
        1023: ("INVALID_ROM_LENGTH", "The address of a OneWire sensor has the wrong length."),
        1024: ("INVALID_ROM_FORMAT", "The address of a OneWire sensor is not hexadecimal."),
        1025: ("INVALID_ROM_CRC", "The address of a OneWire sensor holds a typing error."),
        1029: ("DUPLICATE_ROM", "Two OneWire sensors were given the same address."),
    }),
    ("PWM", _ACTUATOR, {
        1030: ("INIT", "Dimming could not be set up on a pin."),
        1031: ("CHANNEL_FULL", "The board has no channel for dimming left."),
        1032: ("SET", "An actuator could not be dimmed."),
    }),
    ("SENSOR", _PROBE, {
        1040: ("READ", "A sensor could not be read."),
        1041: ("INIT", "A sensor could not be started."),
        1042: ("NOT_FOUND", "A sensor is missing."),
        1043: ("TIMEOUT", "A sensor did not answer in time."),
    }),
    ("ACTUATOR", _ACTUATOR, {
        1050: ("SET", "An actuator could not be switched."),
        1051: ("INIT", "An actuator could not be set up."),
        1052: ("NOT_FOUND", "An actuator was meant that the device does not know."),
        1053: ("CONFLICT", "An actuator needs a pin that something else uses."),
    }),
    ("DS18B20", _PROBE, {
        1060: ("SENSOR_FAULT", "A temperature probe reports a fault: it looks disconnected."),
        1061: ("POWER_ON_RESET", "A temperature probe lost its power for a moment."),
        1062: ("OUT_OF_RANGE", "A temperature probe reports what no greenhouse can have."),
        1063: ("DISCONNECTED_RUNTIME", "A temperature probe was lost while it was in use."),
    }),
    ("NVS", _MEMORY, {
        2001: ("INIT", "The settings memory of the device could not be opened."),
        2002: ("READ", "Settings could not be read from the device's memory."),
        2003: ("WRITE", "Settings could not be written to the device's memory."),
        2004: ("NAMESPACE", "A part of the device's settings memory could not be opened."),
        2005: ("CLEAR", "The settings memory of the device could not be cleared."),
        **{
            code: (f"TRANSACTION_{code}", "Changing several settings at once was not finished.")
            for code in range(2301, 2307)
        },
    }),
    ("CONFIG", _SETTINGS, {
        2010: ("INVALID", "A configuration makes no sense to the device."),
        2011: ("MISSING", "The device has no configuration."),
        2012: ("LOAD", "The device could not load its configuration."),
        2013: ("SAVE", "The device could not save its configuration."),
        2014: ("VALIDATION", "The device refused a configuration."),
    }),
    ("LOGGER", _SPACE, {
        2020: ("INIT", "The device cannot keep its log."),
        2021: ("BUFFER", "The device cannot keep up with its log."),
    }),
    ("STORAGE", _SPACE, {
        code: (f"STORAGE_{code}", "The device cannot use its file memory.")
        for code in range(2030, 2033)
    }),
    ("SUBZONE", _SUBZONES, {
        2500: ("INVALID_ID", "The name of a subzone is not possible."),
        2501: ("GPIO_CONFLICT", "A pin was put into two subzones."),
        2502: ("PARENT_MISMATCH", "A subzone belongs to another zone than the device."),
        2503: ("NOT_FOUND", "A subzone was meant that the device does not know."),
        2504: ("GPIO_INVALID", "A pin was put into a subzone that the board does not have."),
        2505: ("SAFE_MODE_FAILED", "A subzone could not be made safe."),
        2506: ("CONFIG_SAVE_FAILED", "A subzone could not be saved on the device."),
    }),
    ("WIFI", _WIFI, {
        3001: ("INIT", "The radio of the device could not be started."),
        3002: ("CONNECT_TIMEOUT", "The access point did not answer in time."),
        3003: ("CONNECT_FAILED", "The access point did not let the device in."),
        3004: ("DISCONNECT", "The device lost its access point."),
        3005: ("NO_SSID", "The device was given no access point."),
    }),
    ("MQTT", _BROKER, {
        3010: ("INIT", "The device could not prepare its connection to the server."),
        3011: ("CONNECT", "The device could not connect to the server."),
        3012: ("PUBLISH", "The device could not send a message."),
        3013: ("SUBSCRIBE", "The device could not ask for its messages: it may hear no commands."),
        3014: ("DISCONNECT", "The device lost its connection to the server."),
        3015: ("BUFFER_FULL", "The device lost messages that it could not send in time."),
        3016: ("PAYLOAD_INVALID", "The device did not understand a message of the server."),
    }),
    ("HTTP", _BROKER, {
        3020: ("INIT", "The device could not prepare a request to the server."),
        3021: ("REQUEST", "A request of the device to the server failed."),
        3022: ("RESPONSE_INVALID", "The device did not understand an answer of the server."),
        3023: ("TIMEOUT", "The server did not answer the device in time."),
    }),
    ("NETWORK", _NETWORK, {
        3030: ("UNREACHABLE", "The device cannot reach the network."),
        3031: ("DNS", "The device cannot find the server by its name."),
        3032: ("CONNECTION_LOST", "The device lost the network."),
    }),
    ("EMERGENCY", _STOP, {
        3500: ("BAD_TOKEN", "An emergency stop was refused: its token is wrong."),
        3501: ("REJECTED_NO_TOKEN", "An emergency stop was refused: the device has no token."),
    }),
    ("STATE", _FIRMWARE, {
        code: (f"STATE_{code}", "The device is in a state that it should not be in.")
        for code in range(4001, 4004)
    }),
    ("OPERATION", _FIRMWARE, {
        code: (f"OPERATION_{code}", "The device could not do what it was about to do.")
        for code in range(4010, 4013)
    }),
    ("COMMAND", _ASK, {
        code: (f"COMMAND_{code}", "The device could not carry out a command.")
        for code in range(4020, 4023)
    }),
    ("PAYLOAD", _ASK, {
        code: (f"PAYLOAD_{code}", "The device did not understand a message.")
        for code in range(4030, 4033)
    }),
    ("CONTRACT", _ASK, {
        4033: ("CORRELATION_MISSING", "The device got a message without its number."),
    }),
    ("MEMORY", _FIRMWARE, {
        code: (f"MEMORY_{code}", "The device has not enough memory left.")
        for code in range(4040, 4043)
    }),
    ("SYSTEM", _FIRMWARE, {
        4050: ("INIT", "The device could not start all of its parts."),
        4051: ("RESTART", "The device restarts itself."),
        4052: ("SAFE_MODE", "The device shut its actuators off to be safe."),
    }),
    ("TASK", _FIRMWARE, {
        code: (f"TASK_{code}", "A part of the device's program does not run as it should.")
        for code in range(4060, 4063)
    }),
    ("WATCHDOG", _FIRMWARE, {
        code: (f"WATCHDOG_{code}", "The device hung, and its watchdog noticed.")
        for code in range(4070, 4073)
    }),
    ("DEVICE", _APPROVAL, {
        4200: ("REJECTED", "The device was turned away."),
        4201: ("APPROVAL_TIMEOUT", "The device waited too long to be let in."),
        4202: ("REVOKED", "The device was let in once, and is no longer."),
    }),
)  # fmt: skip

_HUNDREDS = {
    1: Category.HARDWARE,
    2: Category.SERVICE,
    3: Category.COMMUNICATION,
    4: Category.APPLICATION,
}


def _category(code: int) -> Category:
    return Category.TEST if code in _TESTS else _HUNDREDS.get(code // 1000, Category.UNKNOWN)


def _name(group: str, name: str) -> str:
    return name if name.startswith(group) else f"{group}_{name}"


CODES: Mapping[int, FirmwareCode] = {
    code: FirmwareCode(code, _name(group, name), _category(code), f"{what} {cure}")
    for group, cure, members in _TABLE
    for code, (name, what) in members.items()
}
"""Every error of the firmware by its number."""

_BY_NAME: Mapping[str, FirmwareCode] = {known.name: known for known in CODES.values()}

ALERTS: Mapping[str, AlertType] = {
    alert.name: alert
    for alert in (
        AlertType(
            "emergency_stop",
            Severity.CRITICAL,
            "An emergency stop switched it off. Look for the cause before you clear it.",
        ),
        AlertType(
            "config_invalid",
            Severity.ERROR,
            f"The configuration of an actuator is not possible. {_SETTINGS}",
        ),
        AlertType(
            "runtime_protection",
            Severity.WARNING,
            "An actuator ran for as long as it may and was switched off. If that was too early, "
            "allow it a longer time; else look for what keeps it running.",
        ),
        AlertType(
            "overrun",
            Severity.WARNING,
            "An actuator ran longer than it should and was switched off. Look for what keeps it "
            "running.",
        ),
        AlertType("fault", Severity.ERROR, f"An actuator does not work. {_ACTUATOR}"),
        AlertType(
            "verification_failed",
            Severity.ERROR,
            "The device could not make sure that all is safe. Wait five seconds after a stop "
            "before you clear it; check the wiring if it happens again.",
        ),
        AlertType(
            "offline_rule_hold",
            Severity.INFO,
            "The device has lost the server and follows the rules that it keeps for this. Check "
            "the network if it lasts.",
        ),
        AlertType(
            "safety_forced_off",
            Severity.WARNING,
            "The device switched its actuators off to be safe. Find out why before you switch "
            "them on again.",
        ),
    )
}
"""Every alert of the firmware by its type."""


def firmware_code(said: int | str) -> FirmwareCode:
    """Return what a device means by an error code, a number or a name; never fails.

    Args:
        said: `1007`, `"1007"`, the doubly counted `6011`, or a name such as `GPIO_CONFLICT`.

    Returns:
        The known error; for an unknown one a stand-in that says so.
    """
    word = str(said).strip().upper()
    if not (word.isascii() and word.isdigit() and len(word) < len("100000")):
        return _BY_NAME.get(word) or _unknown(None, word[:64] or "UNNAMED", Category.UNKNOWN)
    number = int(word)
    code = number - _TWICE if number in COUNTED_TWICE else number
    if code in CODES:
        return CODES[code]
    if code in _TESTS:
        return FirmwareCode(code, f"TEST_{code}", Category.TEST, "The device tests itself.")
    return _unknown(code, f"ERROR_{code}", _category(code))


def alert_type(said: str) -> AlertType:
    """Return what a device means by an alert; never fails, and takes what it does not know ill."""
    name = said.strip().lower()
    return ALERTS.get(name) or AlertType(
        name[:64],
        Severity.WARNING,
        f"The device raised the alarm {name[:64]!r}, which this server does not know. Look at the "
        "device's own words.",
    )


def _unknown(code: int | None, name: str, category: Category) -> FirmwareCode:
    sentence = (
        f"The device reports the error {name}, which this server does not know. Look at the "
        "device's own words."
    )
    return FirmwareCode(code, name, category, sentence)
