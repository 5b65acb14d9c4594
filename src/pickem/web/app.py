"""The application: API, page and the errors' way to the page."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from pickem.errors import (
    InvalidMaskError,
    InvalidNameError,
    PickemError,
    RevisionConflictError,
    StorageError,
    UnknownPatchError,
    VolumeError,
)
from pickem.project.leases import Clock, system_clock
from pickem.project.project import Project
from pickem.web.api import Desk, router
from pickem.web.security import Gate, is_local
from pickem.web.supervisor import Supervisor

STATIC = Path(__file__).parent / "static"
_STATUS: dict[type[PickemError], int] = {
    UnknownPatchError: 404,
    RevisionConflictError: 409,
    InvalidMaskError: 422,
    InvalidNameError: 422,
    StorageError: 507,
    VolumeError: 503,
}


def create_app(
    project: Project,
    supervisor: Supervisor,
    token: str,
    hosts: frozenset[str],
    cookie: str = "pickem",
    clock: Clock = system_clock,
) -> FastAPI:
    """The labelling page for one project, behind a Gate that asks for `token`.

    `clock` says when leases end. Where `hosts` has a name under which other machines reach the server, people
    are asked for their names.
    """
    app = FastAPI(title="pickem", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.state.desk = Desk(project, supervisor, clock, shared=not all(map(is_local, hosts)))
    app.include_router(router)
    app.add_exception_handler(PickemError, _refused)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_api_route("/", _page, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_middleware(Gate, token=token, hosts=hosts, cookie=cookie)
    return app


async def _page() -> FileResponse:
    return FileResponse(STATIC / "index.html")


async def _refused(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001  (starlette's signature)
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    return JSONResponse({"message": str(error)}, status_code=status)


async def _not_understood(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001
    assert isinstance(error, RequestValidationError)  # registered for nothing else
    problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    return JSONResponse({"message": f"The request is not understood: {problems}"}, status_code=422)
