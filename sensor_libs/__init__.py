"""Sensor libraries: what turns raw values into measurements, replaceable while the server runs."""
