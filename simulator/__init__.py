"""Virtual ESP32s that speak the real protocol: for the demo, for tests and for benchmarks.

A device is a pure state machine that is told the time; only `fleet` does I/O. It shares
the topics and payloads of `mqtt_bridge` with the server, and keeps what devices themselves write in
`dialects`.
"""
