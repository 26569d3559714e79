# ruff: noqa: ARG001, N802 - the host passes the request whether it is read or not; the order of names is under test
import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
ANONYMOUS, FUNCTION, ADMIN = func.AuthLevel.ANONYMOUS, func.AuthLevel.FUNCTION, func.AuthLevel.ADMIN


def told(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    content = {
        "function": context.function_name,
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode("latin-1"),
        "traceparent": context.trace_context.trace_parent,
        "invocation": context.invocation_id,
    }
    return func.HttpResponse(json.dumps(content), mimetype="application/json")


@app.route("echo/{*rest}")
async def Echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return told(req, context)


@app.route("customers/{id}", methods=["GET"])
async def GetCustomer(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return told(req, context)


@app.route("customers/search", methods=["GET"])
async def SearchCustomers(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return told(req, context)


@app.route("customers/search", methods=["POST"])
async def search_by_post(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return told(req, context)


@app.route("orders/{number:int}")
def orders_by_number(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return told(req, context)


@app.route("orders/{name}")
def orders_by_text(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return told(req, context)


# "_" sorts after letters, as the host compares capitals: `ordered_x` comes after `orderedy`.
@app.route("ordered/{first}")
async def ordered_x(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return told(req, context)


@app.route("ordered/{second}")
async def orderedY(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return told(req, context)


@app.route("keyed", auth_level=FUNCTION)
async def keyed(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return told(req, context)


@app.route("mastered", auth_level=ADMIN)
async def mastered(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return told(req, context)


@app.route("switched-off")
async def switched_off(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return told(req, context)


@app.route("fails")
async def fails(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("the reason for the log")


@app.route("fails-in-thread")
def fails_in_thread(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("the reason from the thread")


@app.route("late")
async def late(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(30)
    return func.HttpResponse("never")


@app.route("late-in-thread")
def late_in_thread(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(1.5)
    return func.HttpResponse("never")


@app.route("stuck-in-thread")
def stuck_in_thread(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(60)
    return func.HttpResponse("never")


@app.route("own-timeout")
async def own_timeout(req: func.HttpRequest) -> func.HttpResponse:
    raise TimeoutError("the app's own")


@app.route("slow")
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("shop").warning("slow has begun")
    await asyncio.sleep(0.7)
    return func.HttpResponse("finished")


@app.route("nothing")
async def nothing(req: func.HttpRequest) -> None:
    return None


@app.route("text")
async def text(req: func.HttpRequest) -> str:
    return "plain ä"


@app.route("number")
async def number(req: func.HttpRequest) -> int:
    return 7


@app.route("status/{code:int}", methods=["GET", "HEAD"])
async def status(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("body", status_code=int(req.route_params["code"]))


@app.route("headers")
async def headers(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse("x", headers={"X-One": "1"})
    for name, value in [
        ("Link", "<first>"),
        ("Link", "<last>"),
        ("Set-Cookie", "a=1; Path=/; HttpOnly"),
        ("Set-Cookie", "b=2; SameSite=Lax"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "99"),
    ]:
        response.headers.add(name, value)
    return response


@app.route("logs")
def logs(req: func.HttpRequest) -> str:
    logging.getLogger("shop").warning("something to see")
    return "ok"


async def site(scope: dict[str, object], receive: object, send: Callable[[dict[str, object]], Awaitable[None]]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"private answer"})


wrapped = func.AsgiMiddleware(site)


@app.route("asgi")
async def asgi(req: func.HttpRequest) -> func.HttpResponse:
    return await wrapped.handle_async(req)


# What follows is refused, each for its own reason.
@app.route("customers/search", methods=["POST", "PUT"])
async def taken(req: func.HttpRequest) -> str:
    return "never"


@app.route("administrators/list")
async def reserved(req: func.HttpRequest) -> str:
    return "never"


@app.route("/leading")
async def slashed(req: func.HttpRequest) -> str:
    return "never"


@app.route("bad/{id:nonsense}")
async def unknown_rule(req: func.HttpRequest) -> str:
    return "never"


@app.blob_trigger(arg_name="blob", path="a/b", connection="C")
def of_blobs(blob: func.InputStream) -> None:
    return None
