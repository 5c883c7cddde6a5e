"""The pins of a board that do something: what they are told, what they say, what protects them.

Device protocol, sections 1.7, 3.1 and 3.5.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from domain.actuators import CommandAction
from mqtt_bridge.messages import ActuatorCommand
from mqtt_bridge.topics import Kind
from simulator import writing
from simulator.actuators import VirtualActuator
from simulator.registration import ACK_DEADLINE
from simulator.troubles import WHOLE_DEVICE
from simulator.voice import Voice

STATUS_INTERVAL = 30.0
"""Seconds between two rounds of status reports."""

LONGEST_RUN = 3600.0
"""Seconds after which firmware since December 2025 switches a pump off."""

EMERGENCY = "emergency_stop"
"""The alert of a board that has stopped, whoever wanted it."""

_NEVER = float("inf")
_AUTO_OFF = "firmware:auto_duration"
_SAFE_STATE = "firmware:safe_state"


@dataclass(slots=True, kw_only=True)
class Pins:
    """All actuators of one board.

    Attributes:
        longest_run: Returns for how many seconds a pin may be on, by the board's configuration.
        stopped_at: When an emergency stop came, Unix seconds; None: there is none.
        locked: Whether the board is in its safe mode.
        obeyed: Commands carried out.
        refused: Commands answered with no.
    """

    voice: Voice
    actuators: Sequence[VirtualActuator]
    longest_run: Callable[[int], float | None] = lambda _gpio: None
    stopped_at: float | None = field(default=None, init=False)
    locked: bool = field(default=False, init=False)
    obeyed: int = field(default=0, init=False)
    refused: int = field(default=0, init=False)
    _status_at: float = field(default=_NEVER, init=False)

    # ------------------------------------------------------------ life

    def boot(self, now: float) -> None:
        """Begin to report."""
        self._status_at = now + STATUS_INTERVAL if self.actuators else _NEVER

    def restart(self, now: float) -> None:
        """Fall silent and forget everything, an emergency too."""
        self.stopped_at, self.locked = None, False
        self._status_at = _NEVER
        for actuator in self.actuators:
            actuator.restart(now)

    @property
    def wake_at(self) -> float:
        """When `tick` is due."""
        ends = [self._status_at, self._safe_state_at()]
        for actuator in self.actuators:
            if actuator.off_at is not None:
                ends.append(actuator.off_at)
            ends.append(self._overrun_at(actuator))
        return min(ends)

    def tick(self, now: float) -> None:
        """Take in that time passed."""
        if now >= self._safe_state_at():
            self.all_off(now, _SAFE_STATE)
        for actuator in self.actuators:
            if actuator.off_at is not None and now >= actuator.off_at:
                self._switch_off(actuator, now, _AUTO_OFF)
            elif now >= self._overrun_at(actuator):
                self._switch_off(actuator, now, "")
                message = "Actuator exceeded max runtime"
                self.alert("runtime_protection", message, now, gpio=actuator.gpio)

    def report_in_turn(self, now: float) -> None:
        """Report everything, if it is time."""
        if now >= self._status_at:
            for actuator in self.actuators:
                self.report(actuator, now)
            self._status_at = next_beat(self._status_at, STATUS_INTERVAL, now)

    # ------------------------------------------------------------ what they are told

    def command(self, command: ActuatorCommand, now: float) -> None:
        """Obey a command, or refuse it; and answer."""
        dialect = self.voice.dialect
        actuator = next((a for a in self.actuators if a.gpio == command.gpio), None)
        code, message = self._refusal(command, actuator)
        if actuator is None or code:
            self.refused += 1
            self._respond(command, now, success=False, message=message)
            self.voice.tell_outcome("command", command.correlation_id, "rejected", now, code=code)
            return
        timed = dialect.obeys_duration and command.action is CommandAction.ON
        seconds = command.duration if timed else 0
        actuator.obey(command.action, command.value, now, seconds=seconds)
        actuator.source = command.issued_by
        self.obeyed += 1
        self._respond(command, now, success=True, message="Command executed")
        for _ in range(2 if dialect.reports_twice else 1):
            self.report(actuator, now)
        self.voice.tell_outcome("command", command.correlation_id, "applied", now)

    def stop(self, now: float, why: str = "System-wide emergency stop") -> None:
        """Switch everything off at once, and hold it there."""
        self.stopped_at = now
        for actuator in self.actuators:
            actuator.switch_off(now)
            self.report(actuator, now)
        self.alert(EMERGENCY, why, now)

    def release(self, now: float) -> None:
        """Obey again from now on; nothing goes on by itself."""
        self.stopped_at = None
        for actuator in self.actuators:
            self.report(actuator, now)

    def all_off(self, now: float, source: str, *, among: Collection[int] | None = None) -> None:
        """Switch off what is on; with `among`, only on these pins."""
        for actuator in self.actuators:
            if actuator.is_on and (among is None or actuator.gpio in among):
                self._switch_off(actuator, now, source)

    # ------------------------------------------------------------ what they say

    def report(self, actuator: VirtualActuator, now: float) -> None:
        """Say what a pin does."""
        fields = writing.actuator_status(
            self.voice.origin(now),
            actuator,
            now,
            emergency="normal" if self.stopped_at is None else "active",
            source=self.voice.dialect.correlates,
        )
        self.voice.say(Kind.ACTUATOR_STATUS, fields, now, gpio=actuator.gpio)

    def alert(self, alert: str, message: str, now: float, *, gpio: int = WHOLE_DEVICE) -> None:
        """Say that something protected itself."""
        key = "type" if self.voice.dialect.boot_clock else "alert_type"
        fields = writing.actuator_alert(self.voice.origin(now), gpio, alert, message, key=key)
        self.voice.say(Kind.ACTUATOR_ALERT, fields, now, gpio=gpio)

    # ------------------------------------------------------------ why not, and until when

    def _refusal(
        self, command: ActuatorCommand, actuator: VirtualActuator | None
    ) -> tuple[str, str]:
        """Return the reason code, empty where nothing is in the way, and the answer's sentence."""
        dialect = self.voice.dialect
        code = self.voice.outlet.registration.refusal()
        if code is None and self.locked:
            code = "SAFETY_LOCKED"
        if code is not None:
            sentence = f"Rejected before execution (reason_code={code})"
        elif actuator is None:
            code = "ACTUATOR_NOT_FOUND"
            sentence = f"Actuator not configured on GPIO {command.gpio}. Configure via API first."
        elif self.stopped_at is not None:
            code = "SAFETY_LOCKED"
            sentence = "Actuator in emergency stop state. Clear emergency first."
        else:
            return "", ""
        return code, sentence if dialect.correlates else "Command failed"

    def _respond(
        self, command: ActuatorCommand, now: float, *, success: bool, message: str
    ) -> None:
        fields = writing.actuator_response(
            self.voice.origin(now),
            command,
            success=success,
            message=message,
            correlates=self.voice.dialect.correlates,
        )
        self.voice.say(Kind.ACTUATOR_RESPONSE, fields, now, gpio=command.gpio)

    def _switch_off(self, actuator: VirtualActuator, now: float, source: str) -> None:
        actuator.switch_off(now, source)
        self.report(actuator, now)

    def _safe_state_at(self) -> float:
        anything_on = any(actuator.is_on for actuator in self.actuators)
        if not (self.voice.dialect.hands_over and anything_on):
            return _NEVER
        return self.voice.outlet.registration.heard_at + ACK_DEADLINE

    def _overrun_at(self, actuator: VirtualActuator) -> float:
        if not actuator.is_on:
            return _NEVER
        dialect = self.voice.dialect
        longest = self.longest_run(actuator.gpio) if dialect.takes_longest_run else None
        if longest is None and dialect.limits_runtime and actuator.actuator_type == "pump":
            longest = LONGEST_RUN
        return _NEVER if longest is None else actuator.on_since + longest


def next_beat(due: float, interval: float, now: float) -> float:
    """Return when it is due again: keeps its beat when late by less than one interval."""
    return due + interval if now - due < interval else now + interval
