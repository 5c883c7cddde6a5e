"""The REST interface of the system before this one, for clients that cannot be changed any more.

A row of `routes.ROUTES` for each endpoint; today those that devices themselves call, and the
emergency stop.
"""

from app.legacy_rest.routes import LegacyServices, routes

__all__ = ["LegacyServices", "routes"]
