"""Whether a port can be had, told before anything else starts."""

import errno
import socket

from app.errors import StartError


def check_port(host: str, port: int, *, setting: str, advice: str) -> int:
    """Make sure that a port is free.

    Args:
        host: IP address to listen on.
        port: 1 to 65535; 0 for any that is free.
        setting: The start of the names of the two settings, such as KAISER_HTTP.
        advice: What else helps when another program has the port.

    Returns:
        The port.

    Raises:
        StartError: It cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = f"port {port} is in use by another program; {advice}"
                raise StartError(f"{setting}_PORT: {reason}") from None
            if error.errno == errno.EACCES:
                reason = f"port {port} is reserved for root; choose one from 1024"
                raise StartError(f"{setting}_PORT: {reason}") from None
            reason = f"this computer cannot listen on {host}: {error.strerror}"
            raise StartError(f"{setting}_HOST: {reason}") from None
        bound: int = trial.getsockname()[1]
        return bound


def check_http_port(host: str, port: int) -> int:
    """Make sure that the port of the HTTP server is free; see `check_port`."""
    advice = "is a server running already? Else stop that program, or choose another port"
    return check_port(host, port, setting="KAISER_HTTP", advice=advice)
