"""The review as an ASGI app: each address below the token, and what answers it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, Router

from pipeline.history import history_of
from pipeline.review.bodies import Body, body_of
from pipeline.review.figures import FinisherMeasurer
from pipeline.review.hands import Brakes
from pipeline.review.hearing import find_heard, served
from pipeline.review.library import At
from pipeline.review.refusals import BadRequest, NotThere, Refusal, refusal_for
from pipeline.review.rerolls import Rerolls, price_document
from pipeline.review.security import Gate
from pipeline.review.takes import takes_document
from pipeline.review.writing import Folders, Writing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from pipeline.review.figures import Measurer
    from pipeline.review.hands import Hands, Purse
    from pipeline.review.library import Library
    from pipeline.review.page import Page
    from pipeline.review.security import Names
    from pipeline.runner.results import Stop

    Answer = Callable[[Request], Awaitable[Response]]
    Document = Callable[[Request], Awaitable[dict[str, Any]]]
    Write = Callable[[Body], Awaitable[dict[str, Any]]]


class ReviewApp:
    """The ASGI app. `at_work()` opens for in-process tests what the lifespan opens on a server."""

    def __init__(
        self,
        library: Library,
        page: Page,
        hands: Hands,
        purse: Purse,
        *,
        names: Names,
        token: str,
        measurer: Measurer | None = None,
    ) -> None:
        self._library = library
        self._page = page
        self._measurer = measurer or FinisherMeasurer(hands.finisher)
        self._brakes = Brakes()
        folders = Folders(library, self._brakes)
        self._writing = Writing(library, folders, hands, self._brakes)
        self._rerolls = Rerolls(library, folders, hands, purse, self._brakes)
        self._gate = Gate(Router(self._routes(), redirect_slashes=False), names, token)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Answer requests while the block lasts, and bring what they began to its end."""
        async with anyio.create_task_group() as self._rerolls.tasks:
            yield

    def interrupt(self, stop: Stop) -> bool:
        """Stop in order what is on its way, and begin nothing new. Was there anything?"""
        return self._brakes.interrupt(stop)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._gate(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self.at_work():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    def _routes(self) -> list[Route]:
        reads = {"/api/takes": self._takes, "/api/work/{work}": self._work}
        writes = {
            "/api/pick": self._pick,
            "/api/star": self._star,
            "/api/note": self._note,
            "/api/reroll/price": self._price,
            "/api/reroll": self._reroll,
        }
        return [
            Route("/", _in_words(self._whole_page)),
            *(Route(path, _as_json(answer)) for path, answer in reads.items()),
            *(Route(path, _as_json(_write(answer)), methods=["POST"]) for path, answer in writes.items()),
            Route("/take", _in_words(self._take)),
            Route("/{path:path}", _in_words(self._asset)),
        ]

    # --- read -------------------------------------------------------------------------------------------------------

    async def _whole_page(self, _: Request) -> Response:
        return HTMLResponse(self._page.html(self._library.workspace(), self._library.manifests()))

    async def _asset(self, request: Request) -> Response:
        row = self._library.row_at(request.path_params["path"])
        if row is None:
            raise NotThere("there is no such file")
        return served(self._library.output / row.path, self._library.output)

    async def _take(self, request: Request) -> Response:
        manifest, track = self._library.find(_asked(request))
        workspace = self._library.workspace()
        sound = find_heard(workspace, history_of(workspace, manifest, track), _parameter(request, "take"))
        return served(sound.path, sound.root)

    async def _takes(self, request: Request) -> dict[str, Any]:
        manifest, track = self._library.find(_asked(request))
        return await takes_document(self._library.workspace(), manifest, track, self._measurer)

    async def _work(self, request: Request) -> dict[str, Any]:
        return self._rerolls.work(request.path_params["work"]).document()

    # --- written ----------------------------------------------------------------------------------------------------

    async def _pick(self, body: Body) -> dict[str, Any]:
        at = _meant(body)
        chosen = await self._writing.pick(at, body.text("take"))
        if chosen.error is not None:
            raise Refusal(f"{at.track}: {chosen.error}")
        manifest, track = self._library.find(at)
        row = self._page.row_html(self._library.workspace(), manifest, track)
        return {"ok": True, "sentence": chosen.sentence, "row": row}

    async def _star(self, body: Body) -> dict[str, Any]:
        at, take, starred = _meant(body), body.text("take"), body.truth("starred")
        return {"ok": True, "sentence": await self._writing.star(at, take, starred=starred)}

    async def _note(self, body: Body) -> dict[str, Any]:
        at, take, text = _meant(body), body.text("take"), body.text("note")
        return {"ok": True, "sentence": await self._writing.note(at, take, text)}

    async def _price(self, body: Body) -> dict[str, Any]:
        return {"ok": True, **price_document(self._rerolls.price(_meant(body)))}

    async def _reroll(self, body: Body) -> dict[str, Any]:
        work = await self._rerolls.begin(_meant(body), body.count("estimate_microusd"))
        return {"ok": True, "work": work.id}


def _meant(body: Body) -> At:
    return At(body.text("manifest"), body.text("track"))


def _asked(request: Request) -> At:
    return At(_parameter(request, "manifest"), _parameter(request, "track"))


def _parameter(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if value is None:
        raise BadRequest(f"{name} is missing")
    return value


def _write(answer: Write) -> Document:
    async def written(request: Request) -> dict[str, Any]:
        return await answer(await body_of(request))

    return written


def _as_json(answer: Document) -> Answer:
    """What `answer` gives, or why it can't be, as JSON."""

    async def answered(request: Request) -> Response:
        try:
            return JSONResponse(await answer(request))
        except Exception as error:
            refusal = refusal_for(error)
            if refusal is None:
                raise
            document = {"ok": False, "error": str(refusal), **refusal.more}
            return JSONResponse(document, refusal.status)

    return answered


def _in_words(answer: Answer) -> Answer:
    """What `answer` gives, or why it can't be, as text."""

    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except Exception as error:
            refusal = refusal_for(error)
            if refusal is None:
                raise
            return PlainTextResponse(str(refusal), refusal.status)

    return answered
