"""What is true about devices, sensors, actuators and commands.

Standard library only: nothing here does I/O, reads a clock or imports another package of ours.
"""
