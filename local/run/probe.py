"""Whether somebody answers over HTTP on a port of this machine."""

import http.client

from local.run.ports import LOOPBACK


def answers(port: int, path: str, timeout_seconds: float = 2.0) -> bool:
    """Tell whether a GET is answered with 200. Goes straight to the port, whatever proxies are configured."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout_seconds)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
