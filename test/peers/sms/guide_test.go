//go:build peers

package sms

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"shaoying/test/world"
)

// Kannel starts with the lines that the guide for counties gives, and binds.
func TestKannelStartsWithTheGuide(t *testing.T) {
	needKannel(t)
	root, err := world.Root()
	world.Must(t, err)
	guide, err := os.ReadFile(filepath.Join(root, "docs/zh/sms.md"))
	world.Must(t, err)
	_, conf, found := strings.Cut(string(guide), "`/etc/kannel/kannel.conf`")
	_, conf, fenced := strings.Cut(conf, "```\n")
	conf, _, closed := strings.Cut(conf, "```")
	if !found || !fenced || !closed {
		t.Fatal("the guide shows no kannel.conf")
	}
	c, dir := newCentre(t), t.TempDir()
	admin, box, send := world.FreePort(t), world.FreePort(t), world.FreePort(t)
	for _, change := range []struct{ line, to string }{
		{"admin-port = 13000", "admin-port = " + admin},
		{"smsbox-port = 13001", "smsbox-port = " + box},
		{"bearerbox-port = 13001", "bearerbox-port = " + box},
		{"sendsms-port = 13013", "sendsms-port = " + send},
		{`"/var/spool/kannel"`, strconv.Quote(dir)},
		{"host = 运营商给的地址", "host = 127.0.0.1"},
		{"port = 2775", "port = " + strconv.Itoa(c.port)},
		{"smsc-username = 账号", "smsc-username = " + account.SystemID},
		{"smsc-password = 密码", `smsc-password = "` + account.Password + `"`},
	} {
		if !strings.Contains(conf, "\n"+change.line+"\n") && !strings.Contains(conf, " = "+change.line+"\n") {
			t.Fatalf("the guide has no line %q", change.line)
		}
		conf = strings.Replace(conf, change.line, change.to, 1)
	}
	file := filepath.Join(dir, "kannel.conf")
	world.Must(t, os.WriteFile(file, []byte(conf), 0o600))
	g := &gateway{dir: dir, running: true}
	t.Cleanup(func() { g.stop(t) })
	g.box(t, bearerbox, file)
	until(t, "bearerbox", func() bool { return listens("127.0.0.1:" + box) })
	g.box(t, smsbox, file)
	until(t, "smsbox", func() bool { return listens("127.0.0.1:" + send) })
	until(t, "Kannel's bind", func() bool { return c.binds() > 0 })
}
