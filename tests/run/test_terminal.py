import io
import os

from local.run.terminal import Terminal


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestLine:
    def test_tells_the_children_apart(self) -> None:
        out = io.StringIO()
        terminal = Terminal(out)

        terminal.line("app", "listening")
        terminal.line("mainframe", "listening")

        assert out.getvalue() == "app       | listening\nmainframe | listening\n"

    def test_has_colour_only_for_somebody_who_looks(self) -> None:
        screen = Screen()

        Terminal(screen).line("app", "listening")

        assert screen.getvalue() == "\x1b[36mapp       |\x1b[0m listening\n"

    def test_goes_on_when_the_reader_is_gone(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            out = io.TextIOWrapper(pipe, write_through=True)

            Terminal(out).line("app", "listening")

            out.detach()
