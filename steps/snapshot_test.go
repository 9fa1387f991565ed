package steps

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/internal/byguide"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// everything is all parts that a look can read.
const everything = ^site.Part(0)

// setups are set-ups at different stages of the way.
func setups(t *testing.T) map[string]*site.Site {
	up, _, _ := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 2)
	ran, _, _ := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 2)
	if err := ran.Ledger.PutRun(ledger.Run{ID: "7", Connection: "supergrid", Started: time.Now(), Status: "finished:completed"}); err != nil {
		t.Fatal(err)
	}
	stopped, _, rt := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 2)
	for name := range rt.Started {
		delete(rt.Started, name)
	}
	half, _, rt := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 2)
	rt.Started = map[string]supernode.Spec{"supernode_1": rt.Started["supernode_1"]}
	certificate := sitetest.WithKeys(t, sitetest.NewGrid("1.42.0"), 1)
	for file, content := range map[string]string{"certificate.conf": "[alt_names]\nDNS.1 = localhost\n", byguide.ScriptName: "KEY_DIR=keys\nrm -f \"$KEY_DIR\"/*\nnum_clients=\"${1:-9}\"\n"} {
		if err := os.WriteFile(filepath.Join(certificate.Dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	away := sitetest.Registered(t, sitetest.NewGrid("1.42.0"), 2)
	sitetest.GridOf(t, away).LoggedIn = false
	return map[string]*site.Site{
		"empty": sitetest.Open(t, sitetest.NewGrid("1.42.0"), 0), "counted": sitetest.Open(t, sitetest.NewGrid("1.24.0"), 2),
		"with keys": certificate, "registered": sitetest.Registered(t, sitetest.NewGrid("1.42.0"), 2),
		"before managed federations": sitetest.Registered(t, sitetest.NewGrid("1.24.0"), 2),
		"logged out":                 away, "stopped": stopped, "half": half, "online": up, "run": ran,
	}
}

// changing are the words of a status or an action that no two looks share.
var changing = regexp.MustCompile(`([1-9]\d*\.\d|0\.[1-9]) GB of disk free|keys-backup-\d+T\d+Z`)

// TestWantsAreComplete: a step that decides by the parts it wants decides as it would by all parts.
func TestWantsAreComplete(t *testing.T) {
	for name, s := range setups(t) {
		configured(t, s)
		for id := front.StepAccount; id <= front.StepMonitor; id++ {
			few, all := NewLook(s), NewLook(s)
			all.read(t.Context(), everything)
			said := func(l *Look) []any {
				st, err := l.inspect(t.Context(), id)
				st.Evidence = masked(st.Evidence)
				return []any{st, text(err)}
			}
			if got, want := said(few), said(all); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: step %d is\n%+v; by all parts it is\n%+v", name, id, got, want)
			}
			planned := func(l *Look) []any {
				actions, err := l.Plan(t.Context(), id)
				for i := range actions {
					actions[i].Command = changing.ReplaceAllString(actions[i].Command, "")
				}
				return []any{actions, text(err)}
			}
			if got, want := planned(NewLook(s)), planned(all); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: step %d plans\n%+v; by all parts it plans\n%+v", name, id, got, want)
			}
		}
	}
}

// configured does step 8, which nothing after it goes without.
func configured(t *testing.T, s *site.Site) {
	t.Helper()
	if err := Apply(t.Context(), s, front.StepConfigure, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
}

func masked(lines []string) (list []string) {
	for _, line := range lines {
		list = append(list, changing.ReplaceAllString(line, ""))
	}
	return list
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestLooksAskLittle: one look at all steps asks the grid each question once, and a step that the ledger calls done
// asks it nothing.
func TestLooksAskLittle(t *testing.T) {
	s, grid, _ := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 2)
	configured(t, s)
	for _, c := range []struct {
		what string
		look func(context.Context, *Look)
		asks []string
	}{
		{"the registration, done", func(ctx context.Context, l *Look) { l.inspect(ctx, front.StepRegister) }, nil},
		{"the start, done", func(ctx context.Context, l *Look) { l.inspect(ctx, front.StepStart) }, nil},
		{"all steps", func(ctx context.Context, l *Look) {
			for id := front.StepAccount; id <= front.StepMonitor; id++ {
				l.inspect(ctx, id)
				l.Plan(ctx, id)
			}
		}, []string{"details", "nodes"}},
	} {
		s.Forget()
		grid.Calls = nil
		c.look(t.Context(), NewLook(s))
		slices.Sort(grid.Calls)
		if !slices.Equal(grid.Calls, c.asks) {
			t.Errorf("%s: the grid was asked for %s, not %s", c.what, strings.Join(grid.Calls, ", "), strings.Join(c.asks, ", "))
		}
	}
}
