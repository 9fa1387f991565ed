package sites

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/history"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/wording"
)

// Remove takes the SuperNodes of another site out of the federation and unregisters them, after asking; then nobody
// waits for the site any more. name is the site's short name or its title. A removal that was cut short goes on without
// a question. To remove a site twice is an error that changes nothing.
func Remove(ctx context.Context, s *site.Site, name string, to front.Sink, again fleet.Again) error {
	record, err := find(s, name)
	if err != nil {
		return err
	}
	intent, open := s.Ledger.Data().SiteRemoval(record.Connection, record.Name)
	if open {
		to.Event(front.Says{Text: "finishing the removal of " + record.Title})
	} else {
		if err := agree(ctx, record, to); err != nil {
			return err
		}
		intent = ledger.Intent{Op: ledger.RemoveSite, Name: record.Name, Connection: record.Connection, Federation: s.Choices().Federation}
		if intent.ID, err = s.Ledger.Begin(intent); err != nil {
			return err
		}
	}
	if err := again(func() error { return unregister(ctx, s, intent, to) }); err != nil {
		err = fmt.Errorf("remove %s: %w", record.Title, err)
		if site.Lost(err) || problem.Is(err, problem.NotLoggedIn) || ctx.Err() != nil {
			return err // the intent stays: it may have been done, and to do it again is harmless
		}
		return errors.Join(err, s.Ledger.Abandon(intent.ID, problem.Of(err).Error()))
	}
	err = s.Ledger.Finish(intent.ID, func(d *ledger.Data) error { d.RemoveSite(record.Connection, record.Name); return nil })
	if err != nil {
		return err
	}
	s.Forget()
	_ = history.Add(s.StateDir(), history.Entry{Kind: history.Note, Text: fmt.Sprintf("site %s removed: %s", record.Name, strings.Join(nodeIDs(record), ", "))})
	to.Event(front.Says{Text: record.Title + " is removed" + wording.Around("; tell them: ", record.Contact, "")})
	return nil
}

// RemoveAsked removes the named sites, or the site that the person chooses; see Remove.
func RemoveAsked(ctx context.Context, s *site.Site, names []string, to front.Sink, again fleet.Again) error {
	if len(names) == 0 {
		const none = "no"
		q := front.Question{ID: "remove-site", Kind: front.AskChoice, Default: none, Ask: "Which site do you want to remove?", Choices: []front.Choice{{Value: none, Label: "none"}}}
		for _, have := range s.Ledger.Data().SitesOn(s.Choices().Grid.Connection) {
			q.Choices = append(q.Choices, front.Choice{Value: have.Name, Label: have.Title, Note: wording.Count(len(have.Nodes), "SuperNode")})
		}
		answer, err := to.Ask(ctx, q)
		if err != nil || answer == none {
			return err
		}
		names = []string{answer}
		to.Event(front.Turned{Verb: front.RemoveSite, Nodes: names})
	}
	for _, name := range names {
		if err := Remove(ctx, s, name, to, again); err != nil {
			return err
		}
	}
	return nil
}

// find returns the site with a short name or a title.
func find(s *site.Site, name string) (ledger.Site, error) {
	list := s.Ledger.Data().SitesOn(s.Choices().Grid.Connection)
	var names []string
	for _, have := range list {
		if have.Name == name || strings.EqualFold(have.Title, strings.TrimSpace(name)) {
			return have, nil
		}
		names = append(names, have.Name)
	}
	fix := "no site was admitted from this folder"
	if len(names) > 0 {
		fix = "its sites are " + strings.Join(names, ", ")
	}
	return ledger.Site{}, problem.New(problem.Usage, "there is no site "+name+" here", "", fix)
}

// agree asks whether a site is to be removed.
func agree(ctx context.Context, record ledger.Site, to front.Sink) error {
	answer, err := to.Ask(ctx, front.Question{ID: "unregister", Kind: front.AskConfirm, Default: "no",
		Ask: fmt.Sprintf("Remove %s and unregister its %s?", record.Title, wording.Count(len(record.Nodes), "SuperNode")),
		Help: "They leave the federation, and the grid forgets them: their keys can never be registered again. To come back, the site needs new keys and a new request." +
			wording.Around(" Contact: ", record.Contact, ".")})
	if err == nil && answer != "yes" {
		err = problem.New(problem.NeedsPerson, "not removed", "the keys of "+record.Title+" could never be registered again, so a person has to confirm", "confirm with --yes")
	}
	return err
}

// unregister takes all SuperNodes of the site that an intent names out of the federation and off the grid. The ledger
// notes each.
func unregister(ctx context.Context, s *site.Site, i ledger.Intent, to front.Sink) error {
	record, ok := s.Ledger.Data().SiteNamed(i.Connection, i.Name)
	if !ok {
		return nil
	}
	record, err := settled(ctx, s, record, to)
	if err != nil {
		return err
	}
	for done, n := range record.Nodes {
		if n.NodeID == "" {
			continue
		}
		if n.State != ledger.Unregistered {
			err := site.Patiently(ctx, s, to, func() error {
				return fleet.LeaveGrid(ctx, s, ledger.Intent{Op: "unregister", Name: n.Name, NodeID: n.NodeID, Federation: i.Federation}, to)
			})
			if err != nil {
				to.Event(front.ItemChanged{Item: front.Item{Name: n.Name, State: front.ItemFailed, Text: problem.Of(err).Error()}})
				return fmt.Errorf("unregister %s: %w", n.Name, err)
			}
			record.Nodes[done].State = ledger.Unregistered
			if err := s.Ledger.Change(func(d *ledger.Data) error { d.PutSite(record); return nil }); err != nil {
				return err
			}
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: n.Name, State: front.ItemDone, Text: "unregistered"}})
		to.Event(front.Progress{Label: "unregistered", Done: int64(done + 1), Total: int64(len(record.Nodes))})
	}
	return nil
}

// settled returns the record of a site without the keys that the grid never got. A registration whose answer was lost
// is settled first, since the grid may know the key.
func settled(ctx context.Context, s *site.Site, record ledger.Site, to front.Sink) (ledger.Site, error) {
	for {
		asked := record
		asked.Nodes = slices.DeleteFunc(slices.Clone(record.Nodes), func(n ledger.SiteNode) bool {
			return n.NodeID != "" || !slices.ContainsFunc(s.Ledger.Intents(), func(i ledger.Intent) bool {
				return i.Op == "register" && i.Key == n.Key && i.Connection == record.Connection
			})
		})
		if len(asked.Nodes) == 0 {
			return record, nil
		}
		f, err := s.Session(ctx)
		if err != nil {
			return record, err
		}
		err = registerSite(ctx, s, f, asked, to)
		if err != nil && !problem.Is(err, problem.KeyInUse) { // that key is not from here; its intent is gone
			return record, err
		}
		record, _ = s.Ledger.Data().SiteNamed(record.Connection, record.Name)
	}
}

func nodeIDs(record ledger.Site) (list []string) {
	for _, n := range record.Nodes {
		if n.NodeID != "" {
			list = append(list, n.Name+" was node "+n.NodeID)
		}
	}
	return list
}
