package actions

import (
	"strings"
	"testing"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
)

// plainSet is a set without a database.
func plainSet(t testing.TB) *Set {
	t.Helper()
	keys, err := privacy.NewKeys([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return newSet(t, keys, nil)
}

func TestTells(t *testing.T) {
	s := plainSet(t)
	for said, want := range map[string]bool{
		"": false, "你好": false, "你好啊请问有人在吗": false, "hello": false, "？？？？？？？": false, "嗯嗯": false,
		"楼道灯坏了三天": true, "请问医保卡怎么补办": true, "路灯不亮": false,
	} {
		if s.tells(said) != want {
			t.Errorf("%q: %v", said, !want)
		}
	}
}

func TestProtection(t *testing.T) {
	s := plainSet(t)
	for said, want := range map[string][2]bool{
		"楼下太吵，给我保密":        {true, false},
		"别说是我讲的":           {true, false},
		"匿名举报":             {false, true},
		"我要匿名，一定保密":        {true, true},
		"保险公司不赔":           {false, false},
		"Anonymous please": {false, true},
	} {
		if got := [2]bool{s.wantsConfidence(said), s.wantsAnonymity(said)}; got != want {
			t.Errorf("%q: %v", said, got)
		}
	}
}

func TestAgainst(t *testing.T) {
	s := plainSet(t)
	at := ticket.PlaceRef{Division: village, Grid: grid}
	for _, r := range []struct{ said, claim, want string }{
		{"城市管理局执法人员态度恶劣", "complaint", "urban_management"},
		{"举报公安局某人受贿", "report", "public_security"},
		{"网格员从来不来", "complaint", grid},
		{"村干部优亲厚友", "report", "village," + grid},
		{"希望城市管理局管管占道", "suggestion", ""},
		{"占道没人管，请城市管理局来看看", "complaint", ""},
		{"垃圾没人收", "complaint", ""},
	} {
		if got := strings.Join(s.against(r.said, r.claim, at), ","); got != r.want {
			t.Errorf("%q: %q", r.said, got)
		}
	}
}

// Every danger that can be raised has its advice, and it names a number.
func TestAdvice(t *testing.T) {
	s := plainSet(t)
	for key := range s.Safety.Texts() {
		for _, lang := range []string{"zh-Hans", "en"} {
			got, err := s.advice(t.Context(), &gateway.Turn{Lang: lang}, map[string]any{"code": strings.TrimPrefix(key, "safety.")})
			if said, _ := got["text"].(string); err != nil || !strings.Contains(said, "1") {
				t.Errorf("%s in %s: %q, %v", key, lang, said, err)
			}
		}
	}
	if _, err := s.advice(t.Context(), &gateway.Turn{}, map[string]any{"code": "nothing"}); err == nil {
		t.Error("a code that no rule has")
	}
}

func TestGuessForgetsPlaces(t *testing.T) {
	s := plainSet(t)
	if g := s.guess("桥头村垃圾堆了半个月没人收"); g.Code != "garbage" && g.Sure < 0.8 {
		t.Errorf("%+v", g)
	}
}

func TestPlaceArg(t *testing.T) {
	for name, r := range map[string]struct {
		arg  any
		want ticket.PlaceRef
	}{
		"resolved": {map[string]any{"label": "昌盛小区3栋", "division": village, "grid": grid, "id": "2"}, ticket.PlaceRef{Division: village, Grid: grid, PlaceID: 2, Label: "昌盛小区3栋"}},
		"position": {map[string]any{"lat": 27.64, "lon": 113.73, "label": "路口"}, ticket.PlaceRef{Label: "路口 27.64000,113.73000"}},
		"bare":     {map[string]any{"lat": 27.64, "lon": 113.73}, ticket.PlaceRef{Label: "27.64000,113.73000"}},
		"words":    {map[string]any{"label": "修车铺", "unknown": true}, ticket.PlaceRef{Label: "修车铺"}},
		"text":     {"修车铺", ticket.PlaceRef{Label: "修车铺"}},
		"nothing":  {nil, ticket.PlaceRef{}},
		"hostile":  {map[string]any{"label": 7.0, "division": []any{1.0}, "id": "x"}, ticket.PlaceRef{}},
	} {
		if got := placeArg(map[string]any{"place": r.arg}, "place"); got != r.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What an option says of a place comes back as it was.
func TestChoiceOfPlace(t *testing.T) {
	m := people.Match{PlaceID: 7, Village: village, Township: "360313001", Grid: grid, Name: "昌盛|小区", Detail: "3栋", TownshipName: "峡山口街道"}
	p, ok := parseChoice(choiceOf(m))
	if !ok || p != (ticket.PlaceRef{Division: village, Grid: grid, PlaceID: 7, Label: "峡山口街道昌盛|小区3栋"}) {
		t.Errorf("%+v, %v", p, ok)
	}
}

func FuzzChoiceOfPlace(f *testing.F) {
	f.Add("at|360313001001|360313001001001|7|昌盛小区3栋")
	f.Add("at|||x|")
	f.Fuzz(func(t *testing.T, v string) {
		if p, ok := parseChoice(v); ok && !p.Known() {
			t.Errorf("%q is taken for a place: %+v", v, p)
		}
	})
}

func TestPolicyRefusesWhatIsMissing(t *testing.T) {
	body := string(config(t, "policies/intake.yaml"))
	for name, change := range map[string][2]string{
		"unknown key": {"listed: 5", "listed: 5\nlistened: 5"},
		"no limit":    {"per_hour: 5", "per_hour: 0"},
		"no time":     {"lock: 10m", "lock: 0m"},
		"no source":   {"  source: \"promise S4: numbers cannot be walked; 5 misses in 10 min lock for 10 min\"\n", ""},
		"no words":    {"anonymous: [匿名, 不留名, 不留姓名, anonymous]", "anonymous: []"},
	} {
		changed := strings.Replace(body, change[0], change[1], 1)
		if changed == body {
			t.Fatalf("%s: the file has no %q", name, change[0])
		}
		if _, err := ParsePolicy("intake.yaml", []byte(changed)); err == nil || !strings.Contains(err.Error(), "intake.yaml") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhenIsToldInTheCitysTime(t *testing.T) {
	r := result{}
	plainSet(t).addWhen(r, time.Date(2026, 3, 3, 23, 30, 0, 0, time.UTC))
	if r["month"] != 3 || r["day"] != 4 || r["clock"] != "07:30" {
		t.Errorf("%v", r)
	}
}

// Every text that an action names is there, in both languages.
func TestTextsAreThere(t *testing.T) {
	r := newRig(t)
	for _, key := range []string{
		"report.too_many", "report.nothing", "report.open_place", "report.secret_noted", "lookup.unknown", "lookup.locked",
		"withdraw.danger", "withdraw.late", "add.late", "relapse.late", "relapse.other", "callback.over", "callback.kept",
		"code.many", "code.wrong", "voice.kept", "voice.too_many", "notice.privacy", "ticket.line", "ticket.mixed",
		"flood.slow_down", "choice.stale", "dialogue.cancelled", "dialogue.apology", "dialogue.kept",
	} {
		r.inBoth(key)
	}
	for _, state := range ticket.States() {
		r.inBoth("ticket.state." + string(state))
	}
}

func (r *rig) inBoth(key string) {
	r.t.Helper()
	name, version, err := r.Library.TextSource(key)
	if err != nil {
		r.t.Error(err)
		return
	}
	zh, err := r.Library.Template("texts:"+name, key, version, "zh-Hans")
	if err != nil {
		r.t.Error(err)
	}
	if en, err := r.Library.Template("texts:"+name, key, version, "en"); err != nil || en == zh {
		r.t.Errorf("%s has no English: %v", key, err)
	}
}
