"""What the host could not do, in words for the person who started it."""


class HostError(Exception):
    """The host cannot start; the message is one sentence that says why."""


class AppImportError(HostError):
    """The app's own code failed while it was imported; its traceback is the cause."""


class FunctionLoadError(Exception):
    """One function cannot be served; the others can. The message says why."""
