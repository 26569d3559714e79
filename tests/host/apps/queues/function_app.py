"""Writes what it sees to a file, and does what the message says."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import azure.functions as func

app = func.FunctionApp()
seen = Path(os.environ["SEEN"])  # noqa: TID251 - where the test looks
running = 0


def note(msg: func.QueueMessage, **more: Any) -> dict[str, Any]:
    body = json.loads(msg.get_body())
    entry = {
        "name": body["name"],
        "at": time.time(),
        "id": msg.id,
        "dequeue_count": msg.dequeue_count,
        "inserted_at": str(msg.insertion_time),
        "expires_at": str(msg.expiration_time),
        "visible_at": str(msg.time_next_visible),
        "pop_receipt": msg.pop_receipt,
        **more,
    }
    with seen.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
    return body


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-work", connection="StorageUnderTest")
async def work(msg: func.QueueMessage, context: func.Context) -> None:
    global running  # noqa: PLW0603 - how many run at once is what the test asks
    running += 1
    try:
        body = note(msg, running=running, function=context.function_name)
        await asyncio.sleep(body.get("seconds", 0))
        if body.get("fail"):
            raise RuntimeError("as the message says")
    finally:
        running -= 1


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-work-poison", connection="StorageUnderTest")
def imported(msg: func.QueueMessage) -> None:
    body = note(msg, function="imported")
    if body.get("fail_in_poison"):
        raise RuntimeError("as the message says")


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-plain", connection="StorageUnderTest")
async def plain(msg: func.QueueMessage) -> None:
    if note(msg, function="plain").get("fail"):
        raise RuntimeError("as the message says")


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-later", connection="StorageUnderTest")
async def later(msg: func.QueueMessage) -> None:
    note(msg, function="later")


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-value", connection="StorageUnderTest")
async def with_value(msg: func.QueueMessage) -> str:
    note(msg, function="with_value")
    return "nobody takes this"


@app.queue_trigger(arg_name="msg", queue_name="lost", connection="NoSuchSetting")
async def unconnected(msg: func.QueueMessage) -> None:
    note(msg)


@app.queue_trigger(arg_name="msg", queue_name="%NO_SUCH_NAME%", connection="StorageUnderTest")
async def unnamed(msg: func.QueueMessage) -> None:
    note(msg)
