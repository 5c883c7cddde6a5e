"""Whether something is there, in GraphQL: devices and relays say it in the same words."""

import strawberry

from domain.devices import OFFLINE_AFTER, DeviceStatus

__all__ = ["DeviceStatus"]

strawberry.enum(
    DeviceStatus,
    description=(
        "What is known of a device's presence. DISCOVERED: heard, but not approved yet. ONLINE: "
        f"heard within {OFFLINE_AFTER.total_seconds():g} s, or what the operator set. "
        "OFFLINE: silent for longer, or its connection broke. ERROR: it says of itself that it "
        "does not work."
    ),
)
