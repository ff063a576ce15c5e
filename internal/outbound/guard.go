package outbound

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// metadata are addresses at which clouds hand credentials to whoever asks.
var metadata = []netip.Addr{
	netip.MustParseAddr("169.254.169.254"), // most clouds
	netip.MustParseAddr("100.100.100.200"), // Alibaba Cloud
	netip.MustParseAddr("fd00:ec2::254"),   // AWS over IPv6
}

// inside are the ranges that are not the public network: IANA's IPv4 and IPv6
// special-purpose address registries (RFC 6890 and its updates), with every
// range that carries an IPv4 address inside an IPv6 one.
var inside = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
	"192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
	"::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
	"2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// guard is the dialer's last word: address is what will be connected to, after
// every resolution.
func (c Config) guard(network, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s %s: %w", network, address, ErrForbidden)
	}
	if !c.admits(target.Addr()) {
		return fmt.Errorf("%s: %w", target.Addr(), ErrForbidden)
	}
	return nil
}

// admits reports whether an address may be connected to.
func (c Config) admits(addr netip.Addr) bool {
	addr = addr.WithZone("").Unmap()
	holds := func(p netip.Prefix) bool { return p.Contains(addr) }
	switch {
	case slices.Contains(metadata, addr):
		return false
	case addr.IsLoopback():
		return c.AllowLoopback
	case slices.ContainsFunc(c.Allow, holds):
		return true
	}
	return !slices.ContainsFunc(inside, holds)
}
