// Package weblink judges links that came from a grid, before anything opens them.
package weblink

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"flwrup/internal/termsafe"
)

// Bad says why a link must not be opened, whatever its source. It returns "" for links that a browser may
// have: https, mailto, or http on this machine's loopback, without user info and without tricks in the
// spelling.
func Bad(link string) string {
	u, why := parse(link)
	switch {
	case why != "":
		return why
	case u.Scheme == "mailto" || u.Scheme == "https":
		return ""
	case u.Scheme == "http" && loopback(u.Hostname()):
		return ""
	}
	return "it is not an https link"
}

func parse(link string) (*url.URL, string) {
	if _, bad := termsafe.Unsafe(link); bad || strings.ContainsAny(link, " \t\r\n\\\"'<>`") || len(link) > 4096 {
		return nil, "it is not written as links are"
	}
	u, err := url.Parse(link)
	switch {
	case err != nil:
		return nil, "it is not written as links are"
	case u.User != nil:
		return nil, "it carries a user name, as forged links do"
	case u.Scheme == "mailto":
		return u, ""
	case u.Opaque != "" || u.Hostname() == "":
		return nil, "it names no host"
	}
	for _, r := range u.Host {
		if r > 0x7e || r == '@' || r == '%' {
			return nil, "its host is written in unusual characters"
		}
	}
	return u, ""
}

// Foreign says why a link from the grid is not opened, although the user may do so; "" when it leads to the
// grid itself. grid is the grid's own address, host or host:port; other hosts of the same registered domain
// belong to it. portal, if not "", is the address of a rehearsal's page, which is plain http on loopback:
// there the port counts as well.
func Foreign(link, grid, portal string) string {
	if why := Bad(link); why != "" {
		return why
	}
	u, _ := parse(link)
	if u.Scheme == "mailto" {
		return "it is no page"
	}
	if u.Scheme == "http" {
		if p, err := url.Parse(portal); err == nil && portal != "" && p.Scheme == "http" && p.Host == u.Host {
			return ""
		}
		return "it is not an https link"
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	own := strings.ToLower(strings.TrimSuffix(bare(grid), "."))
	if host == own || domain(host) != "" && domain(host) == domain(own) {
		return ""
	}
	return "it leads to " + host + ", not to the grid's own host " + own
}

// bare returns an address without its port.
func bare(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return strings.Trim(address, "[]")
}

// domain returns the registered domain of a host; "" for addresses and hosts without one, where only the
// whole name counts.
func domain(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	d, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return ""
	}
	return d
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
