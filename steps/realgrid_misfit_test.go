//go:build unix

package steps

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/flwrexec"
	"flwrup/flwrexec/install"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/require"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// misfits: what could never come online on this grid is refused before anything is started, with its cause
// and what to do, and step 3 says it long before.
func (x *trial) misfits(t *testing.T) {
	t.Run("old image", func(t *testing.T) {
		require.Docker(t)
		s, _ := x.ready(t, 1, func(c *project.Choices) {
			c.Runtime, c.HostNetwork, c.Image = project.RuntimeDocker, true, site.OfficialImage("1.24.0")
		})
		x.registered(t, s)
		x.refused(t, s, "image "+site.OfficialImage("1.24.0")+" holds flwr 1.24.0, not "+x.version, `flwrup up --image ""`)
		sitetest.Choose(t, s, func(c *project.Choices) { c.HostNetwork = false })
		x.refused(t, s, "127.0.0.1 means the container itself", "--host-network")
		x.seenInStep3(t, s, "127.0.0.1 means the container itself", "--host-network")
		sitetest.Choose(t, s, func(c *project.Choices) { c.HostNetwork = true })
		list, _, err := site.Members(s)
		if err != nil {
			t.Fatal(err)
		}
		p := &sitetest.Scripted{Answers: map[string]string{"own-image": "yes"}}
		if _, _, err := fleet.CheckFirst(t.Context(), s, list, p); err != nil || s.Choices().Image != "" || len(p.Asked) != 1 {
			t.Errorf("asked %v, after a yes the image is %q, %v", p.Asked, s.Choices().Image, err)
		}
	})
	for _, version := range []string{"1.24.0", "1.37.0"} { // gRPC for all; gRPC for SuperNodes alone
		t.Run("old flwr "+version, func(t *testing.T) {
			s, _ := x.ready(t, 1)
			x.registered(t, s)
			found, errs := install.Find(t.Context(), install.FindOptions{Path: require.Flwr(t, version)})
			if len(found) != 1 {
				t.Fatal(found, errs)
			}
			old := flwrexec.NewSession(found[0], flwrexec.SessionOptions{FlwrHome: x.home, Dir: t.TempDir()})
			t.Cleanup(func() { old.Close() })
			site.With(s, site.Backends{Flwr: shared{old}})
			s.ForgetGrid()
			x.refused(t, s, "speaks HTTP to SuperNodes, those of flwr "+version+" speak gRPC", "1.40 or later")
			x.seenInStep3(t, s, "speaks HTTP to SuperNodes, those of flwr "+version+" speak gRPC", "1.40 or later")
			o := health.Overview(t.Context(), s, 0)
			if f := o.Fit; !f.Needed || f.Fleet != "HTTP" || f.FlwrFits != "no" || !strings.HasPrefix(f.Says, "the grid speaks HTTP to SuperNodes (flwr 1.40 or later); flwr on this machine is "+version+": upgrade to 1.4") {
				t.Errorf("%+v\ngrid: %v", f, o.GridErr)
			}
		})
	}
	t.Run("addresses swapped", func(t *testing.T) { // as SuperGrid has them: two, each for one side
		s, _ := x.ready(t, 1)
		x.registered(t, s)
		control, fleet := x.only(t, "/v1/control/"), x.only(t, "/v1/fleet/")
		sitetest.Choose(t, s, func(c *project.Choices) { c.Grid.Control, c.Grid.Fleet = fleet, control })
		s.ForgetGrid()
		cause, remedy := fleet+" is the one for SuperNodes (fleet), "+control+" the one for flwr's commands (control)", "--control "+control+" --fleet "+fleet
		x.refused(t, s, cause, remedy)
		x.seenInStep3(t, s, cause, remedy)
		sitetest.Choose(t, s, func(c *project.Choices) { c.Grid.Control, c.Grid.Fleet = control, fleet })
		s.ForgetGrid()
		if err := site.FleetFits(t.Context(), s); err != nil {
			t.Errorf("the right way round: %v", err)
		}
	})
}

// registered takes a site that is logged in to where its SuperNodes could be started.
func (x *trial) registered(t *testing.T, s *site.Site) {
	t.Helper()
	for n := front.StepRegister; n <= front.StepConfirmation; n++ {
		x.apply(t, s, n, &person{x: x})
	}
}

// refused fails the test unless starting the SuperNodes is refused for the cause with the remedy, and none was
// started.
func (x *trial) refused(t *testing.T, s *site.Site, cause, remedy string) {
	t.Helper()
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	p := problem.Of(fleet.BringUp(t.Context(), s, list, &person{x: x}))
	if p == nil || !strings.Contains(p.Error(), cause) || !strings.Contains(p.Fix, remedy) {
		t.Errorf("refused with\n%v\n%+v\nwanted %q and %q", p, p, cause, remedy)
	}
	if states, err := site.States(t.Context(), s); err != nil || len(states) > 0 {
		t.Errorf("started all the same: %+v %v", states, err)
	}
}

func (x *trial) seenInStep3(t *testing.T, s *site.Site, cause, remedy string) {
	t.Helper()
	st, err := Inspect(t.Context(), s, 3)
	if said := strings.Join(st.Hints, "\n"); err != nil || !strings.Contains(said, cause) || !strings.Contains(said, remedy) {
		t.Errorf("step 3 says\n%s\n%v", said, err)
	}
}

// only serves an address of the grid at which nothing but paths below prefix is answered.
func (x *trial) only(t *testing.T, prefix string) string {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(filepath.Join(x.o.Dir, "server.crt"), filepath.Join(x.o.Dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	to := &url.URL{Scheme: "https", Host: x.g.Ready.Control}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // it is the test's own grid
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, prefix) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			w.Write([]byte(`{"detail":"Not Found"}`))
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}
