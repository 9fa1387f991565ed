package custody

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/internal/wording"
	"flwrup/keys"
)

// Rotate gives each of the named SuperNodes a new key, one after the other: a pair is made and backed up, registered,
// added to the federation; the SuperNode is started with it; and when the grid calls it online the old key is
// unregistered. The SuperNode keeps its name and its settings, and gets another node ID.
//
// An intent in the ledger says at each moment which of the two keys is in use. The same call continues where an earlier
// one was cut short, or goes back, as its person chooses. With back it gives a rotation up: the old key is in use
// again, and the new one is unregistered.
//
// It asks first. A SuperNode that does not come online with its new key is started with the old one again, and the
// error says why it did not.
func Rotate(ctx context.Context, s *site.Site, nodes []string, back bool, to front.Sink, again fleet.Again) error {
	if len(nodes) == 0 {
		return problem.New(problem.Usage, "no SuperNode named", "", "name the SuperNodes that get a new key")
	}
	if s.Folder().Coordinated() {
		return problem.New(problem.Usage, "cannot give "+strings.Join(nodes, ", ")+" a new key", "this site has no account: only its coordinator can register keys",
			"add a SuperNode with a new key and send its request (flwrup add, flwrup request); once it is online, stop the old one (flwrup remove "+nodes[0]+"), and ask your coordinator to unregister it")
	}
	if err := fleet.CheckNames(s, nodes); err != nil {
		return err
	}
	if err := fleet.BringGridUp(ctx, s, to); err != nil {
		return err
	}
	for i, name := range nodes {
		if err := rotate(ctx, s, name, nodes[i:], back, to, again); err != nil {
			return err
		}
	}
	return nil
}

// rotation is one rotation under way.
type rotation struct {
	*site.Site
	to    front.Sink
	again fleet.Again
	i     ledger.Intent // as it is in the ledger
}

func rotate(ctx context.Context, s *site.Site, name string, left []string, back bool, to front.Sink, again fleet.Again) error {
	r := &rotation{Site: s, to: to, again: again}
	open := false
	if r.i, open = s.Ledger.Data().Rotation(s.Choices().Grid.Connection, name); open && r.i.Stage == ledger.RotateDrop {
		if err := r.drop(ctx); err != nil || back {
			return err
		}
		open = false
	}
	switch {
	case back && !open:
		return problem.New(problem.Usage, "cannot go back to the old key of "+name, "no rotation of its key is unfinished", "`flwrup status` shows its key")
	case back && r.i.Stage == ledger.RotateFinal:
		return problem.New(problem.Usage, "cannot go back to the old key of "+name, "the grid was asked to forget it, and never takes it again", "finish the rotation: flwrup rotate "+name)
	case back:
		if err := r.restore(ctx); err != nil {
			return err
		}
		return r.drop(ctx)
	}
	m, err := r.subject(ctx, name)
	if err != nil {
		return err
	}
	if err := r.agreed(ctx, m, left, open); err != nil {
		return err
	}
	if !open {
		if err := r.begin(m); err != nil {
			return err
		}
	}
	return r.forward(ctx)
}

// subject returns the SuperNode that is to get a new key, or why it cannot. One whose key is lost is as good.
func (r *rotation) subject(ctx context.Context, name string) (site.Member, error) {
	s, cannot := r.Site, "cannot give "+name+" a new key"
	list, folder, err := site.Members(s)
	if err != nil {
		return site.Member{}, err
	}
	all := append(list, site.WithoutKey(s, list, folder)...)
	i := slices.IndexFunc(all, func(m site.Member) bool { return m.Name == name })
	if i < 0 {
		return site.Member{}, site.NoSuperNode(name)
	}
	if slices.ContainsFunc(site.Leaving(s), func(i ledger.Intent) bool { return i.Name == name }) {
		return site.Member{}, problem.New(problem.Usage, cannot, "its removal is not finished", "finish that: flwrup remove "+name)
	}
	if w, is := health.RunBy(s.Ledger.Data(), s.Folder(), name); is {
		return site.Member{}, problem.New(health.NodeEngine, cannot, w.Says()+" runs it, from files that name the old key", "end it there ("+w.End()+"), take it back (flwrup start "+name+"), rotate, and export again")
	}
	if !all[i].Known() {
		return site.Member{}, problem.New(problem.Usage, cannot, "its key is not registered yet", "flwrup up registers it; a key that was never registered can be removed and made again")
	}
	states, err := site.States(ctx, s)
	if err != nil {
		return site.Member{}, err
	}
	if by := states[name].ByHand; by != "" {
		return site.Member{}, problem.New(problem.Usage, cannot, "it was started by hand as "+by+", with the old key", "have flwrup run it: flwrup restart "+name+" --replace")
	}
	return all[i], nil
}

// agreed asks the person, and says what a rotation costs before anything is done.
func (r *rotation) agreed(ctx context.Context, m site.Member, left []string, open bool) error {
	c := r.Choices()
	q := front.Question{ID: "rotate", Kind: front.AskConfirm, Default: "no", Ask: "Give " + m.Name + " a new key?"}
	help := []string{"Its node ID " + m.Record.NodeID + " becomes another one; its name and settings stay.",
		"flwrup makes the new key, renews the backup and verifies it, registers the key and starts " + m.Name + " with it.",
		"Only when the grid calls it online, the old key is unregistered: it can never be registered again.",
		"The files of the old key go to a folder set-aside-… in " + r.Rel(r.Folder().KeysDir()) + " and stay in the backup; delete them when you like."}
	if open {
		q.Ask = "Continue with the new key of " + m.Name + "?"
		help = append([]string{"Its rotation of " + r.i.At.Local().Format("2 January 15:04") + " was not finished: " + stageSays(r.i) + ". `flwrup rotate " + m.Name + " --back` gives it up."}, help[1:]...)
	}
	if runs, err := r.GridRuns(ctx, site.Fresh); err == nil {
		n := 0
		for _, run := range runs {
			if front.RunStatus(run.StatusText()).Going() {
				n++
			}
		}
		if n > 0 {
			help = append(help, fmt.Sprintf("In progress: %s. %s drops out, and comes back as another node.", wording.Count(n, "run"), m.Name))
		}
	}
	if len(left) > 1 {
		help = append(help, "The next is "+left[1]+", which is asked about when this one is done.")
	}
	if f := c.Federation; f != "" {
		help = append(help, "Whoever keeps a list of the nodes of "+f+" needs the new ID.")
	}
	q.Help = strings.Join(help, "\n")
	answer, err := r.to.Ask(ctx, q)
	if err != nil {
		return err
	}
	if answer != "yes" {
		return problem.New(problem.NeedsPerson, m.Name+" keeps its key", "its node ID would change, and its old key could never be registered again, so a person has to confirm", "confirm with --yes")
	}
	return nil
}

// stageSays says how far a rotation is.
func stageSays(i ledger.Intent) string {
	switch i.Stage {
	case ledger.RotateMoved:
		return i.Name + " is started with the new key, and the old one is registered still"
	case ledger.RotateFinal:
		return i.Name + " has the new key, and the old one is being unregistered"
	case ledger.RotateBack:
		return i.Name + " has its old key, and the new one is kept"
	case ledger.RotateDrop:
		return i.Name + " has its old key, and the new one is being unregistered"
	}
	return i.Name + " has its old key, and the new one is not in use yet"
}

// begin notes what is about to be done, with the file of the key that is to be made.
func (r *rotation) begin(m site.Member) error {
	folder, err := keys.Scan(r.Folder().KeysDir())
	if err != nil {
		return err
	}
	c := r.Choices()
	key := m.Record.Key
	file := r.Rel(filepath.Join(folder.Dir, folder.NextNames(len(folder.Pairs) + 1)[0]))
	i := ledger.Intent{Op: ledger.Rotate, Key: key, Name: m.Name, NodeID: m.Record.NodeID, Connection: c.Grid.Connection, Federation: c.Federation, NextFile: file, At: time.Now(),
		Down: site.Wanted(r.Site, m.Name) == front.WantedDown}
	if i.ID, err = r.Ledger.Begin(i); err != nil {
		return err
	}
	r.i = i
	return nil
}

// note changes the intent on disk.
func (r *rotation) note(change func(*ledger.Intent)) error {
	i := r.i
	change(&i)
	if err := r.Ledger.Change(func(d *ledger.Data) error { d.PutIntent(i); return nil }); err != nil {
		return err
	}
	r.i = i
	return nil
}

// forward continues from where the rotation is. Each part may be done twice.
func (r *rotation) forward(ctx context.Context) error {
	if !r.i.NewInUse() {
		if err := r.prepare(ctx); err != nil {
			if rec, ok := r.Ledger.NodeOn(r.i.Connection, r.i.Next); (!ok || rec.NodeID == "") && !r.registering() {
				return errors.Join(err, r.drop(context.WithoutCancel(ctx))) // nothing is on the grid, and it was not stopped
			}
			return err
		}
		if err := r.move(ctx, ledger.RotateMoved); err != nil {
			return err
		}
	}
	if r.i.Stage == ledger.RotateMoved {
		if err := r.start(ctx); err != nil {
			if ctx.Err() != nil {
				return err // the intent stays: the same command continues
			}
			return r.giveWay(ctx, err)
		}
		if err := r.note(func(i *ledger.Intent) { i.Stage = ledger.RotateFinal }); err != nil {
			return err
		}
	}
	if err := r.downAgain(ctx); err != nil {
		return err
	}
	if err := r.forget(ctx, r.i.Key, r.i.NodeID); err != nil {
		return err
	}
	r.to.Event(front.ItemChanged{Item: front.Item{Name: r.i.Name, State: front.ItemDone, Text: "has a new key; the old one is unregistered"}})
	return nil
}

// downAgain stops a SuperNode that was down on purpose before its rotation: it ran to show that its key works.
func (r *rotation) downAgain(ctx context.Context) error {
	if !r.i.Down {
		return nil
	}
	return fleet.Operate(ctx, r.Site, front.StopNodes, []string{r.i.Name}, r.to)
}

// registering reports whether a call that registers the new key may have reached the grid.
func (r *rotation) registering() bool {
	return slices.ContainsFunc(r.Ledger.Intents(), func(i ledger.Intent) bool {
		return i.Op == "register" && i.Key == r.i.Next && i.Connection == r.i.Connection
	})
}

func (r *rotation) says(state front.ItemState, text string) {
	r.to.Event(front.ItemChanged{Item: front.Item{Name: r.i.Name, State: state, Text: text}})
}

// prepare makes the new key, backs it up, registers it and adds it to the federation. The SuperNode runs on with its
// old one.
func (r *rotation) prepare(ctx context.Context) error {
	r.says(front.ItemWorking, "making a new key")
	private := r.Path(r.i.NextFile)
	made, err := keys.Generate(ctx, filepath.Dir(private), []string{filepath.Base(private)}, nil)
	if err != nil {
		return err
	}
	pair := made[0]
	if r.i.Next != "" && r.i.Next != pair.Fingerprint {
		return problem.New(health.KeySwapped, "the new key of "+r.i.Name+" was changed", r.i.NextFile+" has another key ("+pair.Fingerprint+") than flwrup made ("+r.i.Next+")", "put the right one back, or give the rotation up: flwrup rotate "+r.i.Name+" --back")
	}
	if r.i.Next == "" {
		if err := r.note(func(i *ledger.Intent) { i.Next = pair.Fingerprint }); err != nil {
			return err
		}
	}
	if health.BackupOf(r.Site, pair.Fingerprint) == "" {
		r.says(front.ItemWorking, "renewing the backup")
		if _, err := BackUp(ctx, r.Site, r.to); err != nil {
			return err
		}
	}
	r.says(front.ItemWorking, "registering the new key")
	f, err := r.Session(ctx)
	if err != nil {
		return err
	}
	if err := r.again(func() error { return r.register(ctx, f, pair) }); err != nil {
		return err
	}
	rec, _ := r.Ledger.NodeOn(r.i.Connection, pair.Fingerprint)
	if !f.Dialect().Managed || r.i.Federation == "" {
		return r.confirmed(ctx, rec)
	}
	return r.again(func() error {
		return fleet.AddToFederation(ctx, r.Site, f, []fleet.NamedNode{{Name: r.i.Name, ID: rec.NodeID}}, r.to)
	})
}

// register registers the new key, once.
func (r *rotation) register(ctx context.Context, f site.Flwr, pair keys.Pair) error {
	if rec, ok := r.Ledger.NodeOn(r.i.Connection, pair.Fingerprint); ok && rec.NodeID != "" {
		return nil
	}
	c := r.Choices()
	node := ledger.Node{Key: pair.Fingerprint, KeyFile: r.i.NextFile, Name: r.i.Name, State: ledger.Registered, Registered: time.Now(),
		Account: r.Ledger.Account(r.i.Connection), Connection: r.i.Connection}
	k := fleet.NewKey{Fingerprint: pair.Fingerprint,
		Registration: flwr.Registration{PublicKey: pair.Public, Name: r.i.Name, Location: c.ForNode(r.number()).Location},
		Put: func(d *ledger.Data, id, how string) error {
			node.NodeID, node.How = id, how
			return d.PutNode(node)
		}}
	reg := fleet.Registrar{Site: r.Site, Flwr: f, To: r.to}
	_, err := reg.Register(ctx, k)
	return err
}

// number returns the number of the SuperNode's table in flwrup.toml; 0 for none.
func (r *rotation) number() int {
	m, err := site.MemberNamed(r.Site, r.i.Name)
	if err != nil {
		return 0
	}
	return m.Number
}

// confirmed asks whether the grid's side has taken in a node that flwr cannot add itself.
func (r *rotation) confirmed(ctx context.Context, rec ledger.Node) error {
	if r.Rehearsal() || r.i.Federation == "" {
		return nil
	}
	answer, err := r.to.Ask(ctx, front.Question{ID: "confirmed", Kind: front.AskAcknowledge, Default: "later",
		Ask:  "Has Flower Labs confirmed node " + rec.NodeID + "?",
		Help: "It is the new node ID of " + r.i.Name + ". Send it to your contact there, for the federation " + r.i.Federation + ". Until then " + r.i.Name + " runs on with its old key."})
	if err != nil || answer == "yes" {
		return err
	}
	return problem.New(problem.NeedsGrid, "the new key of "+r.i.Name+" waits for its confirmation", "node "+rec.NodeID+" is not in "+r.i.Federation+" yet; "+r.i.Name+" runs on with its old key",
		"once it is confirmed, continue: flwrup rotate "+r.i.Name)
}

// move stops the SuperNode and has it use the other of its two keys. It is not started: a crash leaves it stopped, with
// the key that the ledger says.
func (r *rotation) move(ctx context.Context, stage string) error {
	if err := fleet.Halt(ctx, r.Site, []string{r.i.Name}, r.to); err != nil {
		return err
	}
	return r.note(func(i *ledger.Intent) { i.Stage = stage })
}

// start starts the SuperNode with the key that is in use, and waits until the grid calls it online.
func (r *rotation) start(ctx context.Context) error {
	m, err := site.MemberNamed(r.Site, r.i.Name)
	if err != nil {
		return err
	}
	states, err := site.States(ctx, r.Site)
	if err != nil {
		return err
	}
	st := states[m.Name]
	if key := site.NodeLabel(st, "fingerprint"); key != "" && key != m.Pair.Fingerprint && st.State != supernode.Stopped && st.State != supernode.Absent { // started since, by another program
		if err := fleet.Halt(ctx, r.Site, []string{m.Name}, r.to); err != nil {
			return err
		}
	}
	if err := fleet.BringUp(ctx, r.Site, []site.Member{m}, r.to); err != nil {
		return err
	}
	return r.online(ctx)
}

// endedFor is how long a SuperNode may be down until it counts as ended: Docker starts one that was refused again.
const endedFor = 15 * time.Second

// OnlineWithin is how long a SuperNode may take to come online with its new key before it goes back to the old one.
var OnlineWithin = site.OnlineWithin

// online waits until the grid calls the SuperNode online. The Problem (NodeNotOnline) says why it does not.
func (r *rotation) online(ctx context.Context) error {
	r.says(front.ItemWorking, "waiting until it is online")
	began, upAt := time.Now(), time.Now()
	for try := 0; ; try++ {
		view := health.States(ctx, r.Site)
		i := slices.IndexFunc(view.Nodes, func(n front.NodeView) bool { return n.Name == r.i.Name })
		if i < 0 {
			return site.NoSuperNode(r.i.Name)
		}
		n := view.Nodes[i]
		up := n.Runtime.State == supernode.Running
		if n.Up() {
			r.says(front.ItemDone, "online as "+n.NodeID)
			return nil
		}
		if up || n.Runtime.State == supernode.Restarting || n.Runtime.State == supernode.Starting {
			upAt = time.Now()
		}
		if time.Since(began) > OnlineWithin || time.Since(upAt) > min(endedFor, OnlineWithin) {
			return r.whyNot(ctx)
		}
		if err := safego.Sleep(ctx, site.PollPause(r.Site, try)); err != nil {
			return err
		}
	}
}

// whyNot says why the SuperNode is not online, with the end of its log.
func (r *rotation) whyNot(ctx context.Context) error {
	p := problem.New(problem.NodeNotOnline, r.i.Name+" did not come online", "neither the grid nor its log says why", "read its log: flwrup logs "+r.i.Name)
	view := health.Diagnosed(ctx, r.Site, 0)
	for _, n := range view.Nodes {
		if n.Name == r.i.Name && n.Diagnosis != nil {
			p.Why, p.Fix = n.Diagnosis.Error(), n.Diagnosis.Fix
		}
	}
	if view.GridErr != nil {
		p.Why = problem.Of(view.GridErr).Error()
	}
	for _, l := range site.LastLines(ctx, r.Site, r.i.Name, 5) {
		r.to.Event(front.NodeLine{Line: l})
	}
	return p
}
