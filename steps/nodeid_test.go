package steps

import (
	"slices"
	"strings"
	"testing"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// TestNodeIDs: where the ledger has another node's ID for a SuperNode, step 14 and the overview name both IDs. Step 14
// then takes the ID that the SuperNode itself logs.
func TestNodeIDs(t *testing.T) {
	for name, spoil := range map[string]func(ids []string) []string{
		"swapped":    func(ids []string) []string { return []string{ids[1], ids[0]} },
		"one is off": func(ids []string) []string { return []string{"77", ids[1]} },
	} {
		t.Run(name, func(t *testing.T) {
			g := sitetest.NewGrid("1.42.0")
			s := siteOn(t, g, 2)
			for n := front.StepRegister; n <= front.StepConfirmation; n++ {
				if err := Apply(t.Context(), s, n, &sitetest.Heard{}); err != nil {
					t.Fatal(err)
				}
			}
			list, _, err := site.Members(s)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for i, m := range list {
				ids = append(ids, m.Record.NodeID)
				g.Known[i].Status = flwrexec.StatusOnline
				spec := supernode.Spec{Name: m.Name, KeyFile: m.Pair.Private, Labels: map[string]string{"flwrup.fingerprint": m.Pair.Fingerprint}}
				if err := sitetest.RuntimeOf(t, s).Start(t.Context(), spec); err != nil {
					t.Fatal(err)
				}
			}
			if st, err := Inspect(t.Context(), s, 14); err != nil || st.State != front.Done {
				t.Fatalf("step 14 is %s before: %+v %v", st.State, st.Items, err)
			}
			given := spoil(slices.Clone(ids))
			if err := s.Ledger.Change(func(d *ledger.Data) error {
				for i := range d.Nodes {
					d.Nodes[i].NodeID, d.Nodes[i].How = given[i], "by elimination"
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			st, err := Inspect(t.Context(), s, 14)
			if err != nil || st.State != front.Ready || st.Items[0].State != front.ItemFailed || !strings.Contains(st.Items[0].Text, ids[0]) {
				t.Errorf("step 14 is %s: %+v %v", st.State, st.Items, err)
			}
			v := health.Diagnosed(t.Context(), s, 0).Nodes[0]
			if v.Diagnosis == nil || v.Diagnosis.Code != health.NodeIDDiffers || !strings.Contains(v.Diagnosis.Why, "by elimination") || v.Diagnosis.Fix == "" || v.Remedy.Step != 14 {
				t.Errorf("the diagnosis is %+v, %+v", v.Diagnosis, v.Remedy)
			}
			p := &sitetest.Scripted{Answers: map[string]string{"node-id": "no"}}
			if err := Apply(t.Context(), s, 14, p); err == nil {
				t.Error("after a no all is called well")
			}
			if err := Apply(t.Context(), s, 14, &sitetest.Heard{}); err != nil {
				t.Fatal(err)
			}
			sitetest.Settled(t, s, g, 2)
			if st, err := Inspect(t.Context(), s, 14); err != nil || st.State != front.Done {
				t.Errorf("step 14 is %s after: %+v %v", st.State, st.Items, err)
			}
		})
	}
}
