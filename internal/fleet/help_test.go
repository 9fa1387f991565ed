package fleet

import (
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/project"
	"flwrup/internal/sitetest"
)

// The answers name what is in this folder: its keys, its SuperNodes, how it ends.
func TestAnswers(t *testing.T) {
	find := func(list []front.Answer, ask string) front.Answer {
		t.Helper()
		for _, a := range list {
			if a.Ask == ask {
				return a
			}
		}
		t.Fatalf("nobody answers %q", ask)
		return front.Answer{}
	}
	s := sitetest.Registered(t, sitetest.NewGrid("1.42.0"), 2)
	list := Answers(s)
	if got := find(list, "How do I remove it all?").Command; got != "flwrup remove --unregister supernode_1 supernode_2" {
		t.Error(got)
	}
	if got := find(list, "Where are my keys?"); !strings.Contains(got.Answer, "In the folder keys,") || !strings.Contains(got.Answer, "no backup yet") {
		t.Error(got)
	}
	if got := find(list, "How do I come back?").Command; !strings.Contains(got, s.Dir) {
		t.Error(got)
	}
	if got := find(list, "Will it cost anything?").Answer; !strings.Contains(got, "hello@flower.ai") {
		t.Error(got)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.Grid.Rehearsal = true })
	list = Answers(s)
	if got := find(list, "How do I remove it all?").Command; got != "flwrup down" {
		t.Error(got)
	}
	if got := find(list, "Will it cost anything?").Answer; !strings.HasPrefix(got, "No.") {
		t.Error(got)
	}
}
