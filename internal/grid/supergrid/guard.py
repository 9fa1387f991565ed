"""Who may ask the portal for anything. Loopback keeps other machines out, but every user of this machine and
every web page in their browsers reaches it; so a request needs a secret that only files of the owner hold, or
the one-time link of a login that waits."""
from __future__ import annotations

import hmac
import os
from pathlib import Path

OWNER = "owner"  # flwrup itself: the secret in ready.json, which its owner alone can read
LINK = "link"  # a browser: the link that flwr shows, good until its login is decided

BODY_LIMIT = 16 << 10  # bytes


def same(given: str, wanted: str) -> bool:
    """Compare in a time that does not depend on where the two differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def from_owner(client_port: int, server_port: int | None = None) -> bool:
    """Whether the other end of a connection over loopback is a process of this user, and of nobody else who has
    the same port elsewhere. Linux tells; on other systems nobody does, and everybody is let in."""
    uids = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            _, local, remote, *rest = row.split()
            if int(local.rpartition(":")[2], 16) == client_port \
                    and server_port in (None, int(remote.rpartition(":")[2], 16)):
                uids.add(int(rest[4]))
    if not uids and not Path("/proc/net/tcp").exists():
        return True
    return uids == {os.getuid()}


# The services that others than the processes of this grid may call: they have logins, or registered keys.
OPEN_SERVICES = ("Control", "Fleet")


class Guard:
    def __init__(self, port: int, secret: str, link_is_open) -> None:
        self.hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self.secret, self.link_is_open = secret, link_is_open

    def refusal(self, who: str, headers, link: str) -> tuple[int, str] | None:
        """None lets the request in; else its status and reason. who is OWNER for every path without a page."""
        hosts = headers.get_all("Host") or []
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return 403, "wrong Host"  # DNS rebinding: a foreign name that leads here
        origins = headers.get_all("Origin") or []
        if who == LINK:
            if any(o != "http://" + hosts[0].lower() for o in origins):
                return 403, "another page's request"
            if not self.link_is_open(link):
                return 403, "this link is not complete, or its login is over"
            return None
        if origins:
            return 403, "not for browsers"
        if not same(headers.get("Authorization") or "", "Bearer " + self.secret):
            return 401, "not the owner of this grid"
        return None

    @staticmethod
    def body_length(headers) -> int:
        """The length of the body, or -1 for one that is too long or does not say."""
        given = headers.get_all("Content-Length") or ["0"]
        if headers.get("Transfer-Encoding") or len(given) != 1 or not given[0].isascii() or not given[0].isdigit():
            return -1
        length = int(given[0][:9])
        return length if length <= BODY_LIMIT else -1
