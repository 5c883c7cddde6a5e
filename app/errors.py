"""What ends the start: told in one line that names the setting and the way out, never a trace."""


class StartError(Exception):
    """The server cannot start, for a reason that its operator can remove."""


class SettingsError(StartError):
    """A setting is wrong."""


class EmbeddedError(StartError):
    """An embedded part cannot start."""
