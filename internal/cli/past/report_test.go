package past

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"flwrup/internal/front"
	"flwrup/internal/history"
	"flwrup/internal/project"
	"flwrup/internal/report/reporttest"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// host is a program around the commands that writes into out and answers with answer.
func host(s *site.Site, out *bytes.Buffer, answer string) Host {
	return Host{Dir: func() string { return s.Dir }, Look: func() (*site.Site, error) { return s, nil },
		Say:      func(f string, args ...any) { fmt.Fprintf(out, f+"\n", args...) },
		JSONFlag: func(*cobra.Command) {}, JSON: func() bool { return false }, Out: out, Version: "0.1.0",
		Ask: func(context.Context, front.Question) (string, error) { return answer, nil }}
}

// planted are secrets, each where people and apps leave them. None may be in the archive.
var planted = map[string]string{
	"comment":       "Zimmer-4711-Passwort",
	"variable":      "hunter2-from-env",
	"env file":      "geheim-aus-datei",
	"data folder":   "kardiologie_2024",
	"data file":     "Mueller_Erika_1962",
	"key":           "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg",
	"age key":       "AGE-SECRET-KEY-1QQPQZ9",
	"url password":  "s3cr3tURL",
	"url query":     "sig=abc123def",
	"bearer":        "eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG",
	"token":         "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
	"password":      "correct horse",
	"patient path":  "Schmidt_Hans",
	"windows path":  "Meier_Anna",
	"relative path": "Weber_Otto",
	"file name":     "Fischer-Karl",
	"mail":          "erika.mueller@klinik.example",
	"history":       "Wagner_Paul",
	"unc":           "Becker_Ida",
	"spaced path":   "Schulz Maria",
	"colon":         "pw4711xyz",
	"german":        "Geheim-0815",
	"patient name":  "Lehmann",
	"long":          "q7Xk2bVw9ZpL4mTn8RsY3cJd6FhG1aEu",
	"file uri":      "Krause_Eva",
	"home":          "klinikadmin",
}

var plantedLog = strings.Join([]string{
	"connecting to postgres://study:" + planted["url password"] + "@db.klinik.example:5432/patients?" + planted["url query"],
	"-----BEGIN PRIVATE KEY-----", planted["key"], "-----END PRIVATE KEY-----",
	"identity " + planted["age key"],
	"Authorization: Bearer " + planted["bearer"],
	"using " + planted["token"] + " for the hub",
	`{"password": "` + planted["password"] + `", "round": 3}`,
	"db_password: " + planted["colon"],
	"reading /srv/pacs/" + planted["patient path"] + "/scan.dcm",
	`reading C:\Daten\` + planted["windows path"] + `\bild.dcm`,
	`reading \\pacs\share\` + planted["unc"] + `\bild.dcm`,
	"reading patients/" + planted["relative path"],
	"cannot open " + planted["file name"] + ".nii.gz",
	`cannot open "/srv/pacs/` + planted["spaced path"] + `/a b.dcm"`,
	"mail to " + planted["mail"],
	"value " + planted["variable"] + " and " + planted["env file"],
	"row of " + planted["data file"] + " in " + planted["data folder"],
	"Passwort = " + planted["german"],
	"Patient name: Frau " + planted["patient name"] + ", round 3",
	"session is " + planted["long"],
	"see file:///data/" + planted["file uri"] + ".txt",
	"cache in ~/" + planted["home"] + "/x and /home/" + planted["home"] + "/.flwr",
	"INFO : round 3 finished, loss 0.25",
}, "\n")

func TestReportHasNoSecrets(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s, rt := sitetest.Up(t, g, 2)
	site.With(s, site.Backends{Flwr: g, Runtime: sitetest.Saying{Runtime: rt, Lines: map[string]string{"supernode_1": plantedLog, "supernode_2": plantedLog}}})
	data := filepath.Join(s.Dir, planted["data folder"])
	for _, err := range []error{os.Mkdir(data, 0o700), os.WriteFile(filepath.Join(data, planted["data file"]+".dcm"), nil, 0o600),
		os.WriteFile(filepath.Join(s.Dir, "node.env"), []byte("DB_PASS="+planted["env file"]+"\n"), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("STUDY_TOKEN", planted["variable"])
	sitetest.Choose(t, s, func(c *project.Choices) {
		c.All.Env, c.All.EnvFile, c.All.Data = []string{"STUDY_TOKEN"}, "node.env", []string{data + ":/data"}
	})
	text, err := os.ReadFile(project.File(s.Dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(project.File(s.Dir), append(text, []byte("\n# "+planted["comment"]+"\n")...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := history.Add(s.StateDir(), history.Entry{Kind: history.Note, Text: "copied /srv/pacs/" + planted["history"] + "/a.dcm"}); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	var said bytes.Buffer
	if err := makeReport(t.Context(), host(s, &said, "no"), s, out, false, time.Now()); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(out); len(left) > 0 || !strings.Contains(said.String(), "logs/supernode_2.log") {
		t.Fatalf("answered no: %v is there; said\n%s", left, said.String())
	}
	if err := makeReport(t.Context(), host(s, &said, "yes"), s, out, false, time.Now()); err != nil {
		t.Fatal(err)
	}
	archives, _ := filepath.Glob(filepath.Join(out, "flwrup-report-*.tar.gz"))
	if len(archives) != 1 {
		t.Fatalf("%d archives", len(archives))
	}
	if info, err := os.Stat(archives[0]); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read it: %v", info.Mode())
	}
	files := reporttest.Unpack(t, archives[0])
	for name, text := range files {
		for what, secret := range planted {
			if strings.Contains(text, secret) || strings.Contains(name, secret) {
				i := strings.Index(text, secret)
				t.Errorf("%s has the %s: …%q", name, what, text[max(0, i-40):min(len(text), i+60)])
			}
		}
		if strings.Contains(text, s.Dir) {
			t.Errorf("%s names the project's folder", name)
		}
	}
	log := files["flwrup-report/logs/supernode_1.log"]
	for _, want := range []string{"INFO : round 3 finished, loss 0.25", "postgres://(left out)@db.klinik.example:5432/(left out)", "cannot open (left out)"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
	for name, want := range map[string]string{"versions.txt": "flwr 1.42.0", "settings.txt": "node.all.data = (left out)", "doctor.txt": "supernode_1: ", "history.csv": "time,kind"} {
		if !strings.Contains(files["flwrup-report/"+name], want) {
			t.Errorf("%s has no %q:\n%s", name, want, files["flwrup-report/"+name])
		}
	}
	if t.Failed() {
		t.Log(log)
	}
}
