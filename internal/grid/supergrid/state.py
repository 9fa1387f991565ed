"""What the grid knows: logins and tokens, faults to inject, federations, confirmed nodes."""
from __future__ import annotations

import json
import os
import secrets
import shutil
import threading
import time
from pathlib import Path

from supergrid.compat import ACCOUNTS, VERSION, Compat
from supergrid.guard import same

TOKENS = "tokens.json"  # from the first login on


class JsonFile:
    """A dict kept in a JSON file; hold `lock` while you change `data`, then save()."""

    def __init__(self, path: Path, default: dict) -> None:
        self.path, self.lock, self.data = path, threading.RLock(), default
        try:
            self.data = {**default, **json.loads(path.read_text())}
        except FileNotFoundError:
            pass
        except (ValueError, TypeError) as err:  # a disk that lost it: the grid starts all the same
            path.replace(path.with_name(path.name + ".damaged"))
            print(f"{path} is damaged and put aside: {err}", flush=True)

    def save(self) -> None:
        write_atomic(self.path, json.dumps(self.data, indent=1))


def write_atomic(path: Path, text: str | bytes) -> None:
    """The old content or the new one, whenever we are killed."""
    tmp = path.with_name(f".{path.name}.{os.getpid()}")
    with tmp.open("wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
        f.flush()
        os.fsync(f.fileno())
    tmp.replace(path)


def drop_unused_database(folder: Path) -> None:
    """Without a login nothing ever came into the database, and a SuperLink that was killed while it made
    the database cannot go on from there: a start makes it from scratch until somebody has logged in."""
    if (folder / TOKENS).exists():
        return
    for path in folder.glob("superlink.db*"):
        path.unlink()
    shutil.rmtree(folder / "ffs", ignore_errors=True)


class Logins:
    """Device-flow logins and the tokens they end in. Anybody on this machine may begin one; what it takes to
    approve it is shown to whoever began it (the link) and to the owner of the grid (the code)."""

    MOST = 2000  # logins that wait
    TRIES = 5  # wrong codes that are typed into the page of one login

    def __init__(self, path: Path, o) -> None:
        self.o, self.file = o, JsonFile(path, {"access": {}, "refresh": {}})
        self.pending: dict[str, dict] = {}  # device_code -> login

    def start(self) -> dict:
        login = {"device_code": secrets.token_hex(16), "started": time.time(),
                 "user_code": "-".join(secrets.token_hex(2).upper() for _ in range(2)),
                 "link": secrets.token_urlsafe(16), "tries": 0, "account": None, "denied": False}
        with self.file.lock:
            for old in [p for p in self.pending.values() if not self.lives(p)]:
                del self.pending[old["device_code"]]
            while len(self.pending) >= self.MOST:
                del self.pending[next(iter(self.pending))]
            self.pending[login["device_code"]] = login
        print(f"a login waits: its code is {login['user_code']}", flush=True)  # the log is its owner's alone
        return login

    def lives(self, login: dict) -> bool:
        return time.time() - login["started"] <= self.o.login_ttl

    def by_link(self, link: str) -> dict | None:
        """The undecided login with this link."""
        with self.file.lock:
            open_ones = [p for p in self.pending.values()
                         if same(link, p["link"]) and not (p["account"] or p["denied"]) and self.lives(p)]
        return open_ones[0] if open_ones else None

    def decide_by_link(self, link: str, user_code: str, account: str | None) -> bool:
        """decide for a person in a browser, who types the code."""
        with self.file.lock:
            login = self.by_link(link)
            if login is None:
                return False
            if not same(user_code.strip().upper(), login["user_code"]):
                login["tries"] += 1
                login["denied"] = login["tries"] >= self.TRIES
                return False
            login["account"], login["denied"] = account, account is None
            return True

    def decide(self, user_code: str, account: str | None) -> bool:
        """account None denies. True if there was such a login, still undecided."""
        with self.file.lock:
            for login in self.pending.values():
                if login["user_code"] == user_code and not (login["account"] or login["denied"]):
                    login["account"], login["denied"] = account, account is None
                    return True
        return False

    def finish(self, device_code: str) -> tuple[str, str] | None:
        with self.file.lock:
            login = self.pending.get(device_code)
            if login is None or login["denied"] or login["account"] is None or not self.lives(login):
                return None
            del self.pending[device_code]
        return self._issue(ACCOUNTS[login["account"]], time.time() + self.o.refresh_ttl)

    def _issue(self, aid: str, refresh_until: float, refresh: str | None = None):
        now = time.time()
        with self.file.lock:
            for kind in ("access", "refresh"):  # forget the dead ones
                old = self.file.data[kind]
                self.file.data[kind] = {t: e for t, e in old.items() if e["until"] > now}
            access = "at-" + secrets.token_urlsafe(24)
            refresh = refresh or "rt-" + secrets.token_urlsafe(24)
            self.file.data["access"][access] = {"aid": aid, "until": now + self.o.token_ttl}
            self.file.data["refresh"][refresh] = {"aid": aid, "until": refresh_until}
            self.file.save()
        return access, refresh

    def check(self, kind: str, token) -> dict | None:
        token = token.decode() if isinstance(token, bytes) else token
        with self.file.lock:
            entry = self.file.data[kind].get(token)
        return entry if entry and entry["until"] > time.time() else None

    def refresh(self, token) -> tuple[str, str, str] | None:
        token = token.decode() if isinstance(token, bytes) else token
        entry = self.check("refresh", token)
        if entry is None:
            return None
        if self.o.rotate_refresh:
            with self.file.lock:
                self.file.data["refresh"].pop(token, None)
        keep = None if self.o.rotate_refresh else token
        return (*self._issue(entry["aid"], entry["until"], keep), entry["aid"])

    def expire(self, account: str | None, what: str) -> int:
        aid, n = ACCOUNTS.get(account or ""), 0
        with self.file.lock:
            for kind in ("access", "refresh"):
                for entry in self.file.data[kind].values():
                    if what in (kind, "both") and (aid is None or entry["aid"] == aid):
                        entry["until"], n = 0, n + 1
            self.file.save()
        return n


class Faults:
    """Errors to inject, by RPC."""

    MODES = ("unavailable", "internal", "drop-before", "drop-after", "delay")

    def __init__(self) -> None:
        self.items: list[dict] = []
        self.lock = threading.Lock()

    def add(self, rpc: str, mode: str, count: int = 1, seconds: float = 5.0) -> None:
        if mode not in self.MODES:
            raise ValueError(f"mode must be one of {', '.join(self.MODES)}")
        rpc = rpc if rpc == "*" or "/" in rpc else f"Control/{rpc}"
        with self.lock:
            self.items.append({"rpc": rpc, "mode": mode, "count": int(count),
                               "seconds": float(seconds)})

    def clear(self) -> None:
        with self.lock:
            self.items.clear()

    def take(self, rpc: str) -> dict | None:
        with self.lock:
            for item in self.items:
                if item["rpc"] in (rpc, "*") and item["count"] > 0:
                    item["count"] -= 1
                    self.items[:] = [i for i in self.items if i["count"] > 0]
                    return dict(item)
        return None


class Grid:
    """All the state of the grid."""

    def __init__(self, o) -> None:
        self.o = o
        self.logins = Logins(o.dir / TOKENS, o)
        self.federations = JsonFile(o.dir / "federations.json",
                                    {"federations": {}, "confirmed": []})
        self.faults = Faults()
        self.manager = None  # set by get_federation_manager; has .linkstate once that is made
        self.factory = None  # the SuperLink's LinkStateFactory
        self.open = False  # whether there is a linkstate to ask

    def page_of(self, login: dict) -> str:
        """The page for a login. Its link does not carry the code: programs that open it show it to all users."""
        return f"{self.o.portal}/device?login={login['link']}"

    def linkstate(self):
        return Compat.linkstate(self.manager.linkstate)

    def open_linkstate(self) -> None:
        """Make the database now; up to 1.33 the SuperLink would at the first call."""
        try:
            self.manager.linkstate
        except RuntimeError:
            self.factory.state()
        self.open = True

    # -- node confirmation (what SuperGrid staff do by hand) --
    def confirmed(self, node_id: int) -> bool:
        return self.o.confirm_nodes == "off" or node_id in self.federations.data["confirmed"]

    def confirm(self, node_id, yes: bool = True) -> list[int]:
        ids = [n.node_id for n in self.linkstate().get_node_info()] \
            if node_id == "all" else [int(node_id)]
        with self.federations.lock:
            known = set(self.federations.data["confirmed"])
            known = known | set(ids) if yes else known - set(ids)
            self.federations.data["confirmed"] = sorted(known)
            self.federations.save()
        return ids

    def refuses_activation(self, public_key: bytes) -> bool:
        if self.o.confirm_nodes != "fleet":
            return False
        node_id = self.linkstate().get_node_id_by_public_key(public_key)
        return node_id is not None and not self.confirmed(node_id)

    def state(self) -> dict:
        nodes = [{"node_id": str(n.node_id), "owner": n.owner_name, "status": n.status,
                  "confirmed": self.confirmed(n.node_id),
                  "public_key": n.public_key.decode(errors="replace")}
                 for n in (self.linkstate().get_node_info() if self.open else [])]
        return {"version": ".".join(map(str, VERSION)), "accounts": list(ACCOUNTS),
                "logins": [{"user_code": p["user_code"], "url": self.page_of(p), "account": p["account"],
                            "denied": p["denied"], "started": p["started"]}
                           for p in list(self.logins.pending.values())],
                "nodes": nodes, "federations": self.federations.data["federations"],
                "faults": self.faults.items}
