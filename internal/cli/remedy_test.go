package cli

import (
	"fmt"
	"go/constant"
	"go/types"
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"

	"flwrup/internal/front"
)

func TestRemedyCommands(t *testing.T) {
	one := []string{"supernode_1"}
	for _, c := range []struct {
		r    front.Remedy
		want string
	}{
		{front.Remedy{Verb: front.StartNodes, Nodes: one}, "start supernode_1"},
		{front.Remedy{Verb: front.StartGrid}, "start --grid"},
		{front.Remedy{Verb: front.Upgrade}, "upgrade"},
		{front.Remedy{Verb: front.RestartNodes, Nodes: one}, "restart supernode_1"},
		{front.Remedy{Verb: front.ReplaceNodes, Nodes: one}, "restart supernode_1 --replace"},
		{front.Remedy{Verb: front.OwnImage, Nodes: one}, "restart supernode_1 --own-image"},
		{front.Remedy{Verb: front.ChangeSettings, Nodes: one}, "settings supernode_1"},
		{front.Remedy{Verb: front.RestoreKey, Nodes: one}, "restore-key supernode_1"},
		{front.Remedy{Verb: front.RemoveNodes, Nodes: one}, "remove supernode_1"},
		{front.Remedy{Verb: front.UnregisterNodes, Nodes: one}, "remove supernode_1 --unregister"},
		{front.Remedy{Step: front.StepRegister}, "up"},
		{front.Remedy{Step: front.StepLogin}, "up"},
		{front.Remedy{Step: front.StepConfirmation}, "up"},
		{front.Remedy{Step: front.StepOnline}, "up"},
		{front.Remedy{Step: front.StepOnline, Look: true}, "doctor"},
		{front.Remedy{Step: front.StepConfigure, Look: true}, "doctor"},
		{front.Remedy{Step: front.StepRun, Look: true}, ""},
		{front.Remedy{}, ""},
	} {
		if got := strings.Join(c.r.Args(), " "); got != c.want {
			t.Errorf("%+v: %q, want %q", c.r, got, c.want)
		}
	}
}

// TestEveryRemedyHasACommand takes each verb and each step that internal/health names to the command line.
func TestEveryRemedyHasACommand(t *testing.T) {
	list, err := packages.Load(&packages.Config{Mode: packages.LoadSyntax, Env: append(os.Environ(), "CGO_ENABLED=0")}, "flwrup/internal/health")
	if err != nil || len(list) != 1 || len(list[0].Errors) > 0 {
		t.Fatal(err, list)
	}
	remedies := map[string]front.Remedy{}
	for _, used := range list[0].TypesInfo.Uses {
		c, ok := used.(*types.Const)
		if !ok {
			continue
		}
		switch c.Type().String() {
		case "flwrup/internal/front.Verb":
			r := front.Remedy{Verb: front.Verb(constant.StringVal(c.Val()))}
			if r.Verb != front.StartGrid && r.Verb != front.Upgrade {
				r.Nodes = []string{"supernode_1", "supernode_2"}
			}
			remedies[c.Name()] = r
		case "flwrup/internal/front.StepID":
			step, _ := constant.Int64Val(c.Val())
			for _, look := range []bool{false, true} {
				remedies[fmt.Sprint(c.Name(), ", look ", look)] = front.Remedy{Step: front.StepID(step), Look: look}
			}
		}
	}
	for _, known := range []string{"StartNodes", "UnregisterNodes", "StartGrid", "StepLogin, look false"} {
		if _, ok := remedies[known]; !ok {
			t.Errorf("%s was not found among %v", known, remedies)
		}
	}
	for name, r := range remedies {
		args := r.Args()
		if r.Step == front.StepRun { // the wizard alone shows an app
			if args != nil {
				t.Errorf("%s: %q", name, args)
			}
			continue
		}
		root := Commands()
		cmd, rest, err := root.Find(args)
		if err != nil || cmd == root {
			t.Errorf("%s: no command %q: %v", name, args, err)
			continue
		}
		if err := cmd.ParseFlags(rest); err != nil {
			t.Errorf("%s: %q: %v", name, args, err)
			continue
		}
		given := cmd.Flags().Args()
		if err := cmd.ValidateArgs(given); err != nil || strings.Join(given, " ") != strings.Join(r.Nodes, " ") {
			t.Errorf("%s: %q names %q: %v", name, args, given, err)
		}
	}
}
