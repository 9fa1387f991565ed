// Package pages writes the pages of the documentation that come from the code.
package pages

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flwrup/internal/project"
)

// made heads the pages that are written by a command.
const made = "<!-- Written by: go run ./internal/cli/gendocs -->\n\n"

// Reference returns the page about the commands of root, which every lists, and about the topics of its help.
func Reference(root *cobra.Command, every, topics []*cobra.Command) string {
	var b strings.Builder
	b.WriteString(made + `# Commands

` + "`flwrup COMMAND --help`" + ` says the same in the terminal, and man pages come with a release. Paths are relative to the folder in
which you call flwrup ("from here"), unless a flag says that it is relative to the project's folder.

`)
	group := ""
	for _, g := range root.Groups() {
		group += fmt.Sprintf("| **%s** | |\n", strings.TrimSuffix(g.Title, ":"))
		for _, cmd := range every {
			if cmd.GroupID == g.ID && cmd.Parent() == root && cmd.Name() != "help" {
				group += fmt.Sprintf("| [`%s`](#%s) | %s |\n", strings.ReplaceAll(cmd.UseLine(), "|", `\|`), anchor(cmd), cmd.Short)
			}
		}
	}
	b.WriteString("| | |\n|---|---|\n" + strings.ReplaceAll(group, " [flags]`", "`"))
	command(&b, root)
	for _, cmd := range every {
		if cmd.Name() != "help" {
			command(&b, cmd)
		}
	}
	for _, topic := range topics {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", topic.Short, indented(topic.Long))
	}
	return b.String()
}

func anchor(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func command(b *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n", cmd.CommandPath(), cmd.Short)
	if cmd.Long != "" {
		fmt.Fprintf(b, "\n%s\n", indented(cmd.Long))
	}
	fmt.Fprintf(b, "\n%s\n", indented(cmd.UseLine()))
	if cmd.Example != "" {
		fmt.Fprintf(b, "\nExamples:\n\n%s\n", indented(strings.ReplaceAll(strings.TrimPrefix(cmd.Example, "  "), "\n  ", "\n")))
	}
	rows := ""
	flags := func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name, says := pflag.UnquoteUsage(f)
		short := ""
		if f.Shorthand != "" {
			short = "-" + f.Shorthand + ", "
		}
		if name != "" {
			name = " " + name
		}
		if d := f.DefValue; d != "" && d != "false" && d != "[]" && d != "0" && !(d == "-1") {
			says += " (default: " + d + ")"
		}
		rows += fmt.Sprintf("| `%s--%s%s` | %s |\n", short, f.Name, name, strings.ReplaceAll(says, "|", `\|`))
	}
	if cmd.HasParent() {
		cmd.NonInheritedFlags().VisitAll(flags)
	} else {
		cmd.PersistentFlags().VisitAll(flags)
	}
	if rows != "" {
		b.WriteString("\n| flag | |\n|---|---|\n" + rows)
	}
}

func indented(text string) string {
	return "    " + strings.ReplaceAll(strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    "), "\n    \n", "\n\n")
}

// KeyOf is the key of flwrup.toml that keeps a flag of up.
func KeyOf(flag string) string {
	file, node := project.Settings()
	for _, key := range []string{flag, "grid." + flag, "flwr." + strings.TrimPrefix(flag, "flwr-"), "backup-" + flag} {
		if slices.ContainsFunc(file, func(s project.Setting) bool { return s.Key == key }) {
			return key
		}
	}
	switch {
	case flag == "flwr":
		return "flwr.version"
	case slices.ContainsFunc(node, func(s project.Setting) bool { return s.Key == flag }):
		return "node.all." + flag
	}
	return ""
}

// Settings returns the page about flwrup.toml: kept are the flags of `flwrup up` that it keeps, each with its variable.
func Settings(kept []string, variable func(flag string) string) string {
	flags := map[string]string{}
	for _, name := range kept {
		flags[KeyOf(name)] = name
	}
	var b strings.Builder
	b.WriteString(made + `# Settings

What you choose is in ` + "`flwrup.toml`" + ` of the project's folder. The wizard, the flags of ` + "`flwrup up`" + ` and ` + "`flwrup settings`" + ` write it; you
may edit it, and flwrup takes over what you changed, with your comments. There is no secret in it. Paths are relative to that folder.

A flag goes before its variable, and a variable before the file. ` + "`flwrup up`" + ` keeps in the file what a flag or a variable says.
An empty text means that flwrup decides.

| key | value | | flag of ` + "`flwrup up`" + ` | variable |
|---|---|---|---|---|
`)
	row := func(key string, s project.Setting) {
		flag, env := "", ""
		if f := flags[key]; f != "" {
			flag, env = "`--"+f+"`", "`"+variable(f)+"`"
		}
		value := s.Type
		if len(s.Values) > 0 {
			value = "`" + strings.Join(s.Values, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", key, value, strings.ReplaceAll(s.Says, "|", `\|`), flag, env)
	}
	file, node := project.Settings()
	for _, s := range file {
		row(s.Key, s)
	}
	b.WriteString(`
## SuperNodes

` + "`[node.all]`" + ` is for all SuperNodes, ` + "`[node.supernode_2]`" + ` for the second alone; what a SuperNode has of its own goes before what all have.
` + "`flwrup settings`" + ` asks for most of them.

| key | value | | flag of ` + "`flwrup up`" + ` | variable |
|---|---|---|---|---|
`)
	for _, s := range node {
		key := "node.all." + s.Key
		if s.OneNode {
			key = "node.supernode_N." + s.Key
		}
		row(key, s)
	}
	b.WriteString(`
## In an editor

[flwrup.schema.json](flwrup.schema.json) is a JSON schema of the file. Editors that use Taplo (Even Better TOML in VS Code, and
others) check and complete with it once the first line of ` + "`flwrup.toml`" + ` names it, by its path or by an address:

    #:schema ./flwrup.schema.json

flwrup keeps such a line, as it keeps all comments.
`)
	return b.String()
}

// Schema returns flwrup.toml as a JSON schema.
func Schema() string {
	object := func(properties map[string]any) map[string]any {
		return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	}
	of := func(s project.Setting) map[string]any {
		v := map[string]any{"type": "string", "description": s.Says}
		switch s.Type {
		case "number":
			v["type"], v["minimum"], v["maximum"] = "integer", 0, project.MaxNodes
		case "true or false":
			v["type"] = "boolean"
		case "list of texts":
			v["type"], v["items"] = "array", map[string]any{"type": "string"}
		}
		if len(s.Values) > 0 {
			v["enum"] = s.Values
		}
		if s.Pattern != "" {
			v["pattern"] = s.Pattern
		}
		return v
	}
	file, node := project.Settings()
	top, all, one := map[string]any{}, map[string]any{}, map[string]any{}
	for _, s := range file {
		table, key, nested := strings.Cut(s.Key, ".")
		if !nested {
			top[s.Key] = of(s)
			continue
		}
		if top[table] == nil {
			top[table] = object(map[string]any{})
		}
		top[table].(map[string]any)["properties"].(map[string]any)[key] = of(s)
	}
	for _, s := range node {
		one[s.Key] = of(s)
		if !s.OneNode {
			all[s.Key] = of(s)
		}
	}
	nodes := object(map[string]any{project.AllKey: object(all)})
	nodes["patternProperties"] = map[string]any{"^supernode_[1-9][0-9]{0,3}$": object(one)}
	top["node"] = nodes
	whole := object(top)
	whole["$schema"], whole["title"] = "http://json-schema.org/draft-07/schema#", project.FileName
	var b strings.Builder
	to := json.NewEncoder(&b)
	to.SetEscapeHTML(false)
	to.SetIndent("", "  ")
	_ = to.Encode(whole) // maps, texts and numbers
	return b.String()
}

// Field is one field of a shape: nodes[].name.
type Field struct {
	Path, Kind string
	Always     bool // else it is left out when it is empty
}

// FieldsOf returns the fields of t's JSON, with path in front.
func FieldsOf(t reflect.Type, path string, always bool) (list []Field) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return []Field{{path, "time (RFC 3339)", always}}
	case t.Kind() == reflect.Slice:
		if of := FieldsOf(t.Elem(), path+"[]", always); len(of) > 0 {
			return of
		}
	case t.Kind() == reflect.Map:
		return FieldsOf(t.Elem(), path+".*", always)
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous && name == "" {
				list = append(list, FieldsOf(f.Type, path, always)...)
				continue
			}
			if path != "" {
				name = path + "." + name
			}
			list = append(list, FieldsOf(f.Type, name, always && !strings.Contains(options, "omit"))...)
		}
		return list
	}
	kind := map[reflect.Kind]string{reflect.String: "text", reflect.Int: "number", reflect.Float64: "number", reflect.Bool: "true or false"}[t.Kind()]
	return []Field{{path, kind, always}}
}

// Shape is what --json of one command carries.
type Shape struct {
	Command string // runs log
	Data    any
}

// JSON returns the page about the shapes, in the order of the commands.
func JSON(shapes []Shape) string {
	var b strings.Builder
	b.WriteString(made + `# What --json prints

One object on the standard output, whatever happens, and the exit code of ` + "`flwrup help exit-codes`" + `:

    {"ok": true, "data": …, "error": null}
    {"ok": false, "data": null, "error": {"code": "…", "message": "…", "fix": "…"}}

` + "`error.code`" + ` is a word that stays the same; ` + "`message`" + ` and ` + "`fix`" + ` are for people, and may change. A command that has looked at everything and
found something wrong (` + "`status`, `doctor`, `trust`" + `) has both data and an error. What happens meanwhile, the link to log in among it, goes
to the standard error, one object a line. Node IDs and run IDs are texts: as numbers they would be too long for many readers. New
fields may come; none goes or changes its meaning without a new major version. A test compares this page with the code, and the code with what it prints.
`)
	done := map[reflect.Type]string{}
	for _, shape := range shapes {
		path, t := shape.Command, reflect.TypeOf(shape.Data)
		if done[t] != "" {
			continue
		}
		var same []string
		for _, other := range shapes {
			if reflect.TypeOf(other.Data) == t {
				same = append(same, "`flwrup "+other.Command+"`")
			}
		}
		done[t] = path
		fmt.Fprintf(&b, "\n## %s\n\n", strings.Join(same, ", "))
		if path == "watch" {
			b.WriteString("One object a line for each event, without an envelope; the last line is the envelope.\n\n")
		}
		b.WriteString("| field | value | |\n|---|---|---|\n")
		for _, f := range FieldsOf(t, "", true) {
			note := ""
			if !f.Always {
				note = "may be missing"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Path, f.Kind, note)
		}
	}
	fmt.Fprintf(&b, "\n## The standard error of `--json`\n\nOne object a line; `event` says which: a step begins or ends, an item changes, progress, a link to open, a question that was answered. Read what you know, and pass over the rest.\n")
	return b.String()
}
