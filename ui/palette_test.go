package ui

import (
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/ui/keymap"
)

// typeInto presses the letters of text.
func typeInto(m *Model, text string) {
	for _, r := range text {
		m.Update(keymap.Type(string(r)))
	}
}

// TestPalette: on each page a few letters find a verb, Enter does it.
func TestPalette(t *testing.T) {
	for name, open := range map[string]func(m *Model){
		"the steps": func(m *Model) {},
		"dashboard": func(m *Model) { openDash(t, m) },
		"the logs":  func(m *Model) { openLogs(t, m, 2) },
	} {
		for _, k := range []string{":", "ctrl+k"} {
			m := still(world(16), 16, 120, 40, Options{NoColor: true})
			openDash(t, m) // the SuperNodes are known
			m.base(m.wizard)
			open(m)
			m.Update(keymap.Type(k))
			if _, ok := m.top().(*palettePage); !ok {
				t.Fatalf("%s: %s opens no palette", name, k)
			}
			typeInto(m, "stpnode_4")
			if v := m.View(); !strings.Contains(v, "▸ stop supernode_4") || !strings.Contains(v, "flwrup stop supernode_4") {
				t.Errorf("%s:\n%s", name, v)
			}
			m.Update(keymap.Type("enter"))
			if !m.desk.working() || m.desk.job.verb.Verb != front.StopNodes || m.desk.job.verb.Nodes[0] != "supernode_4" {
				t.Errorf("%s: %+v at work", name, m.desk.job)
			}
			m.close()
		}
	}
}

// TestPaletteRanks: whole parts of words come before scattered letters; nobody removes what they meant to restart.
func TestPaletteRanks(t *testing.T) {
	m := still(world(16), 16, 120, 40, Options{NoColor: true})
	defer m.close()
	openDash(t, m)
	for typed, want := range map[string]string{"res 4": "restart supernode_4", "stop": "stop supernode_1", "unreg 2": "unregister supernode_2",
		"log 3": "logs of supernode_3", "backup": "step 7: Back up the keys", "doctor": "check everything (copies the command)", "add": "add a SuperNode"} {
		m.Update(keymap.Type(":"))
		typeInto(m, typed)
		if got := m.top().(*palettePage).found(); len(got) == 0 || got[0].name != want {
			t.Errorf("%q finds %v first, not %q", typed, got[:min(1, len(got))], want)
		}
		m.Update(keymap.Type("esc"))
	}
}

// TestPaletteKnowsTheKeys: a command shows the key that does the same on the page, and is gone where nothing may be
// changed.
func TestPaletteKnowsTheKeys(t *testing.T) {
	m := still(world(16), 16, 120, 40, Options{NoColor: true})
	defer m.close()
	openDash(t, m)
	keyOf := map[string]string{}
	for _, c := range commandsOf(m, m.dash) {
		if c.key != "" {
			keyOf[c.name] = c.key
		}
		if c.name == "" || c.do == nil {
			t.Errorf("%+v", c)
		}
	}
	for name, k := range map[string]string{"stop supernode_1": "x", "add a SuperNode": "a", "run the app": "R", "logs of supernode_1": "l", "get help": "h"} {
		if keyOf[name] != k {
			t.Errorf("%s: %q, want %q", name, keyOf[name], k)
		}
	}
}

// TestHelpIsAboutNow: ? lists what works at this moment and nothing else.
func TestHelpIsAboutNow(t *testing.T) {
	f := world(16)
	m := still(f, 10, 120, 60, Options{NoColor: true})
	defer m.close()
	m.Update(keymap.Type("?"))
	if v := m.View(); strings.Contains(v, "undo edit") || strings.Contains(v, "stop this") || strings.Contains(v, "yes, no") || !strings.Contains(v, "find a command") {
		t.Error(v)
	}
	m.Update(keymap.Type("esc"))
	f.undo[10] = true
	m.Update(keymap.Type("?"))
	if v := m.View(); !strings.Contains(v, "undo edit") {
		t.Error(v)
	}
	m.Update(keymap.Type("esc"))
	m.desk.pretend(10, front.Says{Text: "registering"})
	m.Update(keymap.Type("?"))
	if v := m.View(); !strings.Contains(v, "stop this") || strings.Contains(v, "undo edit") {
		t.Error(v)
	}
}
