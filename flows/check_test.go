package flows_test

import (
	"fmt"
	"strings"
	"testing"

	"shaoying/flows"
)

var known = flows.Known{Langs: []string{"en"}, Actions: map[string]flows.ActionDoc{
	"ticket.file":            {Results: []string{"number", "promise"}},
	"ticket.file_incomplete": {Results: []string{"number"}},
	"place.find":             {Results: []string{"status", "value", "options", "near"}},
	"intake.classify":        {Results: []string{"status", "value", "options", "urgent"}},
	"desk.handover":          {},
}}

func TestCheckAcceptsTheSample(t *testing.T) {
	d := parse(t, string(read(t, "testdata/report.yaml")))
	for _, p := range flows.Check([]*flows.Definition{d}, known) {
		t.Error(p)
	}
}

// Each row is a definition and the problem that it must show, with its line.
func TestCheckFinds(t *testing.T) {
	rows := []struct{ name, yaml, want string }{
		{"unknown action", "flow: a\nsteps:\n  - do: ticket.fly\n  - say: 好", "3: unknown action ticket.fly"},
		{"unknown resolve", "flow: a\ncollect:\n  x: {ask: 问, resolve: x.y}\nsteps: [{say: 好}]", "3: unknown action x.y"},
		{"unknown unfinished", "flow: a\nunfinished: {after: 1m, do: x.y}\nsteps: [{say: 好}]", "2: unknown action x.y"},
		{"unknown flow", "flow: a\nsteps:\n  - call: nowhere", "3: call: there is no flow nowhere"},
		{"calls itself", "flow: a\nsteps:\n  - call: a\n  - say: 好", "1: flow a calls itself"},
		{"unknown variable in a text", "flow: a\nsteps:\n  - say: 你好{{nam}}", "3: text {{nam}}: nothing is called nam"},
		{"unknown part of a result", "flow: a\nsteps:\n  - do: ticket.file\n  - say: 编号{{ticket.nr}}", "4: text {{ticket.nr}}: nothing"},
		{"unknown variable in a when", "flow: a\nsteps:\n  - say: 好\n    when: urgnt", "4: expression \"urgnt\": nothing is called urgnt"},
		{"unknown cap", "flow: a\nsteps:\n  - say: 好\n    when: caps.fax", "4: expression \"caps.fax\": nothing is called caps.fax"},
		{"unknown variable in with", "flow: a\nsteps:\n  - do: ticket.file\n    with: {a: b}\n  - say: 好", "4: expression \"b\": nothing"},
		{"options_from nothing", "flow: a\ncollect:\n  x: {accept: choice, ask: 问, options_from: list}\nsteps: [{say: 好}]", "3: options_from: nothing is called list"},
		{"options without a question", "flow: a\ncollect:\n  x: {options: {a: 甲}, fill: \"1\"}\nsteps: [{say: 好}]", "3: x has options but no ask"},
		{"options not accepted", "flow: a\ncollect:\n  x: {accept: text, ask: 问, options: {a: 甲}}\nsteps: [{say: 好}]", "3: x has options but does not accept choice"},
		{"nothing to choose", "flow: a\ncollect:\n  x: {accept: choice, ask: 问}\nsteps: [{say: 好}]", "3: x can only be chosen but offers nothing"},
		{"never known", "flow: a\ncollect:\n  x: {accept: text}\nsteps: [{say: 好}]", "3: x can never be known"},
		{"readback of no option", "flow: a\ncollect:\n  x: {ask: 问, options: {1: 甲}, readback: {values: [3]}}\nsteps: [{say: 好}]", "3: x: readback of \"3\""},
		{"after end", "flow: a\nsteps:\n  - say: 好\n  - end\n  - say: 再见", "5: never reached: the dialogue has ended in line 4"},
		{"after both branches end", "flow: a\nvars: [b]\nsteps:\n  - when: b\n    then: [{say: 好}, end]\n    else: [{say: 坏}, end]\n  - say: 再见", "7: never reached"},
		{"never collected", "flow: a\ncollect:\n  x: {ask: 问}\n  y: {ask: 问}\nsteps:\n  - collect: [x]\n  - say: 好", "4: y is never reached"},
		{"never true", "flow: a\nsteps:\n  - say: 好\n  - say: 再见\n    when: \"false\"", "5: when \"false\" is never true"},
		{"always true", "flow: a\nsteps:\n  - say: 好\n    when: 1 < 2", "4: when \"1 < 2\" is always true"},
		{"silent end", "flow: a\ncollect:\n  x: {ask: 问}\nsteps:\n  - do: ticket.file", "5: dead end"},
		{"silent branch", "flow: a\ncollect:\n  x: {ask: 问}\nsteps:\n  - when: x\n    then: [end]\n  - say: 好", "6: dead end"},
		{"silent after confirm", "flow: a\ncollect:\n  x: {ask: 问, label: 事}\nsteps:\n  - say: 好\n  - confirm: 对吗", "6: dead end"},
		{"no label for the change", "flow: a\ncollect:\n  xx: {ask: 问}\nsteps:\n  - confirm: 对吗\n  - say: 好", "3: xx needs a label"},
		{"half a language", "flow: a\nsteps:\n  - say: {zh-Hans: 好, en: Good}\n  - say: 再见", "4: text steps.1.say has no en"},
		{"no Chinese", "flow: a\nsteps:\n  - say: {en: Good}", "3: text steps.0.say has no zh-Hans"},
		{"push with starts", "flow: a\npush: true\nstarts: [报]\nsteps: [{say: 好}]", "1: a pushed dialogue has no starts"},
		{"nudge too late", "flow: a\nnudge: {after: 1h, say: 还在吗}\nunfinished: {after: 5m}\nsteps: [{say: 好}]", "3: the nudge after 1h0m0s never comes"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			problems := flows.Check([]*flows.Definition{parse(t, r.yaml)}, known)
			for _, p := range problems {
				if strings.HasPrefix(p.String(), "test.yaml:"+r.want) {
					return
				}
			}
			t.Errorf("want %q, got %v", r.want, problems)
		})
	}
}

func TestCheckSeveral(t *testing.T) {
	a := parse(t, "flow: a\nstarts: [报修]\nsteps: [{call: b}, {say: \"{{phone}}\"}]")
	b := parse(t, "flow: b\nstarts: [报修]\ncollect:\n  phone: {accept: phone, ask: 电话？}")
	problems := flows.Check([]*flows.Definition{a, b}, known)
	if len(problems) != 1 || !strings.Contains(problems[0].Message, `start word "报修" also starts a`) {
		t.Error(problems) // b itself may end in silence: a goes on
	}
	problems = flows.Check([]*flows.Definition{b, b}, known)
	if !strings.Contains(fmt.Sprint(problems), "flow b is already in test.yaml") {
		t.Error(problems)
	}
	b.Common = nil
	if !strings.Contains(fmt.Sprint(flows.Check([]*flows.Definition{b}, known)), "common text flow.repair is missing") {
		t.Error("missing common texts are not reported")
	}
}

func TestOppositeSaysAreNoDeadEnd(t *testing.T) {
	d := parse(t, `
flow: a
vars: [b]
steps:
  - {say: 好, when: b}
  - {say: 坏, when: "!b"}
  - {do: ticket.file, else: [{say: 不行}, end]}
`)
	if p := flows.Check([]*flows.Definition{d}, known); len(p) > 0 {
		t.Error(p)
	}
}
