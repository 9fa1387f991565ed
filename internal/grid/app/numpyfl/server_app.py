"""What the SuperLink does: average the weights and look how good they are."""
import errno
import os
import time

import numpy as np
from flwr.app import ArrayRecord, Context, MetricRecord
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from numpyfl import task

app = ServerApp()


def evaluate(_round: int, arrays: ArrayRecord) -> MetricRecord:
    x, y = task.make_data(seed=1)
    loss, accuracy = task.measure(arrays.to_numpy_ndarrays()[0], x, y)
    return MetricRecord({"loss": loss, "accuracy": accuracy})


@app.main()
def main(grid: Grid, context: Context) -> None:
    config = context.run_config
    behave = str(config["behave"])
    if behave == "early":
        raise ValueError("this run was told to fail early")
    if behave == "slow":
        print("sleeping", flush=True)
        time.sleep(int(config["sleep"]))
    n = int(config["min-nodes"])
    strategy = FedAvg(min_train_nodes=n, min_evaluate_nodes=n, min_available_nodes=n,
                      fraction_evaluate=1.0 if config["evaluate-on-nodes"] else 0.0)
    result = strategy.start(grid=grid, initial_arrays=ArrayRecord([np.zeros(task.FEATURES + 1)]),
                            num_rounds=int(config["num-server-rounds"]), evaluate_fn=evaluate)
    model = result.arrays.to_numpy_ndarrays()[0]
    print("final model", np.round(model, 3).tolist(), flush=True)
    if behave == "readonly":
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "final_model.npz")
