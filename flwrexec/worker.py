"""Runs flwr's own command line for flwrup, inside flwr's Python environment.

Two ways, by argv[2]:

  worker  imports flwr's CLI once, then runs one command a line of JSON on stdin, and answers each
          with a line of JSON: {"id", "code", "out", "err", "native", "secs", "last"}. With "live" set, what
          the command prints comes before that as it is printed: {"id", "text"}.
  one     runs the one command given as the rest of argv, its output live on stdout and stderr.

In both, the process ends when its stdin closes, whatever the command is doing: flwrup is gone then.
`requests`, the binary stream that was stdin, is made by whoever runs this text.
"""
import contextlib
import io
import json
import os
import queue
import sys
import threading
import time
import traceback

sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
os.dup2(sys.stdin.fileno(), 0)
MODE = sys.argv[2]


def no_browser():
    """flwrup shows the login page itself."""
    import webbrowser
    for name in ("open", "open_new", "open_new_tab"):
        setattr(webbrowser, name, lambda *a, **k: True)


CAUSES = []


def note_causes():
    """Keep what flwr leaves out: the network's error behind "Connection to the SuperLink is unavailable"."""
    import click
    for kind in (click.ClickException, click.exceptions.Exit):
        init = kind.__init__

        def noted(self, *a, _init=init, **k):
            err = sys.exc_info()[1]
            with contextlib.suppress(Exception):
                details = str(err)
                if callable(getattr(err, "details", None)):  # gRPC
                    details = f"{err.code()}: {err.details()}"
                if err is not None and not isinstance(err, click.exceptions.Exit):
                    CAUSES.append(f"cause: {type(err).__name__}: {details}"[:2000])
            _init(self, *a, **k)

        kind.__init__ = noted


def close_aside():
    """Close gRPC channels beside the next command: flwr watches its channels' state, and gRPC's close waits
    for the watcher's poll of 0.2 s, on every call up to flwr 1.39 (grpcio 1.6x to 1.8x)."""
    with contextlib.suppress(Exception):
        from grpc._channel import Channel
        close = Channel._close

        def aside(self):
            threading.Thread(target=close, args=(self,), daemon=True).start()

        Channel._close = aside


def load():
    import typer
    from flwr.cli.app import app
    no_browser()
    note_causes()
    return typer.main.get_command(app)


def run(command, args):
    """Give the exit code that the `flwr` program would have, and text that it would have printed."""
    import click
    CAUSES.clear()
    try:
        code = command.main(args=args, prog_name="flwr", standalone_mode=False)
        return code if isinstance(code, int) else 0, "", False
    except click.ClickException as err:
        return err.exit_code, err.format_message(), False
    except (click.Abort, KeyboardInterrupt):
        return 1, "Aborted.", False
    except SystemExit as err:  # flwr_exit: the process has 5 s left to live
        return err.code if isinstance(err.code, int) else 1, "", True
    except BaseException as err:  # click's Exit where it comes as an exception, and bugs of flwr
        code = getattr(err, "exit_code", None)
        return (code, "", False) if isinstance(code, int) else (1, traceback.format_exc(), False)


LIMIT = 8 << 20  # characters of one answer, as child.MaxOutput


class Text(io.StringIO):
    """Takes what is printed, up to LIMIT. One for the life of the process: flwr's logger keeps hold of it."""

    over = False

    def write(self, text):
        if self.tell() + len(text) > LIMIT:
            self.over = True
            return len(text)
        return super().write(text)

    def close(self):
        pass

    def take(self):
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        self.over = False
        return text


class Live(Text):
    """Hands on what is printed."""

    def __init__(self, say):
        super().__init__()
        self.say = say

    def write(self, text):
        if not isinstance(text, str):  # click finds out by it that this is no binary stream
            raise TypeError(type(text))
        for at in range(0, len(text), 1 << 16):
            self.say(text[at:at + (1 << 16)])
        return len(text)


def taken(native):
    """What came by file descriptor: gRPC's C core writes there."""
    size = os.fstat(native).st_size
    os.lseek(native, max(0, size - 64 * 1024), os.SEEK_SET)
    text = os.read(native, 64 * 1024)
    os.ftruncate(native, 0)
    return text.decode("utf-8", "replace")


def worker():
    # Answers go out by a descriptor of our own; nothing printed can get between them.
    answers = os.fdopen(os.dup(1), "wb")
    import tempfile
    with tempfile.TemporaryFile() as f:
        native = os.open(os.devnull, os.O_RDWR)
        os.dup2(f.fileno(), native)
    if hasattr(os, "O_APPEND"):
        with contextlib.suppress(Exception):
            import fcntl
            fcntl.fcntl(native, fcntl.F_SETFL, os.O_APPEND)
    os.dup2(native, 1)
    os.dup2(native, 2)
    out, err = Text(), Text()

    def catch(out=out, err=err):
        # JSON goes to sys.stdout up to 1.25 (which flwr resets) and to sys.__stdout__ later.
        sys.stdout = sys.__stdout__ = out
        sys.stderr = sys.__stderr__ = err

    catch()

    def answer(**what):
        answers.write(json.dumps(what).encode() + b"\n")
        answers.flush()

    begun = time.monotonic()
    try:
        command = load()
        close_aside()
        from importlib import metadata
        version = metadata.version("flwr")
    except BaseException:
        answer(ready=False, error=traceback.format_exc(), secs=time.monotonic() - begun)
        os._exit(0)
    answer(ready=True, version=version, secs=time.monotonic() - begun)

    todo = queue.Queue()

    def read():
        for line in iter(requests.readline, b""):
            todo.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        asked = json.loads(todo.get())
        begun = time.monotonic()
        if asked.get("live"):
            def say(text, asked=asked):
                answer(id=asked["id"], text=text)
            live = Live(say)
            catch(live, live)
            note_expiry()
        else:
            catch()
        for printed in (out.take, err.take, lambda: taken(native)):
            printed()  # what came after the last answer belongs to no command
        code, said, last = run(command, asked["args"])
        chatter = taken(native)
        # flwr leaves a gRPC channel that failed open: it goes on trying, and its chatter would be taken
        # for the next command's.
        last = last or "Handshake failed" in chatter
        if CAUSES:  # which say it better
            chatter = ""
        answer(id=asked["id"], code=code, over=out.over or err.over, secs=time.monotonic() - begun, last=last, out=out.take(),
               err="\n".join([err.take(), said[:1 << 16], *CAUSES]), native=chatter)
        if last:
            os._exit(0)


def note_expiry():
    """Say how long a login may take: flwr knows, but does not print it."""
    for module in ("flwr.supercore.auth.typing", "flwr.common.typing"):
        with contextlib.suppress(Exception):
            details = getattr(__import__(module, fromlist=["x"]), "AccountAuthLoginDetails")
            init = details.__init__
            if init.__name__ == "noted":
                return

            def noted(self, *a, _init=init, **k):
                _init(self, *a, **k)
                with contextlib.suppress(Exception):
                    print(f"\x1eflwrup-expires {int(self.expires_in)}", flush=True)

            details.__init__ = noted
            return


def one():
    def read():
        while requests.read(4096):
            pass
        os._exit(130)

    threading.Thread(target=read, daemon=True).start()
    command = load()
    if sys.argv[3:4] == ["login"]:
        note_expiry()
    code, said, _ = run(command, sys.argv[3:])
    for text in [said, *(CAUSES if code else [])]:
        if text:
            print(text, file=sys.stderr, flush=True)
    sys.stdout.flush()
    # Not sys.exit: a live gRPC thread would keep the process, and flwrup would wait with it.
    os._exit(code)


if __name__ == "__main__":
    worker() if MODE == "worker" else one()
