package robots

import (
	"log/slog"
	"testing"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/robots/robotsfake"
	"shaoying/configs"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

const (
	testKey    = "693a91f6-7001-4bc4-97a0-0ec2sifa5aaa"
	testSecret = "SECfake0123456789abcdef"
)

// settings are what serve would use, for a robot of brand at api.
func settings(t testing.TB, brand Brand, api string) Config {
	t.Helper()
	body, err := configs.Read("policies/robots.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var p Policies
	if err := configs.Decode("policies/robots.yaml", body, &p); err != nil {
		t.Fatal(err)
	}
	cfg := Config{ID: "robot", Brand: brand, APIURL: api, Key: privacy.NewSecret(testKey), Limits: p.Limits[brand]}
	if brand != WeCom {
		cfg.Secret = privacy.NewSecret(testSecret)
	}
	return cfg
}

func open(t testing.TB, cfg Config, log *slog.Logger) *Channel {
	t.Helper()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c, err := New(cfg, Deps{Clock: clock.New(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func fake(t testing.TB, brand Brand) *robotsfake.Network {
	t.Helper()
	r := robotsfake.Robot{Brand: string(brand), Key: testKey}
	if brand != WeCom {
		r.Secret = testSecret
	}
	return robotsfake.New(r)
}

// rig is a robot in a group that everybody looks at.
type rig struct {
	t       testing.TB
	net     *robotsfake.Network
	cfg     Config
	adapter *Channel
	log     botstest.Log
}

func newRig(t *testing.T, brand Brand) *rig {
	r := &rig{t: t, net: fake(t, brand)}
	r.cfg = settings(t, brand, r.net.URL())
	r.Restart()
	return r
}

func (r *rig) Adapter() bots.Adapter { return r.adapter }
func (r *rig) Restart() {
	r.adapter = open(r.t, r.cfg, slog.New(slog.NewTextHandler(&r.log, nil)))
}
func (r *rig) Close()                                            { r.net.Close() }
func (r *rig) Listen(string)                                     {}
func (r *rig) Address(int) bots.Address                          { return bots.Address{Channel: "robot", Chat: Chat} }
func (r *rig) UserSays(int, string) bool                         { return false }
func (r *rig) UserTaps(int, int) bool                            { return false }
func (r *rig) UserSendsPlace(int, float64, float64, string) bool { return false }
func (r *rig) UserSendsPhoto(int, []byte, string) bool           { return false }
func (r *rig) UserSendsVoice(int, []byte) bool                   { return false }
func (r *rig) UserAnswers(int, string) bool                      { return false }
func (r *rig) Reports(int, bots.ReportState) bool                { return false }
func (r *rig) GroupSays(int, string) bool                        { return false }
func (r *rig) Echo() bool                                        { return false }
func (r *rig) Redeliver()                                        {}
func (r *rig) Waiting() int                                      { return 0 }
func (r *rig) Down(down bool)                                    { r.net.Down(down) }
func (r *rig) Requests() int                                     { return r.net.Requests() }
func (r *rig) Forgeries() []botstest.Forgery                     { return nil }
func (r *rig) Secrets() []string                                 { return []string{testKey, testSecret} }
func (r *rig) Log() string                                       { return r.log.String() }

func (r *rig) Sent() []botstest.Sent {
	var all []botstest.Sent
	for _, p := range r.net.Posts() {
		all = append(all, botstest.Sent{Text: p.Text, Photo: p.Photo})
	}
	return all
}

func (r *rig) Fail(c bots.Class) bool {
	f := map[bots.Class]robotsfake.Fault{
		bots.ClassThrottled: robotsfake.TooMany, bots.ClassLoggedOut: robotsfake.Removed, bots.ClassUnknown: robotsfake.Lost,
	}[c]
	if c == bots.ClassTemporary && r.cfg.Brand != Feishu {
		f = robotsfake.Busy
	}
	if f == "" {
		return false
	}
	r.net.FailNext(f)
	return true
}
