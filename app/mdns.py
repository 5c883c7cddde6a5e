"""Tells devices in the local network where the broker is, so that nobody has to type an address.

DNS-SD over multicast DNS (RFC 6762, RFC 6763); the records: device protocol, section 3.6.
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

import ifaddr
import structlog
from structlog.typing import FilteringBoundLogger
from zeroconf import Error, IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from app.settings import Settings
from domain.ports import Clock
from mqtt_bridge.session import BrokerAddress

SERVICE = "_mqtt._tcp.local."
INSTANCE = f"god-kaiser.{SERVICE}"
TEXT = {"version": "1.0", "protocol": "mqtt", "tls_port": "8883"}

LOOK_EVERY = 30.0
"""Seconds between two looks at this computer's addresses, and between two tries."""

_log: FilteringBoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcer:
    """Announces the broker, and takes it back when it ends.

    Attributes:
        addresses: Returns the IPv4 addresses that devices reach the broker at, now.
        port: Of the broker, without TLS.
        interfaces: Returns the addresses of our own interfaces to announce it on, now.
    """

    addresses: Callable[[], Sequence[str]]
    port: int
    interfaces: Callable[[], Sequence[str]]
    clock: Clock

    async def run(self) -> None:
        """Announce until cancelled; begin again when addresses change or the network comes back."""
        while True:
            try:
                await self._announce()
            except (OSError, Error) as error:
                # Another of our name in the network, or no network: not worth the server's life.
                reason = str(error) or type(error).__name__
                _log.warning("mdns.failed", error=reason, retry_in_seconds=LOOK_EVERY)
                await self.clock.sleep(LOOK_EVERY)

    async def _announce(self) -> None:
        addresses, interfaces = self.addresses(), self.interfaces()
        if not addresses or not interfaces:
            raise OSError("this computer has no address in a network")
        async with AsyncZeroconf(list(interfaces), ip_version=IPVersion.V4Only) as zeroconf:
            info = service(addresses, self.port)
            await (await zeroconf.async_register_service(info))
            _log.info("mdns.announced", addresses=list(addresses), port=self.port)
            while (self.addresses(), self.interfaces()) == (addresses, interfaces):
                await self.clock.sleep(LOOK_EVERY)


def service(addresses: Sequence[str], port: int) -> ServiceInfo:
    """Return the records that say where the broker is."""
    return ServiceInfo(
        SERVICE,
        INSTANCE,
        port=port,
        properties=TEXT,
        server=f"{socket.gethostname().partition('.')[0] or 'god-kaiser'}.local.",
        parsed_addresses=list(addresses),
    )


def announcer(settings: Settings, broker_url: str, clock: Clock) -> Announcer | None:
    """Return what announces the broker, if that is wanted and would help anybody.

    Args:
        settings: Say whether it is wanted, and whose the broker is.
        broker_url: Where it is for us.
        clock: Tells when to look again.
    """
    if settings.mdns == "off":
        return None
    broker = BrokerAddress.from_url(broker_url)
    host = broker.host if settings.mqtt_url else settings.mqtt_host
    host = "127.0.0.1" if host == "localhost" else host
    reason = _hidden(host, encrypted=broker.encrypted, own=not settings.mqtt_url)
    if reason is not None:
        _log.warning("mdns.not_announced", broker=host, reason=reason)
        return None
    here = _is_here(host)
    if here and settings.mqtt_url:
        note = "cannot see from here whether that broker listens on the network"
        _log.warning("mdns.unsure", broker=host, note=note)

    def addresses() -> Sequence[str]:
        return local_addresses() if here else (host,)

    return Announcer(addresses=addresses, port=broker.port, interfaces=local_addresses, clock=clock)


def local_addresses() -> tuple[str, ...]:
    """Return this computer's IPv4 addresses in networks, loopback left out."""
    found = {
        str(ip.ip)
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if ip.is_IPv4 and not ip_address(str(ip.ip)).is_loopback
    }
    return tuple(sorted(found))


def _hidden(host: str, *, encrypted: bool, own: bool) -> str | None:
    """Return why no device could use what would be announced; None when one could."""
    if encrypted:
        return "KAISER_MQTT_URL is mqtts://, and devices speak without TLS"
    try:
        address = ip_address(host)
    except ValueError:
        return "KAISER_MQTT_URL names no IP address"
    if own and address.is_loopback:
        return "the broker listens on this computer only; set KAISER_MQTT_HOST=0.0.0.0"
    if address.version != 4 and not _is_here(host):  # noqa: PLR2004 - its name
        return "devices speak IPv4 only"
    return None


def _is_here(host: str) -> bool:
    return ip_address(host).is_unspecified or ip_address(host).is_loopback
