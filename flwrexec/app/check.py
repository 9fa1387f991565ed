"""Reads a Flower app's source as Python itself does, and comments statements out of it.

    python -I check.py REQUEST      (JSON)

One JSON object comes out. Nothing of the app is imported or run, nothing is written.

What a call does is decided by what its names stand for: through imports, aliases, variables, the app's own
functions and what they are called with. Only code that the ServerApp reaches counts.
"""
import ast
import base64
import builtins
import io
import json
import os
import re
import sys
import tokenize

# ---------------------------------------------------------------------------------------------------------
# The ways to write a file. A line: qualified names, then "|", the place of the target among the positional
# arguments and its keywords; "!" when it writes without a target, too.

CALLS = """
numpy.save numpy.savez numpy.savez_compressed numpy.savetxt | 0 file fname
torch.save torch.jit.save torchvision.utils.save_image torchvision.io.write_png torchvision.io.write_jpeg | 1 f fp filename
torch.onnx.export | 2 f
torch.export.save onnx.save onnx.save_model onnx.save_tensor skops.io.dump | 1 f file
torchvision.io.write_video torchaudio.save soundfile.write scipy.io.savemat scipy.io.wavfile.write scipy.io.mmwrite scipy.sparse.save_npz | 0 filename uri file file_name target
torch.distributed.checkpoint.save | - checkpoint_id
torch.hub.download_url_to_file gdown.download wget.download urllib.request.urlretrieve | 1 dst output out filename
torch.profiler.tensorboard_trace_handler | 0 dir_name
torch.utils.tensorboard.SummaryWriter tensorboardX.SummaryWriter | 0 log_dir logdir !
tensorflow.summary.create_file_writer tensorflow.io.TFRecordWriter tensorflow.io.write_file tensorflow.io.gfile.makedirs tensorflow.io.gfile.mkdir | 0 logdir path filename
tensorflow.saved_model.save tensorflow.keras.utils.plot_model keras.utils.plot_model | 1 export_dir to_file !
keras.models.save_model keras.saving.save_model keras.saving.save_weights | 1 filepath
keras.callbacks.ModelCheckpoint keras.callbacks.CSVLogger keras.callbacks.BackupAndRestore | 0 filepath filename backup_dir
keras.callbacks.TensorBoard | 0 log_dir !
lightning.pytorch.loggers.CSVLogger lightning.pytorch.loggers.TensorBoardLogger lightning.fabric.loggers.CSVLogger lightning.fabric.loggers.TensorBoardLogger | 0 save_dir root_dir !
lightning.pytorch.callbacks.ModelCheckpoint | 0 dirpath !
safetensors.torch.save_file safetensors.numpy.save_file safetensors.flax.save_file safetensors.tensorflow.save_file safetensors.torch.save_model safetensors.paddle.save_file | 1 filename
joblib.dump | 1 filename
joblib.Memory diskcache.Cache | 0 location directory
compress_pickle.dump jsonpickle.dump | 1 path
sqlite3.connect sqlite3.dbapi2.connect duckdb.connect aiosqlite.connect apsw.Connection peewee.SqliteDatabase tinydb.TinyDB lmdb.open leveldb.LevelDB plyvel.DB rocksdict.Rdict | 0 database path filename
sqlalchemy.create_engine sqlalchemy.ext.asyncio.create_async_engine dataset.connect | 0 url
shutil.copy shutil.copy2 shutil.copyfile shutil.copytree shutil.move shutil.copymode shutil.copystat | 1 dst
shutil.make_archive | 0 base_name
shutil.unpack_archive | 1 extract_dir !
os.mkdir os.makedirs os.mkfifo os.mknod os.truncate os.chmod os.chown os.utime | 0 path name
os.rename os.renames os.replace os.link os.symlink | 1 dst new
pandas.ExcelWriter xlsxwriter.Workbook imageio.get_writer imageio.v2.get_writer cv2.VideoWriter cv2.FileStorage reportlab.pdfgen.canvas.Canvas | 0 path filename uri
cv2.imwrite cv2.imwritemulti imageio.imwrite imageio.imsave imageio.mimsave imageio.mimwrite imageio.v2.imwrite imageio.v2.mimsave imageio.v3.imwrite skimage.io.imsave matplotlib.image.imsave matplotlib.pyplot.imsave tifffile.imwrite | 0 uri fname filename file
matplotlib.pyplot.savefig | 0 fname
matplotlib.backends.backend_pdf.PdfPages | 0 filename
plotly.io.write_html plotly.io.write_image plotly.io.write_json bokeh.plotting.save bokeh.io.save bokeh.io.export_png | 1 file filename
bokeh.io.output_file bokeh.plotting.output_file bokeh.plotting.reset_output | 0 filename
pyarrow.parquet.write_table pyarrow.feather.write_feather pyarrow.csv.write_csv pyarrow.orc.write_table | 1 where dest output_file
pyarrow.parquet.ParquetWriter pyarrow.ipc.new_file pyarrow.ipc.new_stream pyarrow.orc.ORCWriter | 0 where sink
pyarrow.dataset.write_dataset pyarrow.parquet.write_to_dataset | 1 base_dir root_path
zarr.save zarr.save_array zarr.save_group zarr.create zarr.DirectoryStore nibabel.openers.Opener | 0 store path
nibabel.save SimpleITK.WriteImage monai.data.write_nifti pydicom.dcmwrite itk.imwrite | 1 filename fileName
pydicom.filewriter.dcmwrite | 0 filename
logging.FileHandler logging.handlers.RotatingFileHandler logging.handlers.TimedRotatingFileHandler logging.handlers.WatchedFileHandler concurrent_log_handler.ConcurrentRotatingFileHandler | 0 filename
logging.basicConfig | - filename
flwr.common.logger.configure flwr.common.configure | 1 filename
loguru.logger.add logbook.FileHandler | 0 sink filename
dvclive.Live | 0 dir !
cProfile.run profile.run cProfile.runctx | 1 filename
faulthandler.enable faulthandler.dump_traceback | - file
pytorch_model_summary.save | 1 path
requests_cache.install_cache requests_cache.CachedSession | 0 cache_name !
pickleshare.PickleShareDB | 0 root
git.Repo.clone_from | 1 to_path
onnxruntime.quantization.quantize_dynamic | 1 model_output
skl2onnx.helpers.onnx_helper.save_onnx_model | 1 filename
flax.training.checkpoints.save_checkpoint | 0 ckpt_dir
codecarbon.EmissionsTracker codecarbon.OfflineEmissionsTracker | - output_dir !
"""

# The same with a mode: the place of the target, of the mode with its keyword, and the mode without one.
OPENS = """
builtins.open io.open codecs.open gzip.open bz2.open lzma.open tarfile.open tarfile.TarFile tarfile.TarFile.open aiofiles.open zipfile.ZipFile zipfile.PyZipFile gzip.GzipFile bz2.BZ2File lzma.LZMAFile fsspec.open smart_open.open smart_open.smart_open wave.open io.FileIO pyarrow.OSFile tensorflow.io.gfile.GFile netCDF4.Dataset h5netcdf.File rasterio.open tables.open_file h5py.File soundfile.SoundFile openslide.open_slide indexed_gzip.IndexedGzipFile zstandard.open lz4.frame.open | 0 1 mode r
zarr.open zarr.open_group zarr.open_array pandas.HDFStore | 0 1 mode a
dbm.open dbm.gnu.open dbm.ndbm.open dbm.dumb.open | 0 1 flag r
shelve.open shelve.DbfilenameShelf | 0 1 flag c
numpy.memmap | 0 2 mode r+
numpy.lib.format.open_memmap | 0 1 mode r+
"""

# Methods of whatever object: the names alone are sure, the target has to be given.
METHODS = """
to_csv to_json to_html to_latex to_markdown to_string to_xml to_parquet to_pickle to_excel to_feather to_hdf to_stata to_orc to_netcdf to_zarr | 0 path_or_buf path_or_buffer buf path excel_writer fname store
write_csv write_parquet write_json write_ndjson write_ipc write_ipc_stream write_excel write_avro write_delta sink_csv sink_parquet sink_ipc sink_ndjson | 0 file workbook target path
savefig write_image write_html write_pdf imsave | 0 fname file filename
tofile save_pretrained save_to_disk save_weights save_model dump_model dump_stats export_chrome_trace export_stacks save_checkpoint saveas | 0 fid file save_directory dataset_path filepath fname filename path
"""
# Methods that may write, when they are given something that looks like a file.
MAYBE = re.compile(r"^(save|write|dump|export|render|store|persist|serialize|to_disk|extract|extractall|screenshot|print_figure|checkpoint|log_to_file|add_handler|download)(_?[a-z]\w*)?$")
# Any function that is given one of these keywords may write; unless its name says that it reads.
OUTPUTS = {"filename", "file_name", "save_path", "output_path", "output_file", "out_file", "outfile", "log_file", "logfile", "logger_file",
           "log_dir", "logdir", "save_dir", "output_dir", "out_dir", "outdir", "checkpoint_dir", "ckpt_dir", "default_root_dir", "dump_path"}
READS = re.compile(r"^(load|read|open|parse|from_|get|fetch|find|is_|exists|join|walk|glob|list|stat|Path|PurePath)", re.I)
FILE = re.compile(r"(?:[^\s{}<>|]+/)*[^\s{}<>|/]*\{?[^\s<>|/]*\.[A-Za-z0-9_]{1,12}$|^[\w.~-]*/[\w./~-]+$")
# Methods of a Path.
PATHS = {"write_text": 1, "write_bytes": 1, "touch": 1, "mkdir": 1, "rename": 1, "replace": 1, "symlink_to": 1, "hardlink_to": 1,
         "link_to": 1, "chmod": 1, "copy_into": 1, "move": 1, "move_into": 1, "unlink": 0, "rmdir": 0}
PATHS_OF_ANY = {"write_text", "write_bytes", "symlink_to", "hardlink_to", "touch", "mkdir"}
# Calls that may write, wherever: programs, trackers.
PROGRAMS = {"subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
            "subprocess.getoutput", "subprocess.getstatusoutput", "os.system", "os.popen", "os.execv", "os.execvp", "os.spawnv",
            "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"}
PROGRAM_WRITES = re.compile(r"(?<![0-9&>])>>?\s*(?!/dev/|/tmp/|&)[\w./~$-]|^\s*(touch|mkdir|cp|mv|tee|tar|wget|unzip|gunzip|gzip|git\s+clone)\b")
TRACKERS = {"wandb.init", "mlflow.start_run", "mlflow.set_experiment", "mlflow.autolog", "mlflow.log_metric", "mlflow.log_metrics",
            "mlflow.log_artifact", "aim.Run", "clearml.Task.init", "comet_ml.Experiment", "neptune.init_run", "lightning.pytorch.Trainer",
            "swanlab.init", "os.remove", "os.unlink", "os.rmdir", "os.removedirs", "shutil.rmtree", "transformers.TrainingArguments",
            "wandb.save", "logging.config.fileConfig", "fileinput.input", "torch.hub.load", "torch.hub.load_state_dict_from_url"}
# Calls into these modules reach out over the network; of the last ones, only these names do.
REACHES = ("requests", "httpx", "aiohttp", "urllib.request", "urllib3", "wandb", "mlflow", "boto3", "smtplib", "ftplib", "paramiko")
REACHES_BY_NAME = {"urlopen", "urlretrieve", "create_connection", "load_dataset", "hf_hub_download", "snapshot_download"}
# Names of one thing that lives in several places.
SAME = [("pytorch_lightning.", "lightning.pytorch."), ("lightning_fabric.", "lightning.fabric."), ("tf_keras.", "keras."),
        ("tensorflow.keras.", "keras."), ("tensorflow.python.keras.", "keras."), ("torch.utils.tensorboard.writer.", "torch.utils.tensorboard."),
        ("pathlib._local.", "pathlib."), ("upath.UPath", "pathlib.Path"), ("tensorflow.compat.v1.gfile.", "tensorflow.io.gfile."),
        ("tensorflow.compat.v2.", "tensorflow."), ("tensorflow.io.gfile.Open", "tensorflow.io.gfile.GFile"), ("cPickle.", "pickle."),
        ("pyarrow.parquet.core.", "pyarrow.parquet."), ("concurrent.futures.", "concurrent.futures.")]
MODE = re.compile(r"[rwaxbtU+]{1,4}")
MINIMUMS = {"min_train_nodes", "min_evaluate_nodes", "min_available_nodes",
            "min_fit_clients", "min_evaluate_clients", "min_available_clients"}
STRATEGY = re.compile(r"^(Fed|QFed|Krum|MultiKrum|Bulyan|DifferentialPrivacy|Scaffold)\w*$")
APPS = ("ServerApp", "ClientApp", "AgentApp")


def ways(text):
    table = {}
    for line in text.strip().splitlines():
        names, rest = line.split("|")
        for name in names.split():
            table[name] = rest.split()
    return table


CALLS, OPENS, METHODS = ways(CALLS), ways(OPENS), ways(METHODS)
PARTS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


# ---------------------------------------------------------------------------------------------------------
# Source


class Source:
    """One file: its lines with their ends, its tree, the parent of each node."""

    def __init__(self, path, name="", root=""):
        self.path, self.name = path, name
        self.package = name if path.endswith("__init__.py") else name.rpartition(".")[0]
        self.rel = os.path.relpath(path, root) if root else path
        with open(path, "rb") as f:
            self.raw = f.read()
        self.encoding = tokenize.detect_encoding(io.BytesIO(self.raw).readline)[0]
        self.text = self.raw.decode(self.encoding)
        self.lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$", self.text)
        self.tree = ast.parse(self.raw)
        self.tree.source = self
        self.parent, self.stars = {}, []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
                self.stars.append(absolute(self, node))
            for child in ast.iter_child_nodes(node):
                self.parent[child] = node
                child.source = self
        self.bound = {}

    def statement(self, node):
        while not isinstance(node, ast.stmt):
            node = self.parent[node]
        return node

    def scope(self, node):
        """The function, class or module whose names an expression sees first."""
        at = node
        while True:
            above = self.parent.get(at)
            if above is None:
                return self.tree
            if isinstance(above, PARTS) and self.inside(above, at):
                return above
            at = above

    @staticmethod
    def inside(part, child):
        """Whether a child belongs to the part's own scope; decorators, defaults and bases do not."""
        if isinstance(part, ast.Lambda):
            return child is part.body
        return child in part.body

    def outer(self, scope):
        """The scope around a scope; a function does not see the names of the class that it is in."""
        if isinstance(scope, ast.Module):
            return None
        around = self.scope(scope)
        while isinstance(around, ast.ClassDef) and isinstance(scope, FUNCTIONS):
            around = self.scope(around)
        return around

    def function(self, node):
        """The innermost function around a node, or the module."""
        scope = self.scope(node)
        while isinstance(scope, ast.ClassDef):
            scope = self.scope(scope)
        return scope

    def alone(self, stmt):
        """Whether the statement has its lines for itself."""
        first = self.lines[stmt.lineno - 1].encode()
        last = self.lines[stmt.end_lineno - 1].encode()
        after = last[stmt.end_col_offset:].decode().strip()
        return not first[:stmt.col_offset].strip() and (not after or after.startswith("#"))

    def bindings(self, scope):
        """What the names of a scope are bound to: name → [(node, how, expression)], in the order of the text."""
        if scope in self.bound:
            return self.bound[scope]
        names = self.bound[scope] = {}

        def bind(target, how, value, node):
            if isinstance(target, ast.Name):
                names.setdefault(target.id, []).append((node, how, value))
            elif isinstance(target, (ast.Tuple, ast.List)):
                parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts) else None
                for i, t in enumerate(target.elts):
                    bind(t, how, parts[i], node) if parts else bind(t, "part", value, node)
            elif isinstance(target, ast.Starred):
                bind(target.value, "part", value, node)

        def visit(node):
            if isinstance(node, ast.Import):
                for a in node.names:
                    names.setdefault(a.asname or a.name.split(".")[0], []).append(
                        (node, "module", a.name if a.asname else a.name.split(".")[0]))
            elif isinstance(node, ast.ImportFrom):
                for a in node.names:
                    names.setdefault(a.asname or a.name, []).append((node, "from", (absolute(self, node), a.name)))
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.setdefault(node.name, []).append((node, "def", node))
            elif isinstance(node, ast.Assign):
                for t in node.targets:
                    bind(t, "value", node.value, node)
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                bind(node.target, "value", node.value, node)
            elif isinstance(node, ast.NamedExpr):
                bind(node.target, "value", node.value, node)
            elif isinstance(node, (ast.With, ast.AsyncWith)):
                for item in node.items:
                    if item.optional_vars is not None:
                        bind(item.optional_vars, "value", item.context_expr, node)
            elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
                bind(node.target, "each", node.iter, node)
            elif isinstance(node, ast.AugAssign):
                bind(node.target, "more", node.value, node)
            for child in ast.iter_child_nodes(node):
                if not (isinstance(node, PARTS) and self.inside(node, child)):
                    visit(child)

        if isinstance(scope, FUNCTIONS):
            a = scope.args
            for arg in a.posonlyargs + a.args + a.kwonlyargs + [x for x in (a.vararg, a.kwarg) if x]:
                names.setdefault(arg.arg, []).append((arg, "param", (scope, arg)))
        for child in ([scope.body] if isinstance(scope, ast.Lambda) else scope.body):
            visit(child)
        return names


def absolute(source, node):
    """The module that an ImportFrom names."""
    base = node.module or ""
    if node.level:
        parts = source.package.split(".")
        above = parts[:len(parts) - node.level + 1]
        base = ".".join(above + ([node.module] if node.module else []))
    return base


def dotted(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return dotted(node.value) + "." + node.attr
    return ""


def module_file(root, module):
    base = os.path.join(root, *module.split("."))
    for path in (base + ".py", os.path.join(base, "__init__.py")):
        if os.path.isfile(path):
            return path
    return None


# ---------------------------------------------------------------------------------------------------------
# What an expression stands for


class Value:
    """kind: "ext" what another package offers, by qualified name; "made" what calling it gives; "own" a module,
    "def" a function, "class", "self" an object of the app; "text" and "path" with the text they begin with, None
    when unknown; "tmp" a path where anybody may write; "mem" what is no file; "none"; "number"; "config" a key
    of the run config; "bound" a method; "?" anything."""

    def __init__(self, kind, name="", node=None, text=None, sure=True):
        self.kind, self.name, self.node, self.text, self.sure = kind, name, node, text, sure

    def group(self):
        if self.kind in ("mem", "tmp", "none", "handle"):
            return "fine"
        if self.kind in ("text", "path"):
            return "path" if self.text is not None else "?"
        return self.kind if self.kind in ("number", "config") else "?"


ANY = Value("?")
BUFFERS = {"io.BytesIO", "io.StringIO", "io.BufferedRandom", "tempfile.SpooledTemporaryFile", "tempfile.TemporaryFile", "tensorflow.io.BytesIO",
           "cStringIO.StringIO", "StringIO.StringIO", "pyarrow.BufferOutputStream", "zarr.MemoryStore", "zarr.storage.MemoryStore"}
TEMPORARY = {"tempfile.NamedTemporaryFile", "tempfile.mkdtemp", "tempfile.mkstemp", "tempfile.mktemp", "tempfile.gettempdir",
             "tempfile.TemporaryDirectory", "tempfile.gettempprefix"}
SAME_PATH = {"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath", "os.path.join", "os.path.abspath",
             "os.path.realpath", "os.path.expanduser", "os.path.expandvars", "os.path.normpath", "builtins.str", "os.fspath", "os.fsdecode", "os.fsencode",
             "builtins.open", "posixpath.join", "os.path.dirname"}
HERE = {"os.getcwd", "pathlib.Path.cwd", "pathlib.Path.home", "os.path.curdir", "os.curdir"}
SINKS = {"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__", "sys.stdout.buffer", "sys.stderr.buffer", "os.devnull", "subprocess.DEVNULL"}


def text(value, kind="text"):
    """What a text stands for as a path."""
    low = value.lower()
    if re.match(r"/(tmp|var/tmp|dev/shm)(/|$)", value) or low.startswith("/dev/"):
        return Value("tmp", text=value)
    if re.match(r"(:memory:|file::memory:|file:.*mode=(memory|ro)|sqlite(\+\w+)?:(//)?(/?:memory:)?$|memory://|-$)", low):
        return Value("mem", text=value)
    if re.match(r"sqlite(\+\w+)?:////(tmp|var/tmp)/", low):
        return Value("tmp", text=value)
    if re.match(r"(?!file:|sqlite)[a-z][a-z0-9+.-]+://", low):
        return Value("mem", text=value)  # not on this disk
    return Value(kind, text=value)


class Program:
    """The app's own modules, and what their expressions stand for."""

    def __init__(self, root, config=None):
        self.root, self.config, self.files = root, config or {}, {}
        self.left_out = ("ClientApp",)  # of flwr's apps, those that run elsewhere
        self.sites = {}  # function → [(call, skipped arguments)], of the code that is reached
        self.known, self.paths, self.cuts = {}, {}, 0  # expression → Value; module → path or None
        self.deep = 0
        self.busy = set()

    def module(self, name):
        if name not in self.paths:
            self.paths[name] = module_file(self.root, name) if name else None
        path = self.paths[name]
        if not path:
            return None
        if path not in self.files:
            self.files[path] = Source(path, name, self.root)
        return self.files[path]

    # -- names

    def qualified(self, name):
        for long, short in SAME:
            if (name + ".").startswith(long) or name == long:
                name = short + name[len(long):] if len(name) >= len(long) else name
        return name

    def outside(self, name):
        """A name of another package, or of the app."""
        source = self.module(name)
        if source:
            return Value("own", name, source)
        head, _, last = name.rpartition(".")
        owner = self.module(head)
        if owner:
            return self.member(owner, last)
        return Value("ext", self.qualified(name))

    def member(self, source, name):
        """A name of a module of the app."""
        found = self.pick(source.tree, name, None, source)
        if found is not None:
            return found
        below = self.module(source.name + "." + name)
        return Value("own", source.name + "." + name, below) if below else ANY

    def look(self, name, node):
        source = node.source
        scope = source.scope(node)
        first = True
        while scope is not None:
            found = self.pick(scope, name, node if first else None, source)
            if found is not None:
                return found
            scope, first = source.outer(scope), False
        if name == "__file__":
            return Value("path", text="__file__")
        for base in source.stars:
            owner = self.module(base)
            if owner:
                found = self.pick(owner.tree, name, None, owner)
                if found is not None:
                    return found
            elif not hasattr(builtins, name):
                return Value("ext", self.qualified(base + "." + name))
        return Value("ext", "builtins." + name) if hasattr(builtins, name) else ANY

    def pick(self, scope, name, use, source):
        """What a name of a scope stands for where it is used; None when the scope does not bind it."""
        bound = source.bindings(scope).get(name)
        if not bound:
            return None
        before = bound
        if use is not None:
            at = (use.lineno, use.col_offset)
            earlier = [b for b in bound if (getattr(b[0], "lineno", 0), getattr(b[0], "col_offset", 0)) <= at and not self.within(use, b[0], source)]
            before = earlier or bound
        values = []
        for node, how, value in reversed(before):
            if how == "more":
                continue
            values.append(self.given(node, how, value))
            if use is None or how == "param" or self.always(node, use, source):
                break
        if not values:
            return ANY
        return self.agree(values)

    @staticmethod
    def within(node, container, source):
        """Whether a use is inside the value that is being bound: x = f(x)."""
        if not isinstance(container, (ast.Assign, ast.AnnAssign)):
            return False
        while node is not None and node is not container:
            node = source.parent.get(node)
        return node is container

    @staticmethod
    def always(node, use, source):
        """Whether a binding was passed on every way to a use after it."""
        if isinstance(node, ast.arg) or isinstance(node, ast.comprehension):
            return True
        holder = source.parent.get(node if isinstance(node, ast.stmt) else source.statement(node))
        at = use
        while at is not None:
            if at is holder:
                # both branches of an if are inside of it
                return not isinstance(holder, (ast.If, ast.Try, ast.Match if hasattr(ast, "Match") else ast.If)) or Program.branch(holder, node, source) == Program.branch(holder, use, source)
            at = source.parent.get(at)
        return isinstance(source.parent.get(holder), ast.AST) and isinstance(holder, (ast.With, ast.AsyncWith)) and Program.always(holder, use, source)

    @staticmethod
    def branch(holder, node, source):
        while source.parent.get(node) is not holder:
            node = source.parent[node]
        for field in ("body", "orelse", "handlers", "finalbody", "cases"):
            if node in (getattr(holder, field, None) or []):
                return field
        return ""

    @staticmethod
    def agree(values):
        groups = {v.group() for v in values}
        if len(groups) == 1:
            return values[0]
        known = [v for v in values if v.group() not in ("fine",)]
        if groups <= {"fine", "path"}:
            return Value("path", text=None)
        return known[0] if len(known) == 1 and known[0].kind not in ("text", "path") else ANY

    def given(self, node, how, value):
        if how == "module":
            return self.outside(value)
        if how == "from":
            base, name = value
            owner = self.module(base)
            if not owner:
                return Value("ext", self.qualified(base + "." + name if base else name))
            key = ("from", base, name)
            if key in self.busy:  # a package that imports its own module of this name, or a circle
                below = self.module(base + "." + name)
                return Value("own", base + "." + name, below) if below else self.cut()
            if key in self.known:
                return self.known[key]
            self.busy.add(key)
            cuts = self.cuts
            try:
                found = self.member(owner, name)
            finally:
                self.busy.discard(key)
            if cuts == self.cuts:
                self.known[key] = found
            return found
        if how == "def":
            return Value("class" if isinstance(value, ast.ClassDef) else "def", value.name, value)
        if how == "param":
            return self.argument(*value)
        if how == "each":
            if isinstance(value, (ast.Tuple, ast.List, ast.Set)) and value.elts:
                return self.agree([self.value(e) for e in value.elts])
            return ANY
        found = self.value(value)
        if how == "part" and found.kind not in ("tmp",):
            return ANY
        return found

    def argument(self, function, arg):
        """What a parameter is called with, of the calls that are reached; else what it is annotated with."""
        a = function.args
        places = a.posonlyargs + a.args
        source = function.source
        holder = source.parent.get(function)
        method = isinstance(holder, ast.ClassDef) and not any(dotted(d) == "staticmethod" for d in getattr(function, "decorator_list", []))
        if method and places and arg is places[0]:
            return Value("self", holder.name, holder)
        default = None
        if arg in places:
            back = len(places) - places.index(arg)
            default = a.defaults[-back] if back <= len(a.defaults) else None
        elif arg in a.kwonlyargs:
            default = a.kw_defaults[a.kwonlyargs.index(arg)]
        elif arg is a.vararg or arg is a.kwarg:
            return ANY
        values = []
        key = (function, arg)
        if key in self.busy:
            return self.cut()
        self.busy.add(key)
        try:
            for call, skip in self.sites.get(function, []):
                if any(isinstance(x, ast.Starred) for x in call.args) or any(k.arg is None for k in call.keywords):
                    values.append(ANY)
                    continue
                named = [k.value for k in call.keywords if k.arg == arg.arg]
                i = (places.index(arg) if arg in places else -1) - (1 if method else 0) + skip
                if named:
                    values.append(self.value(named[0]))
                elif 0 <= i < len(call.args) and arg in places and i >= skip:
                    values.append(self.value(call.args[i]))
                else:
                    values.append(self.value(default) if default is not None else ANY)
            if not values and default is not None:
                values.append(self.value(default))
        finally:
            self.busy.discard(key)
        known = self.agree(values) if values else ANY
        if known.kind in ("?", "none") and arg.annotation is not None:
            kind = self.annotated(arg.annotation)
            if kind is not None:
                return kind
        return known

    def annotated(self, annotation):
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            name = annotation.value
        else:
            found = self.value(annotation) if isinstance(annotation, (ast.Name, ast.Attribute)) else ANY
            if found.kind == "class":
                return Value("self", found.name, found.node)
            name = found.name
        if name.split(".")[-1] in ("Path", "PosixPath"):
            return Value("path", text=None)
        if name.split(".")[-1] in ("BytesIO", "StringIO"):
            return Value("mem")
        return Value("made", name) if "." in name and not name.startswith("builtins.") else None

    # -- expressions

    def value(self, e):
        if e in self.known:
            return self.known[e]
        if self.deep > 40:
            return self.cut()
        self.deep += 1
        cuts = self.cuts
        try:
            found = self.of(e)
        finally:
            self.deep -= 1
        if cuts == self.cuts or not self.deep:
            self.known[e] = found
        return found

    def cut(self, found=ANY):
        """The answer where a look ends that goes round in a circle; it is not to be kept."""
        self.cuts += 1
        return found

    def of(self, e):
        if isinstance(e, ast.Constant):
            if isinstance(e.value, str):
                return text(e.value)
            if isinstance(e.value, bytes):
                return text(e.value.decode("utf-8", "replace"))
            if e.value is None:
                return Value("none")
            return Value("number", text=e.value) if isinstance(e.value, int) and not isinstance(e.value, bool) else ANY
        if isinstance(e, ast.JoinedStr):
            if not e.values:
                return text("")
            first = e.values[0]
            if isinstance(first, ast.Constant):
                whole = "".join(v.value if isinstance(v, ast.Constant) else "{" + ast.unparse(v.value) + "}" for v in e.values)
                return text(whole)
            head = self.value(first.value)
            if head.kind == "tmp":
                return head
            if head.kind in ("text", "path") and head.text is not None:
                return Value("path", text=head.text + "".join(v.value if isinstance(v, ast.Constant) else "{" + ast.unparse(v.value) + "}" for v in e.values[1:]))
            return Value("path", text=None)
        if isinstance(e, ast.Name):
            key = (e.id, e)
            if key in self.busy:
                return self.cut()
            self.busy.add(key)
            try:
                return self.look(e.id, e)
            finally:
                self.busy.discard(key)
        if isinstance(e, ast.Attribute):
            return self.attribute(self.value(e.value), e.attr)
        if isinstance(e, ast.Call):
            return self.called(e)
        if isinstance(e, ast.BinOp):
            left = self.value(e.left)
            if left.kind == "config" and isinstance(self.config.get(left.name, left.text), int):
                left = Value("number", text=self.config.get(left.name, left.text))
            if isinstance(e.op, ast.Div):
                right = self.value(e.right)
                if right.kind == "tmp":  # an absolute path wins
                    return right
                if left.kind == "tmp":
                    return left
                if left.text is not None and left.kind in ("text", "path"):
                    return Value("path", text=left.text + "/" + (right.text if isinstance(right.text, str) else "{" + ast.unparse(e.right) + "}"))
                return Value("path", text=None) if left.kind in ("path", "?", "made", "config") else ANY
            if isinstance(e.op, ast.Add):
                if left.kind == "tmp":
                    return left
                if left.kind in ("text", "path"):
                    right = self.value(e.right)
                    if left.text is None:
                        return Value(left.kind, text=None)
                    return text(left.text + (right.text if isinstance(right.text, str) else "{" + ast.unparse(e.right) + "}"))
                right = self.value(e.right)
                if right.kind == "text":
                    return Value("text", text=None)
                if left.kind == right.kind == "number":
                    return Value("number", text=left.text + right.text)
            if isinstance(e.op, ast.Sub):
                right = self.value(e.right)
                if left.kind == right.kind == "number":
                    return Value("number", text=left.text - right.text)
            if isinstance(e.op, ast.Mod) and left.kind in ("text", "tmp"):
                return left if not (left.text or "%").startswith("%") else Value("text", text=None)
            return ANY
        if isinstance(e, ast.IfExp):
            return self.agree([self.value(e.body), self.value(e.orelse)])
        if isinstance(e, ast.BoolOp):
            values = [self.value(v) for v in e.values]
            sure = [v for v in values if v.kind not in ("?", "none", "config")]
            return sure[0] if len(sure) == 1 and len(values) == 1 else self.agree(values)
        if isinstance(e, ast.NamedExpr):
            return self.value(e.value)
        if isinstance(e, ast.Await):
            return self.value(e.value)
        if isinstance(e, ast.Subscript):
            key = e.slice
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                base = self.value(e.value)
                if base.name == "os.environ":
                    return Value("tmp") if key.value in ("TMPDIR", "TEMP", "TMP") else ANY
                return self.run_config(key.value, None) if self.is_config(e.value) else ANY
            base = self.value(e.value)
            return base if base.kind == "tmp" else ANY
        return ANY

    def is_config(self, e):
        """Whether an expression is the run config; by its name, for how else would a reader know."""
        name = dotted(e)
        if name.split(".")[-1] in ("run_config", "config", "cfg", "conf"):
            return True
        if isinstance(e, ast.Name):
            bound = e.source.bindings(e.source.scope(e)).get(e.id) or e.source.bindings(e.source.tree).get(e.id) or []
            return any(how == "value" and "run_config" in ast.unparse(v) for _, how, v in bound if isinstance(v, ast.AST))
        return isinstance(e, ast.Call) and "run_config" in ast.unparse(e)

    def run_config(self, key, default):
        have = self.config.get(key)
        if isinstance(have, str):
            return text(have)
        return Value("config", key, text=default)

    def attribute(self, base, name):
        if base.kind == "own":
            return self.member(base.node, name)
        if base.kind == "ext":
            full = self.qualified(base.name + "." + name)
            if full in SINKS:
                return Value("mem")
            return Value("path", text=".") if full in ("os.curdir",) else Value("ext", full)
        if base.kind == "tmp":
            return Value("tmp", text=base.text) if name in ("parent", "name", "root", "joinpath") else Value("bound", name, base)
        if base.kind in ("path", "text"):
            if name == "parent":
                return Value("path", text=base.text)
            return Value("bound", name, base)
        if base.kind in ("self", "class"):
            return self.of_class(base, name)
        if base.kind == "made":
            return Value("bound", name, base)
        return Value("bound", name, base) if base.kind in ("mem", "handle") else ANY

    def lineage(self, node, seen=()):
        """A class of the app and those of its bases that are its own; last the names of others."""
        own, foreign = [node], []
        for b in node.bases:
            found = self.value(b.value if isinstance(b, ast.Subscript) else b)
            if found.kind == "class" and found.node not in seen and found.node is not node:
                o, f = self.lineage(found.node, (*seen, node))
                own += o
                foreign += f
            elif found.kind == "ext" and found.name not in ("builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"):
                foreign.append(found.name)
            elif found.kind == "?":
                foreign.append("?")
        return own, foreign

    def of_class(self, base, name):
        for cls in self.lineage(base.node)[0]:
            source = cls.source
            bound = source.bindings(cls).get(name)
            if bound:
                node, how, value = bound[-1]
                if how == "def" and any(dotted(d).split(".")[-1] in ("property", "cached_property") for d in value.decorator_list):
                    return self.returned(value)
                return self.given(node, how, value)
            values = []
            for n in ast.walk(cls):
                targets = n.targets if isinstance(n, ast.Assign) else [n.target] if isinstance(n, ast.AnnAssign) and n.value is not None else []
                for t in targets:
                    if isinstance(t, ast.Attribute) and t.attr == name and isinstance(t.value, ast.Name) and t.value.id == "self":
                        key = ("self", t)
                        if key in self.busy:
                            self.cut()
                            continue
                        self.busy.add(key)
                        values.append(self.value(n.value))
                        self.busy.discard(key)
            if values:
                known = [v for v in values if v.kind != "none"]
                return self.agree(known or values)
        return ANY

    def returned(self, function):
        """What a function of the app gives back."""
        key = ("return", function)
        if key in self.busy or isinstance(function, ast.Lambda):
            return self.cut()
        self.busy.add(key)
        try:
            values = [self.value(n.value) for n in ast.walk(function) if isinstance(n, (ast.Return, ast.Yield)) and n.value is not None
                      and function.source.function(n) is function]
        finally:
            self.busy.discard(key)
        return self.agree(values) if values else ANY

    def called(self, e):
        f = self.value(e.func)
        first = e.args[0] if e.args else None
        if f.kind == "ext":
            if f.name in BUFFERS:
                return Value("mem")
            if f.name in TEMPORARY:
                where = [self.value(k.value) for k in e.keywords if k.arg == "dir"]
                return where[0] if where and where[0].group() == "path" else Value("tmp", text="/tmp")
            if f.name in HERE:
                return Value("path", text="." if f.name != "pathlib.Path.home" else "~")
            if f.name in OPENS or f.name in ("os.fdopen", "os.open"):
                return Value("handle") if f.name.endswith("open") else Value("made", f.name)
            if f.name in SAME_PATH:
                if first is None:
                    return Value("path", text=".")
                whole = f.name.endswith(("join", "Path", "PosixPath")) and len(e.args) > 1
                for a in reversed(e.args[1:] if whole else []):
                    last = self.value(a)
                    if last.kind == "tmp" or isinstance(last.text, str) and last.text.startswith("/"):
                        return last
                head = self.value(first)
                if head.kind in ("tmp", "mem"):
                    return head
                if head.kind in ("path", "text") and head.text is not None:
                    rest = [self.value(a).text if isinstance(self.value(a).text, str) else "{" + ast.unparse(a) + "}" for a in (e.args[1:] if whole else [])]
                    return Value("path", text="/".join([head.text, *rest]))
                return Value("path", text=None)
            if f.name in ("os.environ.get", "os.getenv"):
                if isinstance(first, ast.Constant) and first.value in ("TMPDIR", "TEMP", "TMP"):
                    return Value("tmp")
                default = self.value(e.args[1]) if len(e.args) > 1 else ANY
                return default if default.kind == "tmp" else Value("path", text=None)
            if f.name in ("builtins.int", "builtins.float", "builtins.max", "builtins.min") and e.args:
                values = [self.value(a) for a in e.args]
                if len(values) == 1:
                    return values[0]
                if all(v.kind == "number" for v in values):
                    return Value("number", text=(max if f.name.endswith("max") else min)(v.text for v in values))
                known = [v for v in values if v.kind == "config"]
                return known[0] if len(known) == 1 and f.name.endswith("max") else ANY
            if f.name == "functools.partial" and first is not None:
                return Value("made", "functools.partial", e)
            if f.name == "builtins.getattr" and len(e.args) > 1 and isinstance(e.args[1], ast.Constant) and isinstance(e.args[1].value, str):
                return self.attribute(self.value(first), e.args[1].value)
            if f.name in ("importlib.import_module", "builtins.__import__") and isinstance(first, ast.Constant) and isinstance(first.value, str):
                return self.outside(first.value)
            if f.name in ("builtins.super",):
                cls = e.source.scope(e.source.function(e)) if not isinstance(e.source.function(e), ast.Module) else None
                return Value("super", cls.name, cls) if isinstance(cls, ast.ClassDef) else ANY
            return Value("made", f.name)
        if f.kind == "class":
            return Value("self", f.name, f.node)
        if f.kind == "def":
            return self.returned(f.node)
        if f.kind == "bound":
            base = f.node
            if f.name == "get" and first is not None and isinstance(e.func, ast.Attribute) and self.is_config(e.func.value):
                return self.asked(e, first)
            if f.name == "open" and base.kind in ("path", "tmp", "text"):
                return Value("handle")
            if base.kind in ("tmp", "mem"):
                return Value("tmp", text=base.text) if base.kind == "tmp" else ANY
            if base.kind in ("path", "text") and f.name in ("joinpath", "with_suffix", "with_name", "with_stem", "resolve", "absolute", "expanduser",
                                                           "format", "replace", "as_posix", "strip", "lower", "rstrip", "lstrip", "__fspath__", "relative_to"):
                if f.name == "joinpath" and base.text is not None:
                    return Value("path", text=base.text + "/" + "/".join(ast.unparse(a).strip("'\"") for a in e.args))
                if f.name == "format" and (base.text or "{").startswith("{"):
                    return Value(base.kind, text=None)
                return Value(base.kind, text=base.text)
            return Value("made", base.name + "." + f.name) if base.kind == "made" else ANY
        if isinstance(e.func, ast.Attribute) and e.func.attr == "get" and first is not None and self.is_config(e.func.value):
            return self.asked(e, first)
        return ANY

    def asked(self, e, key):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
            return ANY
        if key.value in self.config or len(e.args) < 2:
            return self.run_config(key.value, None)
        default = self.value(e.args[1])
        if default.kind == "number":
            return Value("config", key.value, text=default.text)
        return default if default.kind in ("tmp", "none", "mem") else Value("path", text=None) if default.kind == "text" else Value("config", key.value)

    # -- what is reached

    def reach(self, names):
        """The code that runs when one of the modules is loaded and its app is run: function or module → True."""
        done, due, attrs = {}, [], set()
        classes = {}

        def enter(node):
            if node not in done:
                done[node] = True
                due.append(node)

        def load(source):
            """A module is imported: its packages, too."""
            parts = source.name.split(".")
            for i in range(1, len(parts)):
                above = self.module(".".join(parts[:i]))
                if above:
                    enter(above.tree)
            enter(source.tree)

        def use(found):
            if found.kind == "own" and found.node:
                load(found.node)
            elif found.kind == "def":
                enter(found.node)
            elif found.kind in ("class", "self"):
                adopt(found.node)

        def adopt(cls):
            if cls in classes:
                return
            own, foreign = self.lineage(cls)
            classes[cls] = bool(foreign)
            for c in own[1:]:
                adopt(c)
                classes[c] = classes[c] or bool(foreign)
            for c in own:
                methods(c)

        def methods(cls):
            for m in cls.body:
                if isinstance(m, (ast.FunctionDef, ast.AsyncFunctionDef)) and (
                        classes[cls] or m.name in attrs or m.name.startswith("__") or m.decorator_list and any(self.registers(d) for d in m.decorator_list)):
                    enter(m)

        def walk(node, source):
            if isinstance(node, ast.If):
                test = ast.unparse(node.test)
                if re.search(r"__name__\s*==|==\s*__name__", test) or test.endswith("TYPE_CHECKING") or test in ("False", "0"):
                    for child in node.orelse:
                        walk(child, source)
                    return
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for d in node.decorator_list:
                    walk(d, source)
                    if self.registers(d):
                        enter(node)
                for d in node.args.defaults + [x for x in node.args.kw_defaults if x]:
                    walk(d, source)
                return
            if isinstance(node, ast.ClassDef):
                for part in node.bases + node.decorator_list + [k.value for k in node.keywords]:
                    walk(part, source)
                for part in node.body:
                    if not isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
                        walk(part, source)
                return
            if isinstance(node, ast.Import):
                for a in node.names:
                    m = self.module(a.name)
                    if m:
                        load(m)
            elif isinstance(node, ast.ImportFrom):
                base = absolute(source, node)
                m = self.module(base)
                if m:
                    load(m)
                for a in node.names:
                    m = self.module(base + "." + a.name)
                    if m:
                        load(m)
            elif isinstance(node, ast.Call):
                f = self.value(node.func)
                if f.kind == "ext" and f.name.startswith("flwr.") and f.name.split(".")[-1] in self.left_out:
                    return  # the other app's functions run elsewhere
                if f.kind == "ext" and f.name == "builtins.getattr" and len(node.args) > 1 and not isinstance(node.args[1], ast.Constant):
                    owner = self.value(node.args[0])
                    if owner.kind == "own" and owner.node:
                        for d in owner.node.tree.body:
                            if isinstance(d, (ast.FunctionDef, ast.AsyncFunctionDef)):
                                enter(d)
            elif isinstance(node, ast.Attribute):
                if node.attr not in attrs:
                    attrs.add(node.attr)
                    for c in list(classes):
                        methods(c)
                use(self.value(node))
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                use(self.value(node))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier() and node.value not in attrs:
                attrs.add(node.value)  # getattr(x, "save")
                for c in list(classes):
                    methods(c)
            for child in ast.iter_child_nodes(node):
                walk(child, source)

        for name in names:
            source = self.module(name)
            if source:
                load(source)
        while due:
            node = due.pop()
            source = node.source if not isinstance(node, ast.Module) else node.source
            for child in ([node.body] if isinstance(node, ast.Lambda) else node.body):
                walk(child, source)
        self.reached, self.classes = done, classes
        self.calls = [n for n in self.live() if isinstance(n, ast.Call)]
        self.find_sites()
        return done

    def registers(self, decorator):
        """Whether a decorator makes a function known to somebody who calls it: @app.main()."""
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(call, ast.Attribute):
            base = self.value(call.value)
            last = base.name.split(".")[-1]
            if last in APPS:
                return last not in self.left_out
            return base.kind not in ("ext", "path", "text")
        found = self.value(call)
        return found.kind in ("def", "class", "?")

    def live(self):
        """Every node of the code that is reached, once."""
        for part in self.reached:
            due = [part.body] if isinstance(part, ast.Lambda) else list(part.body)
            while due:
                node = due.pop()
                if isinstance(node, ast.If):
                    test = ast.unparse(node.test)
                    if re.search(r"__name__\s*==|==\s*__name__", test) or test.endswith("TYPE_CHECKING") or test in ("False", "0"):
                        due += node.orelse
                        continue
                yield node
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    due += node.decorator_list + node.args.defaults
                    continue
                if isinstance(node, ast.Call):
                    f = self.value(node.func)
                    if f.kind == "ext" and f.name.startswith("flwr.") and f.name.split(".")[-1] in self.left_out:
                        continue
                due += ast.iter_child_nodes(node)

    def find_sites(self):
        methods = {}
        for cls in self.classes:
            for m in cls.body:
                if isinstance(m, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    methods.setdefault(m.name, []).append(m)
        found = {}

        def add(function, call, skip=0):
            found.setdefault(function, []).append((call, skip))

        for call in self.calls:
            f, skip = self.value(call.func), 0
            if f.kind == "ext" and f.name in ("functools.partial", "threading.Thread") and call.args:
                f, skip = self.value(call.args[0]), 1
            if f.kind == "def":
                add(f.node, call, skip)
            elif f.kind == "class":
                for cls in self.lineage(f.node)[0]:
                    init = [m for m in cls.body if isinstance(m, ast.FunctionDef) and m.name == "__init__"]
                    if init:
                        add(init[0], call, skip)
                        break
            elif isinstance(call.func, ast.Attribute):
                if isinstance(call.func.value, ast.Call) and dotted(call.func.value.func) == "super":
                    around = self.value(call.func.value)
                    if around.kind == "super":
                        for cls in self.lineage(around.node)[0][1:]:
                            for m in cls.body:
                                if isinstance(m, ast.FunctionDef) and m.name == call.func.attr:
                                    add(m, call)
                    continue
                if f.kind == "?":
                    for m in methods.get(call.func.attr, []):
                        add(m, call)
        self.sites, self.known = found, {}

    # -- findings

    def target(self, call, places):
        """The expression of a call's target, by place and keywords; None when it is not given."""
        at = places[0]
        for k in call.keywords:
            if k.arg in places[1:]:
                return k.value
        if at != "-" and int(at) < len(call.args) and not any(isinstance(a, ast.Starred) for a in call.args[:int(at) + 1]):
            return call.args[int(at)]
        return None

    def onto(self, target, sure=True):
        """What writing to a target is: (sure, its name), or None where nothing of the grid's is written."""
        v = self.value(target)
        group = v.group()
        if group == "fine":
            return None
        name = v.text if isinstance(v.text, str) else ast.unparse(target)
        if group == "path":
            return sure, name
        return False, name

    def mode(self, call, at, keyword, default):
        """Whether a mode writes: True, False, None for unknown."""
        given = [k.value for k in call.keywords if k.arg == keyword] + call.args[at:at + 1]
        if not given:
            mode = default
        else:
            v = self.value(given[0])
            if v.kind not in ("text", "mem") or not isinstance(v.text, str):
                return False if v.kind == "none" else None
            mode = v.text
        return mode

    def writes(self, call):
        """What a call writes: (what, target, sure); None when it writes nothing that the grid would refuse."""
        f = self.value(call.func)
        shown = dotted(call.func).lstrip(".") or ast.unparse(call.func)[:40]
        if f.kind == "made" and f.name == "functools.partial" and f.node is not None:
            inner = self.value(f.node.args[0])
            call, f = ast.copy_location(partial(f.node, call), call), inner
        if f.kind == "ext":
            found = self.by_name(call, f.name)
            return (shown, found[1], found[0]) if found else None
        if f.kind in ("def", "class", "own", "super"):
            return None
        if not isinstance(call.func, ast.Attribute):
            return None
        found = self.by_method(call, call.func.attr, f.node if f.kind == "bound" else self.value(call.func.value))
        return (shown, found[1], found[0]) if found else None

    def by_name(self, call, name):
        last = name.split(".")[-1]
        if name.startswith("tempfile."):
            where = [k.value for k in call.keywords if k.arg == "dir"]
            return self.onto(where[0]) if where else None
        if name.startswith("pathlib.") and last in PATHS:  # Path.touch(p)
            return self.onto(call.args[0], bool(PATHS[last])) if call.args else None
        if name == "os.open":
            flags = ast.unparse(call.args[1]) if len(call.args) > 1 else ""
            if not re.search(r"O_(CREAT|WRONLY|RDWR|APPEND|TRUNC)|O_TMPFILE", flags):
                return None
            return self.onto(call.args[0])
        if name in OPENS:
            place, at, keyword, default = OPENS[name]
            target = self.target(call, [place, "file", "filename", "name", "path", "url", "fname", "store"])
            mode = self.mode(call, int(at), keyword, default)
            if target is None or mode is False:
                return None
            if mode is None:
                found = self.onto(target)
                return (False, found[1]) if found else None
            if name in ("numpy.memmap", "numpy.lib.format.open_memmap"):
                writing = mode in ("w+", "r+", "write", "readwrite")
            elif last in ("open", "DbfilenameShelf") and name.startswith(("dbm", "shelve")):
                writing = mode[:1] in ("c", "n", "w")
            else:
                writing = bool(set(re.split(r"[:|]", mode)[0]) & set("wax+"))
            return self.onto(target) if writing else None
        if name in CALLS:
            places = CALLS[name]
            target = self.target(call, [p for p in places if p != "!"])
            if target is None:
                # an argument that stands where the target has no place in this list's version of it
                return (True, "") if "!" in places else None
            if name.endswith("create_engine") and not (self.value(target).text or "").startswith("sqlite"):
                return None
            if name == "sqlite3.connect" and re.search(r"mode=(ro|memory)", ast.unparse(target)):
                return None
            if name in ("loguru.logger.add", "logging.basicConfig") and self.value(target).kind in ("def", "?", "class", "made"):
                return None if self.value(target).kind != "?" else (False, ast.unparse(target))
            if name.startswith("flwr.") and self.value(target).kind == "none":
                return None
            return self.onto(target)
        if name == "logging.config.dictConfig" and call.args:
            source = call.args[0]
            if isinstance(source, ast.Name):
                bound = [v for s in (source.source.scope(source), source.source.tree) for _, how, v in source.source.bindings(s).get(source.id, []) if how == "value"]
                source = bound[-1] if bound else source
            for n in ast.walk(source):
                for k, v in zip(getattr(n, "keys", None) or [], getattr(n, "values", None) or []) if isinstance(n, ast.Dict) else []:
                    if isinstance(k, ast.Constant) and k.value == "filename":
                        return self.onto(v)
            return None
        if name in PROGRAMS:
            words = " ".join(n.value for a in call.args[:1] for n in ast.walk(a) if isinstance(n, ast.Constant) and isinstance(n.value, str))
            return (bool(PROGRAM_WRITES.search(words)) and not re.search(r"\s/tmp/", words), words[:60])
        if name in TRACKERS:
            if any(k.arg == "mode" and isinstance(k.value, ast.Constant) and k.value.value in ("disabled",) for k in call.keywords):
                return None
            if any(k.arg in ("logger", "enable_checkpointing") and isinstance(k.value, ast.Constant) and k.value.value is False for k in call.keywords):
                return None
            if name.split(".")[0] in ("os", "shutil"):
                found = self.onto(call.args[0]) if call.args else None
                return (False, found[1]) if found else None
            if name == "fileinput.input" and not any(k.arg == "inplace" for k in call.keywords):
                return None
            return False, ""
        if last in METHODS and name.split(".")[0] not in ("builtins", "os", "sys"):
            target = self.target(call, METHODS[last])
            return self.onto(target) if target is not None else None
        return self.perhaps(call, last)

    def perhaps(self, call, name):
        """A function or method that nobody here knows, given something that looks like a file to write."""
        if READS.match(name):
            return None
        for k in call.keywords:
            if k.arg in OUTPUTS:
                found = self.onto(k.value)
                if found and self.value(k.value).group() == "path":
                    return False, found[1]
        if not MAYBE.match(name):
            return None
        for e in [*call.args[:3], *[k.value for k in call.keywords]]:
            v = self.value(e)
            if v.kind in ("mem", "tmp", "handle"):
                return None
            if v.kind == "path" and v.text is not None or v.kind == "text" and v.text and FILE.match(v.text):
                return False, v.text
        return None

    def by_method(self, call, name, base):
        if base.kind in ("self", "own", "mem", "handle", "number"):
            if base.kind == "self" and self.lineage(base.node)[1]:
                return self.of_foreign(call, name)  # what it has from a class of others: model.save_weights
            return None
        if name in PATHS and base.kind in ("path", "text", "tmp"):
            if base.kind == "tmp" or base.kind == "text" and name == "replace":
                return None
            return (bool(PATHS[name]) and base.text is not None, base.text or ast.unparse(call.func.value))
        if name == "open" and base.kind in ("path", "tmp"):
            mode = self.mode(call, 0, "mode", "r")
            if base.kind == "tmp" or mode is False or mode is not None and not set(mode) & set("wax+"):
                return None
            return (base.text is not None and mode is not None, base.text or ast.unparse(call.func.value))
        if base.kind == "tmp" or base.kind == "text":
            return None
        if base.kind == "made":
            made = base.name
            if made in ("zipfile.ZipFile", "tarfile.TarFile", "tarfile.open") and name in ("extract", "extractall"):
                target = self.target(call, ["1" if name == "extract" else "0", "path"])
                return self.onto(target) if target is not None else (True, ".")
            if made in ("zipfile.ZipFile",):
                return None  # what is written there lies where the archive lies
            if name in ("write",) and made in ("xml.etree.ElementTree.ElementTree", "xml.etree.ElementTree.parse"):
                return self.onto(call.args[0]) if call.args else None
            if made.endswith(("Workbook", "Document", "Presentation", "Image.open", "Image.fromarray", "Image.new")) and name == "save" or \
                    made.startswith(("keras.", "altair.")) and name in ("save", "export"):
                target = self.target(call, ["0", "fp", "filename", "filepath", "path"])
                return self.onto(target) if target is not None else None
            full = self.qualified(made + "." + name)
            if full in CALLS:
                return self.by_name(call, full)
        return self.of_foreign(call, name)

    def of_foreign(self, call, name):
        if name in METHODS:
            target = self.target(call, METHODS[name])
            return self.onto(target) if target is not None else None
        if name in PATHS_OF_ANY and (name not in ("touch", "mkdir") or not call.args):
            return False, ast.unparse(call.func.value)
        if name == "open" and call.args:
            mode = call.args[0]
            if len(call.args) == 1 and isinstance(mode, ast.Constant) and isinstance(mode.value, str) and MODE.fullmatch(mode.value) and set(mode.value) & set("wax+"):
                return False, ast.unparse(call.func.value)
            return None
        return self.perhaps(call, name)


def partial(made, call):
    """A call of functools.partial(f, ...) as the call of f that it is."""
    return ast.Call(func=made.args[0], args=made.args[1:] + call.args, keywords=call.keywords + [k for k in made.keywords if k.arg not in {x.arg for x in call.keywords}])


def keeps(source, block):
    """Whether a with-block makes names that are used outside of it."""
    inside = set(ast.walk(block))
    made = {n.id for part in block.body for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    made |= {n.name for n in inside if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    flow = any(isinstance(n, (ast.Return, ast.Yield, ast.YieldFrom, ast.Await)) for n in inside)
    return flow or any(isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id in made and n not in inside
                       for n in ast.walk(source.function(block)))


def traps(program, shared):
    """The statements that write files; each once, the outer one of two."""
    by_file = {}
    for call in program.calls:
        found = program.writes(call)
        if not found:
            continue
        what, target, sure = found
        source = call.source
        stmt = source.statement(call)
        why = ""
        if not source.alone(stmt):
            why = "it shares its line with something else"
        elif isinstance(stmt, (ast.With, ast.AsyncWith)):
            if keeps(source, stmt):
                why = "what happens in its block is needed after it"
        elif not isinstance(stmt, ast.Expr):
            why = "its result is used"
        if not why and call in shared:
            why = "the ClientApp uses it, too"
        by_file.setdefault(source, []).append({
            "line": stmt.lineno, "end": stmt.end_lineno, "what": what, "target": "" if target is None else str(target)[:120], "sure": bool(sure),
            "why_not": why, "text": source.lines[stmt.lineno - 1].strip()})
    out = []
    for source, found in by_file.items():
        found.sort(key=lambda t: (t["line"], not t["sure"], -t["end"]))
        kept = []
        for t in found:
            if kept and t["end"] <= kept[-1]["end"]:
                if t["line"] == kept[-1]["line"] or not kept[-1]["why_not"]:
                    continue
            kept.append(t)
        out += [{"file": source.rel, **t} for t in kept]
    return out


def reaches(program):
    """The calls that reach out over the network."""
    found = []
    for call in program.calls:
        f = program.value(call.func)
        if f.kind != "ext":
            continue  # a method of some object: whose, the source does not say
        if f.name.startswith(tuple(m + "." for m in REACHES)) or f.name.split(".")[-1] in REACHES_BY_NAME:
            found.append({"file": call.source.rel, "line": call.lineno, "what": dotted(call.func), "text": call.source.lines[call.lineno - 1].strip()})
    found.sort(key=lambda t: (t["file"], t["line"]))
    return found


# ---------------------------------------------------------------------------------------------------------
# How many nodes an app waits for


def wanted(program, e, more=0):
    """A number, or the key of the run config that it is read from, with its default; None when unknown."""
    v = program.value(e)
    if v.kind == "number":
        return v.text + more, ""
    if v.kind == "config" and not more:
        return v.text or 0, v.name
    if v.kind == "config":
        have = program.config.get(v.name, v.text)
        return (have + more, "") if isinstance(have, int) else None
    return None


def strategy(program, found):
    """The name of the strategy of flwr that a call makes, an own subclass of one counted; "" for none."""
    names = [found.name]
    if found.kind in ("class", "super"):
        names = program.lineage(found.node)[1]
    return next((n.split(".")[-1] for n in names if STRATEGY.match(n.split(".")[-1])), "")


def keywords(program, call):
    """The keywords of a call, those of a dictionary that is unpacked among them."""
    for k in call.keywords:
        if k.arg is not None:
            yield k.arg, k.value
            continue
        values = [k.value]
        if isinstance(k.value, ast.Name):
            source = k.value.source
            values = [v for s in (source.scope(k.value), source.tree) for _, how, v in source.bindings(s).get(k.value.id, []) if how == "value"]
        for v in values:
            if isinstance(v, ast.Dict):
                yield from ((key.value, x) for key, x in zip(v.keys, v.values) if isinstance(key, ast.Constant))
            elif isinstance(v, ast.Call) and dotted(v.func) == "dict":
                yield from ((x.arg, x.value) for x in v.keywords if x.arg)


def minimums(program):
    """How many nodes the app waits for: what its strategies are given, and its own loops over the nodes."""
    found = []

    def add(node, what, want):
        if want is not None:
            found.append({"file": node.source.rel, "line": node.lineno, "what": what, "value": want[0], "key": want[1]})

    settled = set()  # classes that say it to their base
    for call in program.calls:
        f = program.value(call.func)
        given = dict(keywords(program, call))
        named = {n: v for n, v in given.items() if n in MINIMUMS}
        for name, value in named.items():
            add(value, name, wanted(program, value))
        if isinstance(call.func, ast.Attribute) and call.func.attr == "__init__" and any("available" in n for n in named):
            cls = call.source.scope(call.source.function(call)) if not isinstance(call.source.function(call), ast.Module) else None
            settled.add(cls)
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("wait_for", "sample") and re.search(r"client_manager", dotted(call.func)):
            n = given.get("min_num_clients") or given.get("num_clients") or (call.args[0] if call.args else None)
            if n is not None:
                add(call, "client_manager." + call.func.attr, wanted(program, n))
    for node in program.live():
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            for t in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(t, ast.Attribute) and t.attr in MINIMUMS and wanted(program, node.value):
                    v = program.value(node.value)
                    if v.kind in ("number", "config"):
                        add(node, t.attr, wanted(program, node.value))
                        if "available" in t.attr:
                            around = node.source.function(node)
                            settled.add(node.source.scope(around) if not isinstance(around, ast.Module) else None)
    for call in program.calls:
        f = program.value(call.func)
        name = strategy(program, f) if f.kind in ("ext", "class") else STRATEGY.match(dotted(call.func).split(".")[-1] or "-") and dotted(call.func).split(".")[-1]
        if not name or any("available" in n for n, _ in keywords(program, call)):
            continue
        if f.kind == "class" and any(c in settled for c in program.lineage(f.node)[0]):
            continue
        found.append({"file": call.source.rel, "line": call.lineno, "what": dotted(call.func).split(".")[-1], "value": 2, "key": ""})
    return found + waits(program)


COUNTS = re.compile(r"\b(get_node_ids|num_available|get_nodes|list_nodes)\b")


def waits(program):
    """The loops that go on until enough nodes are there."""
    found = []

    def mentions(node, depth=0):
        """Whether an expression comes from the list of nodes."""
        for n in ast.walk(node):
            if isinstance(n, ast.Attribute) and COUNTS.fullmatch(n.attr):
                return True
            if depth < 4 and isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load):
                for scope in (n.source.function(n), n.source.tree):
                    for _, how, v in n.source.bindings(scope).get(n.id, []):
                        if isinstance(v, ast.AST) and how in ("value", "part", "more", "each") and v is not node and mentions(v, depth + 1):
                            return True
            if depth < 4 and isinstance(n, ast.Call):
                f = program.value(n.func)
                if f.kind == "def" and any(isinstance(x, ast.Attribute) and COUNTS.fullmatch(x.attr) for x in ast.walk(f.node)):
                    return True
        return False

    def counts(e):
        """Whether an expression is how many nodes there are."""
        if isinstance(e, ast.NamedExpr):
            return counts(e.value)
        if isinstance(e, ast.Call):
            return mentions(e)
        if isinstance(e, ast.Name):
            for scope in (e.source.function(e), e.source.tree):
                for _, how, v in e.source.bindings(scope).get(e.id, []):
                    if isinstance(v, (ast.Call, ast.NamedExpr)) and how == "value" and counts(v):
                        return True
        return False

    def compare(node, loop, seen):
        for test in ast.walk(node):
            if not isinstance(test, ast.Compare) or len(test.ops) != 1 or test in seen:
                continue
            left, op, right = test.left, test.ops[0], test.comparators[0]
            if counts(right) and not counts(left):
                left, right = right, left
                op = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE}.get(type(op), type(op))()
            elif not counts(left):
                continue
            more = {ast.Lt: 0, ast.GtE: 0, ast.LtE: 1, ast.Gt: 1, ast.Eq: 0, ast.NotEq: 0}.get(type(op))
            if more is None:
                continue
            if isinstance(op, (ast.Eq, ast.NotEq)) and isinstance(right, ast.Constant) and right.value == 0:
                more = 1  # until there is any
            want = wanted(program, right, more)
            if want is not None:
                seen.add(test)
                found.append({"file": test.source.rel, "line": test.lineno, "what": "a loop that waits for nodes", "value": want[0], "key": want[1]})

    seen = set()
    for loop in program.live():
        if not isinstance(loop, (ast.While, ast.For, ast.AsyncFor)) or not mentions(loop):
            continue
        if isinstance(loop, ast.While):
            compare(loop.test, loop, seen)
        for n in ast.walk(loop):
            if isinstance(n, ast.If) and any(isinstance(x, (ast.Break, ast.Continue, ast.Return)) for part in n.body + n.orelse for x in ast.walk(part)):
                compare(n.test, loop, seen)
    return found


def scan(q):
    """What the ServerApp, or the AgentApp, does where it runs: on the grid."""
    names = [n for n in (q.get("server"), q.get("agent")) if n]
    shared = set()
    if q.get("client"):
        client = Program(q["dir"], q.get("config"))
        client.left_out = ("ServerApp", "AgentApp")
        client.reach([q["client"]])
        shared = {(c.source.path, c.lineno, c.col_offset) for c in client.calls}
    program = Program(q["dir"], q.get("config"))
    program.reach(names)
    both = {c for c in program.calls if (c.source.path, c.lineno, c.col_offset) in shared
            and not isinstance(c.source.function(c), ast.Module)}
    found = traps(program, both)
    own = module_file(q["dir"], names[0]) if names else None
    first = os.path.relpath(own, q["dir"]) if own else ""
    found.sort(key=lambda t: (t["file"] != first, t["file"], t["line"]))
    missing = [n for n in names if not module_file(q["dir"], n)]
    return {"missing": missing, "traps": found, "minimums": minimums(program), "reaches": reaches(program)}


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


# ---------------------------------------------------------------------------------------------------------
# What is sent

SECRET = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\[rn]|[\"',\s])+[A-Za-z0-9+/=:]{16}|AGE-SECRET-KEY-1[0-9A-Z]{40}")
SCANNED = 1 << 30    # bytes of a file that are searched for private keys
MEASURED = 16 << 20  # bytes of a file that are compressed to know how small it gets


def flwr_packs(app):
    """The files of the app's folder that this flwr itself would pack, by its own code: relative path → path.
    None when this flwr does not have that code."""
    from pathlib import Path
    try:
        from flwr.cli import build
        disk, pack, limit = build.build_fab_from_disk, build.build_fab_from_files, build.FAB_MAX_SIZE
    except (ImportError, AttributeError):
        return None, 10 << 20
    files = {}

    class Enough(Exception):
        pass

    def note(found):
        files.update(found)
        raise Enough

    build.build_fab_from_files = note
    try:
        disk(Path(app))
    except Enough:
        pass
    # With nothing in them, but for what its rules are read from: the rules go by name.
    empty = {name: path.read_bytes() if name in ("pyproject.toml", ".gitignore") else b"" for name, path in files.items()}
    fab = pack(empty)
    with io.BytesIO(fab[0] if isinstance(fab, tuple) else fab) as f:
        import zipfile
        with zipfile.ZipFile(f) as z:
            names = [n for n in z.namelist() if not n.startswith(".info/")]
    return {n: str(files[n]) for n in names if n in files}, limit


def has_secret(path):
    """Whether a file holds a private key, wherever in it: blanks before the key pack to next to nothing."""
    with open(path, "rb") as f:
        last, read = b"", 0
        while read < SCANNED:
            chunk = f.read(1 << 20)
            if not chunk:
                return False
            if SECRET.search(last + chunk):
                return True
            last, read = chunk[-4096:], read + len(chunk)
    return False


def packed(path, size):
    """How many bytes a file takes when it is packed, about."""
    import zlib
    squeeze, read, out = zlib.compressobj(wbits=-15), 0, 0
    with open(path, "rb") as f:
        while read < MEASURED:
            chunk = f.read(1 << 20)
            if not chunk:
                break
            read += len(chunk)
            out += len(squeeze.compress(chunk))
    out += len(squeeze.flush())
    return out if read >= size else out * size // max(read, 1)


def pack(q):
    """What flwr would send of the app's folder: the files, what is odd about them, how large it gets."""
    app = os.path.realpath(q["dir"])
    try:
        found, limit = flwr_packs(app)
    except Exception as err:  # flwr's own no: a name, a pattern, a folder too deep
        return {"refused": str(err) or type(err).__name__, "files": []}
    if found is None:
        return {"unknown": True, "files": []}
    files, total = [], 0
    for name, path in sorted(found.items()):
        if not os.path.isfile(path):
            continue
        size = os.path.getsize(path)
        total += size
        secret = has_secret(path)
        real = os.path.realpath(path)
        inside = real == app or real.startswith(app.rstrip(os.sep) + os.sep)
        files.append({"name": name.replace(os.sep, "/"), "real": real, "size": size, "packed": size, "secret": secret, "outside": not inside})
    if total > limit:
        for f in files:
            f["packed"] = packed(f["real"], f["size"])
    try:
        from flwr.common.constant import FAB_EXCLUDE_KEY as key
    except ImportError:
        key = ""
    return {"files": files, "limit": limit, "exclude": key}


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
        answer = {"scan": scan, "mend": mend, "pack": pack, "packages": packages}[q["do"]](q)
    except (RecursionError, MemoryError):
        answer = {"error": "it is nested too deeply", "file": "", "line": 0}
    except (SyntaxError, UnicodeDecodeError, LookupError, ValueError, OSError) as err:
        answer = {"error": str(err) or type(err).__name__, "file": getattr(err, "filename", None) or "", "line": getattr(err, "lineno", None) or 0}
    sys.stdout.write(json.dumps(answer))


main()
