import numpy as np


def both():
    np.save("both.npy", [1])  # writes both.npy: the ClientApp uses it, too


def node_only():
    np.save("node.npy", [1])


def server_only(where):
    np.save(where, [1])  # writes at-server.npy


def into(f, value):
    np.savez(f, value)


def anywhere(f, value):
    np.savez(f, value)  # may


def nobody():
    open("never.txt", "w").write("x")


class Keeper:
    def __init__(self, folder):
        self.folder = folder

    def save(self, name):
        np.save(self.folder / name, [1])  # writes kept/a.npy

    def unused(self):
        open("never.txt", "w").write("x")

    def write(self, path):
        return path


class Scratch:
    def __init__(self, folder):
        self.folder = folder

    def save(self, name):
        np.save(self.folder / name, [1])


if __name__ == "__main__":
    nobody()
    open("main.txt", "w").write("x")
