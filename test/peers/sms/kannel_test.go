//go:build peers

package sms

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"

	"shaoying/test/world"
)

// gateway is a running Kannel: bearerbox with a connection of type fake and,
// where a centre is given, one by SMPP; and smsbox.
type gateway struct {
	send    string // sendsms
	status  string
	fakes   string // where fakesmsc connects
	dir     string
	boxes   []*exec.Cmd
	running bool
}

const (
	bearerbox = "/usr/sbin/bearerbox"
	smsbox    = "/usr/sbin/smsbox"
	fakesmsc  = "/usr/lib/kannel/test/fakesmsc"
	user      = "gov"
	userPass  = "gov-pass-0123456789"
)

// needKannel leaves a test out by name where Kannel is not, in CI it fails.
func needKannel(t *testing.T) {
	t.Helper()
	for _, program := range []string{bearerbox, smsbox, fakesmsc} {
		if _, err := os.Stat(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip("left out: Kannel is not installed: scripts/need kannel")
		}
	}
}

// The lines are those of docs/zh/sms.md and of Kannel's user guide.
var kannelConf = template.Must(template.New("").Parse(`group = core
admin-port = {{.Admin}}
admin-interface = "127.0.0.1"
admin-password = adm
status-password = st
admin-deny-ip = "*.*.*.*"
admin-allow-ip = "127.0.0.1"
smsbox-port = {{.Box}}
smsbox-interface = "127.0.0.1"
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
log-file = "{{.Dir}}/bearerbox.log"
log-level = 1
store-type = spool
store-location = "{{.Dir}}/spool"
dlr-storage = internal
sms-incoming-queue-limit = 10000

group = smsc
smsc = fake
smsc-id = FAKE
port = {{.Fake}}
connect-allow-ip = 127.0.0.1
preferred-prefix = "8613900"
{{if .Centre}}
group = smsc
smsc = smpp
smsc-id = SMPP
host = 127.0.0.1
port = {{.Centre}}
smsc-username = {{.SystemID}}
smsc-password = "{{.Password}}"
system-type = ""
transceiver-mode = true
interface-version = 34
source-addr-autodetect = true
dest-addr-ton = 1
dest-addr-npi = 1
enquire-link-interval = 5
reconnect-delay = 1
max-pending-submits = 10
preferred-prefix = "8613800;+8613800"
alt-charset = "UTF-8"
{{end}}
group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {{.Box}}
sendsms-port = {{.Send}}
sendsms-interface = "127.0.0.1"
log-file = "{{.Dir}}/smsbox.log"
log-level = 1
mo-recode = true
max-pending-requests = 1
http-request-retry = 40
http-queue-delay = 1
reply-couldnotfetch = ""
reply-couldnotrepresent = ""
reply-requestfailed = ""
reply-emptymessage = ""

group = sendsms-user
username = {{.User}}
password = {{.UserPass}}
user-deny-ip = "*.*.*.*"
user-allow-ip = "127.0.0.1"
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = true
post-url = "{{.Callback}}/mo/{{.Token}}?from=%p&to=%P&coding=%c&charset=%C&id=%I&ts=%T"
max-messages = 0
concatenation = true
assume-plain-text = true
omit-empty = true
`))

// callbackToken ends the path of Kannel's pushes.
const callbackToken = "kannel-callback-token_0123456789"

// startKannel starts one that pushes to callback, and to which node-smpp's
// centre c, where it is not nil, is the network.
func startKannel(t *testing.T, callback string, c *centre) *gateway {
	t.Helper()
	needKannel(t)
	dir := t.TempDir()
	world.Must(t, os.Mkdir(filepath.Join(dir, "spool"), 0o755))
	admin, box, send, fake := world.FreePort(t), world.FreePort(t), world.FreePort(t), world.FreePort(t)
	values := map[string]any{
		"Admin": admin, "Box": box, "Send": send, "Fake": fake, "Dir": dir, "Callback": callback, "Token": callbackToken,
		"User": user, "UserPass": userPass, "SystemID": account.SystemID, "Password": account.Password,
	}
	if c != nil {
		values["Centre"] = c.port
	}
	file, err := os.Create(filepath.Join(dir, "kannel.conf"))
	world.Must(t, err)
	world.Must(t, kannelConf.Execute(file, values))
	world.Must(t, file.Close())
	g := &gateway{
		send: "http://127.0.0.1:" + send + "/cgi-bin/sendsms", status: "http://127.0.0.1:" + admin + "/status.txt?password=st",
		fakes: "127.0.0.1:" + fake, dir: dir, running: true,
	}
	t.Cleanup(func() { g.stop(t) })
	g.box(t, bearerbox, file.Name())
	until(t, "bearerbox", func() bool { return strings.Contains(page(g.status), "running") })
	g.box(t, smsbox, file.Name())
	until(t, "smsbox", func() bool { return strings.Contains(page(g.status), "smsbox") && listens("127.0.0.1:"+send) })
	if c != nil {
		until(t, "Kannel's bind", func() bool { return strings.Contains(page(g.status), "SMPP[SMPP]") || c.binds() > 0 })
	}
	return g
}

func (g *gateway) box(t *testing.T, program, conf string) {
	t.Helper()
	cmd := exec.Command(program, "-v", "4", conf)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	world.Must(t, cmd.Start())
	g.boxes = append(g.boxes, cmd)
}

// stop ends the boxes, the last first. A box that does not go in time is killed:
// Kannel waits for whoever does not answer it.
func (g *gateway) stop(t *testing.T) {
	if !g.running {
		return
	}
	g.running = false
	for i := len(g.boxes) - 1; i >= 0; i-- {
		cmd := g.boxes[i]
		world.Must(t, cmd.Process.Signal(syscall.SIGTERM))
		gone := make(chan error, 1)
		go func() { gone <- cmd.Wait() }()
		select {
		case <-gone: // its exit code says nothing
		case <-time.After(40 * time.Second):
			world.Must(t, cmd.Process.Kill())
			<-gone
		}
	}
	if t.Failed() && os.Getenv("SHAOYING_TEST_LOGS") != "" {
		for _, name := range []string{"bearerbox.log", "smsbox.log"} {
			body, _ := os.ReadFile(filepath.Join(g.dir, name)) // there may be none
			t.Logf("%s:\n%s", name, body)
		}
	}
}

// fakeSMSC is our end of Kannel's connection of type fake, for texts that the
// program fakesmsc cannot say in an order.
type fakeSMSC struct {
	net.Conn
	lines chan string
}

func (g *gateway) fake(t *testing.T) *fakeSMSC {
	t.Helper()
	conn, err := net.Dial("tcp", g.fakes)
	world.Must(t, err)
	f := &fakeSMSC{Conn: conn, lines: make(chan string, 1000)}
	go func() {
		in := bufio.NewScanner(conn)
		for in.Scan() {
			f.lines <- in.Text()
		}
		close(f.lines)
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		for range f.lines {
		}
	})
	return f
}

// says writes one message in the form of fakesmsc: from, to, kind, words.
func (f *fakeSMSC) says(t *testing.T, from, to, text string) {
	t.Helper()
	_, err := fmt.Fprintf(f, "%s %s ucs2 %s\n", from, to, url.PathEscape(string(utf16BE(text))))
	world.Must(t, err)
}

func page(url string) string {
	resp, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return ""
	}
	return string(body)
}

func listens(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
