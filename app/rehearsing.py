"""Rehearsals of rules, put together."""

from uuid_utils.compat import uuid7

from app.ground import Ground
from domain.services.rehearse import Rehearse


def rehearsing(ground: Ground) -> Rehearse:
    """Make the service that rehearses rules."""
    return Rehearse(
        storage=ground.database, registry=ground.registry, clock=ground.clock, new_id=uuid7
    )
