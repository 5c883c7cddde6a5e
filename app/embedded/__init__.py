"""The parts that a greenhouse without a database or a broker gets from us, as child processes."""
