"""What keeps the platform from running here. Every message is a sentence for the person at the terminal."""


class StackError(Exception):
    """It cannot run, or not go on; the message says why and what helps."""


class PortError(StackError):
    """A port is taken, or makes no sense."""


class DataInUseError(StackError):
    """Another copy runs on the same data."""


class NoSpaceError(StackError):
    """The disk is full."""


class ChildError(StackError):
    """A process did not start, or ended by itself."""


class StartStoppedError(StackError):
    """Somebody asked to stop before everything ran."""
