package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"flwrup/internal/tomledit"
)

// Values of a connection that flwr >= 1.26 refuses (SuperLinkConnection.__post_init__ in flwr/cli/typing.py)
// end every command that uses it.

// oldSuperGrid is an address at which flwr 1.37 and later exit.
const oldSuperGrid = "supergrid.flower.ai"

// mended returns the changes to [superlink.NAME], as it is in table, without which flwr would refuse it. s
// holds the new values; a value that s lacks is removed.
func (s Connection) mended(table map[string]any, file string) (changes []tomledit.Change) {
	path := func(key string) []string { return append(slices.Clone(flowerTable), s.Name, key) }
	replace := func(key string, by string) {
		changes = append(changes, tomledit.Change{Path: path(key), Value: by, Delete: by == ""})
	}
	address, isText := table["address"].(string)
	_, hasAddress := table["address"]
	_, hasOptions := table["options"].(map[string]any)
	if hasAddress && !isText || !hasAddress && !hasOptions || address == oldSuperGrid && s.Address != oldSuperGrid {
		replace("address", s.Address)
	}
	if f, there := table["federation"]; there && !federationFits(f) {
		by := s.Federation
		if !federationFits(by) {
			by = ""
		}
		replace("federation", by)
	}
	if ca, there := table["root-certificates"]; there {
		if text, ok := ca.(string); !ok || !filepath.IsAbs(text) {
			replace("root-certificates", absoluteCA(text, file))
		}
	}
	if v, there := table["insecure"]; there {
		if _, ok := v.(bool); !ok {
			changes = append(changes, tomledit.Change{Path: path("insecure"), Delete: true})
		}
	}
	return changes
}

func federationFits(v any) bool {
	text, ok := v.(string)
	return ok && configFederation.MatchString(text)
}

// absoluteCA returns a relative CA file in the folder of file; "" when there is none.
func absoluteCA(ca, file string) string {
	if ca == "" {
		return ""
	}
	whole := resolveCA(ca, file)
	if _, err := os.Stat(whole); err != nil {
		return ""
	}
	return whole
}

// MendFlower plans to replace or remove those values of [superlink.NAME] in Flower's config.toml that flwr
// refuses; all else in the connection is the user's. has reports whether the connection exists.
func MendFlower(file string, s Connection) (e Edit, has bool, err error) {
	e = Edit{File: file, Why: "flwr refuses a value of the connection \"" + s.Name + "\" in this file, and with it every command"}
	if e.Before, _, err = readConfig(file); err != nil || e.Before == nil {
		return e, false, err
	}
	m, err := tomledit.Decode(e.Before)
	if err != nil {
		return e, false, fmt.Errorf("%s: %w", file, err)
	}
	v, _ := tomledit.Lookup(m, append(slices.Clone(flowerTable), s.Name))
	table, has := v.(map[string]any)
	if !has {
		return e, false, nil
	}
	if changes := s.mended(table, file); len(changes) > 0 {
		if e.After, err = tomledit.Set(e.Before, changes); err != nil {
			return e, true, fmt.Errorf("%s: %w", file, err)
		}
	}
	return e, true, nil
}

var flwrsOwnDefault = regexp.MustCompile(`^local(-simulation)?$`) // as flwr 1.26 and later write it into a new file

// CarryLegacy adds to e, an edit of Flower's config.toml that may be empty, the connections of
// [tool.flwr.federations] in pyprojects. It writes them as flwr's own migration would (migrate in
// flwr/cli/config_migration.py): with absolute paths and the same default. It leaves entries of the file with
// the same name alone, and leaves out values that flwr refuses. own is written by e itself.
func CarryLegacy(e Edit, own string, pyprojects ...string) (Edit, error) {
	text := e.After
	if text == nil {
		text = e.Before
	}
	fresh := e.Before == nil
	if text == nil {
		text = []byte(newFlowerConfig)
	}
	var carried []string
	for _, file := range pyprojects {
		src, _, err := readConfig(file)
		if err != nil || src == nil {
			return e, err
		}
		m, err := tomledit.Decode(src)
		if err != nil {
			return e, fmt.Errorf("%s: %w", file, err)
		}
		v, _ := tomledit.Lookup(m, pyprojectTable)
		block, _ := v.(map[string]any)
		have, err := tomledit.Decode(text)
		if err != nil {
			return e, fmt.Errorf("%s: %w", e.File, err)
		}
		var changes []tomledit.Change
		for _, name := range slices.Sorted(maps.Keys(block)) {
			from, ok := block[name].(map[string]any)
			at := append(slices.Clone(flowerTable), name)
			there := false
			if v, has := tomledit.Lookup(have, at); has {
				_, isTable := v.(map[string]any)
				there = !isTable || !fresh || name != "local"
			}
			if !ok || there || name == own || name == "default" {
				continue
			}
			if c := carry(from, at, file); len(c) > 0 {
				changes = append(changes, c...)
				carried = append(carried, name)
			}
		}
		was, _ := tomledit.Lookup(have, []string{"superlink", "default"})
		now, _ := block["default"].(string)
		_, known := block[now].(map[string]any)
		if text, _ := was.(string); known && (was == nil || flwrsOwnDefault.MatchString(text)) && now != text {
			changes = append(changes, tomledit.Change{Path: []string{"superlink", "default"}, Value: now})
		}
		if text, err = tomledit.Set(text, changes); err != nil {
			return e, fmt.Errorf("%s: %w", e.File, err)
		}
	}
	if len(carried) > 0 {
		with := "the project's other connections come along: " + strings.Join(carried, ", ")
		if e.Why != "" && e.Changed() {
			with = e.Why + "; " + with
		}
		e.Why, e.After = with, text
	} else if e.After != nil {
		e.After = text // the default
	}
	return e, nil
}

// carry returns the changes that write a connection of a pyproject.toml at a path of Flower's config.toml;
// empty for a connection that flwr could not use at all.
func carry(from map[string]any, at []string, file string) (changes []tomledit.Change) {
	set := func(value any, keys ...string) {
		changes = append(changes, tomledit.Change{Path: append(slices.Clone(at), keys...), Value: value})
	}
	address, _ := from["address"].(string)
	options, hasOptions := from["options"].(map[string]any)
	if address == "" && !hasOptions {
		return nil
	}
	if address != "" {
		set(address, "address")
	}
	if ca, ok := from["root-certificates"].(string); ok && ca != "" {
		set(resolveCA(ca, file), "root-certificates")
	}
	if insecure, ok := from["insecure"].(bool); ok {
		set(insecure, "insecure")
	}
	if federationFits(from["federation"]) {
		set(from["federation"], "federation")
	}
	var walk func(t map[string]any, keys []string)
	walk = func(t map[string]any, keys []string) {
		for _, k := range slices.Sorted(maps.Keys(t)) {
			path := append(slices.Clone(keys), k)
			switch v := t[k].(type) {
			case map[string]any:
				walk(v, path)
			case string, bool, int64, float64:
				set(v, path...)
			}
		}
	}
	walk(options, []string{"options"})
	return changes
}
