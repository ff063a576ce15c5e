package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// loadBody overlays body on the embedded defaults, as Load does with a file.
func loadBody(body string) (Process, error) {
	p, err := Load("")
	if err != nil {
		return p, err
	}
	return p, p.overlay("my.yaml", []byte(body))
}

func TestLoadDefaults(t *testing.T) {
	p, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	if p.Timezone != "Asia/Shanghai" || len(p.Channels) != 1 || p.Channels[0].ID != "web" || p.Channels[0].Kind != "webchat" {
		t.Fatalf("defaults are %+v", p)
	}
	loc, err := p.Location()
	if err != nil || loc.String() != "Asia/Shanghai" {
		t.Fatalf("location %v, %v", loc, err)
	}
	var none struct {
		Texts string `yaml:"texts"`
	}
	if err := p.Channels[0].Decode(&none); err != nil {
		t.Fatalf("a channel without keys of its own: %v", err)
	}
}

func TestLoadFileOverDefaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "my.yaml")
	err := os.WriteFile(path, []byte(`privacy: {cross_border_assessment: 国安评2026-7}
channels:
  - id: web
    kind: webchat
  - id: tg-main
    kind: telegram
    mode: poll
    token_env: TG_TOKEN
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if p.Timezone != "Asia/Shanghai" || p.Privacy.CrossBorderAssessment != "国安评2026-7" || len(p.Channels) != 2 {
		t.Fatalf("loaded %+v", p)
	}
	var tg struct {
		Mode     string `yaml:"mode"`
		TokenEnv string `yaml:"token_env"`
	}
	if err := p.Channels[1].Decode(&tg); err != nil || tg.Mode != "poll" || tg.TokenEnv != "TG_TOKEN" {
		t.Fatalf("channel decoded to %+v, %v", tg, err)
	}
	var other struct {
		Mode string `yaml:"mode"`
	}
	err = p.Channels[1].Decode(&other)
	if err == nil || !strings.Contains(err.Error(), `my.yaml:8:5: unknown key "token_env"; allowed: mode`) {
		t.Fatalf("a key that the adapter does not know: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"unknown key", "chanels: []\n", `my.yaml:1:1: unknown key "chanels"; allowed: channels, desk, privacy, timezone`},
		{"unknown key below", "privacy: {crossborder: x}\n", `unknown key "crossborder"; allowed: cross_border_assessment`},
		{"policy here", "schedules: {}\n", `unknown key "schedules"`},
		{"desk with a path", "desk: {url: https://12345.example.gov.cn/desk}\n", `desk.url`},
		{"desk by another scheme", "desk: {url: ftp://12345.example.gov.cn}\n", `desk.url`},
		{"zone", "timezone: Beijing\n", `timezone "Beijing" is not an IANA zone`},
		{"empty zone", "timezone: \"\"\n", `is not an IANA zone`},
		{"channel without id", "channels: [{kind: webchat}]\n", `channel id "": write 1 to 32`},
		{"channel id in capitals", "channels: [{id: Web, kind: webchat}]\n", `channel id "Web": write`},
		{"channel without kind", "channels: [{id: web}]\n", `channel web has no kind`},
		{"channel twice", "channels: [{id: a, kind: webchat}, {id: a, kind: sms}]\n", `channel id "a" is used twice`},
		{"channel as a word", "channels: [web]\n", `a channel is a mapping`},
		{"channels as a mapping", "channels: {web: webchat}\n", `my.yaml:1:`},
		{"id as a list", "channels: [{id: [a], kind: webchat}]\n", `my.yaml:1:`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := loadBody(tc.body)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v\n want %s", err, tc.want)
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); err == nil || !strings.Contains(err.Error(), "SHAOYING_CONFIG") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestEmptyChannelListMeansNone(t *testing.T) {
	p, err := loadBody("channels: []\n")
	if err != nil || len(p.Channels) != 0 {
		t.Fatalf("%+v, %v", p, err)
	}
}
