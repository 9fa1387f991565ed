from flwr.clientapp import ClientApp

from pk.common import both, node_only

app = ClientApp()


@app.train()
def train(msg, context):
    open("on-the-node.txt", "w").write("a SuperNode's affair")
    both()
    node_only()
