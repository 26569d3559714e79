"""`python -m local.demo`: tell the story, and say whether all of it was as promised."""

import sys
import time

from local.demo.client import Client, NobodyAnswersError, NotAsPromisedError
from local.demo.story import Story
from local.run.environment import RunSettings
from local.run.errors import StackError
from local.run.ports import LOOPBACK


def main() -> int:
    """Return 0 when every step was as promised, 1 after naming the first that was not."""
    try:
        settings = RunSettings.read()
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    story = Story(
        client=Client(show=lambda text: print(f"    {text}", flush=True)),
        api=f"http://{LOOPBACK}:{settings.ports.app}",
        control=f"http://{LOOPBACK}:{settings.ports.control}",
        function_key=settings.function_key,
    )
    try:
        return _tell(story)
    except NobodyAnswersError as error:
        print(f"\nNothing answers at {error}: is `make run` serving in another terminal?", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


def _tell(story: Story) -> int:
    steps = story.steps()
    started = time.monotonic()
    try:
        for number, (title, step) in enumerate(steps, 1):
            print(f"\n{number}. {title}", flush=True)
            try:
                step()
            except NotAsPromisedError as error:
                print(f"\nStep {number} was not as promised: {error}.", file=sys.stderr)
                return 1
    finally:
        story.tidy()
    print(f"\nAll {len(steps)} steps as promised, in {time.monotonic() - started:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
