import os
import socket
from pathlib import Path

import pytest

from local.azurite import Azurite, AzuriteError, AzuritePorts


class TestStart:
    def test_serves_all_three_ports_and_stops(self, tmp_path: Path) -> None:
        with Azurite(location=tmp_path) as storage:
            assert storage.ports is not None
            ports, pid = storage.ports, storage.pid
            assert len(ports.busy()) == 3

        assert ports.busy() == []
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    def test_names_the_busy_port(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]

            with pytest.raises(AzuriteError, match=f"port {port} is in use"):
                Azurite(ports=AzuritePorts(blob=port)).start()

    def test_says_when_it_is_not_installed(self, tmp_path: Path) -> None:
        with pytest.raises(AzuriteError, match="not installed"):
            Azurite(home=tmp_path).start()


class TestConnectionString:
    def test_writes_the_ports_out(self, azurite: Azurite) -> None:
        assert azurite.ports is not None

        assert f":{azurite.ports.queue}/devstoreaccount1" in azurite.connection_string
        assert "UseDevelopmentStorage" not in azurite.connection_string
