#!/usr/bin/env python3
"""A SuperGrid for one machine, for rehearsals and tests without internet.

    VENV/bin/python supergrid --dir STATE_DIR [options] [-- extra flower-superlink args]

It runs the REAL SuperLink of the flwr package installed in VENV, in this process,
with TLS, SuperNode authentication, account login (OIDC-style device flow) and
federations.  What SuperGrid adds on top of the open-source SuperLink is plugged in
through the hooks that the open-source code offers (plugins.py).

Everything that must survive a restart is in STATE_DIR (certificates, ports, tokens,
federations, the SuperLink database): stop it, start it again with the same --dir.
STATE_DIR/ready.json is there while the grid accepts connections (and after a kill -9:
the lock on STATE_DIR/grid.lock says whether it is alive). portal.py lists what can be
asked of it over HTTP.
"""
from __future__ import annotations

import gc

gc.disable()  # until we are ready: collecting during the imports costs a tenth of the start

import argparse
import json
import os
import signal
import sys
import threading
import time
import traceback
from importlib import metadata
from pathlib import Path

os.umask(0o077)

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from supergrid.certificates import make_certificates
from supergrid.compat import ACCOUNTS, VERSION, Compat
from supergrid.faults import tap_grpc
from supergrid.life import (Life, Ports, accepts, become_subreaper, end_children,
                            make_read_only)
from supergrid.plugins import install_ee, note_factory
from supergrid.portal import start_portal
from supergrid.state import Grid, drop_unused_database, write_atomic

def parse_args(argv):
    p = argparse.ArgumentParser(description="A SuperGrid for one machine")
    p.add_argument("--dir", type=Path, required=True, help="state directory")
    p.add_argument("--host", default="127.0.0.1", help="Control API (and HTTPS) bind address")
    p.add_argument("--fleet-host", help="Fleet API bind address (default --host)")
    p.add_argument("--control-port", type=int)
    p.add_argument("--fleet-port", type=int, help="not used by 1.41 and later: one port for all")
    p.add_argument("--runtime-port", type=int, help="gRPC versions: ServerAppIo port")
    p.add_argument("--portal-port", type=int)
    p.add_argument("--watch-stdin", action="store_true",
                   help='end when stdin does, unless "keep" was written to it')
    p.add_argument("--auto-account", default="ada", choices=ACCOUNTS, help="who an approval is for that names nobody")
    p.add_argument("--login-ttl", type=float, default=300, help="seconds to approve a login")
    p.add_argument("--login-interval", type=int, default=1, help="seconds between CLI polls")
    p.add_argument("--token-ttl", type=float, default=3600)
    p.add_argument("--refresh-ttl", type=float, default=86400, help="counted from the login")
    p.add_argument("--rotate-refresh", action="store_true",
                   help="a refresh token works once, a new one comes with each refresh")
    p.add_argument("--federation", action="append", metavar="NAME",
                   help="<= 1.26: the fixed federations (repeatable)")
    p.add_argument("--confirm-nodes", choices=("off", "federation", "fleet"), default="off",
                   help="until POST /confirm a registered node is in no federation "
                        "(federation), or may not even connect (fleet)")
    p.add_argument("--writable", action="store_true",
                   help="a ServerApp may write into its working folder, which SuperGrid does not allow")
    p.add_argument("extra", nargs="*", metavar="-- ARGS", help="for flower-superlink")
    return p.parse_args(argv)


def close_to_others(folder: Path) -> None:
    """What lies here is for its owner alone, also what an earlier flwrup wrote."""
    for path in (folder, *folder.iterdir()):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)


def environment(o) -> None:
    """What our children (flower-superexec, flwr-serverapp) inherit."""
    os.environ.update(FLWR_HOME=str(o.dir / "flwr_home"), FLWR_TELEMETRY_ENABLED="0",
                      FLWR_DISABLE_UPDATE_CHECK="1", FLWR_OIDC_ENABLED="1",
                      FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION="1",
                      FLWR_SUPEREXEC_TASK_POLL_INTERVAL="0.2",  # 1.42: a run starts sooner
                      PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    become_subreaper()


def working_folder(o) -> None:
    """Where ServerApps run. It cannot be written, as on SuperGrid, where this machine can do that."""
    work = o.dir / "work"
    work.mkdir(exist_ok=True)
    if not o.writable and (why := make_read_only(work)):
        print("ServerApps can write into", work, "here, which they cannot on SuperGrid:", why, file=sys.stderr)
    os.chdir(work)


def prepare(o, life: Life) -> tuple[Grid, Compat]:
    """Ports, certificates, portal, and flwr with our hooks in it."""
    ports = Ports(life)
    o.portal_port = ports.get("portal", "127.0.0.1", o.portal_port, remembered=False)
    o.portal = f"http://127.0.0.1:{o.portal_port}"
    make_certificates(o.dir, ["localhost", "127.0.0.1", "::1", "supergrid.flower.ai",
                              "fleet-supergrid.flower.ai", "api.flower.ai", o.host, o.fleet_host])
    environment(o)
    grid = Grid(o)
    install_ee(grid)
    tap_grpc(grid)
    compat = Compat()
    compat.allow_any_folder()
    note_factory(grid)
    o.control_port = ports.get("control", o.host, o.control_port, remembered=True)
    if compat.fleet_http:
        o.fleet_host, o.fleet_port = o.host, o.control_port
    else:
        o.fleet_port = ports.get("fleet", o.fleet_host, o.fleet_port, remembered=True)
    o.runtime_port = ports.get("runtime", "127.0.0.1", o.runtime_port, remembered=False)
    if compat.control_http:
        import uvicorn  # do not wait for ever for a `flwr log` that is still reading, nor believe who says who they are
        run = uvicorn.run
        uvicorn.run = lambda *a, **k: run(*a, **{"timeout_graceful_shutdown": 1, **k, "proxy_headers": False})
    start_portal(grid, life, o.portal_port)
    return grid, compat


def announce(o, life: Life, grid: Grid, compat: Compat) -> None:
    try:
        wait_until_ready(o, life, grid, compat)
    except Exception:
        traceback.print_exc()
        life.end()


def wait_until_ready(o, life: Life, grid: Grid, compat: Compat) -> None:
    while not (accepts(o.host, o.control_port) and accepts(o.fleet_host, o.fleet_port)):
        time.sleep(0.03)
    grid.open_linkstate()
    gc.freeze()
    gc.enable()
    if life.ending:
        return
    life.ready = True
    write_atomic(life.ready_file, json.dumps({
        "version": ".".join(map(str, VERSION)), "pid": os.getpid(), "instance": life.instance,
        "secret": life.secret,
        "control_transport": "http" if compat.control_http else "grpc",
        "fleet_transport": "http" if compat.fleet_http else "grpc",
        "control_address": f"{o.host}:{o.control_port}",
        "fleet_address": f"{o.fleet_host}:{o.fleet_port}",
        "ca": str(o.dir / "ca.crt"), "portal": o.portal,
        "accounts": list(ACCOUNTS), "managed_federations": compat.managed,
        "federations": list(grid.federations.data["federations"])}, indent=1))


def serve(o, life: Life) -> int:
    """Run the SuperLink until it ends; its status."""
    grid, compat = prepare(o, life)
    drop_unused_database(o.dir)
    auth = o.dir / "account-auth.yaml"
    auth.write_text("authentication: {authn_type: oidc}\nauthorization: {authz_type: oidc}\n")
    sys.argv = ["flower-superlink", *compat.superlink_args(o),
                "--ssl-ca-certfile", str(o.dir / "ca.crt"),
                "--ssl-certfile", str(o.dir / "server.crt"),
                "--ssl-keyfile", str(o.dir / "server.key"),
                "--enable-supernode-auth", "--database", str(o.dir / "superlink.db"),
                "--account-auth-config", str(auth), "--federations-config", str(auth),
                *o.extra]
    threading.Thread(target=announce, args=(o, life, grid, compat), daemon=True).start()
    metadata.entry_points(group="console_scripts", name="flower-superlink")[
        "flower-superlink"].load()()
    return 0


def main() -> None:
    o = parse_args(sys.argv[1:])
    o.dir = o.dir.resolve()
    o.dir.mkdir(parents=True, exist_ok=True)
    close_to_others(o.dir)
    o.fleet_host = o.fleet_host or o.host
    life = Life(o.dir, o.watch_stdin)
    status = 1
    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        life.lock()
        working_folder(o)
        life.watch_stdin()
        status = serve(o, life)
    except SystemExit as err:
        status = err.code if isinstance(err.code, int) else (err.code is not None)
        if isinstance(err.code, str):
            print(err.code, file=sys.stderr)
    except KeyboardInterrupt:
        status = 0
    except BaseException:  # said here, because os._exit says nothing
        traceback.print_exc()
    finally:
        patience = 0.6 if life.ending else 3.0
        life.not_ready()
        end_children(patience)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(status or 0))


if __name__ == "__main__":
    main()
