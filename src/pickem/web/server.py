"""Running the labelling page: lock, trainer, address, and a tidy end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from pickem.errors import StorageError
from pickem.project.project import open_project
from pickem.web.app import create_app
from pickem.web.security import new_token
from pickem.web.supervisor import Supervisor

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
EVERYWHERE = frozenset({"", "0.0.0.0", "::"})


def serve(
    folder: Path,
    *,
    host: str,
    port: int,
    token: str | None,
    trainer_options: Sequence[str],
    ready: Callable[[str], None],
    meanwhile: Callable[[str, str], None] | None = None,
) -> None:
    """Serve a project until interrupted.

    `port` 0 takes a free one. `ready` is called with the address to open, token included, when the server
    answers. `meanwhile` is then called in a thread, with the address and the token apart; when it returns the
    server ends, and what it raises is raised here. Raises ProjectLockedError, StorageError for a port that is
    taken, and the errors of opening.
    """
    with open_project(folder) as project:
        lock = project.lock()
        listener = _listen(host, port)
        bound = listener.getsockname()[1]
        secret = token or new_token()
        supervisor = Supervisor(folder, trainer_options, lambda words: project.store.note("problem", words))
        app = create_app(project, supervisor, secret, _names(host), cookie=f"pickem-{bound}")
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5, server_header=False)
        address = f"http://{_shown(host)}:{bound}"
        companion = _Companion(lambda: meanwhile(address, secret)) if meanwhile else None

        def answering() -> None:
            ready(f"{address}/?token={secret}")
            if companion:
                companion.start(server)

        server = _Announcing(config, answering, ending=app.state.desk.ending.set)
        supervisor.start()
        try:
            server.run(sockets=[listener])
        finally:
            supervisor.stop()
            listener.close()
            lock.release()
        if companion and companion.error:
            raise companion.error


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending()
        await super().shutdown(sockets)


class _Companion:
    """Runs something beside a server, and ends the server after it."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self.error: Exception | None = None

    def start(self, server: uvicorn.Server) -> None:
        threading.Thread(target=self._run, args=(server,), daemon=True).start()

    def _run(self, server: uvicorn.Server) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  (handed to the caller of `serve`)
            self.error = error
        server.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named, or asyncio does not set TCP_NODELAY and every answer waits 40 ms for an acknowledgement
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StorageError(
            "The page cannot be served at this address.",
            got=f"{host}:{port}: {error.strerror or error}",
            todo="choose another --port, or 0 for any that is free",
        ) from error
    return listener


def _names(host: str) -> frozenset[str]:
    """The names under which a server at `host` may be addressed."""
    return LOCAL | {(socket.gethostname() if host in EVERYWHERE else host).lower()}


def _shown(host: str) -> str:
    if host in EVERYWHERE:
        return "[::1]" if ":" in host else "127.0.0.1"
    return f"[{host}]" if ":" in host else host
