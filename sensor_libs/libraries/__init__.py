"""One file per family of sensors; read by `sensor_libs.loader`, imported by nobody."""
