"""The process that serves a run."""

import socket
from collections.abc import Callable, Sequence

import uvicorn

from glassbench.errors import ExperimentError
from glassbench.run_handle import Run
from glassbench.serving.app import application
from glassbench.serving.service import Service

LOOPBACK = "127.0.0.1"


def serve(run: Run, host: str, port: int, allowed: Sequence[str], started: Callable[[str], object]) -> None:
    """Serve a run until the process is interrupted.

    Args:
        run: The run.
        host: The address to listen on.
        port: The port; 0 takes a free one.
        allowed: Further names by which the server may be asked, with their ports where these are not 80.
        started: Is told the address.

    Raises:
        ExperimentError: The address cannot be listened on.
        RunError: The run cannot be served.
    """
    service = Service(run)
    with _listening(host, port) as listener:
        taken = listener.getsockname()[1]
        names = {f"{name}:{taken}" for name in (host, LOOPBACK, "localhost")} | {name.lower() for name in allowed}
        app = application(service, names)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off")
        started(f"http://{host}:{taken}")
        uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        got, fix = f"{host}, port {port}: {error.strerror or error}", "choose another with --port; 0 takes a free one"
        raise ExperimentError("the server cannot listen there", got=got, fix=fix) from error
    return listener
