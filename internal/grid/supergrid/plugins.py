"""The module `flwr.ee`, made here: the hooks by which the open-source SuperLink takes account
login, authorisation, federations and middleware."""
from __future__ import annotations

import datetime
import sys
import types
from importlib import import_module

from supergrid.compat import ACCOUNTS, NAMES, Compat
from supergrid.faults import http_tap
from supergrid.state import Grid


def install_ee(grid: Grid) -> None:
    def module(name: str, **members) -> None:
        mod = types.ModuleType(name)
        mod.__path__ = []  # a package, so that `import flwr.ee.x` fails politely
        mod.__dict__.update(members)
        sys.modules[name] = mod

    def add_ee_args_superlink(parser) -> None:
        parser.add_argument("--account-auth-config")
        parser.add_argument("--federations-config")
        parser.add_argument("--enable-event-log", action="store_true")

    def no_plugins(*_a):
        raise NotImplementedError

    def get_federation_manager(*_config):
        grid.manager = make_federation_manager(grid)
        return grid.manager

    module("flwr.ee",
           add_ee_args_superlink=add_ee_args_superlink,
           get_control_authn_ee_plugins=lambda: {"oidc": make_authn_plugin(grid)},
           get_control_authz_ee_plugins=lambda: {"oidc": make_authz_plugin()},
           get_control_event_log_writer_plugins=no_plugins,
           get_fleet_event_log_writer_plugins=no_plugins,
           get_ee_artifact_provider=no_plugins,
           get_ee_objectstore_factory=no_plugins,
           get_ee_linkstate_factory=no_plugins,
           get_ee_linkstate_db=lambda: str(grid.o.dir / "superlink.db"),
           get_ee_federation_manager=get_federation_manager,
           get_license_plugin=lambda: None)
    module("flwr.ee.utils", resolve_account_ids=lambda ids: {i: NAMES[i] for i in ids if i in NAMES})
    module("flwr.ee.superlink")
    module("flwr.ee.superlink.extensions", get_middleware=lambda: (http_tap(grid),))


def note_factory(grid: Grid) -> None:
    """Remember the LinkStateFactory that the SuperLink makes."""
    cls = import_module("flwr.server.superlink.linkstate").LinkStateFactory
    init = cls.__init__

    def noting(self, *args, **kw):
        init(self, *args, **kw)
        grid.factory = self

    cls.__init__ = noting


def make_authn_plugin(grid: Grid):
    c = Compat()
    base = import_module("flwr.superlink.auth_plugin").ControlAuthnPlugin

    class DeviceFlowPlugin(base):
        def __init__(self, *_config) -> None:
            pass

        def get_login_details(self):
            login, o = grid.logins.start(), grid.o
            return c.types.AccountAuthLoginDetails(
                authn_type="oidc", device_code=login["device_code"],
                verification_uri_complete=grid.page_of(login),
                expires_in=int(o.login_ttl), interval=o.login_interval)

        def get_auth_tokens(self, device_code):
            tokens = grid.logins.finish(device_code)
            return tokens and c.types.AccountAuthCredentials(
                access_token=tokens[0], refresh_token=tokens[1])

        def validate_tokens_in_metadata(self, meta):
            entry = grid.logins.check("access", dict(meta).get(c.access_key))
            return (True, self._account(entry["aid"])) if entry else (False, None)

        def refresh_tokens(self, meta):
            new = grid.logins.refresh(dict(meta).get(c.refresh_key))
            if new is None:
                return None, None
            return [(c.access_key, new[0]), (c.refresh_key, new[1])], self._account(new[2])

        @staticmethod
        def _account(aid):
            return c.types.AccountInfo(flwr_aid=aid, account_name=NAMES[aid])

    return DeviceFlowPlugin


def make_authz_plugin():
    base = import_module("flwr.superlink.auth_plugin").ControlAuthzPlugin

    class EveryoneMayPlugin(base):
        def __init__(self, *_config) -> None:
            pass

        def authorize(self, account_info):
            return True

    return EveryoneMayPlugin


def make_federation_manager(grid: Grid):
    c = Compat()
    base = import_module("flwr.superlink.federation").FederationManager
    superlink_node = import_module("flwr.common.constant").SUPERLINK_NODE_ID
    store, feds = grid.federations, grid.federations.data["federations"]
    if not c.managed:  # a fixed list; every account is a member, every node is in it
        feds.clear()
        for name in grid.o.federation or c.default_federations():
            feds[name] = {"description": f"The {name} federation", "owner": "",
                          "members": {a: "member" for a in NAMES}, "nodes": None,
                          "archived": False, "simulation": False}
        store.save()

    def live(fid):
        fed = feds.get(fid)
        return fed if fed and not fed["archived"] else None

    def owned(aid, fid):
        fed = live(fid)
        if fed is None or fed["owner"] != aid:
            raise c.error("FEDERATION_NOT_FOUND_OR_NO_PERMISSION", f"{fid}: not yours")
        return fed

    def clock():
        return datetime.datetime.now(datetime.timezone.utc).isoformat()

    def pending(fed, aid):
        return [i for i in fed.get("invitations", []) if i["invitee"] == aid and i["status"] == "pending"]

    def settle(fid, aid, status):
        """End the open invitation of an account. It returns the federation, not saved yet."""
        fed = live(fid)
        if fed is None or not pending(fed, aid):
            raise c.error("FEDERATION_NOT_FOUND_OR_NO_PENDING_INVITE", f"{fid}: no invitation of {aid}")
        for i in pending(fed, aid):
            i["status"], i["changed"] = status, clock()
        return fed

    def inside(fid, node_id):
        fed = live(fid)
        return node_id == superlink_node or (
            fed is not None and grid.confirmed(node_id)
            and (fed["nodes"] is None or node_id in fed["nodes"]))

    def view(fid, linkstate=None):
        fed, nodes, runs = feds[fid], [], []
        if linkstate is not None:  # details
            nodes = [n for n in linkstate.get_node_info()
                     if inside(fid, n.node_id) and n.owner_aid in fed["members"]]
            runs = c.runs_of(linkstate, fid)
        return c.federation(
            id=fid, description=fed["description"], members=fed["members"], nodes=nodes,
            runs=runs, archived=fed["archived"], simulation=fed["simulation"],
            can_invite_members=True, can_add_supernodes=not fed["simulation"],
            member_count=len(fed["members"]), icon_key=None)

    @Compat.one_federation_keyword
    class Manager(base):
        def exists(self, federation_id):
            return live(federation_id) is not None

        def has_member(self, flwr_aid, federation_id):
            fed = feds.get(federation_id)  # archived ones can still be looked at
            return fed is not None and flwr_aid in fed["members"]

        def filter_nodes(self, node_ids, federation_id):
            return {n for n in node_ids if inside(federation_id, n)}

        def has_node(self, node_id, federation_id):
            return inside(federation_id, node_id)

        def get_federations(self, flwr_aid):
            mine = [i for i, f in feds.items() if flwr_aid in f["members"]]
            if c.listing == "names":
                return mine
            if c.listing == "pairs":
                return [(i, feds[i]["description"]) for i in mine]
            return [view(i) for i in mine]

        def get_details(self, federation_id):
            return view(federation_id, c.linkstate(self.linkstate))

        def ensure_default_federations_exist(self, flwr_aid):
            fid = f"@{NAMES[flwr_aid]}/workspace"  # the framework's default, simulated
            with store.lock:
                if fid not in feds:
                    self.create_federation(flwr_aid, fid, "Default federation", True)

        def create_federation(self, flwr_aid, federation_id, description, simulation=None):
            with store.lock:
                if federation_id in feds:
                    raise c.error("FEDERATION_ALREADY_EXISTS", f"{federation_id} exists")
                feds[federation_id] = {
                    "description": description or "", "owner": flwr_aid,
                    "members": {flwr_aid: "owner"}, "nodes": [], "archived": False,
                    "simulation": bool(simulation)}
                store.save()
            return view(federation_id)

        def archive_federation(self, flwr_aid, federation_id):
            with store.lock:
                owned(flwr_aid, federation_id)["archived"] = True
                store.save()

        def add_supernode(self, flwr_aid, federation_id, node_id):
            with store.lock:
                fed = live(federation_id)
                if node_id in fed["nodes"]:
                    raise c.error("SUPERNODE_ALREADY_IN_FEDERATION", f"{node_id} is in")
                fed["nodes"].append(node_id)
                store.save()

        def remove_supernode(self, flwr_aid, federation_id, node_id):
            with store.lock:
                fed = live(federation_id)
                if node_id in fed["nodes"]:
                    fed["nodes"].remove(node_id)
                store.save()

        def get_simulation_config(self, federation_id):
            if live(federation_id) is None:
                raise c.error("FEDERATION_NOT_FOUND_OR_NO_PERMISSION", federation_id)
            return getattr(view(federation_id), "config", None)

        def create_invitation(self, flwr_aid, federation_id, invitee_account_name):
            with store.lock:
                fed = owned(flwr_aid, federation_id)
                aid = ACCOUNTS.get(invitee_account_name)
                if aid is None:
                    raise c.error("ACCOUNTS_NOT_FOUND", f"{invitee_account_name}: no such account")
                if aid in fed["members"]:
                    raise c.error("ACCOUNT_ALREADY_MEMBER", f"{invitee_account_name} is in")
                if pending(fed, aid):
                    raise c.error("INVITE_ALREADY_EXISTS", f"{invitee_account_name} is invited")
                fed.setdefault("invitations", []).append({
                    "inviter": flwr_aid, "invitee": aid, "status": "pending", "created": clock(), "changed": clock()})
                store.save()

        def list_invitations(self, flwr_aid):
            pb = import_module("flwr.proto.federation_pb2")

            def sent(whose):
                found = [(i["created"], pb.Invitation(
                    federation_name=fid, inviter=pb.Account(id=i["inviter"], name=NAMES[i["inviter"]]),
                    invitee=pb.Account(id=i["invitee"], name=NAMES[i["invitee"]]), status=i["status"],
                    created_at=i["created"], status_changed_at=i["changed"]))
                    for fid, fed in feds.items() if not fed["archived"]
                    for i in fed.get("invitations", []) if i[whose] == flwr_aid]
                return [i for _, i in sorted(found, key=lambda f: f[0])]

            with store.lock:
                return sent("inviter"), sent("invitee")

        def accept_invitation(self, flwr_aid, federation_id):
            with store.lock:
                settle(federation_id, flwr_aid, "accepted")["members"][flwr_aid] = "member"
                store.save()

        def reject_invitation(self, flwr_aid, federation_id):
            with store.lock:
                settle(federation_id, flwr_aid, "rejected")
                store.save()

        def revoke_invitation(self, flwr_aid, federation_id, invitee_account_name):
            with store.lock:
                owned(flwr_aid, federation_id)
                settle(federation_id, ACCOUNTS.get(invitee_account_name), "revoked")
                store.save()

        def can_execute(self, flwr_aid, action, context):
            return True

        def report_run_usage(self):
            pass

    def unsupported(self, *_a, **_k):
        raise c.error("NO_FEDERATION_MANAGEMENT_SUPPORT", "not on a rehearsal grid")

    for name in base.__abstractmethods__:  # icons, automations, ...: not stood in for
        if name not in vars(Manager):
            setattr(Manager, name, unsupported)
    Manager.__abstractmethods__ = frozenset()
    return Manager()
