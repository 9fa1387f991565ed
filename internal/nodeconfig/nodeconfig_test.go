package nodeconfig

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"flwrup/internal/require"
)

// good and bad are what flwr takes whole, and what it refuses or passes over, with the part that is named.
var good = []string{"", "partition-id=0 num-partitions=2", `name="clinic b"`, `name='it"s'`, "a=true b=false", "x=1.5 y=-2 z=1e3 h=0xff", "  a=1   b=2  ",
	`a.b=1 a.c="x"`, `e=""`, `url="http://h:1/?q=1&r=2"`, `"quoted"=1`, "inf=inf", `a="ü"`, "config.toml", "t={b=1}", "big=9223372036854775807"}

var bad = map[string]string{
	"partition-id":                  "`partition-id` is no key=value",
	"partition-id = 0":              "`partition-id = 0` is no key=value",
	"a=1 b":                         "`b` is no key=value",
	"a= 1":                          "`a= 1` is no key=value",
	"name=clinic":                   "`name=clinic` cannot be read: a text needs quotes",
	"name=clinic b":                 "`name=clinic`",
	`name="clinic b`:                `name="clinic`,
	`name="a"b`:                     "`b` is no key=value",
	`name="a"b=1`:                   "a blank is missing",
	"a=1,b=2":                       "no commas",
	"a=1;b=2":                       "no commas",
	"a=True":                        "write true",
	"id=007":                        "it is not a TOML number",
	"x=.5":                          "it is not a TOML number",
	"a=1 a=2":                       "`a` is there twice",
	"a=1 a.b=2":                     "do not go together",
	"a=[1,2]":                       "neither true or false",
	"d=2026-01-01":                  "neither true or false",
	"t={b=[1]}":                     "neither true or false",
	`path="C:\x"`:                   "quotes or a \\",
	"ä=1":                           "the key `ä`",
	"a=1\nb=2":                      "one line",
	"n=99999999999999999999":        "cannot be read",
	strings.Repeat("k", 200) + "=x": "…",
}

func TestCheck(t *testing.T) {
	for _, text := range good {
		if err := Check(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range bad {
		if err := Check(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// flwrReads says for each text whether flwr's own reader takes it, and whether it reads every part of it.
const flwrReads = `
import json, sys
from flwr.common.config import parse_config_args
from flwr.common.serde import user_config_to_proto
out = []
for text in json.load(sys.stdin):
    try:
        config = parse_config_args([text] if text else None)
        user_config_to_proto(config)
        out.append(json.dumps(config, default=str))
    except BaseException as e:
        out.append("")
print(json.dumps(out))`

// flwr reads every good text. It refuses a bad one, or reads it without the named part.
func TestFlwrAgrees(t *testing.T) {
	for _, version := range []string{"1.24.0", require.Newest} {
		python := require.Program(require.Flwr(t, version), "python")
		ask := func(texts []string) []string {
			t.Helper()
			in, err := json.Marshal(texts)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(python, "-I", "-c", flwrReads)
			cmd.Stdin = strings.NewReader(string(in))
			data, err := cmd.Output()
			var out []string
			if err == nil {
				err = json.Unmarshal(data, &out)
			}
			if err != nil {
				t.Fatalf("%v %s", err, data)
			}
			return out
		}
		var texts []string
		for _, g := range good {
			if !File(g) {
				texts = append(texts, g)
			}
		}
		for i, got := range ask(texts) {
			if got == "" {
				t.Errorf("flwr %s refuses %q", version, texts[i])
			}
		}
		texts = nil
		for b := range bad {
			texts = append(texts, b)
		}
		passedOver := map[string]bool{"partition-id": true, "partition-id = 0": true, "a=1 b": true, `name="a"b`: true, "a= 1": true, `name="a"b=1`: true, "a=1\nb=2": true}
		for i, got := range ask(texts) {
			if got != "" && !passedOver[texts[i]] {
				t.Errorf("flwr %s takes %q: %s", version, texts[i], got)
			}
		}
	}
}
