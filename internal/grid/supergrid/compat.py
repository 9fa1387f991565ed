"""What differs between flwr versions: all of it is here."""
from __future__ import annotations

import dataclasses
import inspect
import re
import threading
import types
from importlib import import_module, metadata

# name -> account id; the id is what the SuperLink stores as the owner of things
ACCOUNTS = {"ada": "aid-0001-ada", "bob": "aid-0002-bob"}
NAMES = {aid: name for name, aid in ACCOUNTS.items()}
VERSION = tuple(int(n) for n in re.findall(r"\d+", metadata.version("flwr"))[:3])


class Compat:
    """What the installed flwr wants. Imports flwr, so use it after install_ee()."""

    def __init__(self) -> None:
        const = import_module("flwr.common.constant")
        self.access_key, self.refresh_key = const.ACCESS_TOKEN_KEY, const.REFRESH_TOKEN_KEY
        # 1.24-1.33: Control and Fleet are two gRPC servers. 1.37: Control is HTTPS
        # (uvicorn), Fleet still gRPC. 1.41, 1.42: one HTTPS port for everything.
        self.control_http = hasattr(const, "FLWR_INTERNAL_GRPC_CONTROL_API")
        self.fleet_http = hasattr(const, "FLWR_INTERNAL_GRPC_FLEET_API")
        # account types moved once
        try:
            self.types = import_module("flwr.supercore.auth.typing")
            self.types.AccountAuthLoginDetails
        except (ImportError, AttributeError):
            self.types = import_module("flwr.common.typing")
        manager = import_module("flwr.superlink.federation").FederationManager
        # what get_federations() must return: names (1.24, 1.25), (name, description)
        # pairs (1.26), or Federation objects
        returns = str(inspect.signature(manager.get_federations).return_annotation)
        self.listing = "pairs" if "tuple" in returns else "names" if "str" in returns else "full"
        # can the CLI create federations and put SuperNodes in them?
        self.managed = hasattr(manager, "create_federation")
        try:
            self.Federation = import_module("flwr.superlink.federation.typing").Federation
        except ImportError:
            self.Federation = import_module("flwr.common.typing").Federation

    @staticmethod
    def default_federations() -> list[str]:
        """The fixed list of the versions whose CLI cannot create federations."""
        return ["flowerlabs"] if VERSION < (1, 26) else ["@flowerlabs/default"]

    @staticmethod
    def allow_any_folder() -> None:
        """flwr 1.26 hands its database's URL to Alembic without escaping the % of a folder with a
        non-ASCII name: "invalid interpolation syntax"."""
        try:
            config = import_module("alembic.config").Config
        except ImportError:
            return
        plain = config.set_section_option

        def escaping(self, section, name, value):
            try:
                plain(self, section, name, value)
            except ValueError:
                plain(self, section, name, value.replace("%", "%%"))

        config.set_section_option = escaping

    def superlink_args(self, o) -> list[str]:
        fleet = ["--fleet-api-address", f"{o.fleet_host}:{o.fleet_port}"]
        if self.control_http:
            return ["--host", o.host, "--port", str(o.control_port),
                    *([] if self.fleet_http else fleet)]
        runtime = ["--serverappio-api-address", f"127.0.0.1:{o.runtime_port}"]
        if VERSION >= (1, 35):  # refuses it, and has this instead
            runtime = ["--host", "127.0.0.1", "--port", str(o.runtime_port)]
        args = ["--control-api-address", f"{o.host}:{o.control_port}", *fleet, *runtime]
        if VERSION < (1, 29):  # later versions keep app bundles in the database
            args += ["--storage-dir", str(o.dir / "ffs")]
        return args

    def error(self, code_name: str, message: str) -> Exception:
        """FlowerError with a public code (>= 1.29), else ValueError."""
        try:
            err = import_module("flwr.supercore.error")
            return err.FlowerError(getattr(err.ApiErrorCode, code_name), message)
        except (ImportError, AttributeError):
            return ValueError(message)

    @staticmethod
    def not_activated() -> tuple[dict, int]:
        """What the SuperLink itself answers (HTTP) when it does not activate a node."""
        err = import_module("flwr.supercore.error")
        catalog = import_module("flwr.supercore.error.catalog")
        code = err.ApiErrorCode.FLEET_NODE_ACTIVATION_FAILED
        spec = catalog.API_ERROR_MAP[code]
        return err.FlowerError(code, "").to_json(spec.public_message), spec.http_status_code

    def federation(self, **f):
        """Build this version's Federation from the superset of fields."""
        pb = import_module("flwr.proto.federation_pb2")
        f["name"] = f["id"]
        f["member_aids"] = list(f["members"])
        if hasattr(pb, "Account"):
            acc = {a: pb.Account(id=a, name=NAMES.get(a, a)) for a in f["members"]}
            f["accounts"] = list(acc.values())
            if hasattr(pb, "Member"):
                f["members"] = [pb.Member(account=acc[a], role=r) for a, r in f["members"].items()]
        f["config"] = None
        if f["simulation"]:
            f["config"] = import_module("flwr.supercore.constant").DEFAULT_SIMULATION_CONFIG
        fields = {x.name for x in dataclasses.fields(self.Federation)}
        return self.Federation(**{k: v for k, v in f.items() if k in fields})

    local = threading.local()

    @classmethod
    def linkstate(cls, state):
        """`state`, usable in this thread: up to 1.25 it is one thread's SQLite connection."""
        if not hasattr(state, "_conn"):
            return state
        if not hasattr(cls.local, "state"):
            manager = types.SimpleNamespace()  # SqliteLinkState sets its .linkstate
            cls.local.state = type(state)(state.database_path, manager, state.object_store)
            cls.local.state.initialize()
        return cls.local.state

    @staticmethod
    def runs_of(linkstate, federation: str) -> list:
        if not hasattr(linkstate, "get_run_info"):
            runs = (linkstate.get_run(i) for a in NAMES for i in linkstate.get_run_ids(a))
            return [r for r in runs if r and r.federation == federation]
        names = inspect.signature(linkstate.get_run_info).parameters
        key = "federation_ids" if "federation_ids" in names else "federations"
        return list(linkstate.get_run_info(**{key: [federation]}))

    @staticmethod
    def one_federation_keyword(cls):
        """The federation argument is called federation, name or federation_id."""
        def wrap(method):
            def call(self, *args, **kw):
                for alias in ("federation", "name"):
                    if alias in kw:
                        kw["federation_id"] = kw.pop(alias)
                return method(self, *args, **kw)
            return call
        for name, value in list(vars(cls).items()):
            if inspect.isfunction(value) and not name.startswith("_"):
                setattr(cls, name, wrap(value))
        return cls
