//go:build unix

package grid

import (
	"encoding/json"
	"strings"
	"testing"

	"flwrup/internal/require"
)

// TestInvitations has two accounts invite, accept, decline and take back, with flwr's own commands: the grid answers
// each with the words and codes that flwr's catalogue of errors has for it.
func TestInvitations(t *testing.T) {
	t.Parallel()
	env := require.Flwr(t, require.Newest)
	g := start(t, Options{Dir: t.TempDir(), Python: require.Program(env, "python")})
	ada, bob := newCLI(t, env, g), newCLI(t, env, g)
	ada.login(g, "ada")
	bob.login(g, "bob")
	ada.run("federation", "create", "study", "supergrid")
	refused := func(c *cli, code string, args ...string) {
		t.Helper()
		out, _ := c.command(append(args, "supergrid", "--format", "json")...).CombinedOutput()
		if !strings.Contains(string(out), "[code: "+code+"]") {
			t.Errorf("flwr %s: no code %s in\n%s", strings.Join(args, " "), code, out)
		}
	}
	open := func(c *cli) (sent, received []string) {
		t.Helper()
		var list struct {
			Created []struct {
				ID     string `json:"federation-id"`
				Other  string `json:"invited"`
				Status string
			} `json:"created-invitations"`
			Received []struct {
				ID     string `json:"federation-id"`
				Other  string `json:"invited-by"`
				Status string
			} `json:"received-invitations"`
		}
		must(t, json.Unmarshal([]byte(c.run("federation", "invite", "list", "supergrid")), &list))
		for _, i := range list.Created {
			sent = append(sent, i.ID+" "+i.Other+" "+i.Status)
		}
		for _, i := range list.Received {
			received = append(received, i.ID+" "+i.Other+" "+i.Status)
		}
		return sent, received
	}

	refused(ada, "6", "federation", "invite", "create", "nobody", "@ada/study")
	refused(ada, "3", "federation", "invite", "create", "ada", "@ada/study")
	refused(bob, "2", "federation", "invite", "create", "bob", "@ada/study")
	refused(bob, "7", "federation", "invite", "accept", "@ada/study")
	ada.run("federation", "invite", "create", "bob", "@ada/study", "supergrid")
	refused(ada, "5", "federation", "invite", "create", "bob", "@ada/study")
	if sent, _ := open(ada); strings.Join(sent, ",") != "@ada/study bob pending" {
		t.Errorf("ada has sent %q", sent)
	}
	if _, received := open(bob); strings.Join(received, ",") != "@ada/study ada pending" {
		t.Errorf("bob has received %q", received)
	}
	refused(bob, "2", "federation", "invite", "revoke", "bob", "@ada/study")
	ada.run("federation", "invite", "revoke", "bob", "@ada/study", "supergrid")
	refused(bob, "7", "federation", "invite", "accept", "@ada/study")
	ada.run("federation", "invite", "create", "bob", "@ada/study", "supergrid")
	bob.run("federation", "invite", "reject", "@ada/study", "supergrid")
	refused(bob, "7", "federation", "invite", "accept", "@ada/study")

	id := bob.register()
	out, _ := bob.command("federation", "add-supernode", id, "@ada/study", "supergrid", "--format", "json").CombinedOutput()
	if strings.Contains(string(out), `"success": true`) {
		t.Errorf("a SuperNode of nobody's member came in: %s", out)
	}
	ada.run("federation", "invite", "create", "bob", "@ada/study", "supergrid")
	bob.run("federation", "invite", "accept", "@ada/study", "supergrid")
	refused(bob, "7", "federation", "invite", "accept", "@ada/study")
	refused(ada, "3", "federation", "invite", "create", "bob", "@ada/study")
	bob.run("federation", "add-supernode", id, "@ada/study", "supergrid")
	out2 := ada.run("federation", "list", "supergrid", "--federation", "@ada/study")
	for _, want := range []string{`"member_id": "bob"`, `"owner": "bob"`, id} {
		if !strings.Contains(out2, want) {
			t.Errorf("ada sees no %s in\n%s", want, out2)
		}
	}
	if sent, _ := open(ada); len(sent) > 0 {
		t.Errorf("still open: %q", sent)
	}
}
