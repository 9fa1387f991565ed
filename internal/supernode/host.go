package supernode

import "net/url"

// HostName returns the short name of a Docker host: the machine in its address, or the name of its context as it is.
func HostName(host string) string {
	if u, err := url.Parse(host); err == nil && u.Host != "" {
		return u.Host
	}
	return host
}
