"""An MQTT broker as our child, for greenhouses that have none: Mosquitto where it is installed.

Else iotcore, which is a package of ours. It keeps everything in memory: good for a look around.
"""

import asyncio
import os
import shutil
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

import structlog
from structlog.typing import FilteringBoundLogger
from typing_extensions import override

from app.embedded.account import Account
from app.embedded.child import Child, Launch
from app.embedded.service import Service
from app.errors import EmbeddedError
from app.listening import check_port

Flavour = Literal["mosquitto", "iotcore"]

_log: FilteringBoundLogger = structlog.get_logger(__name__)
_USERS = ("mosquitto", "nobody")
_MESSAGE_LIMIT = 256 * 1024  # bytes; the largest message of a device is some 4 KiB
_IN_FLIGHT = 4000  # messages; more than any batch, or a batch that never fills would never end
_PROJECT = Path(__file__).parents[2]
_PORT_ADVICE = (
    "perhaps a Mosquitto that Debian started (sudo systemctl disable --now mosquitto); "
    "stop it, choose another port, or set KAISER_MQTT_URL to that broker"
)

# Mosquitto acknowledges before its disk; it writes everything it holds, so once a second is often.
# No limit to the queue: what a device was told is delivered is dropped by nobody.
_MOSQUITTO = """\
listener {port} {host}
allow_anonymous true
persistence true
persistence_location {directory}/
autosave_interval 1
autosave_on_changes false
max_queued_messages 0
max_inflight_messages {in_flight}
max_packet_size {message_limit}
set_tcp_nodelay true
persistent_client_expiration 14d
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages false
log_timestamp_format %Y-%m-%dT%H:%M:%S
"""

# Memory is bounded by segments: 16 of 4 MiB for each topic filter, some 200,000 readings.
_IOTCORE = """\
id = 0

[router]
id = 0
max_connections = 10000
max_outgoing_packet_count = 200
max_segment_size = 4194304
max_segment_count = 16

[v4.1]
name = "mqtt"
listen = "{address}"
next_connection_delay_ms = 0

[v4.1.connections]
connection_timeout_ms = 60000
max_payload_size = {message_limit}
max_inflight_count = {in_flight}
dynamic_filters = true
"""


class EmbeddedBroker(Service):
    """An MQTT 3.1.1 broker without passwords, on loopback unless told otherwise."""

    def __init__(
        self,
        data_dir: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 1883,
        prefer: Flavour | None = None,
        start_deadline: float = 30.0,
    ) -> None:
        """Describe it; nothing happens yet.

        Args:
            data_dir: What KAISER_DATA_DIR names; made when it is missing.
            host: The IP address to listen on.
            port: 1 to 65535; 0 takes a free one at the first start.
            prefer: Which broker; None for Mosquitto where it is installed, else iotcore.
            start_deadline: Seconds until it must answer.
        """
        super().__init__("broker", data_dir, start_deadline=start_deadline)
        self.host = host
        self.port = port
        self._mosquitto = None if prefer == "iotcore" else installed_mosquitto()
        if prefer == "mosquitto" and self._mosquitto is None:
            raise EmbeddedError("Mosquitto is not installed; run: sudo apt install mosquitto")
        self.flavour: Flavour = "mosquitto" if self._mosquitto else "iotcore"

    @property
    @override
    def url(self) -> str:
        return f"mqtt://{_join(self._reachable_host, self.port)}"

    @property
    def _reachable_host(self) -> str:
        """Where we connect to ourselves: a wildcard address is no place to go."""
        address = ip_address(self.host)
        if not address.is_unspecified:
            return self.host
        return "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004 - its name

    @override
    async def _prepare(self) -> Launch:
        self.port = check_port(self.host, self.port, setting="KAISER_MQTT", advice=_PORT_ADVICE)
        directory = self.data_dir / "mosquitto"
        account = Account.owning(directory, _USERS)
        account.check_reaches(self.data_dir)
        if not ip_address(self.host).is_loopback:
            _log.warning("broker.open_to_network", host=self.host, port=self.port)
        if self._mosquitto is None:
            _log.warning("broker.limited", note="no topic rules, nothing survives its restart")
            text = _IOTCORE.format(
                address=_join(self.host, self.port),
                message_limit=_MESSAGE_LIMIT,
                in_flight=_IN_FLIGHT,
            )
            program = [sys.executable, "-m", "app.embedded.iotcore_broker"]
            program.append(self._write("iotcore.toml", text))
            return Launch(
                program=program, account=account, directory=_PROJECT, drops_root_itself=True
            )
        account.own(directory)
        text = _MOSQUITTO.format(
            host=self.host,
            port=self.port,
            directory=directory,
            message_limit=_MESSAGE_LIMIT,
            in_flight=_IN_FLIGHT,
        )
        program = [str(self._mosquitto), "-c", self._write("mosquitto.conf", text)]
        return Launch(program=program, account=account, directory=directory)

    @override
    def _explain(self, last_words: str) -> str | None:
        saved = self.data_dir / "mosquitto" / "mosquitto.db"
        if "open database" not in last_words:
            return None
        return (
            f"KAISER_DATA_DIR: Mosquitto cannot read {saved}; set it aside (what was in its "
            f"queues is lost): mv {saved} {saved}.damaged"
        )

    def _write(self, name: str, text: str) -> str:
        """Write a configuration that the child's user can read and not change."""
        path = self.data_dir / name
        path.write_text(text)
        path.chmod(0o644)
        return str(path)

    @override
    async def _answers(self, child: Child) -> bool:
        try:
            async with asyncio.timeout(1):
                _, writer = await asyncio.open_connection(self._reachable_host, self.port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return child.exit_code is None


def installed_mosquitto() -> Path | None:
    """Find Mosquitto; Debian puts it where only root's PATH looks."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which("mosquitto", path=places)
    return Path(found) if found else None


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
