"""A virtual ESP32: a pure state machine, told the time and what arrives; it says what leaves.

Nothing here does I/O or reads a clock, and all chance comes from a seed: the same inputs at the
same times give the same bytes. Whoever drives it asks for `subscriptions` and
`last_word`, connects, and then feeds it `connected`, `message`, `tick` (at `wake_at` at the
latest) and `disconnected`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import msgspec

from domain.actuators import CommandAction
from domain.configs import DeviceConfig, Section
from domain.resilience import Backoff
from domain.zones import SubzoneAssignment, SubzoneRemoval, ZoneAssignment
from mqtt_bridge import payloads, topics
from mqtt_bridge.messages import ActuatorCommand, HeartbeatAck, Outbound, Outgoing
from mqtt_bridge.topics import Kind, Topic
from simulator import dialects
from simulator.actions import Action, Drop
from simulator.actuators import VirtualActuator, pushes
from simulator.clocks import BoardClock
from simulator.configuration import LARGEST_EARLY, Configuration, subzone_answer, zone_answer
from simulator.dialects import Dialect, Fields, Origin, Vitals
from simulator.faults import Fault, Faults
from simulator.outlets import Outlet
from simulator.registration import (
    ACK_DEADLINE,
    BOOTSTRAP_INTERVAL,
    HEARTBEAT_INTERVAL,
    Registration,
)
from simulator.sensors import Sampled, VirtualSensor
from simulator.surroundings import Surroundings
from simulator.troubles import WHOLE_DEVICE, Alarm, Failure

STATUS_INTERVAL = 30.0
"""Seconds between two rounds of status reports."""

LARGEST_ACK = 256
"""Bytes of the newest firmware's parser for heartbeat acks."""

_RETRY = Backoff(first=1.0, longest=60.0)
_NEVER = float("inf")
_AUTO_OFF = "firmware:auto_duration"
_SAFE_STATE = "firmware:safe_state"


@dataclass(slots=True, kw_only=True)
class VirtualDevice:
    """One ESP32 with its firmware, its sensors, its actuators and the air and soil around it.

    Attributes:
        kaiser_id: The topic level it was provisioned with; None: never provisioned.
        ntp: Whether it finds a time server; without one only the server's acks tell it the time.
        name: What a grower would call it; never on the wire.
        faults: What goes wrong; may be switched while it runs.
        configuration: What it was set up with over the air.
        obeyed: Commands carried out.
        refused: Commands answered with no.
    """

    esp_id: str
    dialect: Dialect
    sensors: Sequence[VirtualSensor] = ()
    actuators: Sequence[VirtualActuator] = ()
    seed: int = 0
    kaiser_id: str | None = None
    zone_id: str = ""
    ntp: bool = True
    name: str = ""
    faults: Faults = field(default_factory=Faults)
    configuration: Configuration = field(default_factory=Configuration, init=False)
    obeyed: int = field(default=0, init=False)
    refused: int = field(default=0, init=False)
    outlet: Outlet = field(init=False)
    _clock: BoardClock = field(init=False)
    _random: Random = field(init=False)
    _surroundings: Surroundings = field(init=False)
    _topics: dict[tuple[Kind, int | None], str] = field(default_factory=dict, init=False)
    _outbox: list[Action] = field(default_factory=list, init=False)
    _troubles: list[Alarm | Failure] = field(default_factory=list, init=False)
    _boots: int = field(default=0, init=False)
    _sequence: int = field(default=0, init=False)
    _heartbeat_at: float = field(default=_NEVER, init=False)
    _status_at: float = field(default=_NEVER, init=False)
    _samples_at: list[float] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._random = Random(f"{self.seed}/{self.esp_id}")
        self._surroundings = Surroundings(self._random.getrandbits(32))
        self._clock = BoardClock(
            counts_from_boot=self.dialect.boot_clock, learnt=self.ntp, faults=self.faults
        )
        self.outlet = Outlet(dialect=self.dialect, faults=self.faults)

    @property
    def registration(self) -> Registration:
        """Where it stands with its server."""
        return self.outlet.registration

    # ------------------------------------------------------------ what the connection asks

    def subscriptions(self) -> tuple[tuple[str, int], ...]:
        """Return what to subscribe to in the coming session: each filter with its QoS."""
        if self.registration.sessions and not self.dialect.resubscribes:
            return ()
        heard = [Kind.ACTUATOR_COMMAND, Kind.CONFIG, Kind.ZONE_ASSIGN]
        if self.dialect.needs_ack:
            heard += [Kind.HEARTBEAT_ACK, Kind.SUBZONE_ASSIGN, Kind.SUBZONE_REMOVE]
        level = self._level()
        filters = [(level, kind) for kind in heard]
        if not level:
            filters.append((topics.GOD, Kind.ZONE_ASSIGN))
        return tuple(
            (
                kind.filter(kaiser_id=place, esp_id=self.esp_id),
                0 if self.dialect.retains else kind.route.qos,
            )
            for place, kind in filters
        )

    def last_word(self, now: float) -> Outgoing | None:
        """Return what the broker shall say when the coming connection breaks."""
        if not self.dialect.sets_will:
            return None
        fields = self.dialect.will(self.esp_id, self._clock.stamp(now))
        return Outgoing(self._topic(Kind.WILL), msgspec.json.encode(fields), 1, retain=True)

    def retry_wait(self, failures: int) -> float | None:
        """Return the seconds to wait after so many failed connects; None: it has given up."""
        most = self.dialect.reconnects
        if most is not None and failures > most:
            return None
        return _RETRY.wait(failures, self._random)

    @property
    def wake_at(self) -> float:
        """When `tick` is due, in Unix seconds; infinite before the first connection."""
        due = min(
            self._heartbeat_at,
            self._status_at,
            min(self._samples_at, default=_NEVER),
            self._safe_state_at(),
        )
        for actuator in self.actuators:
            if actuator.off_at is not None:
                due = min(due, actuator.off_at)
        held = self.faults.next_due
        return due if held is None else min(due, held)

    # ------------------------------------------------------------ inputs

    def connected(self, now: float) -> list[Action]:
        """Take in that the connection stands, and the subscriptions with it."""
        if self._clock.booted_at is None:
            self._boot(now)
        self.outlet.connected = True
        self.registration.connected(now)
        if self.dialect.needs_ack:
            self._announce(now)
            self._heartbeat_at = now
        self._outbox += self.outlet.release()
        return self.tick(now)

    def disconnected(self) -> None:
        """Take in that the connection is gone; the board runs on."""
        self.outlet.connected = False

    def message(self, topic: str, payload: bytes, now: float) -> list[Action]:
        """Take in what arrived on a subscription."""
        parsed = topics.parse(topic)
        if self._reboots(now) or self._clock.booted_at is None:
            return self._flush()  # a board that starts hears nothing
        if parsed is None or parsed.esp_id != self.esp_id:
            return self._flush()
        heard = self._read(parsed, payload)
        match heard:
            case ActuatorCommand():
                self._advance(now)
                self._command(heard, now)
            case HeartbeatAck() if self.dialect.needs_ack and len(payload) <= LARGEST_ACK:
                self._acknowledged(heard, now)
            case DeviceConfig() if not (self.dialect.retains and len(payload) > LARGEST_EARLY):
                for fields in self.configuration.take(heard, self.dialect, self._origin(now)):
                    self._send(Kind.CONFIG_RESPONSE, fields, now)
            case ZoneAssignment():
                answer = zone_answer(heard, self.dialect, self._origin(now))
                if answer is not None:
                    self.zone_id = heard.zone_id
                    self._send(Kind.ZONE_ACK, answer, now)
            case SubzoneAssignment() | SubzoneRemoval() if self.dialect.needs_ack:
                self._send(Kind.SUBZONE_ACK, subzone_answer(heard, self._origin(now)), now)
        return self._flush()

    def alarm(self, alert: str, message: str, gpio: int = WHOLE_DEVICE) -> None:
        """Raise an alert, at the next tick."""
        self._troubles.append(Alarm(alert, message, gpio))

    def fail(self, code: int, severity: int, message: str) -> None:
        """Report an error, at the next tick; firmware before 2026 keeps it to itself."""
        self._troubles.append(Failure(code, severity, message))

    def tick(self, now: float) -> list[Action]:
        """Take in that time passed."""
        if self._clock.booted_at is None or self._reboots(now):
            return self._flush()
        self._advance(now)
        self._complain(now)
        self._outbox += self.outlet.due(now)
        self._protect(now)
        if now >= self._heartbeat_at:
            self._heartbeat(now)
        for index, sensor in enumerate(self.sensors):
            if now >= self._samples_at[index]:
                self._sample(sensor, now)
                self._samples_at[index] = _next(self._samples_at[index], sensor.interval, now)
        if now >= self._status_at:
            for actuator in self.actuators:
                self._report(actuator, now)
            self._status_at = _next(self._status_at, STATUS_INTERVAL, now)
        return self._flush()

    # ------------------------------------------------------------ life

    def _boot(self, now: float) -> None:
        self._boots += 1
        self._sequence = 0
        self._clock.booted_at = now
        self._clock.learnt = self.ntp
        self._heartbeat_at = now + self.dialect.first_heartbeat
        self._status_at = now + STATUS_INTERVAL if self.actuators else _NEVER
        self._samples_at = [
            now + self._random.random() * sensor.interval for sensor in self.sensors
        ]

    def _reboots(self, now: float) -> bool:
        if Fault.REBOOT not in self.faults.active or self._clock.booted_at is None:
            return False
        self.faults.switch(Fault.REBOOT, on=False)
        self.outlet.restart()
        for actuator in self.actuators:
            actuator.restart(now)
        self._clock.booted_at = None
        self._heartbeat_at = self._status_at = _NEVER
        self._samples_at = []
        self._outbox.append(Drop())
        return True

    def _advance(self, now: float) -> None:
        self._surroundings.advance(now, pushes(self.actuators))

    def _protect(self, now: float) -> None:
        if now >= self._safe_state_at():
            for actuator in self.actuators:
                if actuator.is_on:
                    actuator.switch_off(now, _SAFE_STATE)
                    self._report(actuator, now)
        for actuator in self.actuators:
            if actuator.off_at is not None and now >= actuator.off_at:
                actuator.switch_off(now, _AUTO_OFF)
                self._report(actuator, now)

    def _safe_state_at(self) -> float:
        anything_on = any(actuator.is_on for actuator in self.actuators)
        if not (self.dialect.needs_ack and anything_on):
            return _NEVER
        return self.registration.heard_at + ACK_DEADLINE

    # ------------------------------------------------------------ what it hears

    def _read(self, topic: Topic, payload: bytes) -> Outbound | None:
        if not self.dialect.parses_blanks and b'" :' in payload:
            return None
        try:
            return payloads.decode_outbound(topic, payload)
        except payloads.MalformedPayloadError:
            return None

    def _acknowledged(self, ack: HeartbeatAck, now: float) -> None:
        if not self.registration.acknowledged(ack, now):
            return
        self._clock.learnt = self._clock.learnt or ack.server_time > 0
        self._heartbeat_at = now + HEARTBEAT_INTERVAL
        self._outbox += self.outlet.release()

    def _command(self, command: ActuatorCommand, now: float) -> None:
        actuator = next((a for a in self.actuators if a.gpio == command.gpio), None)
        refusal = self.registration.refusal() if self.dialect.needs_ack else None
        if refusal is not None:
            message = f"Rejected before execution (reason_code={refusal})"
        elif actuator is None and self.dialect.counts:
            message = f"Actuator not configured on GPIO {command.gpio}. Configure via API first."
        elif actuator is None:
            message = "Command failed"
        else:
            timed = self.dialect.obeys_duration and command.action is CommandAction.ON
            seconds = command.duration if timed else 0
            actuator.obey(command.action, command.value, now, seconds=seconds)
            actuator.source = command.issued_by
            self.obeyed += 1
            self._respond(command, now, success=True, message="Command executed")
            for _ in range(2 if self.dialect.reports_twice else 1):
                self._report(actuator, now)
            return
        self.refused += 1
        self._respond(command, now, success=False, message=message)

    # ------------------------------------------------------------ what it says

    def _announce(self, now: float) -> None:
        fields: Fields = {
            "esp_id": self.esp_id,
            "handover_epoch": self.registration.announced,
            "session_epoch": self.registration.announced,
            "reason": "reconnect" if self.registration.announced > 1 else "boot",
            "ts_ms": self._clock.stamp_ms(now),
            "boot_ts": str(self._clock.boot_stamp()),
        }
        self._send(Kind.SESSION_ANNOUNCE, fields, now)

    def _heartbeat(self, now: float) -> None:
        interval = BOOTSTRAP_INTERVAL if self.outlet.is_mute else HEARTBEAT_INTERVAL
        self._heartbeat_at = now + interval
        vitals = Vitals(
            uptime=self._clock.uptime_ms(now) // 1000,
            heap_free=self._random.randint(140_000, 210_000),
            rssi=self._random.randint(-72, -48),
            sensors=len(self.sensors) + self.configuration.added(Section.SENSOR, self.sensors),
            actuators=len(self.actuators)
            + self.configuration.added(Section.ACTUATOR, self.actuators),
            boots=self._boots,
            reconnects=max(0, self.registration.sessions - 1),
            epoch=self.registration.epoch,
            completed_epoch=self.registration.completed,
            state=self.registration.state,
            booted_at=self._clock.boot_stamp(),
        )
        # A heartbeat carries no sequence number in any generation.
        origin = Origin(esp_id=self.esp_id, zone_id=self.zone_id, stamp=self._clock.stamp(now))
        self._send(Kind.HEARTBEAT, self.dialect.heartbeat(origin, vitals), now)

    def _sample(self, sensor: VirtualSensor, now: float) -> None:
        raw = sensor.chip.to_raw(self._surroundings.measure(sensor.chip.quantity))
        fields = self.dialect.sensor_data(self._origin(now), Sampled(sensor, raw))
        self._send(Kind.SENSOR_DATA, fields, now, gpio=sensor.gpio)

    def _report(self, actuator: VirtualActuator, now: float) -> None:
        fields = dialects.actuator_status(self._origin(now), actuator, now)
        self._send(Kind.ACTUATOR_STATUS, fields, now, gpio=actuator.gpio)

    def _complain(self, now: float) -> None:
        for trouble in self._troubles:
            match trouble:
                case Alarm(alert, message, gpio):
                    key = "type" if self.dialect.boot_clock else "alert_type"
                    fields = dialects.actuator_alert(
                        self._origin(now), gpio, alert, message, key=key
                    )
                    self._send(Kind.ACTUATOR_ALERT, fields, now, gpio=gpio)
                case Failure(code, severity, message) if self.dialect.counts:
                    origin, uptime = self._origin(now), self._clock.uptime_ms(now)
                    fields = dialects.system_error(origin, code, severity, message, uptime)
                    self._send(Kind.SYSTEM_ERROR, fields, now)
        self._troubles.clear()

    def _respond(
        self, command: ActuatorCommand, now: float, *, success: bool, message: str
    ) -> None:
        fields = dialects.actuator_response(
            self._origin(now), command, success=success, message=message
        )
        self._send(Kind.ACTUATOR_RESPONSE, fields, now, gpio=command.gpio)

    def _send(self, kind: Kind, fields: Fields, now: float, *, gpio: int | None = None) -> None:
        payload = msgspec.json.encode(fields)
        self._outbox += self.outlet.send(kind, self._topic(kind, gpio), payload, now)

    def _flush(self) -> list[Action]:
        actions, self._outbox = self._outbox, []
        return actions

    # ------------------------------------------------------------ names and times

    def _origin(self, now: float) -> Origin:
        sequence = None
        if self.dialect.counts:
            self._sequence += 1
            sequence = self._sequence
        return Origin(
            esp_id=self.esp_id,
            zone_id=self.zone_id,
            stamp=self._clock.stamp(now),
            sequence=sequence,
        )

    def _level(self) -> str:
        return self.dialect.kaiser_id if self.kaiser_id is None else self.kaiser_id

    def _topic(self, kind: Kind, gpio: int | None = None) -> str:
        name = self._topics.get((kind, gpio))
        if name is None:
            # The newest firmware announces itself on the literal level, wherever it belongs.
            level = topics.GOD if kind is Kind.SESSION_ANNOUNCE else self._level()
            name = self._topics[kind, gpio] = str(Topic(kind, level, self.esp_id, gpio))
        return name


def _next(due: float, interval: float, now: float) -> float:
    # Keeps its beat when late by less than one interval, and starts a new one when later.
    return due + interval if now - due < interval else now + interval
