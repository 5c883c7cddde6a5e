"""Whoever is told what growers should know of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.actuators import Pin
from domain.system_events import Detail, Severity


@dataclass(slots=True)
class FakeReports:
    """Remembers what was reported, the name of the report first."""

    said: list[tuple[object, ...]] = field(default_factory=list)
    heartbeats: list[tuple[str, datetime]] = field(default_factory=list)

    def heartbeat(self, esp_id: str, at: datetime) -> None:
        self.heartbeats.append((esp_id, at))

    def online(self, esp_id: str) -> None:
        self.said.append(("online", esp_id))

    def offline(self, esp_id: str, reason: str) -> None:
        self.said.append(("offline", esp_id, reason))

    def restarted(self, esp_id: str, reason: str) -> None:
        self.said.append(("restarted", esp_id, reason))

    def discovered(self, esp_id: str, at: datetime) -> None:
        self.said.append(("discovered", esp_id, at))

    def flapping(self, esp_id: str, reason: str) -> None:
        self.said.append(("flapping", esp_id, reason))

    def steady(self, esp_id: str) -> None:
        self.said.append(("steady", esp_id))

    def safe_mode(self, esp_id: str, *, active: bool, reason: str = "") -> None:
        self.said.append(("safe mode", esp_id, active, reason))

    def alert(self, pin: Pin, said: str, message: str = "") -> None:
        self.said.append(("alert", pin, said, message))

    def device_error(
        self,
        esp_id: str,
        said: int | str,
        severity: Severity,
        *,
        message: str = "",
        details: Mapping[str, Detail],
    ) -> None:
        self.said.append(("error", esp_id, said, severity, message, dict(details)))
