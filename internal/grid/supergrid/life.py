"""Being one process of a folder: its lock, its ports, its children, and its end."""
from __future__ import annotations

import ctypes
import fcntl
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from supergrid.state import JsonFile, write_atomic


class Life:
    """The lock on the state folder, and whether the grid outlives the program that started it."""

    def __init__(self, folder: Path, watch: bool) -> None:
        self.folder, self.watch = folder, watch
        self.instance = secrets.token_hex(16)
        self.secret = secrets.token_urlsafe(32)  # for the portal; another one at each start
        self.ready_file, self.failed_file = folder / "ready.json", folder / "failed.json"
        self.locked = self.ready = self.kept = self.ending = False

    def lock(self) -> None:
        """One grid a folder. The kernel gives the lock back however the process ends."""
        self.fd = os.open(self.folder / "grid.lock", os.O_RDWR | os.O_CREAT, 0o600)
        end = time.time() + 2
        while True:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.time() > end:
                    sys.exit("another grid runs in " + str(self.folder))
                time.sleep(0.02)
        self.locked = True
        os.ftruncate(self.fd, 0)
        os.write(self.fd, json.dumps({"pid": os.getpid(), "instance": self.instance}).encode())
        self.ready_file.unlink(missing_ok=True)
        self.failed_file.unlink(missing_ok=True)

    def fail(self, code: str, **more) -> None:
        write_atomic(self.failed_file, json.dumps({"code": code, **more}))
        sys.exit(f"{code}: {more}")

    def watch_stdin(self) -> None:
        """End when stdin does, unless "keep" was said."""
        if self.watch:
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        said = b""
        while chunk := os.read(0, 4096):
            said = (said + chunk)[-4096:]
            if b"keep\n" in said:
                self.kept = True
        if not self.kept:
            self.end()

    def deserted(self) -> bool:
        """Whether the program that started the grid is gone, perhaps not yet noticed."""
        if self.ending:
            return True
        if self.kept or not self.watch:
            return False
        poll = select.poll()
        poll.register(0, select.POLLIN)
        return any(event & select.POLLHUP for _, event in poll.poll(0))

    def end(self) -> None:
        self.not_ready()
        threading.Thread(target=self._deadline, daemon=True).start()
        os.kill(os.getpid(), signal.SIGTERM)

    def not_ready(self) -> None:
        self.ending = True
        if self.locked:  # else the file is another grid's
            self.ready_file.unlink(missing_ok=True)

    def _deadline(self) -> None:
        time.sleep(1.5)
        signal_all(signal.SIGKILL)
        os._exit(0)


def become_subreaper() -> None:
    """Orphans among our descendants stay ours (Linux; elsewhere the session finds them)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def make_read_only(folder: Path) -> str:
    """Make folder unwritable for this process and all it starts, as the disk is for a ServerApp on
    SuperGrid; nobody else sees a change. "" when that was done, else why it could not be. Only a
    process without other threads may do it."""
    if sys.platform != "linux":
        return "only Linux can do that"
    CLONE_NEWUSER, CLONE_NEWNS = 0x10000000, 0x20000
    MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    flags = os.statvfs(folder).f_flag & ~MS_RDONLY & 0b1111  # nosuid, nodev, noexec stay as they are

    def call(function, *args) -> str:
        return os.strerror(ctypes.get_errno()) if function(*args) else ""

    if wrong := call(libc.unshare, CLONE_NEWNS | (CLONE_NEWUSER if uid else 0)):
        return wrong
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    name = os.fsencode(folder)
    return (call(libc.mount, b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None)
            or call(libc.mount, name, name, None, ctypes.c_ulong(MS_BIND), None)
            or call(libc.mount, b"none", name, None, ctypes.c_ulong(MS_BIND | MS_REMOUNT | MS_RDONLY | flags), None))


def descendants() -> list[int]:
    """All processes below this one, and all others of its session's process group."""
    table, me = [], os.getpid()
    if sys.platform == "linux":
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                _, parent, group = stat.read_text().rpartition(")")[2].split()[:3]
                table.append((int(stat.parent.name), int(parent), int(group)))
            except (OSError, ValueError):
                pass
    else:
        ps = subprocess.run(["ps", "-axo", "pid=,ppid=,pgid="], capture_output=True, text=True)
        table = [tuple(map(int, line.split())) for line in ps.stdout.splitlines()]
    found = {p for p, _, group in table if group == me}  # we lead a group only in our own session
    found.add(me)
    while more := {p for p, parent, _ in table if parent in found} - found:
        found |= more
    return sorted(found - {me})


def signal_all(sig: int) -> None:
    for pid in descendants():
        try:
            os.kill(pid, sig)
        except (ProcessLookupError, PermissionError):
            pass


def end_children(patience: float) -> None:
    """No SuperExec and no ServerApp outlives the grid: SIGTERM, and SIGKILL after patience seconds."""
    for sig, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, 2.0)):
        signal_all(sig)
        end = time.time() + wait
        while time.time() < end:
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return
            time.sleep(0.02)


def free_port(host: str) -> int:
    with socket.socket() as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def is_free(host: str, port: int) -> bool:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((host, port))
            return True
        except OSError:
            return False


def accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 0.5).close()
        return True
    except OSError:
        return False


class Ports:
    """The grid's ports, the same at every start: SuperNodes were told the address."""

    def __init__(self, life: Life) -> None:
        self.life, self.file = life, JsonFile(life.folder / "ports.json", {})

    def get(self, name: str, host: str, wanted: int | None, remembered: bool) -> int:
        """The port called name. remembered: others know it, so no other one will do."""
        port = wanted or self.file.data.get(name)
        if port and not is_free(host, port):
            if wanted or remembered:
                self.life.fail("port-taken", name=name, port=port)
            port = None
        self.file.data[name] = port = port or free_port(host)
        self.file.save()
        return port
