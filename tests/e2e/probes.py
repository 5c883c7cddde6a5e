"""A sensor that shows whatever a story wants, at whatever time it wants."""

import json

import aiomqtt

from app.clock import SystemClock
from app.embedded.broker import EmbeddedBroker

PROBE = "ESP_7E57A1"
SENSOR = {"espId": PROBE, "gpio": 4, "sensorType": "ds18b20"}
TOPIC = f"kaiser/god/esp/{PROBE}/sensor/4/data"


class Probe:
    """A DS18B20 on a board that does nothing else.

    Attributes:
        at: When it measured last, Unix seconds.
        every: Seconds between two readings.
    """

    def __init__(self, broker: EmbeddedBroker, ago: float = 120, every: float = 1) -> None:
        self._port = broker.port
        self.at, self.every = now() - ago, every

    async def shows_now(self, celsius: float) -> None:
        self.at = now() - self.every
        await self.shows(celsius)

    async def shows(self, *celsius: float) -> None:
        async with aiomqtt.Client("127.0.0.1", self._port) as client:
            for value in celsius:
                self.at += self.every
                said = {
                    "esp_id": PROBE,
                    "gpio": 4,
                    "sensor_type": "ds18b20",
                    "raw": round(value * 16),
                    "raw_mode": True,
                    "ts": self.at,
                    "time_valid": True,
                }
                await client.publish(TOPIC, json.dumps(said), qos=1)


def now() -> float:
    return SystemClock().now().timestamp()
