package export

import (
	"bytes"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"flwrup/internal/termsafe"
)

// field is one line of a mapping, with the comments above and behind it.
type field struct {
	key   string
	value *yaml.Node
	above string
	after string
}

// f makes a field of a string, a number, a bool, a list of strings, a mapping ([]field) or a node. A nil slice is no
// field: object leaves it out.
func f(key string, value any) field { return field{key: key, value: node(value)} }

// says puts a comment above the field, a line each.
func (l field) says(lines ...string) field {
	l.above = comment(lines...)
	return l
}

// note puts a comment behind the field's value.
func (l field) note(text string) field {
	l.after = comment(text)
	return l
}

// comment makes comment lines; a name in them cannot end the line.
func comment(lines ...string) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.TrimRight("# "+termsafe.Line(l), " ")
	}
	return strings.Join(out, "\n")
}

func node(value any) *yaml.Node {
	switch v := value.(type) {
	case *yaml.Node:
		return v
	case []field:
		return object(v...)
	case []string:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, s := range v {
			n.Content = append(n.Content, node(s))
		}
		return n
	case []*yaml.Node:
		return &yaml.Node{Kind: yaml.SequenceNode, Content: v}
	}
	n := &yaml.Node{}
	if err := n.Encode(value); err != nil {
		panic(err) // strings, numbers and bools always encode
	}
	return n
}

// octal is a file's mode as people write it.
func octal(mode int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "0" + strconv.FormatInt(int64(mode), 8)}
}

// short puts a list or a mapping on one line.
func short(n *yaml.Node) *yaml.Node {
	n.Style = yaml.FlowStyle
	return n
}

// object makes a mapping; fields without a value are left out, but for one that says so on one line: {}.
func object(fields ...field) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, l := range fields {
		if l.value == nil || l.value.Kind != yaml.ScalarNode && l.value.Kind != yaml.AliasNode && len(l.value.Content) == 0 && l.value.Style != yaml.FlowStyle {
			continue
		}
		key := node(l.key)
		if l.key == "<<" {
			key.Tag = "" // else it is written
		}
		key.HeadComment = l.above
		if l.value.Kind == yaml.ScalarNode || l.value.Style == yaml.FlowStyle {
			l.value.LineComment = l.after
		} else {
			key.LineComment = l.after
		}
		n.Content = append(n.Content, key, l.value)
	}
	return n
}

// escaped returns a copy of n in which every $ of a value is written so that the engine takes it as one.
func escaped(n *yaml.Node) *yaml.Node {
	to := *n
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "$") {
		to = *node(strings.ReplaceAll(n.Value, "$", "$$"))
		to.HeadComment, to.LineComment, to.Anchor = n.HeadComment, n.LineComment, n.Anchor
	}
	to.Content = nil
	for _, c := range n.Content {
		to.Content = append(to.Content, escaped(c))
	}
	return &to
}

// document writes a mapping as a file, with comments on top.
func document(top []string, doc *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	for _, l := range top {
		b.WriteString(comment(l) + "\n")
	}
	if len(top) > 0 {
		b.WriteString("\n")
	}
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(doc); err != nil {
		return nil, err
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	return spaced(b.Bytes()), nil
}

// spaced puts an empty line before each field of the outermost mapping, and before each comment of the next, as a
// person would.
func spaced(text []byte) []byte {
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	var out []string
	for i, l := range lines {
		if l == "" || i > 0 && lines[i-1] == "" {
			out = append(out, l)
			continue
		}
		begins := l[0] != ' ' && l[0] != '-' || strings.HasPrefix(l, "  # ")
		if begins && i > 0 && out[len(out)-1] != "" && (strings.HasPrefix(lines[i-1], " ") || l[0] == '#') && lines[i-1][0] != '#' && !strings.HasPrefix(lines[i-1], "  # ") {
			out = append(out, "")
		}
		out = append(out, l)
	}
	return []byte(strings.Join(out, "\n") + "\n")
}
