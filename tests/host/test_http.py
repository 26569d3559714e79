import re
import socket
from pathlib import Path

import pytest

from tests.host.hosting import KEY, MASTER, RunningHost, running, written


class TestRouting:
    def test_takes_the_first_function_by_name_and_not_the_closest_route(self, http_host: RunningHost) -> None:
        answer = http_host.get("/api/customers/search").json()

        assert answer["function"] == "GetCustomer"
        assert answer["route"] == {"id": "search"}

    def test_compares_names_as_capitals_so_that_underscores_come_last(self, http_host: RunningHost) -> None:
        assert http_host.get("/api/ordered/1").json()["function"] == "orderedY"

    def test_tries_the_next_route_when_the_method_does_not_fit(self, http_host: RunningHost) -> None:
        assert http_host.call("POST", "/api/customers/search").json()["function"] == "search_by_post"

    def test_answers_a_method_nobody_takes_with_an_empty_404_and_no_allow(self, http_host: RunningHost) -> None:
        answer = http_host.call("DELETE", "/api/customers/search")

        assert (answer.status, answer.body, answer.header("allow")) == (404, b"", [])

    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
    def test_has_no_implicit_methods(self, http_host: RunningHost, method: str) -> None:
        assert http_host.call(method, "/api/customers/search").status == 404

    def test_takes_every_method_when_none_is_listed(self, http_host: RunningHost) -> None:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            assert http_host.call(method, "/api/echo/x").json()["method"] == method

    def test_treats_a_failed_constraint_as_no_match(self, http_host: RunningHost) -> None:
        assert http_host.get("/api/orders/17").json()["function"] == "orders_by_number"
        assert http_host.get("/api/orders/x17").json()["function"] == "orders_by_text"

    def test_ignores_the_case_of_literals_but_keeps_that_of_values(self, http_host: RunningHost) -> None:
        assert http_host.get("/API/Customers/AbC").json()["route"] == {"id": "AbC"}

    def test_answers_an_unknown_path_with_an_empty_404(self, http_host: RunningHost) -> None:
        answer = http_host.get("/api/nowhere")

        assert (answer.status, answer.body) == (404, b"")

    def test_leaves_a_missing_catch_all_out_of_the_values(self, http_host: RunningHost) -> None:
        assert http_host.get("/api/echo").json()["route"] == {}
        assert http_host.get("/api/echo/a/b").json()["route"] == {"rest": "a/b"}


class TestLoading:
    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("taken", "belong to search_by_post"),
            ("reserved", "begins with 'admin' or 'runtime'"),
            ("slashed", "cannot appear consecutively"),
            ("unknown_rule", "'nonsense' is unknown"),
            ("of_blobs", "does not serve blobTrigger"),
        ],
    )
    def test_leaves_out_only_the_function_that_is_wrong(self, http_host: RunningHost, name: str, reason: str) -> None:
        status = http_host.get("/admin/host/status", MASTER).json()

        assert reason in status["functionErrors"][name]
        assert f"function {name} is not served" in http_host.log()
        assert http_host.get("/api/text").status == 200


class TestAuth:
    def test_lets_anonymous_functions_run_even_with_a_wrong_key(self, http_host: RunningHost) -> None:
        assert http_host.get("/api/text", {"x-functions-key": "wrong"}).status == 200

    @pytest.mark.parametrize("target", ["/api/keyed", "/api/mastered", "/api/keyed?code=wrong"])
    def test_refuses_without_a_key_with_an_empty_401(self, http_host: RunningHost, target: str) -> None:
        answer = http_host.get(target)

        assert (answer.status, answer.body) == (401, b"")

    def test_takes_the_function_key_in_the_header_or_as_code(self, http_host: RunningHost) -> None:
        assert http_host.get("/api/keyed", KEY).status == 200
        assert http_host.get("/api/keyed?code=local-key").status == 200

    def test_does_not_look_at_code_when_the_header_is_there(self, http_host: RunningHost) -> None:
        assert http_host.get("/api/keyed?code=local-key", {"x-functions-key": "wrong"}).status == 401

    def test_takes_the_master_key_everywhere(self, http_host: RunningHost) -> None:
        assert http_host.get("/api/keyed", MASTER).status == 200
        assert http_host.get("/api/mastered", MASTER).status == 200

    def test_answers_401_and_never_403_when_the_level_is_too_low(self, http_host: RunningHost) -> None:
        assert http_host.get("/api/mastered", KEY).status == 401

    def test_looks_for_the_route_before_the_key(self, http_host: RunningHost) -> None:
        assert http_host.get("/api/nowhere", {"x-functions-key": "wrong"}).status == 404

    def test_hides_a_disabled_function_from_all_but_the_master_key(self, http_host: RunningHost) -> None:
        assert http_host.get("/api/switched-off").status == 404
        assert http_host.get("/api/switched-off", MASTER).status == 200


class TestRequest:
    def test_keeps_the_query_in_the_url_and_drops_empty_values_from_the_params(self, http_host: RunningHost) -> None:
        target = "/api/echo/x?a=1&b=&a=2&flag&c=x%20y+z&A=3"

        answer = http_host.get(target).json()

        assert answer["params"] == {"a": "1,2,3", "c": "x y z"}
        assert answer["url"] == f"http://127.0.0.1:{http_host.port}{target}"

    def test_lowers_header_names_and_joins_their_values(self, http_host: RunningHost) -> None:
        raw = b"GET /api/echo/x HTTP/1.1\r\nHost: shop\r\nX-Two: 1\r\nx-two: 2\r\nX-Empty:\r\nConnection: close\r\n\r\n"

        headers = _raw_json(http_host, raw)["headers"]

        assert headers["x-two"] == "1,2"
        assert headers["x-empty"] == ""
        assert headers["host"] == "shop"

    def test_hands_the_body_over_as_bytes(self, http_host: RunningHost) -> None:
        body = bytes(range(256)) * 1000

        answer = http_host.call("POST", "/api/echo/x", body=body, headers={"content-type": "application/json"}).json()

        assert answer["body"].encode("latin-1") == body

    def test_hands_a_chunked_body_over_empty(self, http_host: RunningHost) -> None:
        answer = http_host.call(
            "POST", "/api/echo/x", body=iter([b"abc"]), headers={"transfer-encoding": "chunked"}, chunked=True
        )

        assert answer.status == 200
        assert answer.json()["body"] == ""

    def test_refuses_a_body_over_the_limit(self, http_host: RunningHost) -> None:
        raw = b"POST /api/echo/x HTTP/1.1\r\nHost: h\r\nContent-Length: 104857601\r\n\r\n"

        assert _raw(http_host, raw).startswith(b"HTTP/1.1 413")

    @pytest.mark.parametrize(
        ("target", "rest", "path"),
        [
            ("/api/echo/a%2Fb", "a%2Fb", "/api/echo/a%2Fb"),
            ("/api/echo/caf%C3%A9", "café", "/api/echo/caf%C3%A9"),
            ("/api/echo/%41b", "Ab", "/api/echo/Ab"),
            ("/api/echo/%ff", "%FF", "/api/echo/%FF"),
            ("/api/echo/x/../y", "y", "/api/echo/y"),
            ("/api/echo/a%20b", "a b", "/api/echo/a%20b"),
        ],
    )
    def test_decodes_the_path_for_routes_and_escapes_it_again_for_the_url(
        self, http_host: RunningHost, target: str, rest: str, path: str
    ) -> None:
        answer = http_host.get(target).json()

        assert answer["route"] == {"rest": rest}
        assert answer["url"].endswith(path)

    def test_refuses_a_zero_byte_in_the_path(self, http_host: RunningHost) -> None:
        assert http_host.get("/api/echo/%00").status == 400

    def test_continues_the_trace_of_the_caller(self, http_host: RunningHost) -> None:
        sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

        answer = http_host.get("/api/echo/x", {"traceparent": sent}).json()

        assert re.fullmatch(r"00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01", answer["traceparent"])
        assert answer["traceparent"] != sent


class TestResponse:
    @pytest.mark.parametrize("target", ["/api/fails", "/api/fails-in-thread", "/api/number", "/api/own-timeout"])
    def test_is_an_empty_500_when_the_function_fails(self, http_host: RunningHost, target: str) -> None:
        answer = http_host.get(target)

        assert (answer.status, answer.body) == (500, b"")

    def test_leaves_the_stack_in_the_log(self, http_host: RunningHost) -> None:
        http_host.get("/api/fails-in-thread")

        log = http_host.wait_for_log("the reason from the thread")

        assert "Traceback" in log

    def test_is_an_empty_200_for_nothing(self, http_host: RunningHost) -> None:
        answer = http_host.get("/api/nothing")

        assert (answer.status, answer.body) == (200, b"")

    def test_takes_plain_text(self, http_host: RunningHost) -> None:
        answer = http_host.get("/api/text")

        assert answer.body.decode() == "plain ä"
        assert answer.header("content-type") == ["text/plain; charset=utf-8"]

    def test_has_one_value_per_header_and_every_cookie(self, http_host: RunningHost) -> None:
        answer = http_host.get("/api/headers")

        assert answer.header("link") == ["<last>"]
        assert answer.header("x-one") == ["1"]
        assert len(answer.header("set-cookie")) == 2
        assert answer.header("set-cookie")[0].startswith("a=1;")
        assert answer.header("content-length") == ["1"]
        assert answer.header("content-type") == ["text/plain; charset=utf-8"]

    @pytest.mark.parametrize("status", [204, 304])
    def test_has_no_body_where_none_belongs(self, http_host: RunningHost, status: int) -> None:
        answer = http_host.get(f"/api/status/{status}")

        assert (answer.status, answer.body, answer.header("content-length")) == (status, b"", [])

    def test_refuses_a_status_that_is_none(self, http_host: RunningHost) -> None:
        assert http_host.get("/api/status/999").status == 500

    def test_answers_head_without_a_body(self, http_host: RunningHost) -> None:
        answer = http_host.call("HEAD", "/api/status/200")

        assert (answer.status, answer.body) == (200, b"")


class TestTimeout:
    @pytest.mark.parametrize("target", ["/api/late", "/api/late-in-thread"])
    def test_is_an_empty_500_and_the_log_tells_what_azure_would_do(self, http_host: RunningHost, target: str) -> None:
        answer = http_host.get(target)

        assert (answer.status, answer.body) == (500, b"")
        assert "On Azure the worker process restarts now" in http_host.log()


class TestHomepage:
    def test_is_a_page(self, http_host: RunningHost) -> None:
        answer = http_host.get("/")

        assert answer.status == 200
        assert answer.header("content-type") == ["text/html; charset=utf-8"]

    def test_is_204_when_switched_off_and_gives_way_to_a_function(self, tmp_path: Path) -> None:
        source = (
            "import azure.functions as func\n"
            "app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)\n"
            "@app.route('/v2/{*rest}', methods=['POST'])\n"
            "def front(req: func.HttpRequest) -> str:\n"
            "    return 'from ' + req.route_params.get('rest', 'nothing')\n"
        )
        app_dir = written(tmp_path / "app", source, '{"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}')
        with running(app_dir, AzureWebJobsDisableHomepage="true") as host:
            assert host.get("/").status == 204
            assert host.call("POST", "/v2/a/b").body == b"from a/b"
            assert host.call("POST", "/api/v2/a").status == 404


class TestLog:
    def test_names_trace_method_path_status_and_function_but_no_query(self, http_host: RunningHost) -> None:
        trace = "0af7651916cd43dd8448eb211c80aaaa"

        http_host.get("/api/keyed?code=secret-thing", {"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
        log = http_host.wait_for_log(f"{trace} GET /api/keyed 401")

        line = next(line for line in log.splitlines() if f"{trace} GET" in line)
        assert re.fullmatch(rf"\d\d:\d\d:\d\d\.\d{{3}} {trace} GET /api/keyed 401 [\d.]+ms keyed", line)
        assert "secret-thing" not in log

    def test_shows_what_functions_log_with_their_name(self, http_host: RunningHost) -> None:
        http_host.get("/api/logs")

        http_host.wait_for_log("warning [logs] shop: something to see")

    def test_never_shows_bodies_even_at_debug(self, http_host: RunningHost) -> None:
        answer = http_host.call("POST", "/api/asgi", body=b"private question")

        log = http_host.wait_for_log("POST /api/asgi 200")

        assert answer.body == b"private answer"
        assert "private" not in log


def _raw(host: RunningHost, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", host.port), timeout=10) as connection:
        connection.sendall(request)
        parts: list[bytes] = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def _raw_json(host: RunningHost, request: bytes) -> dict[str, dict[str, str]]:
    import json

    return json.loads(_raw(host, request).partition(b"\r\n\r\n")[2])
