package ui

import (
	"fmt"
	"strings"

	"flwrup/internal/front"
)

// folded joins sentences in a row that differ in one word only: "start supernode_1, supernode_2, supernode_3 from …".
func folded(list []front.Action) []front.Action {
	var out []front.Action
	for i := 0; i < len(list); {
		first := strings.Fields(list[i].Says)
		at, names := -1, []string(nil)
		k := i + 1
		for ; k < len(list) && list[i].Diff == "" && list[k].Diff == ""; k++ {
			next := strings.Fields(list[k].Says)
			where := differ(first, next)
			if where < 0 || at >= 0 && where != at {
				break
			}
			if at < 0 {
				at, names = where, []string{first[where]}
			}
			names = append(names, next[where])
		}
		a := list[i]
		if at >= 0 {
			words := append([]string(nil), first...)
			words[at] = several(names)
			a.Says = strings.Join(words, " ")
		}
		out = append(out, a)
		i = k
	}
	return out
}

// differ returns the only place at which two sentences have different words; -1 when there is none, or more than one.
func differ(a, b []string) int {
	if len(a) != len(b) {
		return -1
	}
	at := -1
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		if at >= 0 {
			return -1
		}
		at = i
	}
	return at
}

// several lists names; of many the first and the last, and how many they are. A comma at their end stays at the end.
func several(names []string) string {
	end := ""
	if strings.HasSuffix(names[0], ",") {
		end = ","
		for i := range names {
			names[i] = strings.TrimSuffix(names[i], ",")
		}
	}
	if n := len(names); n > 4 {
		return fmt.Sprintf("%s to %s (%d)", names[0], names[n-1], n) + end
	}
	return strings.Join(names, ", ") + end
}

// flwrDefined shortens commands that call one flwr by its whole path: it returns what defines flwr for a shell, once, and
// the commands with that name. A FLWR_HOME that they have in common is part of the definition.
func flwrDefined(commands []string) (define, short []string) {
	home, program := "", ""
	for _, c := range commands {
		if h, p, _ := callsFlwr(c); p != "" {
			home, program = h, p
			break
		}
	}
	if program != "" && program != "flwr" {
		define = append(define, "alias flwr="+program)
	}
	if home != "" {
		define = append(define, "export "+home)
	}
	for _, c := range commands {
		if h, p, rest := callsFlwr(c); p != "" && p == program && h == home {
			c = strings.TrimSpace("flwr " + rest)
		}
		short = append(short, c)
	}
	return define, short
}

// callsFlwr splits a command of flwr's: its FLWR_HOME, if it has one, the program, and the rest.
func callsFlwr(command string) (home, program, rest string) {
	if strings.HasPrefix(command, "FLWR_HOME=") {
		home = words(command)[0]
		command = strings.TrimLeft(command[len(home):], " ")
	}
	list := words(command)
	if len(list) == 0 || list[0] != "flwr" && !strings.HasSuffix(strings.TrimRight(list[0], "'"), "/flwr") {
		return "", "", ""
	}
	return home, list[0], strings.TrimSpace(command[len(list[0]):])
}
