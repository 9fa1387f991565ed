"""The portal: a plain HTTP server on loopback that does what people do in a browser, what staff of
a grid do by hand, and what a test wants to do to a server.

    GET  /device?user_code=U          the page that `flwr login` opens
    POST /approve {user_code, account}, /deny {user_code}      (JSON or a form)
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
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from supergrid.compat import ACCOUNTS
from supergrid.life import Life
from supergrid.state import Grid

PAGE = """<!doctype html><meta charset="utf-8"><title>Flower login (rehearsal)</title>
<h1>Log in to Flower</h1><p>A device asks for access. Its code is <b>{code}</b>.</p>
<form method="post" action="/approve"><input type="hidden" name="user_code" value="{code}">
<label>Account <select name="account">{accounts}</select></label>
<button name="decision" value="approve">Approve</button>
<button name="decision" value="deny">Deny</button></form>"""


DONE = """<!doctype html><meta charset="utf-8"><title>Flower login (rehearsal)</title>
<h1>{title}</h1><p>{text}</p>"""


def start_portal(grid: Grid, life: Life, host: str, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_a) -> None:
            pass

        def reply(self, status: int, body, kind: str = "application/json") -> None:
            body = (body if isinstance(body, str) else json.dumps(body, indent=1)).encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            if url.path == "/ping":
                return self.reply(200, {"instance": life.instance, "pid": os.getpid(),
                                        "ready": life.ready, "kept": life.kept})
            if url.path == "/state":
                return self.reply(200, grid.state())
            if url.path == "/device":
                code = urllib.parse.parse_qs(url.query).get("user_code", [""])[0]
                options = "".join(f"<option>{a}</option>" for a in ACCOUNTS)
                return self.reply(200, PAGE.format(code=html.escape(code, True),
                                                   accounts=options), "text/html")
            self.reply(404, {"error": "no such page"})

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            try:
                if raw[:1] == "{":
                    return self.reply(*self.act(self.path, json.loads(raw)))
                form = {k: v[0] for k, v in urllib.parse.parse_qs(raw).items()}
                status, answer = self.act(self.path, form)
                if self.path != "/approve":
                    return self.reply(status, answer)
                self.reply(status, self.page(status, answer), "text/html")
            except Exception as err:  # an answer for every request
                self.reply(400, {"error": repr(err)})

        @staticmethod
        def page(status: int, answer: dict) -> str:
            if status != 200:
                return DONE.format(title="This login is over", text=html.escape(answer["error"]))
            if not answer["approved"]:
                return DONE.format(title="Denied", text="Nobody was logged in.")
            return DONE.format(title="Logged in", text="You are logged in as "
                               f"{html.escape(answer['account'])}. Go back to the terminal.")

        @staticmethod
        def act(path: str, form: dict) -> tuple[int, dict]:
            if path in ("/approve", "/deny"):
                deny = path == "/deny" or form.get("decision") == "deny"
                account = None if deny else form.get("account", grid.o.auto_account)
                if account is not None and account not in ACCOUNTS:
                    return 400, {"error": f"no account {account}"}
                if not grid.logins.decide(form["user_code"], account):
                    return 404, {"error": "no such login, or it is already decided"}
                return 200, {"account": account, "approved": not deny}
            if path == "/attach":
                return (409, {"error": "about to end"}) if life.deserted() else (200, {})
            if path == "/keep":
                if life.deserted():
                    return 409, {"error": "about to end"}
                life.kept = True
                return 200, {"kept": True}
            if path == "/fault":
                grid.faults.add(**form)
                return 200, {"faults": grid.faults.items}
            if path == "/fault/clear":
                grid.faults.clear()
                return 200, {"faults": []}
            if path in ("/confirm", "/unconfirm"):
                return 200, {"node_ids": [
                    str(n) for n in grid.confirm(form["node_id"], path == "/confirm")]}
            if path == "/expire":
                n = grid.logins.expire(form.get("account"), form.get("what", "both"))
                return 200, {"expired": n}
            return 404, {"error": "no such page"}

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
