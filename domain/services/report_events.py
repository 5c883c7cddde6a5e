"""Turns what devices say and do into sentences for growers.

Every method is called in place and returns at once; see `RecordEvents`.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.actuators import Command, Pin
from domain.config_refusals import explained
from domain.dead_letters import DeadLetter
from domain.firmware_codes import alert_type, firmware_code
from domain.library_installations import LibraryInstallation
from domain.services.record_events import RecordEvents
from domain.services.registry import Registry
from domain.silence import Silence, after_command, after_heartbeat
from domain.system_events import Detail, EventKind, Severity

WHOLE_DEVICE = 255
"""The pin that stands for all of a device."""

MOST_SILENCES = 10_000
"""Devices with unanswered commands that are remembered; the longest untouched goes first."""

MOST_DISCOVERIES = 20
"""New devices an hour that are told one by one."""

LONGEST_SHAPE = 64
"""Characters of a kind of message in a sentence."""

_NOTHING: Mapping[str, Detail] = {}


@dataclass(slots=True, kw_only=True)
class ReportEvents:
    """What is worth telling, and how it is said."""

    record: RecordEvents
    registry: Registry
    _silences: OrderedDict[str, Silence] = field(default_factory=OrderedDict, init=False)
    _discoveries: deque[datetime] = field(default_factory=deque, init=False)

    def device_error(
        self,
        esp_id: str,
        said: int | str,
        severity: Severity,
        *,
        message: str = "",
        details: Mapping[str, Detail] = _NOTHING,
    ) -> None:
        """A device reported an error.

        Args:
            esp_id: The device.
            said: Its code, a number or a name.
            severity: How bad the device finds it.
            message: Its own words.
            details: What else it said.
        """
        code = firmware_code(said)
        self.record(
            EventKind.DEVICE_ERROR,
            severity,
            f"{self._called(esp_id)}: {code.sentence}",
            esp_id=esp_id,
            about=code.name,
            details={
                **details,
                "code": code.code,
                "name": code.name,
                "category": code.category.value,
                "said": message,
            },
        )

    def alert(self, pin: Pin, said: str, message: str = "") -> None:
        """A device protected an actuator, or itself.

        Args:
            pin: The actuator; pin 255: the whole device.
            said: The type of the alert.
            message: The device's own words.
        """
        alert = alert_type(said)
        actuator = self.registry.actuator(pin)
        place = "" if pin.gpio == WHOLE_DEVICE else f", GPIO {pin.gpio}"
        if actuator is not None:
            place = f", {actuator.name}"
        self.record(
            EventKind.ACTUATOR_ALERT,
            alert.severity,
            f"{self._called(pin.esp_id)}{place}: {alert.sentence}",
            esp_id=pin.esp_id,
            about=f"{pin.gpio} {alert.name}",
            details={
                "alert": alert.name,
                "gpio": None if pin.gpio == WHOLE_DEVICE else pin.gpio,
                "said": message,
            },
        )

    def online(self, esp_id: str) -> None:
        """A device that was away is back, or was heard for the first time."""
        self.record(
            EventKind.DEVICE_ONLINE,
            Severity.INFO,
            f"{self._called(esp_id)} is online.",
            esp_id=esp_id,
        )

    def offline(self, esp_id: str, reason: str) -> None:
        """A device is gone."""
        self.record(
            EventKind.DEVICE_OFFLINE,
            Severity.WARNING,
            f"{self._called(esp_id)} is offline: {reason}. If it stays away, check its power and "
            "its WiFi.",
            esp_id=esp_id,
            details={"reason": reason},
        )

    def discovered(self, esp_id: str, at: datetime) -> None:
        """A device that nobody let in yet was heard of for the first time.

        Anybody can invent devices: beyond `MOST_DISCOVERIES` an hour they are one event together.
        """
        self._discoveries.append(at)
        if self._discoveries[0] < at - timedelta(hours=1):
            self._discoveries.popleft()
        if len(self._discoveries) > MOST_DISCOVERIES:
            self._discoveries.pop()
            self.record(
                EventKind.DEVICE_DISCOVERED,
                Severity.WARNING,
                f"More than {MOST_DISCOVERIES} new devices were heard of within an hour. Look at "
                "devices(status: DISCOVERED): if they are not yours, somebody else uses the "
                "broker.",
            )
            return
        self.record(
            EventKind.DEVICE_DISCOVERED,
            Severity.INFO,
            f"A new device, {esp_id}, was heard of. If it is yours, let it in with approveDevice; "
            "until then its readings are kept, but nobody is told of them.",
            esp_id=esp_id,
        )

    def flapping(self, esp_id: str, reason: str) -> None:
        """A device's connection keeps breaking: told once, instead of every coming and going."""
        self.record.forget(EventKind.DEVICE_STEADY, esp_id)
        self.record(
            EventKind.DEVICE_FLAPPING,
            Severity.WARNING,
            f"The connection of {self._called(esp_id)} keeps breaking: {reason}. Look at its WiFi "
            "and its power supply. Until it holds, single comings and goings are not told.",
            esp_id=esp_id,
            details={"reason": reason},
        )

    def steady(self, esp_id: str) -> None:
        """A connection that kept breaking holds."""
        self.record.forget(EventKind.DEVICE_FLAPPING, esp_id)
        self.record(
            EventKind.DEVICE_STEADY,
            Severity.INFO,
            f"{self._called(esp_id)} is online, and its connection holds again.",
            esp_id=esp_id,
        )

    def safe_mode(self, esp_id: str, *, active: bool, reason: str = "") -> None:
        """A device entered its safe mode, or left it."""
        called = self._called(esp_id)
        entered, left = EventKind.SAFE_MODE_ENTERED, EventKind.SAFE_MODE_LEFT
        self.record.forget(left if active else entered, esp_id)
        if not active:
            self.record(left, Severity.INFO, f"{called} left its safe mode.", esp_id=esp_id)
            return
        self.record(
            entered,
            Severity.ERROR,
            f"{called} is in safe mode{reason and f' ({reason})'}: it holds all its outputs off. "
            "Look for what went wrong before, then end it with setSafeMode(active: false).",
            esp_id=esp_id,
            details={"reason": reason} if reason else {},
        )

    def restarted(self, esp_id: str, reason: str) -> None:
        """A device began anew; whatever kept it from answering is over."""
        self._silences.pop(esp_id, None)
        self.record(
            EventKind.DEVICE_RESTARTED,
            Severity.WARNING,
            f"{self._called(esp_id)} restarted: {reason}. If it happens often, check its power "
            "supply.",
            esp_id=esp_id,
            details={"reason": reason},
        )

    def buried(self, letters: Sequence[DeadLetter]) -> None:
        """Messages could not be read; told once per device and kind of message."""
        for letter in letters:
            esp_id, shape = self._sender(letter.topic)
            who = "A device that is not let in" if esp_id is None else self._called(esp_id)
            self.record(
                EventKind.MESSAGES_UNREADABLE,
                Severity.WARNING,
                f"{who} sends messages that cannot be read ({shape}): {letter.reason}. They are "
                "kept as dead letters; look whether its firmware is the right one.",
                esp_id=esp_id,
                about=shape,
                details={"topic": letter.topic, "reason": letter.reason},
            )

    def flooding(self, esp_id: str, messages: int) -> None:
        """A device sends far more than its share; told once a minute while it lasts."""
        self.record(
            EventKind.DEVICE_FLOODING,
            Severity.WARNING,
            f"{self._called(esp_id)} floods the server: {messages} messages in a minute. It is "
            "slowed down; look what keeps it sending, or switch it off.",
            esp_id=esp_id,
            details={"messages": messages},
        )

    def library_ended(self, installation: LibraryInstallation) -> None:
        """An installation came to its end, well or not."""
        library = f"{installation.library_name} {installation.version}"
        done = installation.error is None
        called = self._called(installation.esp_id)
        self.record(
            EventKind.LIBRARY_INSTALLED if done else EventKind.LIBRARY_NOT_INSTALLED,
            Severity.INFO if done else Severity.WARNING,
            f"{called} installed the library {library}."
            if done
            else f"{called} did not install the library {library}: {installation.error}.",
            esp_id=installation.esp_id,
            about=library,
            details={
                "library": installation.library_name,
                "version": installation.version,
                "status": installation.status.value,
                "error": installation.error,
            },
        )

    def library_trouble(self, esp_id: str, about: str, sentence: str) -> None:
        """Something about libraries is wrong with a device, and belongs to no installation.

        Args:
            esp_id: The device.
            about: What tells it from other troubles.
            sentence: What is wrong, beginning with "it".
        """
        self.record(
            EventKind.LIBRARY_NOT_INSTALLED,
            Severity.WARNING,
            f"{self._called(esp_id)} has trouble with its libraries: {sentence}.",
            esp_id=esp_id,
            about=about,
        )

    def config_refused(self, esp_id: str, items: Mapping[str, str]) -> None:
        """A device refused a part of its configuration.

        Args:
            esp_id: The device.
            items: What it refused, such as `actuator on GPIO 12`, each with its reason.
        """
        self.record(
            EventKind.CONFIG_REFUSED,
            Severity.WARNING,
            f"{self._called(esp_id)} refused a part of its settings: {explained(items)}. The rest "
            "it has taken.",
            esp_id=esp_id,
            about=", ".join(sorted(items)),
            details=items,
        )

    def command_ended(self, command: Command) -> None:
        """A command came to its end: an answer breaks a silence, a time-out makes it longer."""
        esp_id = command.pin.esp_id
        before = self._silences.get(esp_id, Silence())
        silence = after_command(before, command)
        self._remember(esp_id, silence)
        if before.deaf and not silence.deaf:
            self.record.forget(EventKind.COMMANDS_UNANSWERED, esp_id)
            self.record(
                EventKind.COMMANDS_ANSWERED,
                Severity.INFO,
                f"{self._called(esp_id)} answers commands again.",
                esp_id=esp_id,
            )

    def heartbeat(self, esp_id: str, at: datetime) -> None:
        """A device gave a sign of life: does it live, and answer no command?"""
        before = self._silences.get(esp_id)
        if before is None:
            return
        silence = after_heartbeat(before, at)
        self._remember(esp_id, silence)
        if silence.deaf and not before.deaf:
            self.record.forget(EventKind.COMMANDS_ANSWERED, esp_id)
            self.record(
                EventKind.COMMANDS_UNANSWERED,
                Severity.ERROR,
                f"{self._called(esp_id)} sends heartbeats but answers no command: early firmware "
                "no longer hears them after it lost the connection once. Switch it off and on "
                "again.",
                esp_id=esp_id,
                details={"unanswered": silence.unanswered},
            )

    def _remember(self, esp_id: str, silence: Silence) -> None:
        if silence == Silence():
            self._silences.pop(esp_id, None)
            return
        self._silences[esp_id] = silence
        self._silences.move_to_end(esp_id)
        if len(self._silences) > MOST_SILENCES:
            self._silences.popitem(last=False)

    def _called(self, esp_id: str) -> str:
        return self.registry.called(esp_id)

    def _sender(self, topic: str) -> tuple[str | None, str]:
        """Return the approved device that a topic names, and the topic's first and last level.

        Anybody can invent topics: what varies is left out, and those of strangers are all alike, so
        that a flood of them makes one event.
        """
        levels = topic.split("/")
        if "esp" not in levels[:-2]:
            return None, "unknown"
        place = levels.index("esp") + 1
        device = self.registry.device(levels[place])
        if device is None or not device.approved:
            return None, "unknown"
        first, *between = levels[place + 1 :]
        shape = "/".join([first, *("+" for _ in between[:-1]), *between[-1:]])
        return device.esp_id, shape[:LONGEST_SHAPE]
