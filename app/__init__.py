"""Puts the parts together: settings, wiring, process, command line; nobody imports it."""
