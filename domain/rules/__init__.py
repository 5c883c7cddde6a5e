"""Conditions over sensors, times and devices, and the rules made of them; pure, told the time."""
