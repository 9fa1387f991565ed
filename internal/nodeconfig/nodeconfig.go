// Package nodeconfig reads what flower-supernode takes as --node-config, as flwr's parse_config_args does from
// 1.24 to 1.42, and says which part of it flwr would refuse, or pass over in silence.
package nodeconfig

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// pair is flwr's own pattern: what it does not match is passed over without a word.
var pair = regexp.MustCompile(`([^\s]+?)=('[^']*'|"[^"]*"|[^\s]+)`)

// File reports whether text names a file of values: flwr reads one that ends in .toml.
func File(text string) bool { return strings.HasSuffix(text, ".toml") }

// Check says what is wrong with text, and with which part of it; nil where flwr takes all of it. A file is
// not looked into.
func Check(text string) error {
	if text == "" || File(text) {
		return nil
	}
	if !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\n\r") {
		return errors.New("it is one line of text")
	}
	seen := map[string]bool{}
	end := 0
	for _, at := range pair.FindAllStringSubmatchIndex(text, -1) {
		if err := between(text[end:at[0]], end > 0 && at[0] == end); err != nil {
			return err
		}
		key, value := text[at[2]:at[3]], text[at[4]:at[5]]
		if err := checkPair(key, value, seen); err != nil {
			return err
		}
		end = at[1]
	}
	if err := between(text[end:], false); err != nil {
		return err
	}
	var all map[string]any
	lines := make([]string, 0, len(seen))
	for _, m := range pair.FindAllStringSubmatch(text, -1) {
		lines = append(lines, m[1]+" = "+m[2])
	}
	if err := toml.Unmarshal([]byte(strings.Join(lines, "\n")), &all); err != nil { // a=1 a.b=2
		return fmt.Errorf("its keys do not go together: %v", strings.TrimPrefix(err.Error(), "toml: "))
	}
	return nil
}

// between checks what stands between two pairs: blanks and nothing else.
func between(text string, joined bool) error {
	if rest := strings.TrimSpace(text); rest != "" {
		why := "flwr would pass over it; it takes key=value pairs with blanks between"
		if strings.Contains(rest, "=") {
			why = "there is no blank around the ="
		}
		return fmt.Errorf("%s is no key=value: %s", quoted(rest), why)
	}
	if joined {
		return errors.New("a blank is missing between two key=value pairs")
	}
	return nil
}

func checkPair(key, value string, seen map[string]bool) error {
	part := quoted(key + "=" + value)
	var one map[string]any
	if err := toml.Unmarshal([]byte(key+" = 0"), &one); err != nil {
		return fmt.Errorf("the key %s of %s does not fit: a key is letters, digits, - and _", quoted(key), part)
	}
	if seen[key] {
		return fmt.Errorf("%s is there twice", quoted(key))
	}
	seen[key] = true
	if err := toml.Unmarshal([]byte("v = "+value), &one); err != nil {
		why := "a text needs quotes: " + key + `="` + strings.Trim(value, `"'`) + `"`
		switch {
		case strings.EqualFold(value, "true"), strings.EqualFold(value, "false"):
			why = "write " + strings.ToLower(value)
		case strings.ContainsAny(value, ",;"):
			why = "pairs have blanks between, no commas; a text needs quotes"
		case numberLike.MatchString(value):
			why = "it is not a TOML number: no leading zeros, digits on both sides of the point"
		case value[0] == '"' || value[0] == '\'':
			why = "its quotes or a \\ in it do not fit: flwr reads a text up to the next quote of the same kind"
		}
		return fmt.Errorf("the value of %s cannot be read: %s", part, why)
	}
	if takes(one["v"]) {
		return nil
	}
	return fmt.Errorf("the value of %s is neither true or false, nor a number, nor a text: flwr takes no other", part)
}

// takes reports whether flwr takes a value: tables become keys with points in them.
func takes(value any) bool {
	switch v := value.(type) {
	case bool, int64, float64, string:
		return true
	case map[string]any:
		for _, inner := range v {
			if !takes(inner) {
				return false
			}
		}
		return true
	}
	return false
}

var numberLike = regexp.MustCompile(`^[+-]?[0-9.][0-9._eE+-]*$`)

// quoted shows a part; a long one is cut.
func quoted(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:59]) + "…"
	}
	return "`" + s + "`"
}

// Pair is one key with its value, both as they were typed.
type Pair struct{ Key, Value string }

// Pairs returns the pairs of a text that Check accepts, in order.
func Pairs(text string) []Pair {
	var all []Pair
	for _, m := range pair.FindAllStringSubmatch(text, -1) {
		all = append(all, Pair{m[1], m[2]})
	}
	return all
}
