package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
)

// WrongService says that something other than a SuperLink answers.
const WrongService problem.Code = "wrong-service"

// whoAsks is the user's remedy for a network in between.
const whoAsks = "try another network, or ask the people who run this one to open the port"

// offline is the remedy where no name is found.
const offline = "are you offline, or behind a proxy (HTTPS_PROXY)? `flwrup rehearse` goes the whole way without a network"

// unreachable says why a connection failed.
func (r *Result) unreachable(err error) *problem.Problem {
	host, port, _ := net.SplitHostPort(r.Address)
	p := &problem.Problem{Code: problem.Unreachable, What: "nothing answers at " + r.Address, Err: err}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		p.What, p.Why = "cannot resolve "+host, "DNS on this network does not know the name"
		p.Fix = "check the spelling; " + offline
	case errors.As(err, &dns):
		p.What, p.Why = "cannot resolve "+host, "DNS does not answer"
		p.Fix = offline
	case errors.Is(err, syscall.ECONNREFUSED):
		p.Why = "nothing listens on port " + port + " there, or a firewall refuses"
		p.Fix = "check host and port"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		p.Why, p.Fix = "this network has no route to it", whoAsks
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		p.Why, p.Fix = "timed out: a firewall may drop packets to port "+port, whoAsks
	default:
		p.Why = plain(err)
		p.Fix = "check host and port"
	}
	return p
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// plain shortens an error of package net to its last part.
func plain(err error) string {
	var op *net.OpError
	for errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	return err.Error()
}

// noTLS says why TLS failed.
func (r *Result) noTLS(err error) *problem.Problem {
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &record):
		r.Server = "a server without TLS"
		return &problem.Problem{Code: WrongService, What: "what answers at " + r.Address + " does not speak TLS",
			Why: "the address is another service's, or a SuperLink runs there with --insecure", Fix: "check host and port", Err: err}
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return &problem.Problem{Code: problem.Unreachable, What: r.Address + " accepts the connection, then says nothing",
			Why: "a firewall or a proxy in between, or another service", Fix: whoAsks, Err: err}
	}
	return &problem.Problem{Code: problem.Unreachable, What: "cannot make a secure connection to " + r.Address,
		Why: plain(err) + ": a firewall or a proxy in between, or another service", Fix: whoAsks, Err: err}
}

// cut says that the connection ended before the answer.
func (r *Result) cut(err error) *problem.Problem {
	if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		return &problem.Problem{Code: problem.Unreachable, What: r.Address + " does not answer in time",
			Why: "the connection was made and nothing came back", Fix: "try again in a minute", Err: err}
	}
	return &problem.Problem{Code: WrongService, What: r.Address + " closes the connection", Why: "it speaks TLS, but neither gRPC nor HTTP as flwr does",
		Fix: "check host and port", Err: err}
}

// otherServer says that the answer does not come from a SuperLink.
func (r *Result) otherServer() *problem.Problem {
	if strings.HasPrefix(r.Server, "a proxy") {
		return problem.New(problem.NotAllowed, "no SuperLink answers at "+r.Address, "something in between refuses: "+r.Server,
			"check the proxy settings (HTTPS_PROXY, NO_PROXY); "+whoAsks)
	}
	return problem.New(WrongService, "no SuperLink answers at "+r.Address, "it is "+r.Server, "check host and port")
}

// untrusted says why a certificate is not good.
func untrusted(addr string, leaf *x509.Certificate, err error) *problem.Problem {
	p := &problem.Problem{Code: problem.Untrusted, What: "the certificate of " + addr + " is not trusted", Err: err}
	var (
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
	)
	const day = "2 January 2006"
	switch {
	case errors.As(err, &name):
		p.Why = "it is for " + names(leaf)
		p.Fix = "use one of these names as the address"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(leaf.NotBefore):
		p.Why = "it is valid from " + leaf.NotBefore.Format(day) + ", and this machine's clock says " + time.Now().Format(day)
		p.Fix = "set the clock of this machine"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		p.Why = "it expired on " + leaf.NotAfter.Format(day) + " (this machine's clock says " + time.Now().Format(day) + ")"
		p.Fix = "check this machine's clock; otherwise whoever runs the grid has to renew it"
	case errors.As(err, &unknown):
		p.Why = "it was signed by " + signer(leaf) + ", which this machine does not trust"
		p.Fix = "give the grid's CA certificate with --ca FILE; on the public SuperGrid, a proxy in between may be intercepting the connection"
	default:
		p.Why, p.Fix = err.Error(), "give the grid's CA certificate with --ca FILE"
	}
	return p
}

// names returns the first few names in a certificate.
func names(c *x509.Certificate) string {
	all := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return "no name at all"
	}
	if len(all) > 5 {
		return strings.Join(all[:5], ", ") + " and others"
	}
	return strings.Join(all, ", ")
}

func signer(c *x509.Certificate) string {
	if n := c.Issuer.CommonName; n != "" {
		return fmt.Sprintf("%q", n)
	}
	if len(c.Issuer.Organization) > 0 {
		return fmt.Sprintf("%q", c.Issuer.Organization[0])
	}
	return "an unnamed authority"
}

// addFile adds the certificates of a PEM file.
func addFile(pool *x509.CertPool, file string) error {
	data, err := plainfile.Read(file)
	if err != nil {
		why := err.Error()
		var pe *os.PathError
		if errors.As(err, &pe) {
			why = pe.Err.Error()
		}
		return &problem.Problem{Code: problem.BadInput, What: "cannot read the CA certificate " + file, Why: why, Fix: "give the file of the grid's CA certificate with --ca", Err: err}
	}
	if pool.AppendCertsFromPEM(data) {
		return nil
	}
	why := "it holds no certificate in PEM format"
	if block, _ := pem.Decode(data); block != nil {
		why = "it holds a " + strings.ToLower(block.Type) + ", not a certificate"
	}
	return problem.New(problem.BadInput, file+" is no CA certificate", why, "give the file of the grid's CA certificate with --ca")
}
