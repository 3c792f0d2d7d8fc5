"""What the side port serves of all workers: the same as that of a daemon that is alone."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import logopsd
from logopsd.config import Settings
from logopsd.listeners.http.messages import (
    Request,
    Respond,
    Response,
    Route,
    Routes,
    error_response,
    json_response,
)
from logopsd.listeners.routes.health import health_routes
from logopsd.listeners.routes.live import Live
from logopsd.listeners.routes.page import local_name_check, page_routes
from logopsd.workers.whole import Whole


class SideRoutes:
    """Makes the routes; each answer waits until the workers were asked.

    Args:
        whole: of all workers.
        live: tells who watches the page.
    """

    def __init__(self, whole: Whole, live: Live) -> None:
        self._whole = whole
        self._live = live
        self._answering: set[asyncio.Task[None]] = set()

    def routes(self, settings: Settings) -> Routes:
        """Return the routes."""

        def metrics(request: Request, respond: Respond) -> None:
            self._answer(self._metrics(request.header(b"accept") or None), respond)

        def senders(_: Request, respond: Respond) -> None:
            self._answer(self._senders(), respond)

        health = health_routes(
            version=logopsd.__version__,
            pii_encryption=settings.encrypt_pii,
            not_ready=self._whole.not_ready,
        )
        check = local_name_check(settings.metrics_bind)
        return {
            ("GET", "/metrics"): Route(metrics),
            ("GET", "/sources"): Route(senders, check),
            **page_routes(self._live, check),
            **health,
        }

    async def _metrics(self, accept: str | None) -> Response:
        body, content_type = await self._whole.page(accept)
        return Response(200, body, content_type=content_type)

    async def _senders(self) -> Response:
        return json_response(200, await self._whole.sources())

    def _answer(self, work: Coroutine[Any, Any, Response], respond: Respond) -> None:
        async def answer() -> None:
            response = error_response(500, "a bug; the daemon's log says more")
            try:
                response = await work
            finally:
                respond(response)

        task = asyncio.get_running_loop().create_task(answer())
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
