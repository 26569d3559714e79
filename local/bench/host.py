"""What the local host adds to a request: the same FastAPI app under plain uvicorn and under the host.

`python -m local.bench.host` prints both and the ratio, for an app of eighty operations.
The host's part includes `azure.functions.AsgiMiddleware`, which the app needs on Azure as well.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from local.bench.load import LoadResult, http_request, run_load
from local.bench.process import cpu_seconds

_ROOT = Path(__file__).parents[2]
_START_SECONDS = 30.0

_SITE = '''
"""Eighty operations with typed answers, the size of ours."""

from fastapi import FastAPI
from pydantic import BaseModel


class Customer(BaseModel):
    id: str
    name: str
    city: str
    tags: list[str]
    points: int


site = FastAPI()


def add(number: int) -> None:
    async def read(customer_id: str, limit: int = 50) -> Customer:
        return Customer(id=customer_id, name="Ada", city="London", tags=["a", "b"], points=limit)

    async def write(customer: Customer) -> Customer:
        return customer

    site.add_api_route(f"/api/v1/things{number}/{{customer_id}}", read, methods=["GET"], operation_id=f"read_{number}")
    site.add_api_route(f"/api/v1/things{number}", write, methods=["POST"], operation_id=f"write_{number}")


for each in range(40):
    add(each)
'''

_PLAIN = """
import uvicorn
from site_under_test import site
config = uvicorn.Config(site, port=0, http="httptools", loop="asyncio", lifespan="off", access_log=False,
                        log_level="info", server_header=False)
uvicorn.Server(config).run()
"""

_APP = """
import azure.functions as func
from site_under_test import site

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
middleware = func.AsgiMiddleware(site)


def serve(name, route, methods):
    async def operation(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        return await middleware.handle_async(req, context)

    operation.__name__ = name
    app.function_name(name)(app.route(route, methods=methods)(operation))


for each in range(40):
    serve(f"read_{each}", f"v1/things{each}/{{customer_id}}", ["GET"])
    serve(f"write_{each}", f"v1/things{each}", ["POST"])
"""

_BODY = b'{"id":"cus_1","name":"Ada","city":"London","tags":["a","b"],"points":3}'


@dataclass(frozen=True)
class Comparison:
    """Both servers over the same requests."""

    name: str
    plain: LoadResult
    host: LoadResult
    plain_cpu_us: float
    host_cpu_us: float

    @property
    def ratio(self) -> float:
        """The host's requests per second as a part of plain uvicorn's."""
        return self.host.per_second / self.plain.per_second

    @property
    def cpu_ratio(self) -> float:
        """The same by processor time per request: what the ratio would be on a machine that does nothing else."""
        return self.plain_cpu_us / self.host_cpu_us


def compare(*, connections: int = 8, seconds: float = 3.0, rounds: int = 3) -> list[Comparison]:
    """Measure in turns and keep each server's best round: what disturbs a round only ever makes it slower."""
    requests = {
        "GET": [http_request("GET", f"/api/v1/things{number}/cus_1?limit=20") for number in range(40)],
        "POST": [
            http_request("POST", f"/api/v1/things{number}", headers={"content-type": "application/json"}, body=_BODY)
            for number in range(40)
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        _write_apps(Path(folder))
        with _plain(Path(folder)) as plain_server, _host(Path(folder)) as host_server:
            found: list[Comparison] = []
            for name, each in requests.items():
                plain: list[_Round] = []
                host: list[_Round] = []
                for _ in range(rounds):
                    plain.append(_round(plain_server, each, connections, seconds))
                    host.append(_round(host_server, each, connections, seconds))
                found.append(
                    Comparison(
                        name=name,
                        plain=_best(plain),
                        host=_best(host),
                        plain_cpu_us=min(one.cpu_us for one in plain),
                        host_cpu_us=min(one.cpu_us for one in host),
                    )
                )
    return found


@dataclass(frozen=True)
class _Server:
    pid: int
    port: int


@dataclass(frozen=True)
class _Round:
    load: LoadResult
    cpu_us: float


def _round(server: _Server, requests: list[bytes], connections: int, seconds: float) -> _Round:
    before = cpu_seconds(server.pid)
    result = run_load(server.port, requests, connections=connections, seconds=seconds)
    return _Round(result, (cpu_seconds(server.pid) - before) / max(result.requests, 1) * 1e6)


def _best(rounds: list[_Round]) -> LoadResult:
    results = [one.load for one in rounds]
    wrong = [result for result in results if set(result.statuses) != {"200"} or result.errors]
    if wrong:
        raise RuntimeError(f"not every answer was 200: {wrong[0].line()}")
    return max(results, key=lambda result: result.per_second)


def _write_apps(folder: Path) -> None:
    (folder / "site_under_test.py").write_text(_SITE, encoding="utf-8")
    (folder / "plain.py").write_text(_PLAIN, encoding="utf-8")
    (folder / "function_app.py").write_text(_APP, encoding="utf-8")
    (folder / "host.json").write_text('{"version": "2.0"}', encoding="utf-8")


@contextlib.contextmanager
def _plain(folder: Path) -> Generator[_Server]:
    with _started([sys.executable, "plain.py"], folder, folder / "plain.log") as server:
        yield server


@contextlib.contextmanager
def _host(folder: Path) -> Generator[_Server]:
    command = [sys.executable, "-m", "local.host", "--app-dir", str(folder), "--port", "0"]
    with _started(command, _ROOT, folder / "host.log") as server:
        yield server


@contextlib.contextmanager
def _started(command: list[str], cwd: Path, log_path: Path) -> Generator[_Server]:
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, cwd=cwd, stdout=log, stderr=subprocess.STDOUT, env=dict(os.environ))
    try:
        yield _Server(process.pid, _port(process, log_path))
    finally:
        process.terminate()
        process.wait(20)


def _port(process: "subprocess.Popen[bytes]", log_path: Path) -> int:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"(?:listening|running) on http://127\.0\.0\.1:(\d+)", log_path.read_text(encoding="utf-8"))
        if found:
            time.sleep(0.3)
            return int(found[1])
        time.sleep(0.05)
    raise RuntimeError(f"a server did not start:\n{log_path.read_text(encoding='utf-8')[-2000:]}")


def main() -> None:
    """Print the comparison."""
    for one in compare():
        print(f"{one.name:5} plain uvicorn {one.plain.line()}  {one.plain_cpu_us:.0f} us of CPU each")
        print(f"{one.name:5} local host    {one.host.line()}  {one.host_cpu_us:.0f} us of CPU each")
        print(f"{one.name:5} ratio {one.ratio:.2f} by requests, {one.cpu_ratio:.2f} by processor time")


if __name__ == "__main__":
    main()
