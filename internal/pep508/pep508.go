// Package pep508 reads requirements as the metadata of Python packages writes them, and refuses
// everything else: pip and uv take a line such as "-r FILE" or "--index-url URL" for an option of theirs.
//
// The grammar is that of PEP 508. It stands here because the Go library for it (deps.dev/util/pypi) reads
// a name and leaves the rest unread, and Python's own is not in the environment of each flwr.
package pep508

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Requirement is one requirement, taken apart.
type Requirement struct {
	Name     string
	Extras   string // "[a,b]" or ""
	Versions string // ">=1,<2" or ""
	URL      string // "" where the index decides; no Versions with it
	Marker   string // when it counts; "" for always
}

// String returns the requirement as a line for pip or uv, without a line break.
func (r Requirement) String() string {
	s := r.Name + r.Extras + r.Versions
	if r.URL != "" {
		s += " @ " + r.URL
	}
	if r.Marker != "" {
		s += " ; " + r.Marker
	}
	return s
}

const identifier = `[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?`

var (
	head    = regexp.MustCompile(`^(` + identifier + `)[ \t]*(\[[ \t]*(?:` + identifier + `(?:[ \t]*,[ \t]*` + identifier + `)*)?[ \t]*\])?[ \t]*`)
	address = regexp.MustCompile(`^@[ \t]*(\S+)(?:[ \t]+(;)(.*)|[ \t]*)$`)
	clause  = regexp.MustCompile(`^(?:===|~=|==|!=|<=|>=|<|>)[ \t]*[A-Za-z0-9._*+!-]+$`)
	token   = regexp.MustCompile(`^[ \t]*(\(|\)|'[^'"]*'|"[^'"]*"|===|~=|==|!=|<=|>=|<|>|[a-z][a-z_.]*)`)
)

// Parse reads a requirement. What is not one, and what pip would read as more than one, is an error that
// says why.
func Parse(text string) (Requirement, error) {
	bad := func(why string) (Requirement, error) {
		return Requirement{}, fmt.Errorf("%.200q is not a requirement: %s", text, why)
	}
	s := strings.Trim(text, " \t")
	// pip reads options and comments wherever a word of a line begins with their sign.
	foreign := func(word string) bool { return strings.HasPrefix(word, "-") || strings.HasPrefix(word, "#") }
	switch {
	case slices.ContainsFunc(strings.Fields(s), foreign):
		return bad("it is, or holds, an option of pip or a comment")
	case strings.Contains(s, "${") || strings.Contains(s, `\`):
		return bad("it holds a variable or a backslash")
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 }):
		return bad("it has more than one line, or control characters")
	}
	m := head.FindStringSubmatch(s)
	if m == nil {
		return bad("it does not begin with the name of a package")
	}
	r := Requirement{Name: m[1], Extras: strings.Join(strings.Fields(m[2]), "")}
	rest, conditional := s[len(m[0]):], false
	if strings.HasPrefix(rest, "@") {
		a := address.FindStringSubmatch(rest)
		if a == nil {
			return bad("what follows @ is not one address")
		}
		u, err := url.Parse(a[1])
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "git+https" {
			return bad("the address after @ is none of https")
		}
		r.URL, r.Marker = a[1], a[3]
		conditional = a[2] != ""
	} else {
		rest, r.Marker, conditional = strings.Cut(rest, ";")
		rest = strings.Trim(rest, " \t")
		if strings.HasPrefix(rest, "(") && strings.HasSuffix(rest, ")") {
			rest = strings.Trim(rest[1:len(rest)-1], " \t")
		}
		var clauses []string
		for _, c := range strings.Split(strings.TrimSuffix(rest, ","), ",") {
			if c = strings.Trim(c, " \t"); c == "" && rest == "" {
				continue
			}
			if !clause.MatchString(c) {
				return bad(fmt.Sprintf("%.100q is no condition on a version", c))
			}
			clauses = append(clauses, strings.Join(strings.Fields(c), ""))
		}
		r.Versions = strings.Join(clauses, ",")
	}
	r.Marker = strings.Trim(r.Marker, " \t")
	if conditional {
		if err := checkMarker(r.Marker); err != nil {
			return bad(err.Error())
		}
	}
	return r, nil
}

// Lines reads requirements and returns a line for each.
func Lines(list []string) ([]string, error) {
	var lines []string
	for _, text := range list {
		r, err := Parse(text)
		if err != nil {
			return nil, err
		}
		lines = append(lines, r.String())
	}
	return lines, nil
}

// variables are what a marker may ask about.
var variables = []string{"python_version", "python_full_version", "os_name", "os.name", "sys_platform", "sys.platform", "platform_release",
	"platform_system", "platform_version", "platform_machine", "platform.machine", "platform.version", "platform.python_implementation",
	"platform_python_implementation", "python_implementation", "implementation_name", "implementation_version", "extra", "extras", "dependency_groups"}

// checkMarker reads conditions joined by "and" and "or", with brackets.
func checkMarker(text string) error {
	var tokens []string
	for s := strings.TrimRight(text, " \t"); s != ""; {
		m := token.FindStringSubmatch(s)
		if m == nil {
			return fmt.Errorf("%.100q is no condition", s)
		}
		tokens, s = append(tokens, m[1]), s[len(m[0]):]
	}
	next := func() string {
		if len(tokens) == 0 {
			return ""
		}
		t := tokens[0]
		tokens = tokens[1:]
		return t
	}
	value := func(t string) bool {
		return strings.HasPrefix(t, "'") || strings.HasPrefix(t, `"`) || slices.Contains(variables, t)
	}
	open := 0
	for {
		t := next()
		for ; t == "("; t = next() {
			open++
		}
		op, right := next(), ""
		if op == "not" {
			if next() != "in" {
				return fmt.Errorf("not is followed by in")
			}
		} else if op != "in" && !strings.ContainsAny(op, "=<>~!") {
			return fmt.Errorf("a condition compares two values")
		}
		if right = next(); !value(t) || !value(right) {
			return fmt.Errorf("a condition compares values that Python knows")
		}
		t = next()
		for ; t == ")"; t = next() {
			if open--; open < 0 {
				return fmt.Errorf("a bracket is closed and not opened")
			}
		}
		switch {
		case t == "" && open == 0:
			return nil
		case t == "and", t == "or":
		default:
			return fmt.Errorf("conditions are joined by and or or")
		}
	}
}
