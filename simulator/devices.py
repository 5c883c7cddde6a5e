"""A virtual ESP32: a pure state machine, told the time and what arrives; it says what leaves.

Nothing here does I/O or reads a clock, and all chance comes from a seed: the same inputs at the
same times give the same bytes. Whoever drives it asks for `subscriptions` and
`last_word`, connects, and then feeds it `connected`, `message`, `tick` (at `wake_at` at the
latest) and `disconnected`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from domain.configs import DeviceConfig, Section
from domain.resilience import Backoff
from domain.zones import SubzoneAssignment, SubzoneRemoval, SubzoneSafety, ZoneAssignment
from mqtt_bridge import payloads, topics
from mqtt_bridge.messages import ActuatorCommand, MeasureCommand, Outbound, Outgoing
from mqtt_bridge.topics import Kind, Topic
from simulator import libraries, writing
from simulator.actions import Action, Convert, Drop, Renew
from simulator.actuators import VirtualActuator, pushes
from simulator.clocks import BoardClock
from simulator.configuration import Configuration, subzone_answer, too_large, zone_answer
from simulator.dialects import Dialect
from simulator.emergencies import EmergencyStop
from simulator.faults import Fault, Faults
from simulator.libraries import Libraries
from simulator.orders import SystemOrders, state_of
from simulator.outlets import Outlet
from simulator.pins import EMERGENCY, Pins, next_beat
from simulator.processing import Converted
from simulator.registration import HEARTBEAT_INTERVAL, Registration, SystemState
from simulator.sensors import Sampled, VirtualSensor
from simulator.surroundings import Surroundings
from simulator.troubles import WHOLE_DEVICE, Alarm, Failure
from simulator.voice import Voice
from simulator.writing import Fields, Occupied, Vitals

_RETRY = Backoff(first=1.0, longest=60.0)
_NEVER = float("inf")

_HEARD = (
    Kind.SYSTEM_COMMAND,
    Kind.CONFIG,
    Kind.BROADCAST_EMERGENCY,
    Kind.ACTUATOR_COMMAND,
    Kind.EMERGENCY,
    Kind.ZONE_ASSIGN,
)
"""What every generation subscribes to, in its order (device protocol, section 3.3)."""

_HEARD_SINCE_FEBRUARY = (
    Kind.HEARTBEAT_ACK,
    Kind.MEASURE_COMMAND,
    Kind.SUBZONE_ASSIGN,
    Kind.SUBZONE_REMOVE,
    Kind.SUBZONE_SAFE,
)

_SAFE_SUBZONE = "firmware:subzone_safe"


@dataclass(slots=True, kw_only=True)
class VirtualDevice:
    """One ESP32 with its firmware, its sensors, its actuators and the air and soil around it.

    Attributes:
        kaiser_id: The topic level it was provisioned with; None: never provisioned.
        zone_id: The zone it believes to be in; empty: none.
        asks_server: Whether it publishes only what its server converted over HTTP, as firmware of
            November 2025 does; else it converts by itself.
        ntp: Whether it finds a time server; without one only the server's acks tell it the time.
        name: What a grower would call it; never on the wire.
        faults: What goes wrong; may be switched while it runs.
        libraries: The libraries it takes over the air; None: it takes none, as all firmware today.
        configuration: What it was set up with over the air.
        pins: Its actuators, and what was made of the commands to them.
    """

    esp_id: str
    dialect: Dialect
    sensors: Sequence[VirtualSensor] = ()
    actuators: Sequence[VirtualActuator] = ()
    seed: int = 0
    kaiser_id: str | None = None
    zone_id: str = ""
    asks_server: bool = False
    ntp: bool = True
    name: str = ""
    faults: Faults = field(default_factory=Faults)
    libraries: Libraries | None = None
    configuration: Configuration = field(default_factory=Configuration, init=False)
    outlet: Outlet = field(init=False)
    pins: Pins = field(init=False)
    _clock: BoardClock = field(init=False)
    _voice: Voice = field(init=False)
    _emergency: EmergencyStop = field(init=False)
    _orders: SystemOrders = field(init=False)
    _random: Random = field(init=False)
    _surroundings: Surroundings = field(init=False)
    _hears_on: str = field(init=False)
    _troubles: list[Alarm | Failure] = field(default_factory=list, init=False)
    _boots: int = field(default=0, init=False)
    _heartbeat_at: float = field(default=_NEVER, init=False)
    _samples_at: list[float] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._random = Random(f"{self.seed}/{self.esp_id}")
        self._surroundings = Surroundings(self._random.getrandbits(32))
        self._clock = BoardClock(
            counts_from_boot=self.dialect.boot_clock, learnt=self.ntp, faults=self.faults
        )
        self.outlet = Outlet(dialect=self.dialect, faults=self.faults)
        self._hears_on = self.dialect.kaiser_id if self.kaiser_id is None else self.kaiser_id
        self._voice = Voice(
            esp_id=self.esp_id,
            dialect=self.dialect,
            clock=self._clock,
            outlet=self.outlet,
            level=self._hears_on,
            zone_id=self.zone_id,
        )
        self.pins = Pins(
            voice=self._voice,
            actuators=self.actuators,
            longest_run=lambda gpio: self.configuration.longest_run(  # noqa: PLW0108 - reset renews it
                gpio
            ),
        )
        self._emergency = EmergencyStop(voice=self._voice, pins=self.pins, token=self.esp_id)
        self._orders = SystemOrders(
            voice=self._voice, pins=self.pins, emergency=self._emergency, sensors=self.sensors
        )

    @property
    def registration(self) -> Registration:
        """Where it stands with its server."""
        return self.outlet.registration

    @property
    def obeyed(self) -> int:
        """Commands carried out."""
        return self.pins.obeyed

    @property
    def refused(self) -> int:
        """Commands answered with no."""
        return self.pins.refused

    # ------------------------------------------------------------ what the connection asks

    @property
    def reaches_broker(self) -> bool:
        """Whether a connection can be made at all."""
        return Fault.NETWORK_GONE not in self.faults.active

    def subscriptions(self) -> tuple[tuple[str, int], ...]:
        """Return what to subscribe to in the coming session: each filter with its QoS."""
        if self.registration.sessions and not self.dialect.resubscribes:
            return ()
        more = _HEARD_SINCE_FEBRUARY if self.dialect.knows_subzones else ()
        taken = () if self.libraries is None else libraries.HEARD
        filters = [(self._hears_on, kind) for kind in (*_HEARD, *more, *taken)]
        if not self._hears_on:
            filters.append((topics.GOD, Kind.ZONE_ASSIGN))
        return tuple(
            (
                kind.filter(kaiser_id=place, esp_id=self.esp_id),
                kind.route.qos if self.dialect.qos else 0,
            )
            for place, kind in filters
        )

    def last_word(self, now: float) -> Outgoing | None:
        """Return what the broker shall say when the coming connection breaks."""
        return self._voice.last_word(now) if self.dialect.sets_will else None

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
            self.pins.wake_at,
            min(self._samples_at, default=_NEVER),
            self._orders.resets_at,
            self.registration.opens_at,
            _NEVER if self._shelf is None else self._shelf.wake_at,
        )
        held = self.faults.next_due
        return due if held is None else min(due, held)

    # ------------------------------------------------------------ inputs

    def connected(self, now: float) -> list[Action]:
        """Take in that the connection stands, and the subscriptions with it."""
        if self._clock.booted_at is None:
            self._boot(now)
        self.outlet.connected = True
        self.registration.connected(now)
        if self.dialect.hands_over:
            self._announce(now)
        if self.dialect.gate is not None:
            self._heartbeat_at = now
        if self.libraries is not None:
            self.libraries.connected()
        self._voice.release()
        return self.tick(now)

    def disconnected(self) -> None:
        """Take in that the connection is gone; the board runs on."""
        self.outlet.connected = False

    def message(self, topic: str, payload: bytes, now: float) -> list[Action]:
        """Take in what arrived on a subscription."""
        parsed = topics.parse(topic)
        if self._lets_go(now) or self._clock.booted_at is None or not self.outlet.connected:
            return self._voice.flush()  # a board that starts hears nothing
        if parsed is not None and parsed.esp_id in {self.esp_id, ""}:
            self._advance(now)
            self._hear(parsed, payload, now)
        return self._voice.flush()

    def converted(self, sampled: Sampled, found: Converted | None, now: float) -> list[Action]:
        """Take in what the server made of a sample; None: nothing, so it is dropped."""
        if found is not None and self._clock.booted_at is not None:
            fields = self.dialect.sensor_data(self._voice.origin(now), sampled) | found.fields()
            self._voice.say(Kind.SENSOR_DATA, fields, now, gpio=sampled.sensor.gpio)
        return self._voice.flush()

    def alarm(self, alert: str, message: str, gpio: int = WHOLE_DEVICE) -> None:
        """Raise an alert, at the next tick; that of an emergency stop when it has stopped."""
        self._troubles.append(Alarm(alert, message, gpio))

    def fail(self, code: int, severity: int, message: str) -> None:
        """Report an error, at the next tick; firmware before 2026 keeps it to itself."""
        self._troubles.append(Failure(code, severity, message))

    def tick(self, now: float) -> list[Action]:
        """Take in that time passed."""
        if self._clock.booted_at is None or self._lets_go(now):
            return self._voice.flush()
        self._advance(now)
        self._complain(now)
        self._voice.pass_on(*self.outlet.due(now))
        if self.registration.waited(now):
            self._voice.release()
        self.pins.tick(now)
        if now >= self._heartbeat_at:
            self._heartbeat(now)
        for index, sensor in enumerate(self.sensors):
            if now >= self._samples_at[index]:
                self._sample(sensor, now)
                self._samples_at[index] = next_beat(self._samples_at[index], sensor.interval, now)
        self.pins.report_in_turn(now)
        self._tell_of_libraries(now)
        return self._voice.flush()

    # ------------------------------------------------------------ life

    def _boot(self, now: float) -> None:
        self._boots += 1
        self._voice.restart()
        self._hears_on = self._voice.level
        self._clock.booted_at = now
        self._clock.learnt = self.ntp
        self._heartbeat_at = now + self.dialect.first_heartbeat
        self.pins.boot(now)
        self._samples_at = [
            now + self._random.random() * sensor.interval for sensor in self.sensors
        ]

    def _lets_go(self, now: float) -> bool:
        """Reboot, or lose the network, if that is what happens now."""
        if self._clock.booted_at is None:
            return False
        if now >= self._orders.resets_at:
            self._forget()
            self.faults.switch(Fault.REBOOT)
        if Fault.REBOOT in self.faults.active:
            self._reboot(now)
            return True
        if not self.reaches_broker and self.outlet.connected:
            self.outlet.connected = False
            self._voice.pass_on(Drop())
        return False

    def _reboot(self, now: float) -> None:
        self.faults.switch(Fault.REBOOT, on=False)
        self.outlet.restart()
        self.pins.restart(now)
        if self.libraries is not None:
            self.libraries.restart()
        self._clock.booted_at = None
        self._hears_on = self._voice.level
        self._heartbeat_at = _NEVER
        self._samples_at = []
        self._voice.pass_on(Drop())

    def _forget(self) -> None:
        # As if somebody had given it the same network again at once; else it would be gone.
        self._orders.resets_at = _NEVER
        self.configuration = Configuration()
        self._settle("", self.dialect.kaiser_id if self.kaiser_id is None else self.kaiser_id)

    def _advance(self, now: float) -> None:
        self._surroundings.advance(now, pushes(self.actuators))

    # ------------------------------------------------------------ what it hears

    def _hear(self, topic: Topic, payload: bytes, now: float) -> None:
        match topic.kind:
            case Kind.BROADCAST_EMERGENCY:
                self._emergency.hear_broadcast(payload, now)
            case Kind.EMERGENCY:
                self._emergency.hear_order(payload, now)
            case Kind.HEARTBEAT_ACK:
                self._acknowledged(payload, now)
            case Kind.SYSTEM_COMMAND:
                self._orders.hear(payload, self._vitals(now), now)
            case Kind.CONFIG if len(payload) > self.dialect.largest_config:
                if self.dialect.correlates:
                    self._voice.say(Kind.CONFIG_RESPONSE, too_large(), now)
            case kind if kind in libraries.HEARD and self.libraries is not None:
                self.libraries.hear(kind, payload, now)
                self._tell_of_libraries(now)
            case _:
                self._obey(self._read(topic, payload), now)

    def _obey(self, heard: Outbound | None, now: float) -> None:
        match heard:
            case ActuatorCommand():
                self.pins.command(heard, now)
            case DeviceConfig():
                for fields in self.configuration.take(heard, self.dialect, self._voice.origin(now)):
                    self._voice.say(Kind.CONFIG_RESPONSE, fields, now)
                self._voice.tell_outcome("config", heard.correlation_id, "persisted", now)
            case ZoneAssignment():
                self._move(heard, now)
            case SubzoneAssignment() | SubzoneRemoval() | SubzoneSafety():
                self._subzone(heard, now)
            case MeasureCommand():
                self._measure(heard, now)

    def _read(self, topic: Topic, payload: bytes) -> Outbound | None:
        if not self.dialect.parses_blanks and b'" :' in payload:
            return None
        try:
            return payloads.decode_outbound(topic, payload)
        except payloads.MalformedPayloadError:
            return None

    @property
    def _shelf(self) -> Libraries | None:
        """Its libraries, while anything about them can be said."""
        return self.libraries if self.outlet.connected and not self.outlet.is_mute else None

    def _tell_of_libraries(self, now: float) -> None:
        if self._shelf is not None:
            for said in self._shelf.due(now):
                self._voice.say(said.kind, said.fields, now)

    def _acknowledged(self, payload: bytes, now: float) -> None:
        server_time = self.registration.acknowledged(payload, now)
        if server_time is None:
            return
        self._clock.learnt = self._clock.learnt or server_time > 0
        self._heartbeat_at = now + HEARTBEAT_INTERVAL
        self._voice.release()

    def _move(self, message: ZoneAssignment, now: float) -> None:
        origin = self._voice.origin(now)
        fields = zone_answer(message, self.dialect, origin)
        if fields is None:
            return
        moves = message.new_kaiser_id != self._voice.level
        self._settle(message.zone_id, message.new_kaiser_id)
        self._voice.say(Kind.ZONE_ACK, fields, now)
        self._voice.tell_outcome("zone", message.correlation_id, "persisted", now)
        if self.dialect.hands_over and not message.zone_id:
            self.configuration.subzones.clear()
            self.registration.state = SystemState.PENDING_APPROVAL
        if moves and self.dialect.moves_at_once:
            self._hears_on = self._voice.level
            self._voice.pass_on(Renew())

    def _settle(self, zone_id: str, level: str) -> None:
        self.zone_id = self._voice.zone_id = zone_id
        self._voice.move(level)

    def _subzone(
        self, message: SubzoneAssignment | SubzoneRemoval | SubzoneSafety, now: float
    ) -> None:
        known = self.configuration.subzones
        fields = subzone_answer(message, known, self._voice.origin(now))
        if fields is not None:
            self._voice.say(Kind.SUBZONE_ACK, fields, now)
        elif isinstance(message, SubzoneSafety) and message.enable:
            self.pins.all_off(now, _SAFE_SUBZONE, among=known[message.subzone_id])

    def _measure(self, command: MeasureCommand, now: float) -> None:
        words = [
            self._sample(sensor, now) for sensor in self.sensors if sensor.gpio == command.gpio
        ]
        fields = writing.measured(
            self._voice.origin(now), command, next((word for word in words), None)
        )
        self._voice.say(Kind.MEASURE_RESPONSE, fields, now, gpio=command.gpio)

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
        self._voice.say(Kind.SESSION_ANNOUNCE, fields, now)

    def _heartbeat(self, now: float) -> None:
        gate = self.dialect.gate
        waits = self.outlet.is_mute and gate is not None
        self._heartbeat_at = now + (gate.bootstrap if gate and waits else HEARTBEAT_INTERVAL)
        # Newest firmware numbers everything but its heartbeats.
        origin = self._voice.origin(now, numbered=not self.dialect.hands_over)
        self._voice.say(Kind.HEARTBEAT, self.dialect.heartbeat(origin, self._vitals(now)), now)

    def _vitals(self, now: float) -> Vitals:
        added = self.configuration.added
        return Vitals(
            uptime=self._clock.uptime_ms(now) // 1000,
            heap_free=self._random.randint(140_000, 210_000),
            rssi=self._random.randint(-72, -48),
            sensors=len(self.sensors) + added(Section.SENSOR, self.sensors),
            actuators=len(self.actuators) + added(Section.ACTUATOR, self.actuators),
            boots=self._boots,
            reconnects=max(0, self.registration.sessions - 1),
            epoch=self.registration.epoch,
            completed_epoch=self.registration.completed,
            state=state_of(self._voice, self.pins),
            booted_at=self._clock.boot_stamp(),
            pins=self._occupied(),
        )

    def _occupied(self) -> tuple[Occupied, ...]:
        sensors = {
            sensor.gpio: Occupied(
                sensor.gpio,
                f"bus/onewire/{sensor.gpio}" if sensor.onewire_address else "sensor",
                sensor.chip.sensor_type,
                drives=False,
            )
            for sensor in self.sensors
        }
        actuators = {
            actuator.gpio: Occupied(actuator.gpio, "actuator", actuator.actuator_type, drives=True)
            for actuator in self.actuators
        }
        return tuple((sensors | actuators).values())

    def _sample(self, sensor: VirtualSensor, now: float) -> Sampled:
        sampled = Sampled(sensor, sensor.read(self._surroundings, now))
        if self.asks_server:
            self._voice.pass_on(Convert(sampled, self._clock.uptime_ms(now)))
            return sampled
        fields = self.dialect.sensor_data(self._voice.origin(now), sampled)
        self._voice.say(Kind.SENSOR_DATA, fields, now, gpio=sensor.gpio)
        return sampled

    def _complain(self, now: float) -> None:
        for trouble in self._troubles:
            match trouble:
                case Alarm(alert, message, gpio) if alert == EMERGENCY and gpio == WHOLE_DEVICE:
                    self.pins.stop(now, message)
                case Alarm(alert, message, gpio):
                    self.pins.alert(alert, message, now, gpio=gpio)
                case Failure(code, severity, message) if self.dialect.reports_errors:
                    origin, uptime = self._voice.origin(now), self._clock.uptime_ms(now)
                    fields = writing.system_error(origin, code, severity, message, uptime)
                    self._voice.say(Kind.SYSTEM_ERROR, fields, now)
        self._troubles.clear()
