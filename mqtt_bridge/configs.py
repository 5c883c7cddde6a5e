"""Configurations and zones on the wire: cut to what a device can take, and told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from domain.config_rounds import Message
from domain.configs import ConfigAnswer, DeviceConfig
from domain.devices import Device
from domain.errors import BadInputError
from domain.ports import Receiver
from domain.zones import ZoneAnswer, ZoneAssignment
from mqtt_bridge.control import Control, Sender
from mqtt_bridge.dialects import DIALECTS, worded
from mqtt_bridge.payloads.configs import split
from mqtt_bridge.topics import GOD


class ConfigWatch(Protocol):
    """Who wants to know what devices say to their configuration."""

    def answered(self, answer: ConfigAnswer | ZoneAnswer) -> None:
        """Take in an answer."""
        ...


@dataclass(slots=True, kw_only=True)
class ConfigWire:
    """Implements domain.ports.ConfigLink."""

    sender: Sender

    @staticmethod
    def attach(control: Control, watch: ConfigWatch) -> None:
        """Let somebody hear the answers."""
        control.on_answer(ConfigAnswer, watch.answered)
        control.on_answer(ZoneAnswer, watch.answered)

    @staticmethod
    def receiver(device: Device) -> Receiver:
        """Return what a device can take, by its firmware; see domain.ports.ConfigLink.

        Who would not hear on a new topic level stays on the one it has, even if that is empty.
        """
        dialect = DIALECTS[device.firmware_generation]
        return Receiver(
            limit=dialect.largest_config,
            both_spellings=dialect.documented_keys,
            answers_removal=dialect.answers_zone_removal,
            knows_subzones=dialect.knows_subzones,
            home=GOD if dialect.hears_new_level else device.kaiser_id,
            firmware=device.firmware_generation,
        )

    @staticmethod
    def parts(config: DeviceConfig, receiver: Receiver) -> Sequence[DeviceConfig]:
        """Word a configuration, and cut it; see domain.ports.ConfigLink."""
        return split(worded(config, receiver.firmware), receiver.limit)

    async def tell(self, message: Message) -> None:
        """Send a part of a configuration; see domain.ports.ConfigLink."""
        try:
            await self.sender.send(message)
            if isinstance(message, ZoneAssignment) and not message.kaiser_id:
                # A device without a level hears its zone on that of the server, too.
                await self.sender.send(replace(message, kaiser_id=GOD))
        except ValueError as error:
            raise BadInputError(f"no device could read this: {error}") from error
