"""Serves a hub: one process, one socket, a line on standard output when it can be used."""

import gc
import json
import logging
import socket
import sys

import uvicorn

from hub.settings import HubSettings

SHUTDOWN_S = 3
# New containers before the young are collected, and how many such rounds before the older are: Python's own 700 has a busy hub walk
# through its remembered records all the time, and what dies in cycles is little.
COLLECT_AFTER = (50_000, 50, 100)


class _AnnouncingServer(uvicorn.Server):
    """Prints where it listens once it does."""

    url = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(json.dumps({"ready": True, "url": self.url}) + "\n")
            sys.stdout.flush()


def run(settings: HubSettings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered first.

    People wait while a hub starts again: nothing is collected until it is loaded, which is a third of the time that it takes. What was
    loaded stays for good, and no collection need walk through it later.
    """
    gc.disable()
    from hub.bootstrap import application, open_hub

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    hub = open_hub(settings)
    app = application(hub)
    gc.freeze()
    gc.enable()
    gc.set_threshold(*COLLECT_AFTER)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=SHUTDOWN_S, lifespan="on",
        proxy_headers=False, server_header=False,
    )  # fmt: skip
    with socket.create_server((settings.host, settings.port), reuse_port=False) as listener:
        server = _AnnouncingServer(config)
        host, port = listener.getsockname()[:2]
        server.url = f"http://{host}:{port}"
        server.run(sockets=[listener])
