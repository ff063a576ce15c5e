package textlint

import (
	"strings"
	"testing"

	"shaoying/configs"
	"shaoying/flows"
)

func policy(t *testing.T) Policy {
	t.Helper()
	body, err := configs.Read("policies/paid_texts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParsePolicy("policies/paid_texts.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCheck(t *testing.T) {
	p := policy(t)
	ask := func(text string) string {
		return "flow: survey\npush: true\nvars: [ticket]\ncollect:\n  rating:\n    ask: '" + text + "'\n    options: {1: 满意, 2: 不满意}\n"
	}
	say := func(text string) string { return "flow: tell\nvars: [ticket, x]\nsteps:\n  - say: '" + text + "'\n" }
	for _, c := range []struct{ name, flow, want string }{
		{"good", say("编号 {{ticket.number}}，办好了。"), ""},
		{"good question", ask("编号 {{ticket.number}}，满意吗？拒收回R"), ""},
		{"no number", say("办好了。"), "does not name the ticket"},
		{"too long", say("编号 {{ticket.number}}" + strings.Repeat("好", 120)), "which are 3 messages: at most 2, so leave out at least 15 characters"},
		{"just two parts", say("编号 {{ticket.number}}" + strings.Repeat("好", 105)), ""},
		{"emoji count twice", say("编号 {{ticket.number}}" + strings.Repeat("好", 104) + "🙂"), "3 messages"},
		{"options count", ask("编号 {{ticket.number}}，满意吗？拒收回R" + strings.Repeat("好", 95)), "3 messages"},
		{"long matter", say("编号 {{ticket.number}} {{ticket.matter}}" + strings.Repeat("好", 95)), "3 messages"},
		{"unknown value", say("编号 {{ticket.number}} {{x.y}}"), "nobody knows how long {{x.y}} can get"},
		{"illness", say("编号 {{ticket.number}}，家庭病床的事。"), "tells of an illness"},
		{"link", say("编号 {{ticket.number}}，看 https://a.cn/1"), "holds the link"},
		{"opt-out", ask("编号 {{ticket.number}}，满意吗？"), "does not say how to stop: end it with 拒收回R"},
		{"on free channels only", strings.Replace(say("办好了"), "- say: '办好了'", "- {say: 办好了, when: '!caps.paid'}", 1), ""},
		{"for staff", "flow: tell\naudience: staff\nsteps:\n  - say: 家床办好了\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := flows.Parse("flows/a.yaml", []byte(c.flow))
			if err != nil {
				t.Fatal(err)
			}
			texts := Texts{Flows: []*flows.Definition{d}, Values: map[string][]string{"matter": {"灯", "农村人居环境整治长效管护"}}}
			var got []string
			for _, p := range p.Check(texts) {
				got = append(got, p.String())
			}
			all := strings.Join(got, "\n")
			if c.want == "" && all != "" || c.want != "" && (len(got) != 1 || !strings.Contains(all, c.want) || !strings.HasPrefix(all, "flows/a.yaml:")) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// Only what residents are told is looked at in the catalogue.
func TestCatalogue(t *testing.T) {
	p := policy(t)
	texts, err := flows.ParseTexts("texts/a.yaml", []byte("card: {title: 看 http://x}\nnotice: {done: 办好了}\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := p.Check(Texts{Catalogue: map[string]*flows.Texts{"texts/a.yaml": texts}})
	if len(got) != 1 || !strings.Contains(got[0].String(), "texts/a.yaml:2: texts/notice.done: does not name the ticket") {
		t.Errorf("found %v", got)
	}
}

func TestParts(t *testing.T) {
	p := policy(t)
	for units, want := range map[int]int{0: 1, 70: 1, 71: 2, 134: 2, 135: 3, 201: 3, 202: 4} {
		if got := p.parts(units); got != want {
			t.Errorf("%d units are %d messages, want %d", units, got, want)
		}
	}
}

func TestPolicyIsStrict(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "parts: {}", "no source": "parts: {zh-Hans: 2}\none: 70\nmany: 67\noffers: 1\nillness: [a]\nlinks: [b]\nnumber: [number]\nopt_out: {words: [R]}",
		"unknown key": "colour: red",
	} {
		if _, err := ParsePolicy("a.yaml", []byte(body)); err == nil || !strings.HasPrefix(err.Error(), "a.yaml") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
