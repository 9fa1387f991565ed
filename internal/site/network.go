package site

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/probe"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/safego"
)

// Network is what answers at the grid's two addresses.
type Network struct{ Control, Fleet probe.Result }

// NetworkAge is how old the answer of the last look may be; asking again costs seconds where a firewall
// drops what is sent.
const NetworkAge = 2 * time.Minute

// LookAtNetwork looks at both addresses at the same time. In a rehearsal whose grid was not started yet both are
// empty, as they are while that grid is suspended.
func LookAtNetwork(ctx context.Context, s *Site, maxAge time.Duration) (Network, error) {
	if GridSuspended(s) != nil {
		return Network{}, nil // nothing answers
	}
	n, _, err := s.world.network.Get(maxAge, func() (Network, error) {
		f, err := s.Session(ctx)
		if err != nil {
			return Network{}, err
		}
		if s.Rehearsal() && s.Choices().Grid.Control == "" {
			return Network{}, nil
		}
		d := f.Dialect()
		o := probeOptions(s)
		ofNodes := o
		if s.RuntimeKind() == project.RuntimeDocker {
			ofNodes.Proxy = nil // a container knows nothing of this shell's proxy
		}
		var n Network
		var wg sync.WaitGroup
		wg.Add(1)
		safego.Go("look at the fleet's address", func(error) { wg.Done() }, func() {
			n.Fleet = probe.Address(ctx, FleetOf(s.Choices().Grid, d), ofNodes)
			wg.Done()
		})
		if !s.Folder().Coordinated() { // a site gives no commands
			n.Control = probe.Address(ctx, s.Folder().ControlAddress(d), o)
		}
		wg.Wait()
		return n, ctx.Err()
	})
	return n, err
}

// probeOptions say how to ask at the grid's addresses.
func probeOptions(s *Site) probe.Options {
	return probe.Options{CA: s.Path(s.Choices().Grid.CA), Roots: extraRoots(), Proxy: http.ProxyFromEnvironment}
}

// extraRoots are the files by which a person tells flwr of more authorities: Python's HTTP takes the
// first, gRPC the second.
func extraRoots() []string {
	var files []string
	for _, name := range []string{"SSL_CERT_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"} {
		if f := os.Getenv(name); f != "" {
			files = append(files, f)
		}
	}
	return files
}

// Judge compares the services at the two addresses with those that the flwr at hand speaks to. Each problem is nil
// when its address is the right one.
func (n Network) Judge(d flwr.Dialect) (control, fleet *problem.Problem) {
	c, f := n.Control, n.Fleet
	control, fleet = c.Problem, f.Problem
	if c.SuperLink() && f.SuperLink() && c.Control == probe.None && f.Fleet == probe.None {
		swapped := problem.New(probe.WrongService, "the grid's two addresses are swapped",
			c.Address+" is the one for SuperNodes (fleet), "+f.Address+" the one for flwr's commands (control)",
			"swap them: --control "+f.Address+" --fleet "+c.Address)
		return swapped, swapped
	}
	if control == nil && c.Address != "" {
		switch {
		case c.Control == probe.None:
			control = problem.New(probe.WrongService, c.Address+" is not the grid's address for flwr's commands", "it is the one for SuperNodes (fleet)",
				"give the address for flwr's commands with --control")
		case c.Control != probe.Over(d.ControlHTTP):
			control = otherRelease(d, n, c.Address+" speaks "+string(c.Control)+" to flwr's commands, flwr "+d.Version.String()+" speaks "+string(probe.Over(d.ControlHTTP)))
		}
	}
	if fleet == nil && f.Address != "" {
		switch {
		case f.Fleet == probe.None:
			fleet = problem.New(probe.WrongService, f.Address+" is not the grid's address for SuperNodes", "it is the one for flwr's commands (control)",
				"give the address for SuperNodes with --fleet")
		case f.Fleet != probe.Over(d.FleetHTTP):
			fleet = otherRelease(d, n, f.Address+" speaks "+string(f.Fleet)+" to SuperNodes, those of flwr "+d.Version.String()+" speak "+string(probe.Over(d.FleetHTTP)))
		}
	}
	return control, fleet
}

// otherRelease says which flwr the grid is of, where both sides tell.
func otherRelease(d flwr.Dialect, n Network, why string) *problem.Problem {
	p := problem.New(problem.NotSupported, "flwr "+d.Version.String()+" and the grid do not understand each other", why,
		"use a flwr of the grid's release: flwrup up --flwr VERSION")
	control, fleet := n.Control.Control, n.Fleet.Fleet
	if fleet == probe.None { // not where it was looked for; a SuperLink from 1.40 on has both at one address
		fleet = n.Control.Fleet
	}
	if control == probe.None || fleet == probe.None {
		return p
	}
	if r := flwr.Releases(control == probe.HTTP, fleet == probe.HTTP); r != "" {
		p.Fix = "the grid runs flwr " + r + ": use such a one, flwrup up --flwr VERSION (and with containers the image of that version)"
	}
	return p
}

// A SuperNode signs with its time. The grid refuses one whose clock is further ahead or behind than this
// (SYSTEM_TIME_TOLERANCE, TIMESTAMP_TOLERANCE in flwr; the same in 1.24.0 and 1.42.0).
const (
	clockAhead  = 5 * time.Second
	clockBehind = 305 * time.Second
)

// Clock says how this machine's clock stands against the grid's; "" where the grid does not tell.
func (n Network) Clock() (text string, bad *problem.Problem) {
	r := n.Fleet
	if !r.Dated {
		r = n.Control
	}
	if !r.Dated || !r.SuperLink() {
		return "", nil
	}
	off := r.Clock
	switch {
	case off > clockAhead+2*time.Second: // the server's answer has whole seconds, and took a moment
		text = fmt.Sprintf("the clock is %v ahead of the grid's", off)
	case off < -clockBehind:
		text = fmt.Sprintf("the clock is %v behind the grid's", -off)
	case off.Abs() <= 2*time.Second:
		return "the clock agrees with the grid's", nil
	default:
		return fmt.Sprintf("the clock differs from the grid's by %v, which the grid takes", off.Abs()), nil
	}
	return text, problem.New(problem.BadInput, text, "the grid refuses a SuperNode that is more than 5 s ahead of it or 305 s behind",
		"let this machine set its clock by the network: sudo timedatectl set-ntp true (Linux), sudo sntp -sS time.apple.com (macOS)")
}

// Side describes one address in a line.
func Side(name string, r probe.Result, bad *problem.Problem) string {
	text := name + " " + r.Address + ": "
	if bad != nil {
		return text + bad.Error()
	}
	var is []string
	if r.Control != probe.None {
		is = append(is, "flwr's commands over "+string(r.Control))
	}
	if r.Fleet != probe.None {
		is = append(is, "SuperNodes over "+string(r.Fleet))
	}
	text += strings.Join(is, ", ")
	if r.Proxy != "" {
		text += " (through the proxy " + r.Proxy + ")"
	}
	return text
}

// FleetFits says why no SuperNode of this site could come online at the fleet's address, before one is
// started: nil when it could, and when only the way there from here is closed, for a container's may not be.
func FleetFits(ctx context.Context, s *Site) error {
	n, err := LookAtNetwork(ctx, s, NetworkAge)
	if err != nil {
		return err
	}
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	if _, fleet := n.Judge(f.Dialect()); fleet != nil && fleet.Code != problem.Unreachable {
		s.Forget(ReadNetwork)
		return fleet
	}
	if p := InsideOut(s.Folder(), s.RuntimeKind(), f.Dialect()); p != nil {
		return p
	}
	return nil
}

// InsideOut says that the fleet's address means the container itself to a SuperNode in a container; nil when
// it does not.
func InsideOut(f Folder, kind string, d flwr.Dialect) *problem.Problem {
	host, _, err := net.SplitHostPort(FleetOf(f.Choices.Grid, d))
	if err != nil || kind != project.RuntimeDocker || f.Choices.HostNetwork || f.Rehearsal() {
		return nil
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil
	}
	return problem.New(problem.Unreachable, host+" means the container itself to a SuperNode in a container", "the grid is on this machine, and a container has a network of its own",
		"let them share this machine's: flwrup up --host-network; or give the address by which other machines reach the grid with --fleet")
}

// WithNetwork adds to an error of the grid's side what is wrong with the way there, where that can be seen.
func WithNetwork(ctx context.Context, s *Site, err error) error {
	if !problem.Is(err, problem.Unreachable, problem.Untrusted, probe.WrongService, problem.NotAllowed) || ctx.Err() != nil || flwrexec.Silent(err) {
		return err
	}
	f, ferr := s.Session(ctx)
	n, nerr := LookAtNetwork(ctx, s, NetworkAge/8)
	if ferr != nil || nerr != nil {
		return err
	}
	control, _ := n.Judge(f.Dialect())
	if control == nil {
		return err
	}
	p := *problem.Of(err)
	p.Why, p.Fix, p.Err = control.Error(), control.Fix, err
	return &p
}
