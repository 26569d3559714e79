from collections.abc import Iterator

import pytest

from tests.host.hosting import RunningHost, copied, running


@pytest.fixture(scope="session")
def http_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """The app of all HTTP facts. The log level shows everything, so that tests can see what must not be in it."""
    app_dir = copied("http", tmp_path_factory.mktemp("http"))
    switched_off = {"AzureWebJobs.switched_off.Disabled": "true"}
    with running(app_dir, LOG="debug", **switched_off) as host:
        yield host
