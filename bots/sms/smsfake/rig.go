package smsfake

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/sms"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

// Rig is the remote control of a carrier for the conformance suite. A test of a
// carrier fills in what is exported.
type Rig struct {
	T   testing.TB
	Net *Network
	// Open makes an adapter for the network.
	Open    func(log *slog.Logger) bots.Adapter
	Channel bots.ChannelID
	Book    sms.Book
	// Number is the adapter's own number, Signature what it puts before texts.
	Number, Signature string
	// Faults name the protocol's faults of each class.
	Faults map[bots.Class]string
	Forged []botstest.Forgery
	Hidden []string

	adapter bots.Adapter
	log     botstest.Log
}

// Ready opens the first adapter.
func (r *Rig) Ready() *Rig {
	r.Restart()
	return r
}

// Phone is the number of a user.
func Phone(user int) string { return fmt.Sprintf("+861380013%04d", 8000+user) }

// Adapter and what follows are botstest.Rig.
func (r *Rig) Adapter() bots.Adapter { return r.adapter }

// Restart throws the adapter away and opens a new one.
func (r *Rig) Restart() {
	if c, ok := r.adapter.(interface{ Close() }); ok {
		c.Close()
	}
	r.adapter = r.Open(slog.New(slog.NewTextHandler(&r.log, nil)))
}

// Close ends adapter and network, and tells of honest pushes that were refused.
func (r *Rig) Close() {
	if c, ok := r.adapter.(interface{ Close() }); ok {
		c.Close()
	}
	r.Net.Close()
	for _, refusal := range r.Net.Refusals() {
		r.T.Errorf("an honest push was refused: %s", refusal)
	}
}

// Listen says where the webhook is.
func (r *Rig) Listen(url string) { r.Net.Listen(url) }

// Address is the chat of a user's number.
func (r *Rig) Address(user int) bots.Address {
	return bots.Address{Channel: r.Channel, Chat: r.Book.Chat(Phone(user))}
}

// UserSays writes to our number.
func (r *Rig) UserSays(user int, text string) bool {
	r.Net.Say(Phone(user), r.Number, text)
	return true
}

// UserAnswers writes to the number of the last text.
func (r *Rig) UserAnswers(user int, text string) bool {
	to := r.Number
	for _, t := range r.Net.Sent() {
		if t.To == Phone(user) {
			to = t.From
		}
	}
	r.Net.Say(Phone(user), to, text)
	return true
}

// Reports reports on text n.
func (r *Rig) Reports(n int, state bots.ReportState) bool {
	return r.Net.Report(r.Net.Sent()[n], state)
}

// Sent is what users saw, without the signature.
func (r *Rig) Sent() (out []botstest.Sent) {
	users := map[string]int{}
	for user := range 100 {
		users[Phone(user)] = user
	}
	for _, t := range r.Net.Sent() {
		out = append(out, botstest.Sent{User: users[t.To], Text: strings.TrimPrefix(t.Body, sms.Signed(r.Signature, "")), Parts: t.Parts})
	}
	return out
}

// Fail makes the next send fail.
func (r *Rig) Fail(class bots.Class) bool {
	fault, ok := r.Faults[class]
	if ok {
		r.Net.FailNext(fault)
	}
	return ok
}

// Down, Redeliver, Waiting and Requests are those of the network.
func (r *Rig) Down(down bool) { r.Net.Down(down) }

// Redeliver pushes once more what was taken last.
func (r *Rig) Redeliver() { r.Net.Redeliver() }

// Waiting is how many pushes were not taken.
func (r *Rig) Waiting() int { return r.Net.Waiting() }

// Requests is how many requests reached for the carrier.
func (r *Rig) Requests() int { return r.Net.Requests() }

// Forgeries are requests that somebody else might make.
func (r *Rig) Forgeries() []botstest.Forgery { return r.Forged }

// Secrets are what must show nowhere: the numbers of users too.
func (r *Rig) Secrets() []string {
	out := append([]string(nil), r.Hidden...)
	for user := range 20 {
		out = append(out, strings.TrimPrefix(Phone(user), "+86"))
	}
	return out
}

// Log is what the adapter wrote.
func (r *Rig) Log() string { return r.log.String() }

// The acts that short messages do not have.

// UserTaps: there are no buttons.
func (r *Rig) UserTaps(int, int) bool { return false }

// UserSendsPlace: there are no places.
func (r *Rig) UserSendsPlace(int, float64, float64, string) bool { return false }

// UserSendsPhoto: there are no photos.
func (r *Rig) UserSendsPhoto(int, []byte, string) bool { return false }

// UserSendsVoice: there are no recordings.
func (r *Rig) UserSendsVoice(int, []byte) bool { return false }

// GroupSays: there are no groups.
func (r *Rig) GroupSays(int, string) bool { return false }

// Echo: nobody hears himself.
func (r *Rig) Echo() bool { return false }

// Limits reads the limits of a kind from configs/policies/sms.yaml.
func Limits(t testing.TB, path, kind string) sms.Limits {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var p sms.Policies
	if err := yaml.Unmarshal(body, &p); err != nil {
		t.Fatal(err)
	}
	return p.Limits[kind]
}

// Deps is what an adapter in a test stands on; without a log it writes none.
func Deps(t testing.TB, log *slog.Logger) sms.Deps {
	t.Helper()
	keys, err := privacy.NewKeys([]byte(strings.Repeat("k", privacy.MasterSize)))
	if err != nil {
		t.Fatal(err)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return sms.Deps{Clock: clock.New(), Log: log, Keys: keys}
}
