"""In the way of every request, as an interceptor (gRPC) or middleware (HTTP): the guard of what flwr's own helper
processes call without a secret, and faults."""
from __future__ import annotations

import time
from importlib import import_module

from supergrid.compat import Compat
from supergrid.guard import OPEN_SERVICES, from_owner
from supergrid.state import Grid


def tap_grpc(grid: Grid) -> None:
    """Make every gRPC server of this process have our interceptor, outermost."""
    import grpc

    def wrap(call, rpc):
        service = rpc.partition("/")[0]

        def run(request, context):
            if service not in OPEN_SERVICES and "health" not in service.lower() \
                    and not from_owner(int(context.peer().rpartition(":")[2])):
                context.abort(grpc.StatusCode.PERMISSION_DENIED, "not the owner of this grid")
            fault = grid.faults.take(rpc) or {"mode": None}
            mode = fault["mode"]
            if mode == "delay":
                time.sleep(fault["seconds"])
            if mode in ("unavailable", "drop-before"):
                context.abort(grpc.StatusCode.UNAVAILABLE, "injected: Socket closed")
            if mode == "internal":
                context.abort(grpc.StatusCode.INTERNAL, "injected: internal error")
            if rpc == "Fleet/ActivateNode" and grid.refuses_activation(request.public_key):
                context.abort(grpc.StatusCode.FAILED_PRECONDITION,
                              "SuperNode could not be activated.")
            answer = call(request, context)
            if mode == "drop-after":
                context.abort(grpc.StatusCode.UNAVAILABLE, "injected: Socket closed")
            return answer
        return run

    class Tap(grpc.ServerInterceptor):
        def intercept_service(self, continuation, details):
            handler = continuation(details)
            rpc = details.method.removeprefix("/flwr.proto.")
            for kind in ("unary_unary", "unary_stream"):
                if handler is not None and getattr(handler, kind):
                    return handler._replace(**{kind: wrap(getattr(handler, kind), rpc)})
            return handler

    server = grpc.server

    def tapped(*args, interceptors=None, **kw):
        return server(*args, interceptors=[Tap(), *(interceptors or [])], **kw)

    grpc.server = tapped


def http_tap(grid: Grid):
    import asyncio
    from starlette.middleware import Middleware
    from starlette.responses import JSONResponse, PlainTextResponse

    compat = Compat()

    class Tap:
        def __init__(self, app) -> None:
            self.app = app

        async def __call__(self, scope, receive, send):
            path = scope["path"].split("/") if scope["type"] == "http" else []
            service = path[2].title() if len(path) > 3 and path[1] == "v1" else ""
            if path and service not in OPEN_SERVICES and not from_owner(scope["client"][1], scope["server"][1]):
                return await PlainTextResponse("not the owner of this grid", 403)(scope, receive, send)
            if len(path) != 4:  # only /v1/<service>/<method>
                return await self.app(scope, receive, send)
            rpc = f"{path[2].title()}/{path[3].title().replace('-', '')}"

            async def hang_up():
                receive.__self__.transport.abort()  # uvicorn's connection
                await asyncio.sleep(0.1)

            async def nowhere(_message):
                pass

            mode = None
            if fault := grid.faults.take(rpc):
                mode = fault["mode"]
            if mode == "delay":
                await asyncio.sleep(fault["seconds"])
            if mode == "drop-before":
                return await hang_up()
            if mode == "unavailable":
                return await PlainTextResponse("injected: no healthy upstream", 503)(
                    scope, receive, send)
            if mode == "internal":
                return await PlainTextResponse("injected: internal error", 500)(
                    scope, receive, send)
            if rpc == "Fleet/ActivateNode" and grid.o.confirm_nodes == "fleet":
                first = await receive()
                body, more = first.get("body", b""), first.get("more_body", False)
                while more:
                    part = await receive()
                    body, more = body + part.get("body", b""), part.get("more_body", False)
                pb = import_module("flwr.proto.fleet_pb2")
                if grid.refuses_activation(pb.ActivateNodeRequest.FromString(body).public_key):
                    return await JSONResponse(*compat.not_activated())(scope, receive, send)
                rest, replayed = receive, False

                async def receive():
                    nonlocal replayed
                    if replayed:
                        return await rest()
                    replayed = True
                    return {"type": "http.request", "body": body, "more_body": False}
            if mode == "drop-after":
                await self.app(scope, receive, nowhere)
                return await hang_up()
            await self.app(scope, receive, send)

    return Middleware(Tap)
