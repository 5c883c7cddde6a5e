"""Virtual sensors: what the real chips would say about a true value.

The formulas are the inverse of those in the device protocol, section 5.4, so that a server that
converts a raw value correctly finds the true value again, up to one step of the chip.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.probes import Liquid, Probe
from simulator.surroundings import Quantity, Surroundings

ADC_TOP = 4095
ADC_VOLTS = 3.3
_ADC_SUSPECT = (49, 4046)
_WORD_TOP = 65_535
_DRY, _WET = 3200, 1500
_MICROSIEMENS_PER_VOLT = 6060
_DS18B20_POWER_ON = 1360


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One kind of measurement of one kind of chip.

    Attributes:
        sensor_type: The name that firmware of 2026 sends.
        early_type: The name that the first firmware sent.
        quantity: What it feels.
        unit: The unit of `to_value`.
        to_raw: From a true value to the word on the wire.
        to_value: And back.
        analog: Read by the ADC: the firmware has no formula for it, and previews the raw value.
    """

    sensor_type: str
    early_type: str
    quantity: Quantity
    unit: str
    to_raw: Callable[[float], int]
    to_value: Callable[[int], float]
    analog: bool = False

    def quality(self, raw: int) -> str:
        """Return what firmware of 2026 thinks of a raw value."""
        if self.analog:
            low, high = _ADC_SUSPECT
            return "suspect" if raw <= low or raw >= high else "good"
        if self.sensor_type == "ds18b20" and raw == _DS18B20_POWER_ON:
            return "suspect"
        return "good"


def _within(value: float, top: int) -> int:
    return max(0, min(top, round(value)))


def _volts(raw: int) -> float:
    return raw / ADC_TOP * ADC_VOLTS


DS18B20 = Chip(
    sensor_type="ds18b20",
    early_type="temperature_ds18b20",
    quantity=Quantity.TEMPERATURE,
    unit="°C",
    to_raw=lambda celsius: round(celsius / 0.0625),
    to_value=lambda raw: raw * 0.0625,
)
SHT31_TEMPERATURE = Chip(
    sensor_type="sht31_temp",
    early_type="temperature_sht31",
    quantity=Quantity.TEMPERATURE,
    unit="°C",
    to_raw=lambda celsius: _within((celsius + 45.0) / 175.0 * _WORD_TOP, _WORD_TOP),
    to_value=lambda raw: -45.0 + 175.0 * raw / _WORD_TOP,
)
SHT31_HUMIDITY = Chip(
    sensor_type="sht31_humidity",
    early_type="humidity_sht31",
    quantity=Quantity.HUMIDITY,
    unit="%",
    to_raw=lambda percent: _within(percent / 100.0 * _WORD_TOP, _WORD_TOP),
    to_value=lambda raw: 100.0 * raw / _WORD_TOP,
)
MOISTURE = Chip(
    sensor_type="moisture",
    early_type="soil_moisture",
    quantity=Quantity.MOISTURE,
    unit="%",
    to_raw=lambda percent: _within(_DRY + (_WET - _DRY) * percent / 100.0, ADC_TOP),
    to_value=lambda raw: 100.0 * (raw - _DRY) / (_WET - _DRY),
    analog=True,
)
PH = Chip(
    sensor_type="ph",
    early_type="ph_sensor",
    quantity=Quantity.PH,
    unit="pH",
    to_raw=lambda ph: _within((1.5 + (7.0 - ph) / 3.5) / ADC_VOLTS * ADC_TOP, ADC_TOP),
    to_value=lambda raw: 7.0 - 3.5 * (_volts(raw) - 1.5),
    analog=True,
)
EC = Chip(
    sensor_type="ec",
    early_type="ec_sensor",
    quantity=Quantity.CONDUCTIVITY,
    unit="µS/cm",
    to_raw=lambda conductivity: _within(
        conductivity / _MICROSIEMENS_PER_VOLT / ADC_VOLTS * ADC_TOP, ADC_TOP
    ),
    to_value=lambda raw: _MICROSIEMENS_PER_VOLT * _volts(raw),
    analog=True,
)
BH1750 = Chip(
    sensor_type="bh1750",
    early_type="bh1750",
    quantity=Quantity.LIGHT,
    unit="lx",
    to_raw=lambda lux: _within(lux * 1.2, _WORD_TOP),
    to_value=lambda raw: raw / 1.2,
)
CHIPS: Mapping[str, Chip] = {
    chip.sensor_type: chip
    for chip in (DS18B20, SHT31_TEMPERATURE, SHT31_HUMIDITY, MOISTURE, PH, EC, BH1750)
}
"""Every chip by the name that firmware of 2026 sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualSensor:
    """A chip on a pin.

    Attributes:
        gpio: The pin; the newest firmware reports 0 for I2C.
        interval: Seconds between two samples.
        i2c_address: 7-bit address, where the chip has one.
        onewire_address: ROM in 16 hex digits, where the chip has one.
        probe: What it measures with; None: an ideal one.
    """

    chip: Chip
    gpio: int
    interval: float = 5.0
    i2c_address: int | None = None
    onewire_address: str | None = None
    probe: Probe | None = None

    def read(self, surroundings: Surroundings, now: float) -> int:
        """Return the word that the chip has at a time (Unix seconds)."""
        quantity = self.chip.quantity
        if self.probe is None:
            return self.chip.to_raw(surroundings.measure(quantity))
        celsius = surroundings.true_value(Quantity.TEMPERATURE)
        around = Liquid(surroundings.true_value(quantity), celsius)
        return self.chip.to_raw(self.probe.feel(around, now))


@dataclass(frozen=True, slots=True)
class Sampled:
    """A sensor was read: its raw word before any generation's way of writing it."""

    sensor: VirtualSensor
    raw: int
