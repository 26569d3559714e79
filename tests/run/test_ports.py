import socket

import pytest

from local.run.errors import PortError
from local.run.ports import StackPorts


class TestRead:
    def test_gives_the_usual_ports_unless_told_otherwise(self) -> None:
        ports = StackPorts.read({"APP_PORT": "8071", "MAINFRAME_CONTROL_PORT": ""})

        assert ports == StackPorts(app=8071, blob=10000, queue=10001, table=10002, mainframe=7080, control=7081)

    @pytest.mark.parametrize("text", ["0", "65536", "-1", "seven", "7071.0", "\u0667\u0660\u0667\u0661"])
    def test_names_the_variable_that_is_no_port(self, text: str) -> None:
        with pytest.raises(PortError, match=f"AZURITE_TABLE_PORT must be a port from 1 to 65535, not '{text}'"):
            StackPorts.read({"AZURITE_TABLE_PORT": text})

    def test_refuses_one_port_for_two_uses(self) -> None:
        with pytest.raises(PortError, match="APP_PORT and MAINFRAME_PORT are both 7080"):
            StackPorts.read({"APP_PORT": "7080"})


class TestRequireFree:
    def test_is_content_with_free_ports(self) -> None:
        StackPorts.free().require_free()

    def test_names_port_use_and_variable_in_one_sentence(self) -> None:
        ports = StackPorts.free()
        with taken(ports.app), pytest.raises(PortError) as refused:
            ports.require_free()

        assert str(refused.value) == (
            f"Port {ports.app} for the app is in use (APP_PORT moves it): stop what uses it, or choose another."
        )

    def test_names_all_that_are_busy(self) -> None:
        ports = StackPorts.free()
        with taken(ports.blob), taken(ports.control), pytest.raises(PortError) as refused:
            ports.require_free()

        assert "(AZURITE_BLOB_PORT moves it), port" in str(refused.value)
        assert "(MAINFRAME_CONTROL_PORT moves it)" in str(refused.value)

    def test_sees_somebody_who_took_the_port_but_does_not_listen_yet(self) -> None:
        ports = StackPorts.free()
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", ports.queue))

            with pytest.raises(PortError, match="AZURITE_QUEUE_PORT"):
                ports.require_free()


class TestFree:
    def test_stays_below_what_the_system_gives_to_outgoing_connections(self) -> None:
        ports = StackPorts.free()

        assert max(ports.app, ports.blob, ports.queue, ports.table, ports.mainframe, ports.control) < 32_768


def taken(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))
