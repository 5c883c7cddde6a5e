"""What sensors deliver, and what the server asks of them."""

from dataclasses import dataclass, field

from domain.devices import FirmwareEvidence
from domain.sensors import Quality, Sample
from mqtt_bridge.messages.base import FromDevice, ToDevice


@dataclass(frozen=True, slots=True)
class SensorData:
    """A device reports one sample or several."""

    samples: tuple[Sample, ...]
    firmware: FirmwareEvidence | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingRequest(FromDevice):
    """A device asks for a raw value to be converted.

    Attributes:
        interface: How the sensor is wired, such as `analog`; empty where it does not say.
    """

    gpio: int
    sensor_type: str
    raw_value: float
    interface: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingResponse(ToDevice):
    """The converted value, or why there is none.

    Attributes:
        gpio: Whose value it is; None as in the reference, where an answer cannot be matched.
        processed_value: The value; None where `error` says why there is none, or the sensor has
            two: `temperature` (°C) and `humidity` (%RH).
        timestamp: Unix seconds; 0: not said.
        both_spellings: Whether the value stands under `value`, with a `status`, too.
    """

    gpio: int | None = None
    processed_value: float | None = None
    unit: str = ""
    quality: Quality = Quality.UNKNOWN
    temperature: float | None = None
    humidity: float | None = None
    timestamp: int = 0
    error: str = ""
    both_spellings: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureCommand(ToDevice):
    """Measure now; only firmware since January 2026 can.

    Attributes:
        timeout_ms: How long the measurement may take, 1..60000.
    """

    gpio: int
    request_id: str
    timeout_ms: int = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureResponse(FromDevice):
    """How a measurement on demand went.

    Attributes:
        reason: `NONE`, or the firmware's word for what went wrong.
    """

    gpio: int
    request_id: str
    success: bool
    measured: bool
    published: bool
    timed_out: bool
    reason: str = ""
    sensor_type: str = ""
    raw_value: float | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class OneWireDevice:
    """A chip found on a OneWire bus.

    Attributes:
        rom_code: 16 hexadecimal digits.
    """

    rom_code: str
    device_type: str
    pin: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneWireScan(FromDevice):
    """What hangs on a device's OneWire buses."""

    devices: tuple[OneWireDevice, ...]
