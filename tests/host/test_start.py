import socket
from pathlib import Path

import pytest

from local.host.errors import HostError
from local.host.lifecycle import bind_port
from local.host.loading import load_app
from local.host.routes.router import build_router
from local.host.settings import connection_string, host_settings, load_app_settings, resolve_names
from tests.host.hosting import MASTER, RunningHost, copied, launch, running, written

ONE = "import azure.functions as func\napp = func.FunctionApp()\n"
GREETING = (
    "import os\nimport azure.functions as func\n"
    "app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)\n"
    "@app.route('greeting')\n"
    "def greeting(req: func.HttpRequest) -> str:\n"
    "    return os.environ.get('GREETING', 'none') + os.environ.get('OTHER', '')\n"
)


def refused(app_dir: Path, **environment: str) -> RunningHost:
    host = launch(app_dir, **environment)
    host.process.wait(20)
    assert host.process.returncode == 2
    return host


class TestRefusal:
    def test_shows_the_traceback_when_the_app_cannot_be_imported(self, tmp_path: Path) -> None:
        log = refused(written(tmp_path / "app", "import no_such_module_of_ours\n")).log()

        assert "The host cannot start. function_app.py could not be imported: ModuleNotFoundError." in log
        assert "No module named 'no_such_module_of_ours'" in log

    @pytest.mark.parametrize(
        ("source", "sentence"),
        [
            (ONE + "other = func.FunctionApp()\n", "exactly one FunctionApp at its top level; it holds 2"),
            (ONE + "again = app\n", "exactly one FunctionApp at its top level; it holds 2"),
            ("x = 1\n", "exactly one FunctionApp at its top level; it holds none"),
            (
                ONE + "def one(req): ...\n"
                "app.function_name('same')(app.route('a')(one))\napp.function_name('same')(app.route('b')(one))\n",
                "The app cannot be indexed",
            ),
        ],
    )
    def test_says_what_the_worker_would_not_index(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, sentence: str
    ) -> None:
        monkeypatch.syspath_prepend(str(tmp_path))
        script = f"app_{tmp_path.name}.py"
        (tmp_path / script).write_text(source, encoding="utf-8")

        with pytest.raises(HostError, match=sentence):
            load_app(tmp_path, script)

    def test_names_a_busy_port(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = int(taken.getsockname()[1])

            with pytest.raises(HostError, match=f"Port {port} cannot be used"):
                bind_port(port)

    def test_is_one_sentence_without_a_stack(self, tmp_path: Path) -> None:
        log = refused(written(tmp_path / "app", ONE, "{")).log()

        assert log.startswith("The host cannot start. ")
        assert len(log.strip().splitlines()) == 1

    def test_says_when_the_settings_file_is_broken(self, tmp_path: Path) -> None:
        (tmp_path / "local.settings.json").write_text("[", encoding="utf-8")

        with pytest.raises(HostError, match="cannot be read as settings"):
            load_app_settings(tmp_path)


class TestSettings:
    def test_come_from_the_sample_and_give_way_to_the_environment(self, tmp_path: Path) -> None:
        app_dir = written(tmp_path / "app", GREETING)
        sample = '{"IsEncrypted": false, "Values": {"GREETING": "from the sample", "OTHER": " and more"}}'
        (app_dir / "local.settings.sample.json").write_text(sample, encoding="utf-8")

        with running(app_dir, GREETING="from the environment") as host:
            assert host.get("/api/greeting").body == b"from the environment and more"

        assert (app_dir / "local.settings.json").read_text(encoding="utf-8") == sample

    def test_name_the_script_and_the_keys(self, tmp_path: Path) -> None:
        app_dir = written(tmp_path / "app", "raise RuntimeError('the wrong file')\n")
        (app_dir / "entry.py").write_text(GREETING, encoding="utf-8")
        environment = {"PYTHON_SCRIPT_FILE_NAME": "entry.py", "LOCAL_MASTER_KEY": "m"}

        with running(app_dir, **environment) as host:
            assert host.get("/admin/functions", MASTER).status == 401
            listed = host.get("/admin/functions", {"x-functions-key": "m"}).json()

        assert [one["name"] for one in listed] == ["greeting"]
        assert listed[0]["invoke_url_template"] == "/api/greeting"

    def test_find_a_connection_with_or_without_the_prefix(self) -> None:
        environment = {"AzureWebJobsStorage": "main", "AzureWebJobsOther": "other"}

        assert connection_string("", environment) == "main"
        assert connection_string("Other", environment) == "other"
        assert connection_string("Missing", environment) is None

    def test_replace_names_in_percent_signs(self) -> None:
        assert resolve_names("%A%-work-%B%", {"A": "1", "B": "2"}) == "1-work-2"
        with pytest.raises(KeyError, match="C"):
            resolve_names("%C%", {})

    def test_have_the_lease_of_azure_unless_it_is_shortened(self, tmp_path: Path) -> None:
        assert host_settings(tmp_path, environment={}).queue_lease_seconds == 600
        assert host_settings(tmp_path, environment={"LOCAL_QUEUE_LEASE_SECONDS": "3"}).queue_lease_seconds == 3


class TestAdmin:
    def test_tells_state_and_errors_to_the_master_key_only(self, http_host: RunningHost) -> None:
        status = http_host.get("/admin/host/status", MASTER)

        assert status.json()["state"] == "Running"
        assert status.json()["ready"] is True
        assert http_host.get("/admin/host/status").status == 401
        assert http_host.get("/admin/host/status", {"x-functions-key": "local-key"}).status == 401

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_answers_ping_to_everybody(self, http_host: RunningHost, method: str) -> None:
        assert http_host.call(method, "/admin/host/ping").status == 200

    def test_knows_nothing_else(self, http_host: RunningHost) -> None:
        assert http_host.get("/admin/other", MASTER).status == 404


class TestStop:
    def test_answers_what_is_under_way_and_ends_with_0(self, tmp_path: Path) -> None:
        with running(copied("http", tmp_path)) as host, socket.create_connection(("127.0.0.1", host.port)) as client:
            client.sendall(b"GET /api/slow HTTP/1.1\r\nHost: h\r\n\r\n")
            host.wait_for_log("slow has begun")

            code = host.stop()
            answer = client.recv(65536)

        assert code == 0
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"finished")

    def test_does_not_wait_for_a_thread_that_nobody_can_stop(self, tmp_path: Path) -> None:
        with running(copied("http", tmp_path), LOCAL_DRAIN_SECONDS="1") as host:
            answer = host.get("/api/stuck-in-thread")

            code = host.stop(seconds=10)

        assert answer.status == 500
        assert code == 0


class TestBindPort:
    def test_makes_a_socket_that_asyncio_sees_as_tcp(self) -> None:
        with bind_port(0) as sock:
            assert sock.proto == socket.IPPROTO_TCP
            assert sock.getsockname()[0] == "127.0.0.1"


class TestRouter:
    def test_keeps_the_order_of_names_whatever_the_shortcuts(self, tmp_path: Path) -> None:
        source = ONE + "".join(
            f"@app.route('{route}', methods=['{method}'])\ndef {name}(req: func.HttpRequest) -> str: ...\n"
            for name, route, method in [
                ("f1", "things/{id}/parts", "GET"),
                ("f2", "things/{*rest}", "GET"),
                ("f3", "things/special/parts", "GET"),
                ("f4", "{kind}/special/parts", "POST"),
                ("f5", "things/special/{part?}", "POST"),
            ]
        )
        (tmp_path / "router_order_app.py").write_text(source, encoding="utf-8")
        router = build_router(load_app(tmp_path, "router_order_app.py"), "api")

        def name(method: str, path: str) -> str | None:
            found = router.find(method, path)
            return found[0].function.name if found else None

        assert name("GET", "api/things/special/parts") == "f1"
        assert name("GET", "api/THINGS/special") == "f2"
        assert name("GET", "api/things/a/b/c/d") == "f2"
        assert name("POST", "api/things/special/parts") == "f4"
        assert name("POST", "api/things/special/") == "f5"
        assert name("POST", "api/things/special/a") == "f5"
        assert name("PUT", "api/things/special") is None
        assert name("GET", "") is None
