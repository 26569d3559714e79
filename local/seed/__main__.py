"""`make seed`: fill a running copy with sample data. Doing it again changes nothing."""

import argparse
import asyncio
import sys
import time
from typing import Final

import aiohttp

from local.run.environment import RunSettings
from local.run.errors import StackError
from local.run.ports import LOOPBACK
from local.seed.client import SeedError, Target, side_by_side
from local.seed.history import history
from local.seed.people import person

_CUSTOMERS: Final = 200
_IMPORTED: Final = ("consents", "orders", "cases", "interactions")  # orders before what is about them
_CUSTOMERS_PATH: Final = "/api/private/v1/customers"


async def seed(url: str, function_key: str, *, customers: int = _CUSTOMERS) -> dict[str, int]:
    """Give the sample to the copy at this address, and return how much of each there is.

    Raises:
        SeedError: the copy did not take it.
    """
    people = [person(number) for number in range(1, customers + 1)]
    pasts = [history(one) for one in people]
    headers = {"x-functions-key": function_key, "X-Actor": "sample"}
    async with aiohttp.ClientSession(headers=headers) as http:
        target = Target(http, url)
        imported = await target.load("customers", [one.row for one in people])
        ids = await target.ids(imported["id"])
        # Preferences first: orders take over what they leave open from them.
        await side_by_side(
            [
                target.amend(f"{_CUSTOMERS_PATH}/{one}/preferences", past.preferences, key=f"sample-{one}")
                for one, past in zip(ids, pasts, strict=True)
                if past.preferences
            ]
        )
        for kind in _IMPORTED:
            await target.load(kind, [row for past in pasts for row in getattr(past, kind)])
        told = [(one, said) for one, past in zip(ids, pasts, strict=True) for said in past.feedback]
        await side_by_side([target.tell(f"{_CUSTOMERS_PATH}/{one}/feedback", said) for one, said in told])
    return {
        "customers": len(people),
        "preferences": sum(past.preferences is not None for past in pasts),
        **{kind: sum(len(getattr(past, kind)) for past in pasts) for kind in _IMPORTED},
        "feedback": len(told),
    }


def main() -> int:
    """Return 0 when the sample is there."""
    parser = argparse.ArgumentParser(prog="make seed", description=__doc__)
    parser.add_argument("--url", help="a running copy; without it, the one that `make run` serves")
    parser.add_argument("--key", help="its function key")
    parser.add_argument("--customers", type=int, default=_CUSTOMERS, choices=range(1, 1000), metavar="1-999")
    asked = parser.parse_args()
    started = time.monotonic()
    try:
        settings = RunSettings.read()
        url = asked.url or f"http://{LOOPBACK}:{settings.ports.app}"
        made = asyncio.run(seed(url.rstrip("/"), asked.key or settings.function_key, customers=asked.customers))
    except (StackError, SeedError) as error:
        print(error, file=sys.stderr)
        return 1
    except aiohttp.ClientConnectionError as error:
        print(f"Nothing answers: is `make run` serving in another terminal? ({error})", file=sys.stderr)
        return 1
    told = ", ".join(f"{number} {name}" for name, number in made.items())
    print(f"There are {told} (external ids seed:S-0001 and on), in {time.monotonic() - started:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
