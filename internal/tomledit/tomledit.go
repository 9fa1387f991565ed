// Package tomledit changes single keys of a TOML text and leaves every other byte as it was: comments,
// order, indentation, line endings, byte order mark, the missing newline at the end.
//
// The syntax tree of go-toml says at which bytes to splice; a second TOML library decodes the text before
// and after, and an edit that would change anything but the wanted keys is refused.
package tomledit

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
	udiff "github.com/aymanbagabas/go-udiff"
	gotoml "github.com/pelletier/go-toml/v2"

	"flwrup/internal/problem"
)

// Change sets or removes one key.
type Change struct {
	Path    []string // tables and key, undotted and unquoted: {"tool", "flwr", "app", "publisher"}
	Value   any      // string, bool, int, int64, float64 or []string
	Comment string   // for a new key outside an inline table: lines put above it, without '#'
	Delete  bool     // take the key out; nothing happens when it is not there
}

var bom = []byte("\xef\xbb\xbf")

// Set makes the changes in order and returns the new text; src stays as it is. A key that has the value
// already is not touched. A text that is no TOML, and a change that cannot be made without touching something
// else (a key inside an array of tables, a table where a value was wanted), is refused with a Problem
// (bad-input).
func Set(src []byte, changes []Change) ([]byte, error) {
	want, err := Decode(src)
	if err != nil {
		return nil, err
	}
	out, mark := split(src)
	for _, c := range changes {
		if c, err = c.normal(); err != nil {
			return nil, err
		}
		if err := c.apply(want); err != nil {
			return nil, err
		}
		doc, err := parse(out)
		if err != nil {
			return nil, err
		}
		if c.Delete {
			out, err = doc.remove(c.Path)
		} else {
			out, err = doc.set(c)
		}
		if err != nil {
			return nil, err
		}
	}
	got, err := Decode(out)
	if err != nil {
		return nil, cannot("edit", "the result would not be valid TOML", err)
	}
	for _, c := range changes {
		if c.Delete {
			prune(want, got, c.Path)
		}
	}
	if !equal(want, got) {
		return nil, cannot("edit", "other keys would change with it", nil)
	}
	return join(mark, out), nil
}

// CommentOut puts "# " before every line of the table and of its sub-tables, in whatever form they are
// written, and leaves blank lines and comments. A text without the table comes back as it is. A table
// that is part of an inline table or of an array of tables is refused with a Problem (bad-input).
func CommentOut(src []byte, table []string) ([]byte, error) {
	want, err := Decode(src)
	if err != nil {
		return nil, err
	}
	if _, ok := Lookup(want, table); !ok || len(table) == 0 {
		return bytes.Clone(src), nil
	}
	body, mark := split(src)
	doc, err := parse(body)
	if err != nil {
		return nil, err
	}
	out, err := doc.commentOut(table)
	if err != nil {
		return nil, err
	}
	got, err := Decode(out)
	if err != nil {
		return nil, cannot("comment out "+dotted(table), "the result would not be valid TOML", err)
	}
	above, _ := Lookup(want, table[:len(table)-1])
	delete(above.(map[string]any), table[len(table)-1])
	prune(want, got, table)
	if !equal(want, got) {
		return nil, cannot("comment out "+dotted(table), "other keys would change with it", nil)
	}
	return join(mark, out), nil
}

// Diff shows both texts as a unified diff under one name; "" when they are equal. Carriage returns at
// line ends and the byte order mark are not shown, for they would disturb a terminal; nil is no file.
func Diff(before, after []byte, name string) string {
	if bytes.Equal(before, after) {
		return ""
	}
	from, to := name, name
	if before == nil {
		from = "/dev/null"
	}
	return udiff.Unified(from, to, shown(before), shown(after))
}

func shown(b []byte) string {
	return strings.ReplaceAll(string(bytes.TrimPrefix(b, bom)), "\r\n", "\n")
}

// Decode reads a TOML text; its error is a Problem (bad-input) that names the line.
func Decode(src []byte) (map[string]any, error) {
	m := map[string]any{}
	body, _ := split(src)
	if _, err := toml.Decode(string(body), &m); err != nil {
		return nil, invalid(body, err)
	}
	return m, nil
}

// invalid turns an error of the TOML library into a Problem (bad-input) that names the line. Where a line ends
// too early, this library names the next one; the other library knows better.
func invalid(src []byte, err error) error {
	p := problem.New(problem.BadInput, "not valid TOML", err.Error(), "correct the file, or take it out of the way")
	p.Err = err
	var pe toml.ParseError
	if errors.As(err, &pe) {
		line := pe.Position.Line
		var other *gotoml.DecodeError
		if errors.As(gotoml.Unmarshal(src, new(map[string]any)), &other) {
			line, _ = other.Position()
		}
		p.Why = fmt.Sprintf("line %d: %s", line, strings.NewReplacer(`, but got '\n' instead`, " before the line ends", `, but got '\x00' instead`, " before the file ends").Replace(pe.Message))
		p.Fix = fmt.Sprintf("correct line %d", line)
		if pe.Usage != "" {
			p.Raw = strings.TrimSpace(pe.Usage)
		}
	}
	return p
}

// cannot is the refusal of an edit.
func cannot(what, why string, err error) error {
	p := problem.New(problem.BadInput, "cannot "+what+" safely", why, "change it by hand in an editor")
	p.Err = err
	return p
}

func split(src []byte) (body, mark []byte) {
	if bytes.HasPrefix(src, bom) {
		return src[len(bom):], bom
	}
	return src, nil
}

func join(mark, body []byte) []byte {
	out := make([]byte, 0, len(mark)+len(body))
	return append(append(out, mark...), body...)
}

// normal checks the change and brings its value to what Decode gives.
func (c Change) normal() (Change, error) {
	if len(c.Path) == 0 {
		return c, errors.New("tomledit: a change without a path")
	}
	if c.Delete {
		return c, nil
	}
	switch v := c.Value.(type) {
	case string, bool, int64, float64:
	case int:
		c.Value = int64(v)
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		c.Value = list
	default:
		return c, fmt.Errorf("tomledit: %s: a value of type %T", dotted(c.Path), c.Value)
	}
	return c, nil
}

// Line returns the line (from 1) of a key, or of the header of a table, in src, for a sentence about it; 0
// when it is unknown.
func Line(src []byte, path []string) int {
	body, _ := split(src)
	doc, err := parse(body)
	if err != nil {
		return 0
	}
	at := -1
	if p, _, ok := doc.find(path); ok {
		at = p.keyStart
	} else {
		for _, t := range doc.tables[1:] {
			if hasPrefix(t.path, path) {
				at = t.start
				break
			}
		}
	}
	if at < 0 {
		return 0
	}
	return bytes.Count(body[:at], []byte("\n")) + 1
}

// Format writes a value of a Change as TOML.
func Format(value any) string {
	c, err := Change{Path: []string{"v"}, Value: value}.normal()
	if err != nil {
		panic(err)
	}
	return format(c.Value)
}
