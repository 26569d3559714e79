"""What can go wrong between our words and the mainframe's, named by what the caller can do next."""


class CopybookError(Exception):
    """A copybook says what we do not understand. Names the line, and the clause."""

    def __init__(self, line: int, message: str) -> None:
        """Keep the line, counted from 1."""
        super().__init__(f"line {line}: {message}")
        self.line = line


class RecordError(Exception):
    """A value does not fit its field, or bytes are not what the copybook declares. Names the field, never the value."""

    def __init__(self, field: str, problem: str) -> None:
        """Keep the field's name as the copybook has it, with its subscripts counted from 1."""
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


class FrameError(Exception):
    """What came over the wire is not a frame: cut off, too long, or not framed at all."""


class UnfitError(Exception):
    """A value can never be written to the mainframe's record: a permanent rejection, found before any call.

    Names the field in our words and a reason code; never the value.
    """

    def __init__(self, reason_code: str, field: str, reason_text: str) -> None:
        """Keep the reason code (as long as the reply header's), the field as a JSON Pointer, and a sentence."""
        super().__init__(f"{field}: {reason_text}")
        self.reason_code = reason_code
        self.field = field
        self.reason_text = reason_text


class MainframeError(Exception):
    """The mainframe did not do what it was asked, or we do not know."""


class MainframeUnreachableError(MainframeError):
    """No connection could be opened: nothing was sent, and trying again later is all there is to do."""


class NoAnswerError(MainframeError):
    """The request left and no answer can be trusted: it may or may not have been done.

    The version guard makes sending again safe; an inquiry first saves a slow call.
    """


class GarbledReplyError(NoAnswerError):
    """Something came back that is no reply to this request, so that the outcome is unknown."""


class MainframeRefusedError(MainframeError):
    """A question was answered with busy, abended or rejected; there is nothing that could have been changed."""

    def __init__(self, return_code: int, reason_code: str) -> None:
        """Keep the codes of the reply."""
        super().__init__(f"the mainframe answered {return_code:02d} {reason_code}".rstrip())
        self.return_code = return_code
        self.reason_code = reason_code
