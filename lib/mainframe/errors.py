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
