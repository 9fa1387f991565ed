package keys

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"flwrup/internal/problem"
)

// defaultPrefix is the prefix of keys from Flower's generate_auth_keys.sh.
const defaultPrefix = "client_credentials_"

// split takes a name apart into prefix and number: "supernode-07" is "supernode-", 7. More than nine digits
// do not count as a number.
func split(name string) (prefix string, number int, ok bool) {
	prefix = strings.TrimRight(name, "0123456789")
	digits := name[len(prefix):]
	if digits == "" || len(digits) > 9 {
		return name, 0, false
	}
	number, err := strconv.Atoi(digits)
	return prefix, number, err == nil
}

// NextNames returns names for the pairs that are missing until the folder holds n usable ones; empty when it
// does. They continue the style of most pairs (client_credentials_N in an empty folder) after the highest
// number seen. A gap is not filled, because the name of a removed key may live on in a ledger. The name of a
// half or broken pair is never used again. Complete the Halves first: they become pairs.
func (f Folder) NextNames(n int) []string {
	missing := n - len(f.Pairs)
	if missing <= 0 {
		return nil
	}
	taken := slices.Clone(f.taken)
	for _, p := range f.Pairs {
		taken = append(taken, p.Name)
	}
	taken = append(taken, f.Halves...)

	prefix := f.style()
	highest, width := 0, 0
	for _, name := range taken {
		if p, number, ok := split(name); ok && strings.EqualFold(p, prefix) {
			highest = max(highest, number)
			if digits := name[len(p):]; digits[0] == '0' {
				width = max(width, len(digits))
			}
		}
	}
	names := make([]string, 0, missing)
	for i := highest + 1; len(names) < missing; i++ {
		name := fmt.Sprintf("%s%0*d", prefix, width, i)
		if !slices.ContainsFunc(taken, func(t string) bool { return strings.EqualFold(t, name) }) { // more digits than split counts
			names = append(names, name)
		}
	}
	return names
}

// style returns the prefix of most numbered pairs; on a tie the prefix with the higher number.
func (f Folder) style() string {
	count, highest := map[string]int{}, map[string]int{}
	best := ""
	note := func(name string) {
		prefix, number, ok := split(name)
		if !ok {
			return
		}
		count[prefix]++
		highest[prefix] = max(highest[prefix], number)
		if _, known := count[best]; !known || count[prefix] > count[best] ||
			count[prefix] == count[best] && highest[prefix] > highest[best] {
			best = prefix
		}
	}
	for _, p := range f.Pairs {
		note(p.Name)
	}
	for _, name := range f.Halves {
		note(name)
	}
	if len(count) == 0 {
		return defaultPrefix
	}
	return best
}

// checkName refuses names that are not plain file names, or that confuse a command line or another file of
// the folder.
func checkName(name string) error {
	bad := func(why string) error {
		return problem.New(problem.BadInput, fmt.Sprintf("%q cannot be the name of a key", show(name)), why,
			"use letters, digits, '.', '_' and '-', as in "+defaultPrefix+"1")
	}
	switch {
	case name == "":
		return bad("it is empty")
	case len(name) > 200:
		return bad("it is too long")
	case name[0] == '.' || name[0] == '-':
		return bad("it starts with '" + name[:1] + "'")
	case strings.HasSuffix(strings.ToLower(name), ".pub"):
		return bad("flwrup adds .pub for the public key")
	}
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r) {
			return bad(fmt.Sprintf("it contains %q", r))
		}
	}
	return nil
}

func checkNames(names []string) error {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if err := checkName(name); err != nil {
			return err
		}
		if seen[name] {
			return problem.New(problem.BadInput, "the name "+show(name)+" is asked for twice", "", "give each key its own name")
		}
		seen[name] = true
	}
	return nil
}
