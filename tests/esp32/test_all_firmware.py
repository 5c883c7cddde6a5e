"""What holds for every generation, whatever happens: readable by the server, and repeatable."""

from collections.abc import Callable
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.actuators import CommandAction
from domain.sensors import canonical_type
from mqtt_bridge import payloads, topics
from mqtt_bridge.messages import AckStatus, Outgoing, SensorData
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import BUILDS, DIALECTS, Dialect
from simulator.faults import Fault
from simulator.greenhouse import greenhouse, uniform
from simulator.sensors import CHIPS, VirtualSensor
from tests.esp32.driving import START, Bench

_TYPES = ("pump", "valve", "relay", "pwm")

_Step = Callable[[Bench], list[Outgoing]]


def _board(dialect: Dialect, seed: int) -> VirtualDevice:
    return VirtualDevice(
        esp_id="ESP_0A1B2C",
        dialect=dialect,
        seed=seed,
        kaiser_id="god" if seed % 2 else None,
        ntp=bool(seed % 3),
        zone_id="tent",
        sensors=tuple(
            VirtualSensor(chip=chip, gpio=pin, interval=2.0 + pin)
            for pin, chip in enumerate(CHIPS.values(), start=32)
        ),
        actuators=tuple(
            VirtualActuator(gpio=pin, actuator_type=name)
            for pin, name in enumerate(_TYPES, start=12)
        ),
    )


def _wait(seconds: float) -> _Step:
    return lambda bench: bench.wait(seconds)


def _ack(epoch: int, status: AckStatus) -> _Step:
    return lambda bench: bench.acknowledge(epoch, status)


def _order(action: CommandAction, value: float, duration: int, gpio: int) -> _Step:
    return lambda bench: bench.command(action, value, duration=duration, gpio=gpio)


def _switch(fault: Fault, *, on: bool) -> _Step:
    def step(bench: Bench) -> list[Outgoing]:
        bench.device.faults.switch(fault, on=on)
        return []

    return step


def _reconnect(bench: Bench) -> list[Outgoing]:
    bench.disconnect()
    return bench.connect()


def _noise(payload: bytes) -> _Step:
    return lambda bench: (
        bench.deliver("kaiser/god/esp/ESP_0A1B2C/system/heartbeat/ack", payload)
        + bench.deliver("kaiser//esp/ESP_0A1B2C/actuator/12/command", payload)
        + bench.deliver("kaiser/broadcast/emergency", payload)
        + bench.deliver("kaiser/god/esp/ESP_0A1B2C/actuator/emergency", payload)
        + bench.deliver("kaiser/god/esp/ESP_0A1B2C/system/command", payload)
    )


_ORDERS = (
    b'{"command":"emergency_stop","auth_token":"ESP_0A1B2C"}',
    b'{"command":"clear_emergency","auth_token":"ESP_0A1B2C","correlation_id":"e-1"}',
    b'{"command":"factory_reset","confirm":true}',
    b'{"command":"onewire/scan"}',
    b'{"command":"safe_mode"}',
)

_STEPS = st.one_of(
    st.builds(_wait, st.floats(0.0, 200.0)),
    st.builds(_ack, st.integers(1, 3), st.sampled_from(AckStatus)),
    st.builds(
        _order,
        st.sampled_from([CommandAction.ON, CommandAction.OFF, CommandAction.PWM]),
        st.floats(0.0, 1.0),
        st.integers(0, 60),
        st.integers(11, 16),
    ),
    st.builds(_switch, st.sampled_from(Fault), on=st.booleans()),
    st.builds(_noise, st.one_of(st.binary(max_size=40), st.sampled_from(_ORDERS))),
    st.just(_reconnect),
)

_STORIES = {
    "dialect": st.sampled_from(BUILDS),
    "seed": st.integers(0, 2**32),
    "start": st.floats(START, START + 1e8),
    "steps": st.lists(_STEPS, max_size=12),
}


def _tell(dialect: Dialect, seed: int, start: float, steps: list[_Step]) -> Bench:
    bench = Bench(_board(dialect, seed), now=start)
    bench.connect()
    for step in steps:
        step(bench)
    bench.wait(100.0)
    return bench


@settings(max_examples=60, deadline=None)
@given(**_STORIES)
def test_the_same_seed_and_the_same_inputs_give_the_same_bytes(
    dialect: Dialect, seed: int, start: float, steps: list[_Step]
) -> None:
    assert _tell(dialect, seed, start, steps).sent == _tell(dialect, seed, start, steps).sent


@settings(max_examples=60, deadline=None)
@given(**_STORIES)
def test_the_server_can_read_all_that_a_device_sends_on_purpose(
    dialect: Dialect, seed: int, start: float, steps: list[_Step]
) -> None:
    bench = _tell(dialect, seed, start, steps)
    last_word = bench.device.last_word(bench.now)

    for message in [*bench.sent, *([last_word] if last_word else [])]:
        topic = topics.parse(message.topic)
        assert topic is not None
        try:
            payloads.decode(topic, message.payload, datetime.fromtimestamp(bench.now, UTC))
        except payloads.MalformedPayloadError:
            assert Fault.MALFORMED_JSON in _ever_on(steps)


def _ever_on(steps: list[_Step]) -> set[Fault]:
    bench = Bench(_board(DIALECTS[0], 1))
    seen: set[Fault] = set()
    for step in steps:
        if step.__qualname__.startswith("_switch"):
            step(bench)
            seen |= bench.device.faults.active
    return seen


def test_all_generations_name_the_same_sensors_to_the_server() -> None:
    for chip in CHIPS.values():
        assert canonical_type(chip.early_type) == canonical_type(chip.sensor_type)


def test_the_server_finds_the_value_that_the_board_measured() -> None:
    for dialect in DIALECTS:
        bench = _tell(dialect, 1, START, [_ack(1, AckStatus.APPROVED), _wait(30.0)])
        seen = 0
        for message in bench.sent:
            topic = topics.parse(message.topic)
            assert topic is not None
            heard = payloads.decode(topic, message.payload, datetime.fromtimestamp(START, UTC))
            if isinstance(heard, SensorData):
                seen += 1
                assert heard.samples[0].key.esp_id == "ESP_0A1B2C"
                assert heard.samples[0].raw_value == int(heard.samples[0].raw_value)
        assert seen > 10


def test_two_boards_of_one_seed_do_not_say_the_same() -> None:
    one, two = uniform(2, interval=5.0, seed=3)
    first, second = Bench(one), Bench(two)

    assert first.connect()[1].payload != second.connect()[1].payload
    assert one.wake_at != two.wake_at


def test_a_fleet_has_a_thousand_different_boards() -> None:
    devices = uniform(1000, interval=5.0)

    assert len({device.esp_id for device in devices}) == 1000
    assert len({device.sensors[0].onewire_address for device in devices}) == 1000


def test_the_demo_is_the_same_every_time_it_is_started() -> None:
    def first_minute(seed: int) -> list[Outgoing]:
        sent: list[Outgoing] = []
        for device in greenhouse(seed):
            bench = Bench(device)
            bench.connect()
            bench.acknowledge()
            bench.wait(60.0)
            sent += bench.sent
        return sent

    assert first_minute(1) == first_minute(1)
    assert first_minute(1) != first_minute(2)
