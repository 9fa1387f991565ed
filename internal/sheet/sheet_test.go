package sheet

import (
	"encoding/csv"
	"strings"
	"testing"

	"flwrup/internal/termsafe"
)

func TestCell(t *testing.T) {
	for in, want := range map[string]string{
		"loss": "loss", "-0.5": "-0.5", "+1e-3": "+1e-3", "1.5": "1.5", ".5": ".5", "": "", "eval-loss": "eval-loss", "1e5x": "1e5x",
		"SHA256:a+b/c=": "SHA256:a+b/c=", "@ada/hospitals": "'@ada/hospitals",
		"=cmd|'/C calc'!A0": "'=cmd|'/C calc'!A0", "@SUM(1+1)": "'@SUM(1+1)", "+1+cmd": "'+1+cmd", "-1+cmd": "'-1+cmd",
		"  =1": "  '=1", "\t=1": " '=1", "\r=1": "'=1", `"=1"`: `"'=1"`, "'=1": "''=1", ` " =1`: ` " '=1`, "＝1": "'＝1", "%x": "'%x",
		"x;=1": "x;'=1", "x,@a": "x,'@a", "x\t=1": "x =1", "x\n=1": "x =1", "\x1b[31m=1": "'=1", "\u200b=1": "'=1", "\ufeff=1": "'=1",
	} {
		if got := Cell(in); got != want {
			t.Errorf("Cell(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCSVReadsBack(t *testing.T) {
	rows := [][]string{{"round", `a "b", c`, "=1"}, {"1", "-0.25", "x\ny"}}
	text := CSV(rows)
	back, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || back[0][1] != `a "b", c` || back[0][2] != "'=1" || back[1][1] != "-0.25" || back[1][2] != "x y" {
		t.Errorf("%q %v", back, err)
	}
	if !strings.HasSuffix(text, "\r\n") {
		t.Errorf("%q", text)
	}
}

func TestMarkdown(t *testing.T) {
	for in, want := range map[string]string{
		"supernode_1": "supernode_1", "SHA256:a+b/c=": "SHA256:a+b/c=", "1234567890123456789": "1234567890123456789", "@ada/hospitals": "@ada/hospitals",
		"a|b": `a\|b`, "`x`": "\\`x\\`", "[a](https://e.vil)": `\[a\]\(https\://e.vil\)`, "<b>": `\<b\>`, "www.evil.x": `www\.evil.x`,
		"_x_": `\_x\_`, "a\nb": "a b", "- x": `\- x`, "![i](x)": `\!\[i\]\(x\)`, `a\|b`: `a\\\|b`, "&lt;": `\&lt;`,
	} {
		if got := Markdown(in); got != want {
			t.Errorf("Markdown(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzCell(f *testing.F) {
	for _, s := range []string{"=1", "-1", " \t\"@x", "x;=1", "+1e5", "''=x", "\x1b[1m=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Cell(s)
		if r, bad := termsafe.Unsafe(got); bad {
			t.Fatalf("%q gave %q with %U", s, got, r)
		}
		// A spreadsheet splits at commas, semicolons, bars or tabs; spaces and quotes do not make text of a formula.
		for _, field := range strings.FieldsFunc(got, func(r rune) bool { return strings.ContainsRune(",;|\t", r) }) {
			field = strings.TrimLeft(field, ` "`)
			if field != "" && strings.ContainsRune("=+-@", rune(field[0])) && !number.MatchString(got) {
				t.Fatalf("%q gave %q, where %q is a formula", s, got, field)
			}
		}
		if md := Markdown(s); strings.Contains(strings.ReplaceAll(strings.ReplaceAll(md, `\\`, ""), `\|`, ""), "|") {
			t.Fatalf("%q gave %q, which ends a cell", s, md)
		}
	})
}
