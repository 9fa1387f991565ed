"""Reads a Flower app's source as Python itself does, and comments statements out of it.

    python -I appcheck.py REQUEST      (JSON)

One JSON object comes out. Nothing of the app is imported or run, nothing is written.
"""
import ast
import base64
import io
import json
import os
import re
import sys
import tokenize

# Calls of these names write a file, whoever they are called on.
WRITES = {"savez", "savez_compressed", "savetxt", "savefig", "tofile", "imsave", "imwrite", "to_parquet",
          "to_pickle", "to_excel", "to_feather", "to_hdf", "to_sql", "save_pretrained", "save_weights",
          "save_model", "save_file", "write_text", "write_bytes", "write_parquet", "write_csv", "makedirs",
          "mkdir", "FileHandler", "RotatingFileHandler"}
# These write a file when they are given one, and else give text back.
WRITES_WITH_PATH = {"to_csv", "to_json", "to_html", "to_latex", "to_markdown", "to_string", "save"}
# Calls into these modules reach out over the network; of the last ones, only these names do.
REACHES = ("requests", "httpx", "aiohttp", "urllib.request", "urllib3", "wandb", "mlflow", "boto3", "smtplib", "ftplib", "paramiko")
REACHES_BY_NAME = {"urlopen", "urlretrieve", "create_connection", "load_dataset", "hf_hub_download", "snapshot_download"}
MODE = re.compile(r"[rwaxbtU+]{1,4}")
MINIMUMS = {"min_train_nodes", "min_evaluate_nodes", "min_available_nodes",
            "min_fit_clients", "min_evaluate_clients", "min_available_clients"}
STRATEGY = re.compile(r"^(Fed|QFed|Krum|MultiKrum|Bulyan|DifferentialPrivacy|Scaffold)\w*$")


class Source:
    """One file: its lines with their ends, its tree, the parent of each node."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.raw = f.read()
        self.encoding = tokenize.detect_encoding(io.BytesIO(self.raw).readline)[0]
        self.text = self.raw.decode(self.encoding)
        self.lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$", self.text)
        self.tree = ast.parse(self.raw)
        self.parent = {}
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                self.parent[child] = node

    def statement(self, node):
        while not isinstance(node, ast.stmt):
            node = self.parent[node]
        return node

    def scope(self, node):
        while not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)):
            node = self.parent[node]
        return node

    def alone(self, stmt):
        """Whether the statement has its lines for itself."""
        first = self.lines[stmt.lineno - 1].encode()
        last = self.lines[stmt.end_lineno - 1].encode()
        after = last[stmt.end_col_offset:].decode().strip()
        return not first[:stmt.col_offset].strip() and (not after or after.startswith("#"))


def dotted(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return dotted(node.value) + "." + node.attr
    return ""


def opens_for_writing(call, at):
    """Whether an open() has a mode that writes; at is the place of its mode."""
    modes = [k.value for k in call.keywords if k.arg == "mode"] + call.args[at:at + 1]
    return any(isinstance(m, ast.Constant) and isinstance(m.value, str) and MODE.fullmatch(m.value)
               and set(m.value) & set("wax+") for m in modes)


def in_memory(source):
    """Names that hold a buffer and no file."""
    names = set()
    for node in ast.walk(source.tree):
        value = getattr(node, "value", None) or getattr(node, "context_expr", None)
        if isinstance(value, ast.Call) and dotted(value.func).split(".")[-1] in ("BytesIO", "StringIO"):
            targets = getattr(node, "targets", []) + [getattr(node, "target", None), getattr(node, "optional_vars", None)]
            names |= {t.id for t in targets if isinstance(t, ast.Name)}
    return names


def writer(call, buffers, imported):
    """What a call writes with, as a person knows it: np.savez; None when it writes nothing."""
    func = call.func
    where = dotted(func)
    if isinstance(func, ast.Name):
        if func.id == "open":
            return "open" if opens_for_writing(call, 1) else None
        name, owner = imported.get(func.id, ""), ""
        where = func.id
    elif isinstance(func, ast.Attribute):
        name, owner = func.attr, dotted(func.value)
        where = where.lstrip(".") or name
    else:
        return None
    values = call.args + [k.value for k in call.keywords]
    if any(isinstance(v, ast.Name) and v.id in buffers or isinstance(v, ast.Call) and
           dotted(v.func).split(".")[-1] in ("BytesIO", "StringIO") for v in values):
        return None
    if name == "open":
        at = 1 if owner in ("io", "codecs", "gzip", "bz2", "lzma", "os") else 0
        return where if opens_for_writing(call, at) else None
    if name == "basicConfig":
        return where if any(k.arg == "filename" for k in call.keywords) else None
    if name == "SummaryWriter" or name in WRITES:
        return where
    if where == "joblib.dump":
        return where
    if name in WRITES_WITH_PATH:
        given = call.args or [k for k in call.keywords if k.arg in ("path", "path_or_buf", "buf", "file", "f", "fp", "filepath")]
        return where if given else None
    return None


def imported_names(tree):
    """Names that `from m import a as b` brings: b → a."""
    return {a.asname or a.name: a.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for a in node.names}


def keeps(source, block):
    """Whether a with-block makes names that are used outside of it."""
    inside = set(ast.walk(block))
    made = {n.id for part in block.body for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    made |= {n.name for n in inside if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    flow = any(isinstance(n, (ast.Return, ast.Yield, ast.YieldFrom, ast.Await)) for n in inside)
    return flow or any(isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id in made and n not in inside
                       for n in ast.walk(source.scope(block)))


def traps(source):
    """The statements that write files; each once, the outer one of two."""
    found = []
    buffers, imported = in_memory(source), imported_names(source.tree)
    for call in ast.walk(source.tree):
        if not isinstance(call, ast.Call):
            continue
        what = writer(call, buffers, imported)
        if not what:
            continue
        stmt = source.statement(call)
        why = ""
        if not source.alone(stmt):
            why = "it shares its line with something else"
        elif isinstance(stmt, (ast.With, ast.AsyncWith)):
            if keeps(source, stmt):
                why = "what happens in its block is needed after it"
        elif not isinstance(stmt, ast.Expr):
            why = "its result is used"
        found.append({"line": stmt.lineno, "end": stmt.end_lineno, "what": what, "why_not": why,
                      "text": source.lines[stmt.lineno - 1].strip()})
    found.sort(key=lambda t: (t["line"], -t["end"]))
    kept = []
    for t in found:
        if kept and t["end"] <= kept[-1]["end"]:
            if t["line"] == kept[-1]["line"] or not kept[-1]["why_not"]:
                continue
        kept.append(t)
    return kept


def modules(tree):
    """What the file's names stand for: local name → module, or module.name."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for a in node.names:
                names[a.asname or a.name.split(".")[0]] = a.name if a.asname else a.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for a in node.names:
                names[a.asname or a.name] = (node.module or "") + "." + a.name
    return names


def reaches(source):
    """The calls that reach out over the network."""
    found, names = [], modules(source.tree)
    for call in ast.walk(source.tree):
        where = dotted(call.func) if isinstance(call, ast.Call) else ""
        first, _, rest = where.partition(".")
        if first not in names:
            continue  # a method of some object: whose, the source does not say
        full = names[first] + ("." + rest if rest else "")
        if full.startswith(tuple(m + "." for m in REACHES)) or full.split(".")[-1] in REACHES_BY_NAME:
            found.append({"line": call.lineno, "what": where, "text": source.lines[call.lineno - 1].strip()})
    return found


def minimums(source):
    """How many nodes the strategies want, as numbers or as keys of the run config."""
    found = []
    for call in ast.walk(source.tree):
        if not isinstance(call, ast.Call):
            continue
        given = {k.arg: k.value for k in call.keywords if k.arg in MINIMUMS}
        for name, value in given.items():
            number, key = resolve(source, value, call)
            if number is not None or key:
                found.append({"line": value.lineno, "what": name, "value": number or 0, "key": key})
        if STRATEGY.match(dotted(call.func).split(".")[-1]) and not any("available" in n for n in given):
            found.append({"line": call.lineno, "what": dotted(call.func).split(".")[-1], "value": 2, "key": ""})
    return found


def resolve(source, value, near, depth=0):
    """A number, or the key of the run config that it is read from, with its default."""
    if isinstance(value, ast.Constant) and isinstance(value.value, int):
        return value.value, ""
    if isinstance(value, ast.Call):
        if dotted(value.func) == "int" and value.args:
            return resolve(source, value.args[0], near, depth + 1)
        if isinstance(value.func, ast.Attribute) and value.func.attr == "get" and value.args:
            key = value.args[0]
            default = value.args[1] if len(value.args) > 1 else None
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                return (default.value if isinstance(default, ast.Constant) and isinstance(default.value, int) else None), key.value
    if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Constant) and isinstance(value.slice.value, str):
        return None, value.slice.value
    if isinstance(value, ast.Name) and depth < 5:
        for place in (source.scope(near), source.tree):
            assigned = [n.value for n in ast.walk(place) if isinstance(n, (ast.Assign, ast.AnnAssign)) and n.value is not None and
                        any(isinstance(t, ast.Name) and t.id == value.id for t in (n.targets if isinstance(n, ast.Assign) else [n.target]))]
            if assigned:
                return resolve(source, assigned[-1], near, depth + 1)
    return None, ""


def module_file(root, module):
    base = os.path.join(root, *module.split("."))
    for path in (base + ".py", os.path.join(base, "__init__.py")):
        if os.path.isfile(path):
            return path
    return None


def reach(root, module):
    """The app's own files that a module is made of: itself and what it imports; path → Source."""
    files, due = {}, [module]
    while due:
        name = due.pop()
        path = module_file(root, name)
        if not path or path in files:
            continue
        source = files[path] = Source(path)
        package = name if path.endswith("__init__.py") else name.rpartition(".")[0]
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Import):
                due += [a.name for a in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    above = package.split(".")[:len(package.split(".")) - node.level + 1]
                    base = ".".join(above + ([node.module] if node.module else []))
                due += [base] + [base + "." + a.name for a in node.names]
    return files


def scan(q):
    root = q["dir"]
    server = reach(root, q["server"])
    client = set(reach(root, q["client"])) if q.get("client") else set()
    found, least, out = [], [], []
    own = module_file(root, q["server"])
    for path, source in server.items():
        rel = os.path.relpath(path, root)
        for t in traps(source):
            if path in client and path != own:
                t["why_not"] = t["why_not"] or "the ClientApp uses this file, too"
            found.append({"file": rel, **t})
        least += [{"file": rel, **m} for m in minimums(source)]
        if path == own or path not in client:  # what both share is mostly the ClientApp's
            out += [{"file": rel, **r} for r in reaches(source)]
    found.sort(key=lambda t: (t["file"] != os.path.relpath(own or "", root), t["file"], t["line"]))
    return {"found": bool(own), "traps": found, "minimums": least, "reaches": out}


def mend(q):
    """The file's text with the statements at the given lines commented out; the rest as it is."""
    source = Source(q["file"])
    starts = set(q["lines"])
    doomed = [n for n in ast.walk(source.tree) if isinstance(n, ast.stmt) and n.lineno in starts
              and isinstance(n, (ast.Expr, ast.With, ast.AsyncWith)) and source.alone(n)]
    outer = [n for n in doomed if not any(m is not n and m.lineno <= n.lineno and n.end_lineno <= m.end_lineno for m in doomed)]
    if len(outer) != len(starts):
        raise ValueError("the file has changed")
    lines = list(source.lines)
    newline = next((l[len(l.rstrip("\r\n")):] for l in lines if l.endswith(("\n", "\r"))), "\n")
    passes = {}
    for stmt in outer:
        indent = lines[stmt.lineno - 1][:stmt.col_offset]
        for i in range(stmt.lineno - 1, stmt.end_lineno):
            line = lines[i]
            if line.strip():
                cut = len(indent) if line.startswith(indent) else 0
                lines[i] = line[:cut] + "# " + line[cut:]
        parent = source.parent[stmt]
        for block in (getattr(parent, f, None) for f in ("body", "orelse", "finalbody")):
            if isinstance(block, list) and stmt in block and all(s in outer for s in block) and not isinstance(parent, ast.Module):
                passes[block[-1].end_lineno] = indent + "pass"
    for at in sorted(passes, reverse=True):
        if not lines[at - 1].endswith(("\n", "\r")):
            lines[at - 1] += newline
        lines.insert(at, passes[at] + newline)
    text = "".join(lines)
    if source.raw.startswith(b"\xef\xbb\xbf") and source.encoding == "utf-8-sig":
        raw = text.encode("utf-8-sig")
    else:
        raw = text.encode(source.encoding)
    after = ast.parse(raw)
    if ast.dump(without(source.tree, outer)) != ast.dump(after):
        raise ValueError("the file would mean something else")
    return {"before": base64.b64encode(source.raw).decode(), "after": base64.b64encode(raw).decode()}


def without(tree, gone):
    """The tree without some statements, a block that is left empty filled with pass."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and any(s in gone for s in block):
                block[:] = [s for s in block if s not in gone]
                if not block and not isinstance(node, ast.Module):
                    block.append(ast.Pass())
    return tree


def packages(q):
    """Which requirements this Python does not meet."""
    from importlib.metadata import PackageNotFoundError, version
    try:
        from packaging.requirements import Requirement
    except ImportError:
        try:
            from pip._vendor.packaging.requirements import Requirement
        except ImportError:
            Requirement = None
    missing = []
    for text in q["requirements"]:
        name = re.match(r"\s*([\w.-]+)", text)
        if not name:
            continue
        fits = lambda _: True
        if Requirement:
            try:
                r = Requirement(text)
            except ValueError:
                continue
            if r.marker and not r.marker.evaluate({"extra": ""}):
                continue
            fits = lambda have: r.specifier.contains(have, prereleases=True)
        elif ";" in text:
            continue
        try:
            have = version(name.group(1))
        except PackageNotFoundError:
            have = ""
        if not have or not fits(have):
            missing.append({"want": text, "have": have})
    return {"missing": missing}


def main():
    q = json.loads(sys.argv[1])
    try:
        answer = {"scan": scan, "mend": mend, "packages": packages}[q["do"]](q)
    except (SyntaxError, UnicodeDecodeError, LookupError, ValueError, OSError) as err:
        answer = {"error": str(err) or type(err).__name__, "file": getattr(err, "filename", None) or "", "line": getattr(err, "lineno", None) or 0}
    sys.stdout.write(json.dumps(answer))


main()
