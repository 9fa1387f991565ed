package ledger

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"

	"flwrup/internal/atomicfile"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/shell"
)

// WriteFailed is the code of a ledger that could not be written: disk full, read-only folder.
const WriteFailed problem.Code = "write-failed"

// unknown holds the fields of a newer flwrup, so that an older one writes them back: by section and
// record, the top level under "".
type unknown map[string]map[string]json.RawMessage

// sections are the lists of Data and the fields that tell their records apart.
func sections() map[string][]string {
	return map[string][]string{
		"accounts": {"connection"}, "grids": {"connection"}, "nodes": {"key", "connection"}, "intents": {"id"},
		"runs": {"id"}, "backups": {"file"}, "attestations": {"what"}, "supernodes": {"name"},
		"sites": {"name", "connection"}, "requests": {"id"}, "coordinators": {"connection"},
	}
}

// fields returns the JSON names that t's struct knows.
func fields(t reflect.Type) map[string]bool {
	known := map[string]bool{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		known[name] = true
	}
	return known
}

// sectionType returns the record type of a list of Data.
func sectionType(section string) reflect.Type {
	t := reflect.TypeFor[Data]()
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name == section {
			return t.Field(i).Type.Elem()
		}
	}
	return nil
}

func identity(section string, record map[string]json.RawMessage) string {
	parts := []string{section}
	for _, name := range sections()[section] {
		var s string
		_ = json.Unmarshal(record[name], &s)
		parts = append(parts, s)
	}
	return strings.Join(parts, "\x00")
}

func strangers(record map[string]json.RawMessage, known map[string]bool) map[string]json.RawMessage {
	var found map[string]json.RawMessage
	for name, value := range record {
		if !known[name] {
			if found == nil {
				found = map[string]json.RawMessage{}
			}
			found[name] = value
		}
	}
	return found
}

// exact refuses a name that differs from a known one in upper and lower case only. encoding/json takes both for the
// same, so that an old value could take the place of a new one.
func exact(record map[string]json.RawMessage, known map[string]bool) error {
	for name := range record {
		for k := range known {
			if name != k && strings.EqualFold(name, k) {
				return fmt.Errorf("the name %q has to be %q", name, k)
			}
		}
	}
	return nil
}

var errNewer = errors.New("written by a newer flwrup")

// decode reads a ledger's content. errNewer is in the error's chain when its format is not ours.
func decode(content []byte) (Data, unknown, error) {
	var d Data
	var top map[string]json.RawMessage
	if err := json.Unmarshal(content, &top); err != nil {
		return d, nil, at(content, err)
	}
	var format int
	if err := json.Unmarshal(top["format"], &format); err != nil || format < 1 {
		return d, nil, errors.New(`no "format" number`)
	}
	if format > currentFormat {
		return d, nil, fmt.Errorf("%w: format %d, this flwrup reads up to %d", errNewer, format, currentFormat)
	}
	if err := exact(top, fields(reflect.TypeFor[Data]())); err != nil {
		return d, nil, err
	}
	// Of a name that stands there twice encoding/json would mix both values.
	once, err := json.Marshal(top)
	if err != nil {
		return d, nil, err
	}
	if err := json.Unmarshal(once, &d); err != nil {
		return d, nil, at(content, cmp.Or(json.Unmarshal(content, &Data{}), err)) // which line of the file it is
	}
	u := unknown{}
	if s := strangers(top, fields(reflect.TypeFor[Data]())); s != nil {
		u[""] = s
	}
	for section := range sections() {
		var records []map[string]json.RawMessage
		if top[section] == nil {
			continue
		}
		if err := json.Unmarshal(top[section], &records); err != nil {
			return d, nil, at(content, err)
		}
		known := fields(sectionType(section))
		for _, r := range records {
			if err := exact(r, known); err != nil {
				return d, nil, fmt.Errorf("in %q: %w", section, err)
			}
			if s := strangers(r, known); s != nil {
				u[identity(section, r)] = s
			}
		}
	}
	d.takeOver()
	slices.SortStableFunc(d.Nodes, byName) // a person may have edited the file
	slices.SortStableFunc(d.SuperNodes, bySuperNode)
	return d, u, nil
}

// at adds the line of a JSON error.
func at(content []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	offset := int64(-1)
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	if offset < 0 || offset > int64(len(content)) {
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(content[:offset], []byte("\n")), err)
}

// encode returns the file's content: indented JSON, strangers at the end of their records.
func encode(d Data, u unknown) ([]byte, error) {
	compact, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	if len(u) > 0 {
		var top map[string]json.RawMessage
		if err := json.Unmarshal(compact, &top); err != nil {
			return nil, err
		}
		for section := range sections() {
			var records []json.RawMessage
			if top[section] == nil {
				continue
			}
			if err := json.Unmarshal(top[section], &records); err != nil {
				return nil, err
			}
			for i, raw := range records {
				var r map[string]json.RawMessage
				if err := json.Unmarshal(raw, &r); err != nil {
					return nil, err
				}
				records[i] = splice(raw, u[identity(section, r)])
			}
			if top[section], err = json.Marshal(records); err != nil {
				return nil, err
			}
		}
		compact = splice(inOrder(top), u[""])
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// inOrder is the top level in Data's order.
func inOrder(top map[string]json.RawMessage) []byte {
	object := []byte("{}")
	t := reflect.TypeFor[Data]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if top[name] != nil {
			object = splice(object, map[string]json.RawMessage{name: top[name]})
		}
	}
	return object
}

// splice puts more fields at the end of a compact JSON object.
func splice(object []byte, more map[string]json.RawMessage) []byte {
	if len(more) == 0 {
		return object
	}
	out := slices.Clone(object[:len(object)-1])
	for _, name := range slices.Sorted(maps.Keys(more)) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		quoted, _ := json.Marshal(name)
		out = append(append(append(out, quoted...), ':'), more[name]...)
	}
	return append(out, '}')
}

// previousOf is where the generation before the present one is kept.
func previousOf(file string) string {
	return strings.TrimSuffix(file, filepath.Ext(file)) + ".previous" + filepath.Ext(file)
}

// read returns the ledger in file. A missing file without a previous generation is an empty ledger, with
// found false.
func read(file string) (d Data, u unknown, found bool, err error) {
	content, err := plainfile.Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		prev := previousOf(file)
		if _, serr := os.Stat(prev); serr == nil {
			return d, nil, false, problem.New(problem.BadInput, "the ledger "+file+" is missing",
				"its generation before, "+prev+", is still there, so somebody removed it",
				fmt.Sprintf("copy it back: cp %s %s, or remove both to start over (flwrup then forgets the known node IDs)", shell.Path(prev), shell.Path(file)))
		}
		return Data{Format: currentFormat}, unknown{}, false, nil
	}
	if err != nil {
		return d, nil, false, &problem.Problem{Code: problem.BadInput, What: "cannot read the ledger " + file, Why: problem.Cause(err),
			Fix: "make it a file that you can read: " + file, Err: err}
	}
	d, u, err = decode(content)
	if err == nil {
		return d, u, true, nil
	}
	if errors.Is(err, errNewer) {
		return d, nil, true, &problem.Problem{Code: problem.BadInput, What: "cannot read the ledger " + file, Why: err.Error(),
			Fix: "use that newer flwrup for this project", Err: err}
	}
	return d, nil, true, damaged(file, err)
}

func damaged(file string, err error) *problem.Problem {
	p := &problem.Problem{Code: problem.BadInput, What: "the ledger " + file + " is damaged", Why: err.Error(), Err: err,
		Fix: "repair the line by hand; there is no good copy of it"}
	prev := previousOf(file)
	if content, rerr := plainfile.Read(prev); rerr == nil {
		if _, _, derr := decode(content); derr == nil {
			p.Fix = fmt.Sprintf("repair the line by hand, or go back to the last good copy, one change older: cp %s %s", shell.Path(prev), shell.Path(file))
		}
	}
	return p
}

// write replaces file by content, durably, and keeps the generation before.
func write(file string, content []byte, step func(string)) error {
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target
	}
	step("before previous")
	if err := keepPrevious(file); err != nil {
		return unwritable(file, err)
	}
	step("before write")
	if err := atomicfile.Write(file, content, 0o600); err != nil {
		return unwritable(file, err)
	}
	step("written")
	return nil
}

// keepPrevious links the present file to its second name. A hard link costs no flush; where the file system
// has none, the content is copied.
func keepPrevious(file string) error {
	now, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	prev := previousOf(file)
	if before, serr := os.Stat(prev); err == nil && serr == nil && os.SameFile(now, before) {
		return nil // a killed flwrup came so far; renaming a file to its own second name would leave both
	}
	tmp := filepath.Join(filepath.Dir(prev), "."+filepath.Base(prev)+".link.tmp")
	os.Remove(tmp)
	if os.Link(file, tmp) == nil {
		return os.Rename(tmp, prev)
	}
	content, err := plainfile.Read(file)
	if err != nil {
		return err
	}
	return atomicfile.Write(prev, content, 0o600)
}

func unwritable(file string, err error) *problem.Problem {
	p := &problem.Problem{Code: WriteFailed, What: "cannot write the ledger " + file, Why: problem.Cause(err), Err: err}
	dir := filepath.Dir(file)
	switch {
	case errors.Is(err, syscall.ENOSPC):
		p.Fix = "free some space on the disk of " + dir + ", then run the same command again"
	case errors.Is(err, syscall.EROFS):
		p.Fix = "choose a project folder on a disk that can be written"
	case errors.Is(err, fs.ErrPermission):
		p.Fix = "make the folder yours to write: chmod u+rwx " + shell.Path(dir)
	default:
		p.Fix = "see that " + dir + " is a folder that you can write to"
	}
	return p
}
