"""The ESP32 protocol: pure topics, messages and payloads, and one session that does the I/O.

The pure half is shared with the virtual devices, so that both ends of the wire read the same table.
"""
