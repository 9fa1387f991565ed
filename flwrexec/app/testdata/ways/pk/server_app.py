# Each statement that writes a file says so at its end: "writes FILE", "may" where the source cannot tell.
import bz2
import codecs
import contextlib
import csv
import functools
import gzip
import io
import json
import logging
import logging.config
import logging.handlers as handlers
import lzma
import os
import os.path as osp
import pathlib
import pickle
import shelve
import shutil as sh
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from io import BytesIO as Buffer
from os import replace as swap, makedirs
from pathlib import Path, Path as P
from shutil import copytree
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING

import cv2
import h5py
import joblib
import matplotlib.pyplot as plt
import mlflow
import numpy as np
import onnx
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import torch
import torch as t
import wandb
import yaml
from flwr.app import Context
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from keras.callbacks import ModelCheckpoint
from loguru import logger as log
from numpy import savez as keep
from safetensors.torch import save_file
from tensorflow import keras
from torch.utils.tensorboard import SummaryWriter

from pk import common
from pk.common import Keeper, Scratch, into as put

if TYPE_CHECKING:
    open("types.txt", "w")

app = ServerApp()
other = ClientApp()
OUT = Path("out")
SPARE = tempfile.mkdtemp()
store = np.savez_compressed
fh = logging.FileHandler("at-import.log")  # writes at-import.log


@other.train()
def train(msg, context):
    open("elsewhere.txt", "w").write("not on the grid")


def unreachable(model):
    torch.save(model, "never.pt")


def evaluate(_round, arrays):
    np.save(f"round_{_round}.npy", arrays)  # writes round_{_round}.npy
    return {}


def folder():
    return tempfile.mkdtemp()


class MyAvg(FedAvg):
    def aggregate_train(self, server_round, replies):
        torch.save(replies, f"round-{server_round}.pt")  # writes round-{server_round}.pt

    def _helper(self):
        return 1


class Net(torch.nn.Module):
    def save(self, path):
        return path

    def forward(self, x):
        return x


class Plain:
    def save(self, path):
        return path


def numbers(x):
    np.save("a.npy", x)  # writes a.npy
    np.savez("b.npz", x)  # writes b.npz
    keep("c.npz", x)  # writes c.npz
    store("d.npz", x)  # writes d.npz
    np.savetxt(fname="e.txt", X=x)  # writes e.txt
    x.tofile("f.bin")  # writes f.bin
    np.memmap("g.dat", mode="r")
    np.lib.format.open_memmap("h.npy", mode="w+")  # writes h.npy
    np.load("i.npy")
    np.save(OUT / "j.npy", x)  # writes out/j.npy
    np.save(osp.join("k", "l.npy"), x)  # writes k/l.npy
    np.save("%s.npy" % "x", x)  # may
    np.save("m-{}.npy".format(1), x)  # writes m-{}.npy
    np.save(str(OUT) + "/n.npy", x)  # writes out/n.npy


def memory(x):
    buf = io.BytesIO()
    np.savez(buf, x)
    torch.save(x, buf)
    with Buffer() as b:
        np.save(b, x)
        pickle.dump(x, b)
        h5py.File(b, "w")
    np.savez(io.BytesIO(), x)
    text = io.StringIO()
    x.to_csv(text)
    json.dump({}, text)
    csv.writer(text).writerow([1])
    x.to_csv(index=False)
    x.to_json()
    x.to_parquet()
    put(buf, x)
    put(io.BytesIO(), x)
    with zipfile.ZipFile(io.BytesIO(), "w") as z:
        z.writestr("inside.txt", "x")
    with gzip.GzipFile(fileobj=buf, mode="wb") as z:
        z.write(b"x")
    with tarfile.open(fileobj=buf, mode="w:gz") as z:
        z.add("x")
    sqlite3.connect(":memory:")
    log.add(sys.stderr)
    logging.StreamHandler(sys.stdout)
    logging.basicConfig(level=logging.INFO)
    print("x", file=sys.stderr)
    np.savetxt(sys.stdout, x)
    plt.savefig(buf, format="png")
    x.to_csv(sys.stdout)
    out = io.BytesIO() if x else io.StringIO()
    np.save(out, x)
    if x:
        sink = io.BytesIO()
    else:
        sink = io.StringIO()
    np.save(sink, x)
    Net().save("weights.pt")
    Plain().save("weights.pt")
    spooled = tempfile.SpooledTemporaryFile()
    np.save(spooled, x)
    "a/b".replace("/", ".")
    name = "a.b"
    name.replace(".", "_")
    x.replace("a", "b")
    x.rename(columns={})
    open("read.txt").read()
    open("read.txt", "rb").read()
    Path("read.txt").read_text()
    Path("read.txt").open()
    h5py.File("read.h5")
    h5py.File("read.h5", "r")
    zipfile.ZipFile("read.zip")
    tarfile.open("read.tar.xz", "r:xz")
    gzip.open("read.gz")
    torch.load("read.pt")
    pd.read_csv("read.csv")
    with contextlib.redirect_stdout(io.StringIO()):
        print("x")


def temporary(x, context):
    np.save("/tmp/a.npy", x)
    np.save(os.path.join(tempfile.gettempdir(), "a.npy"), x)
    with TemporaryDirectory() as d:
        np.save(d + "/a.npy", x)
        np.save(f"{d}/a.npy", x)
        np.save(Path(d) / "a.npy", x)
        open(os.path.join(d, "x"), "w").write("x")
        os.makedirs(os.path.join(d, "sub"))
        (P(d) / "y").write_text("y")
    with tempfile.NamedTemporaryFile(suffix=".pt") as f:
        torch.save(x, f.name)
        torch.save(x, f)
    fd, name = tempfile.mkstemp()
    os.fdopen(fd, "w").write("x")
    torch.save(x, name)
    here = mkdtemp()
    torch.save(x, f"{here}/x.pt")
    Path(SPARE, "x").touch()
    np.save(Path("/tmp") / "b.npy", x)
    np.save(pathlib.Path(folder()) / "c.npy", x)
    torch.save(x, context.run_config["scratch"] + "/d.pt")
    open(os.devnull, "w").write("x")
    open("/dev/null", "w").write("x")
    Scratch(Path("/tmp/x")).save("a.npy")
    os.replace("/tmp/a", "/tmp/b")
    sh.copy("pyproject.toml", "/tmp/p")
    tempfile.mkdtemp(dir="here")  # writes here
    sh.rmtree(here)


def paths(x):
    Path("a.txt").write_text("x")  # writes a.txt
    P("b.bin").write_bytes(b"x")  # writes b.bin
    pathlib.Path("c").mkdir(parents=True, exist_ok=True)  # writes c
    OUT.mkdir()  # writes out
    (OUT / "d").touch()  # writes out/d
    Path("e").rename("f")  # writes e
    Path("g").replace("h")  # writes g
    Path("i").symlink_to("j")  # writes i
    Path("k").open("w").write("x")  # writes k
    with Path("l").open(mode="a") as f:  # writes l
        f.write("x")
    Path.cwd().joinpath("m").write_text("x")  # writes ./m
    (Path(__file__).parent / "n.txt").write_text("x")  # writes __file__/n.txt
    Path.touch(Path("o"))  # writes o
    os.mkdir("p")  # writes p
    os.makedirs("q", exist_ok=True)  # writes q
    makedirs("r")  # writes r
    os.rename("s", "t")  # writes t
    swap("u", "v")  # writes v
    os.symlink("w", "x")  # writes x
    os.open("y", os.O_WRONLY | os.O_CREAT)  # writes y
    os.open("z", os.O_RDONLY)
    sh.copy("a", "b")  # writes b
    sh.move("a", "c")  # writes c
    copytree("a", "d")  # writes d
    sh.make_archive("e", "zip")  # writes e
    os.remove("f")  # may
    os.path.join("g", "h")


def openers(x, where: Path, mode="w"):
    open("a.txt", "w").write("x")  # writes a.txt
    with open("b.txt", mode="a") as f:  # writes b.txt
        f.write("x")
    io.open("c.txt", "x")  # writes c.txt
    codecs.open("d.txt", "w", "utf-8")  # writes d.txt
    gzip.open("e.gz", "wt")  # writes e.gz
    bz2.open("f.bz2", "wb")  # writes f.bz2
    lzma.open("g.xz", "w")  # writes g.xz
    zipfile.ZipFile("h.zip", "w")  # writes h.zip
    tarfile.open("i.tar.gz", "w:gz")  # writes i.tar.gz
    shelve.open("j")  # writes j
    h5py.File("k.h5", "a")  # writes k.h5
    h5py.File("l.h5", mode="r+")  # writes l.h5
    open("m.txt", mode).write("x")  # writes m.txt
    open(where, "w").write("x")  # may
    where.write_text("x")  # may
    open(x["name"], "w").write("x")  # may
    pickle.dump(x, open("n.pkl", "wb"))  # writes n.pkl
    json.dump(x, open("o.json", "w"))  # writes o.json
    yaml.safe_dump(x, open("p.yaml", "w"))  # writes p.yaml
    csv.writer(open("q.csv", "w"))  # writes q.csv
    print("x", file=open("r.txt", "w"))  # writes r.txt
    np.save(open("s.npy", "wb"), x)  # writes s.npy
    fn = functools.partial(open, "t.txt", "w")
    fn()  # writes t.txt
    sys.stdout = open("u.txt", "w")  # writes u.txt
    zipfile.ZipFile("v.zip").extractall("w")  # writes w


def models(x, model, context):
    torch.save(x, "a.pt")  # writes a.pt
    t.save(obj=x, f="b.pt")  # writes b.pt
    torch.jit.save(model, "c.pt")  # writes c.pt
    torch.onnx.export(model, x, "d.onnx")  # writes d.onnx
    onnx.save(model, "e.onnx")  # writes e.onnx
    save_file({}, "f.safetensors")  # writes f.safetensors
    joblib.dump(x, "g.joblib")  # writes g.joblib
    model.save("h.keras")  # may
    model.save_weights("i.h5")  # writes i.h5
    keras.Sequential([]).save("j.keras")  # writes j.keras
    model.save_pretrained("k")  # writes k
    model.save_model("l.json")  # writes l.json
    ModelCheckpoint("m.keras")  # writes m.keras
    torch.save(x, context.run_config["save-path"])  # writes final
    torch.save(x, context.run_config["unknown"])  # may
    model.export_anything("n.bin")  # may
    model.configure(output_dir="o")  # may
    getattr(torch, "save")(x, "p.pt")  # writes p.pt


def tables(x, df: pd.DataFrame):
    df.to_csv("a.csv")  # writes a.csv
    df.to_parquet(path="b.parquet")  # writes b.parquet
    pl.DataFrame({}).write_csv("c.csv")  # writes c.csv
    pq.write_table(x, "d.parquet")  # writes d.parquet
    pd.ExcelWriter("e.xlsx")  # writes e.xlsx
    sqlite3.connect("f.db")  # writes f.db
    pd.HDFStore("g.h5")  # writes g.h5
    plt.savefig("h.png")  # writes h.png
    fig, ax = plt.subplots()
    fig.savefig("i.png")  # writes i.png
    cv2.imwrite("j.png", x)  # writes j.png
    df.to_dict("k")


def logs(x):
    logging.FileHandler("a.log")  # writes a.log
    handlers.RotatingFileHandler("b.log")  # writes b.log
    logging.basicConfig(filename="c.log")  # writes c.log
    logging.config.dictConfig({"handlers": {"f": {"class": "logging.FileHandler", "filename": "d.log"}}})  # writes d.log
    log.add("e.log")  # writes e.log
    SummaryWriter()  # writes
    SummaryWriter(log_dir="f")  # writes f
    wandb.init(project="x")  # may
    wandb.init(mode="disabled")
    mlflow.start_run()  # may
    subprocess.run(["nvidia-smi"])  # may
    os.system("echo x > g.txt")  # writes echo x > g.txt
    log.info("saved to h.txt")


@app.main()
def main(grid: Grid, context: Context) -> None:
    x = object()
    for part in (numbers, memory):
        part(x)
    temporary(x, context)
    paths(x)
    openers(x, x.where)
    models(x, x.model, context)
    tables(x, x.table)
    logs(x)
    common.both()
    common.server_only("at-server.npy")
    common.anywhere(x.place, x)
    Keeper(Path("kept")).save("a.npy")
    strategy = MyAvg()
    strategy.start(grid=grid, evaluate_fn=evaluate)

    def inner():
        open("inner.txt", "w").write("x")  # writes inner.txt

    def idle():
        open("never.txt", "w").write("x")

    inner()


if __name__ == "__main__":
    unreachable(None)
