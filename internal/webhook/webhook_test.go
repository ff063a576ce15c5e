package webhook

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"shaoying/configs"
	"shaoying/internal/clock"
	"shaoying/internal/people"
	"shaoying/internal/workorder"
)

// The values were computed with openssl dgst -sha256 -hmac.
func TestSignatures(t *testing.T) {
	for _, v := range []struct {
		secret, body, want string
		at                 int64
	}{
		{"whsec_test", `{"id":"1"}`, "v1=826a706f2377b5cf46975ee321842b9686474b3d286b213a571f739f938a779d", 1772499600},
		{"", "", "v1=b849d5a581847b281957065739df36df2463d1977ea8d6e1e4e6cf33fadc68c3", 0},
		{"whsec_test", `{"words":"路灯"}`, "v1=65345a2aa357e33f40688e788f3397905e79ab0dcc880b855f72ebdfc5fed96e", 1772499600},
	} {
		if got := Sign(v.secret, v.at, []byte(v.body)); got != v.want {
			t.Errorf("Sign(%q, %d, %q) = %s, want %s", v.secret, v.at, v.body, got, v.want)
		}
	}
}

func policy(t *testing.T) Policy {
	body, err := configs.Read("policies/webhook.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParsePolicy("policies/webhook.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// S8: no address inside our network, however it is written.
func TestS8AddressesThatAreRefused(t *testing.T) {
	p := policy(t)
	life, err := NewSender(Config{Policy: p, Allow: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}}, clock.New())
	if err != nil {
		t.Fatal(err)
	}
	demo, err := NewSender(Config{Policy: p, AllowLoopback: true}, clock.New())
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string][2]bool{ // in life, in the demo
		"https://12345.example.gov.cn/hook": {true, true}, "https://12345.example.gov.cn:8443/hook?k=1": {true, true},
		"http://12345.example.gov.cn/hook": {}, "https://10.20.3.4/hook": {true, false}, "http://10.20.3.4/hook": {true, false},
		"https://10.21.3.4/hook": {}, "https://127.0.0.1/hook": {false, true}, "http://127.0.0.1:9/hook": {false, true},
		"http://[::1]:9/": {false, true}, "https://169.254.169.254/latest": {}, "https://192.168.1.1/": {}, "https://[fc00::1]/": {},
		"https://[::ffff:10.0.0.1]/": {}, "https://user:pw@12345.example.gov.cn/": {}, "ftp://12345.example.gov.cn/": {}, "https:///hook": {},
		"file:///etc/passwd": {}, "nonsense": {}, "": {}, "https://12345.example.gov.cn/#x": {},
	} {
		if got := life.Check(address) == nil; got != want[0] {
			t.Errorf("in life %s: %v", address, got)
		}
		if got := demo.Check(address) == nil; got != want[1] {
			t.Errorf("in the demo %s: %v", address, got)
		}
	}
}

func TestPoliciesThatAreRefused(t *testing.T) {
	good := policy(t)
	for name, spoil := range map[string]func(*Policy){
		"timeout": func(p *Policy) { p.Timeout = time.Minute }, "no timeout": func(p *Policy) { p.Timeout = 0 },
		"pauses": func(p *Policy) { p.Pauses = nil }, "order": func(p *Policy) { p.Pauses = []time.Duration{time.Hour, time.Minute} },
		"silence": func(p *Policy) { p.Silence = p.Pauses[0] }, "max": func(p *Policy) { p.Max = 0 }, "source": func(p *Policy) { p.Source = "" },
	} {
		bad := good
		spoil(&bad)
		if bad.validate() == nil {
			t.Errorf("%s passes", name)
		}
	}
	if _, err := ParsePolicy("x", []byte("timeout: 5s\ncolour: red\n")); err == nil {
		t.Error("an unknown key passes")
	}
}

func TestHostHidesTheRest(t *testing.T) {
	if got := Host("https://a.example:8443/secret/path?token=1"); got != "a.example:8443" || strings.Contains(got, "secret") {
		t.Error(got)
	}
}

// A complaint is not posted to where whom it is about reads along.
func TestWhomAComplaintIsAboutIsNotTold(t *testing.T) {
	area := func(kind people.AreaKind, code string) people.Area { return people.Area{Kind: kind, Code: code} }
	o := &workorder.Order{}
	for _, c := range []struct {
		name    string
		against []string
		staff   []int64
		area    people.Area
		about   bool
	}{
		{"nobody", nil, nil, area(people.AreaUnit, "housing"), false},
		{"the unit", []string{"housing"}, nil, area(people.AreaUnit, "housing"), true},
		{"another unit", []string{"housing"}, nil, area(people.AreaUnit, "transport"), false},
		{"somebody, at a unit", nil, []int64{7}, area(people.AreaUnit, "housing"), true},
		{"somebody, at a township", nil, []int64{7}, area(people.AreaTownship, "360313001"), true},
		{"somebody, at the county", nil, []int64{7}, area(people.AreaCounty, "360313"), false},
	} {
		o.Against, o.AgainstStaff = c.against, c.staff
		if about(o, c.area) != c.about {
			t.Errorf("%s: %v", c.name, !c.about)
		}
	}
}
