"""Ready-made sets of devices: a small greenhouse for the demo, and uniform fleets for load."""

from collections.abc import Sequence

from mqtt_bridge.topics import GOD
from simulator.actuators import VirtualActuator
from simulator.devices import VirtualDevice
from simulator.dialects import DECEMBER, FEBRUARY, HEAD, NOVEMBER
from simulator.probes import MOISTURE_PROBE, Probe
from simulator.sensors import (
    BH1750,
    DS18B20,
    MOISTURE,
    PH,
    SHT31_HUMIDITY,
    SHT31_TEMPERATURE,
    VirtualSensor,
)
from simulator.surroundings import Quantity

_I2C_SHT31 = 0x44
_I2C_BH1750 = 0x23
_SAMPLE_SECONDS = 5.0


def greenhouse(seed: int = 1, *, interval: float = _SAMPLE_SECONDS) -> Sequence[VirtualDevice]:
    """Return the demo's devices: four boards, one of each firmware generation.

    The oldest needs a way to its server over HTTP, as `Fleet.processors`.

    Args:
        seed: The same seed gives the same greenhouse.
        interval: Seconds between two samples of each sensor.
    """
    return (
        _climate(seed, interval),
        _tomato_bed(seed, interval),
        _herb_table(seed, interval),
        _propagation_bench(seed, interval),
    )


def _climate(seed: int, interval: float) -> VirtualDevice:
    return VirtualDevice(
        esp_id="ESP_C11A7E",
        name="Climate, under the ridge",
        dialect=HEAD,
        seed=seed,
        zone_id="greenhouse",
        ntp=False,
        sensors=(
            VirtualSensor(
                chip=SHT31_TEMPERATURE, gpio=0, interval=interval, i2c_address=_I2C_SHT31
            ),
            VirtualSensor(chip=SHT31_HUMIDITY, gpio=0, interval=interval, i2c_address=_I2C_SHT31),
            VirtualSensor(chip=BH1750, gpio=0, interval=interval, i2c_address=_I2C_BH1750),
        ),
        actuators=(
            VirtualActuator(
                gpio=25,
                actuator_type="pwm",
                name="Fan",
                pushes={Quantity.TEMPERATURE: -5.0, Quantity.HUMIDITY: -18.0},
            ),
            VirtualActuator(
                gpio=26,
                actuator_type="relay",
                name="Heater",
                pushes={Quantity.TEMPERATURE: 12.0, Quantity.HUMIDITY: -10.0},
            ),
        ),
    )


def _tomato_bed(seed: int, interval: float) -> VirtualDevice:
    return VirtualDevice(
        esp_id="ESP_70A705",
        name="Tomato bed",
        dialect=DECEMBER,
        seed=seed,
        kaiser_id=GOD,
        zone_id="tomatoes",
        sensors=(
            # Steady enough to be calibrated, which is the first thing that growers do with it.
            VirtualSensor(
                chip=MOISTURE,
                gpio=34,
                interval=interval,
                probe=Probe(kind=MOISTURE_PROBE, efficiency=0.9, zero_error=4.0, seed=seed),
            ),
            VirtualSensor(chip=DS18B20, gpio=4, interval=interval),
        ),
        actuators=(
            VirtualActuator(
                gpio=27,
                actuator_type="pump",
                name="Irrigation pump",
                pushes={Quantity.MOISTURE: 60.0},
            ),
        ),
    )


def _herb_table(seed: int, interval: float) -> VirtualDevice:
    return VirtualDevice(
        esp_id="ESP_4E2B5A",
        name="Herb table",
        dialect=FEBRUARY,
        seed=seed,
        zone_id="herbs",
        sensors=(
            VirtualSensor(
                chip=DS18B20, gpio=4, interval=interval, onewire_address="28FF641E8D3C0C79"
            ),
            VirtualSensor(chip=MOISTURE, gpio=35, interval=interval),
        ),
        actuators=(
            VirtualActuator(
                gpio=26,
                actuator_type="valve",
                name="Drip valve",
                pushes={Quantity.MOISTURE: 40.0},
            ),
        ),
    )


def _propagation_bench(seed: int, interval: float) -> VirtualDevice:
    return VirtualDevice(
        esp_id="ESP_5EED00",
        name="Propagation bench",
        dialect=NOVEMBER,
        seed=seed,
        asks_server=True,
        sensors=(
            VirtualSensor(chip=DS18B20, gpio=4, interval=interval),
            VirtualSensor(chip=PH, gpio=35, interval=interval),
        ),
        actuators=(
            VirtualActuator(
                gpio=14,
                actuator_type="valve",
                name="Acid dosing valve",
                pushes={Quantity.PH: -1.2},
            ),
        ),
    )


def uniform(count: int, interval: float, seed: int = 1) -> Sequence[VirtualDevice]:
    """Return many boards of the newest firmware, each with one probe and one relay.

    Args:
        count: How many.
        interval: Seconds between two samples of each.
        seed: The same seed gives the same fleet.
    """
    return tuple(
        VirtualDevice(
            esp_id=f"ESP_{number:06X}",
            name=f"Probe {number}",
            dialect=HEAD,
            seed=seed,
            sensors=(
                VirtualSensor(
                    chip=DS18B20,
                    gpio=4,
                    interval=interval,
                    onewire_address=f"28{number:012X}00",
                ),
            ),
            actuators=(VirtualActuator(gpio=5, actuator_type="relay"),),
        )
        for number in range(1, count + 1)
    )
