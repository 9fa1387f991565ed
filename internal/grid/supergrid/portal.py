"""The portal: a plain HTTP server on loopback that does what people do in a browser, what staff of
a grid do by hand, and what a test wants to do to a server.

For the link of a login (guard.py), which ends with that login:
    GET  /device?login=L              the page that `flwr login` opens
    POST /device?login=L  {user_code, account, decision}      a form; the code is shown in the terminal only
For the owner of the grid, with "Authorization: Bearer SECRET" from ready.json:
    GET  /routes                      all of these, for the test that walks them
    POST /approve {user_code, account}, /deny {user_code}
    GET  /ping                        who answers: instance, pid, ready, kept
    GET  /state                       logins, accounts, nodes, federations, faults
    POST /attach                      409 when the grid is about to end
    POST /keep                        live on when the program that started the grid is gone
    POST /fault   {"rpc":"RegisterNode","mode":M,"count":N,"seconds":S}
                  rpc:  a Control method, or "Fleet/ActivateNode", or "*"
                  mode: unavailable | internal | drop-before | drop-after | delay
                        (drop-after: the server does the work, the answer is lost)
    POST /fault/clear
    POST /confirm {"node_id":N|"all"}, /unconfirm    see --confirm-nodes
    POST /expire  {"account":A,"what":"access"|"refresh"|"both"}   end a session now
"""
from __future__ import annotations

import html
import json
import os
import socket
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from supergrid.compat import ACCOUNTS
from supergrid.guard import LINK, OWNER, Guard
from supergrid.life import Life
from supergrid.state import Grid

HEAD = """<!doctype html><meta charset="utf-8"><title>Flower login (rehearsal)</title>"""
PAGE = HEAD + """<h1>Log in to Flower</h1><p>A terminal asks for access to this rehearsal. {note}</p>
<form method="post"><p><label>The code shown in that terminal
<input name="user_code" autocomplete="off" autofocus required size="12"></label></p>
<p><label>Account <select name="account">{accounts}</select></label></p>
<button name="decision" value="approve">Yes, log it in</button>
<button name="decision" value="deny">No</button></form>"""
DONE = HEAD + "<h1>{title}</h1><p>{text}</p>"

# The page holds nothing that is not its own, goes into no frame, and tells its link to nobody.
PAGE_HEADERS = {"Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
                "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}


class Portal:
    """What each path does. Each takes the form (of a POST) and gives a status and an answer."""

    def __init__(self, grid: Grid, life: Life) -> None:
        self.grid, self.life = grid, life
        self.pages = {("GET", "/device"): self.show, ("POST", "/device"): self.decide}
        self.calls = {
            ("GET", "/routes"): self.routes, ("GET", "/ping"): self.ping, ("GET", "/state"): self.state,
            ("POST", "/approve"): self.approve, ("POST", "/deny"): self.deny,
            ("POST", "/attach"): self.attach, ("POST", "/keep"): self.keep,
            ("POST", "/fault"): self.fault, ("POST", "/fault/clear"): self.clear_faults,
            ("POST", "/confirm"): self.confirm, ("POST", "/unconfirm"): self.unconfirm,
            ("POST", "/expire"): self.expire}

    def show(self, link: str, _form: dict, note: str = "") -> tuple[int, str]:
        ours = sorted(ACCOUNTS, key=lambda a: a != self.grid.o.auto_account)
        return 200, PAGE.format(note=html.escape(note), accounts="".join(f"<option>{a}</option>" for a in ours))

    def decide(self, link: str, form: dict) -> tuple[int, str]:
        deny = form.get("decision") != "approve"
        account = form.get("account")
        if account not in ACCOUNTS:
            return self.show(link, form, "There is no such account.")
        if not self.grid.logins.decide_by_link(link, form.get("user_code", ""), None if deny else account):
            if self.grid.logins.by_link(link):
                return self.show(link, form, "That is not the code: look into the terminal again.")
            return 403, DONE.format(title="This login is over", text="The code was wrong too often.")
        if deny:
            return 200, DONE.format(title="Denied", text="Nobody was logged in.")
        return 200, DONE.format(title="Logged in", text=f"You are logged in as {html.escape(account)}. Go back to the terminal.")

    def routes(self, _form):
        return 200, {"routes": [[method, path] for method, path in [*self.pages, *self.calls]]}

    def ping(self, _form):
        return 200, {"instance": self.life.instance, "pid": os.getpid(), "ready": self.life.ready, "kept": self.life.kept}

    def state(self, _form):
        return 200, self.grid.state()

    def approve(self, form):
        account = form.get("account", self.grid.o.auto_account)
        if account not in ACCOUNTS:
            return 400, {"error": f"no account {account}"}
        return self.decided(form, account)

    def deny(self, form):
        return self.decided(form, None)

    def decided(self, form, account):
        if not self.grid.logins.decide(form["user_code"], account):
            return 404, {"error": "no such login, or it is already decided"}
        return 200, {"account": account, "approved": account is not None}

    def attach(self, _form):
        return (409, {"error": "about to end"}) if self.life.deserted() else (200, {})

    def keep(self, _form):
        if self.life.deserted():
            return 409, {"error": "about to end"}
        self.life.kept = True
        return 200, {"kept": True}

    def fault(self, form):
        self.grid.faults.add(**form)
        return 200, {"faults": self.grid.faults.items}

    def clear_faults(self, _form):
        self.grid.faults.clear()
        return 200, {"faults": []}

    def confirm(self, form, yes=True):
        return 200, {"node_ids": [str(n) for n in self.grid.confirm(form["node_id"], yes)]}

    def unconfirm(self, form):
        return self.confirm(form, False)

    def expire(self, form):
        return 200, {"expired": self.grid.logins.expire(form.get("account"), form.get("what", "both"))}


def start_portal(grid: Grid, life: Life, port: int) -> ThreadingHTTPServer:
    portal = Portal(grid, life)
    guard = Guard(port, life.secret, lambda link: grid.logins.by_link(link) is not None)

    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # seconds for each read

        def handle(self) -> None:
            end = threading.Timer(15, self.hang_up)  # of the whole request
            end.daemon = True
            end.start()
            try:
                super().handle()
            finally:
                end.cancel()

        def hang_up(self) -> None:
            try:
                self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

        def log_message(self, *_a) -> None:
            pass

        def reply(self, status: int, body) -> None:
            page = isinstance(body, str)
            body = (body if page else json.dumps(body, indent=1)).encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{'text/html' if page else 'application/json'}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in PAGE_HEADERS.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def answer(self) -> None:
            """The one way to every path. Nothing of a request is looked at before the guard lets it in."""
            url = urllib.parse.urlsplit(self.path)
            key, link = (self.command, url.path), urllib.parse.parse_qs(url.query).get("login", [""])[0]
            who = LINK if key in portal.pages else OWNER
            length = guard.body_length(self.headers)
            raw = self.rfile.read(max(length, 0)).decode("utf-8", "replace")  # also of the refused: unread, it would cut off the answer
            if no := guard.refusal(who, self.headers, link):
                if who == LINK:
                    return self.reply(no[0], DONE.format(title="Not here", text=html.escape(no[1])))
                return self.reply(no[0], {"error": no[1]})
            if length < 0:
                return self.reply(413, {"error": "the request is too long"})
            if who == LINK:
                form = {k: v[0] for k, v in urllib.parse.parse_qs(raw).items()}
                return self.reply(*portal.pages[key](link, form))
            if key not in portal.calls:
                return self.reply(404, {"error": "no such page"})
            self.reply(*portal.calls[key](json.loads(raw or "{}")))

        def do_GET(self) -> None:
            try:
                self.answer()
            except OSError:
                pass  # the asker is gone
            except Exception as err:  # an answer for every request
                self.reply(400, {"error": repr(err)})

        do_POST = do_GET

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        slots = threading.BoundedSemaphore(64)  # a flood of connections may not take the SuperLink's memory

        def process_request(self, request, client_address) -> None:
            if not self.slots.acquire(blocking=False):
                return self.shutdown_request(request)
            super().process_request(request, client_address)

        def process_request_thread(self, request, client_address) -> None:
            try:
                super().process_request_thread(request, client_address)
            finally:
                self.slots.release()

        def handle_error(self, request, client_address) -> None:
            pass  # else whoever hangs up early fills the log

    server = Server(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
