package flowstest_test

import (
	"strings"
	"testing"

	"shaoying/flows/flowstest"
)

// A transcript that is wrong must fail, at the line and with what came instead.
func TestRunBites(t *testing.T) {
	start := "@ start ticket.number=1\n"
	ask := "< 编号 1 的事解决了吗？ [是] [不是]\n"
	rows := []struct{ name, script, want string }{
		{"other words", start + "< 您好 [是] [不是]", "survey.transcript:2: came out differently:\n  - < 您好 [是] [不是]\n  + < 编号 1 的事解决了吗？ [是] [不是]"},
		{"other options", start + "< …解决了吗？ [是]", ":2: came out differently"},
		{"not expected", start + "> 是", ":2: said, but not expected:\n  + < 编号 1"},
		{"nothing left", start + "> 是\n", ":2: said, but not expected"},
		{"more expected", start + ask + "< 再说一句", ":3: came out differently:\n  - < 再说一句\n  + nothing more happened"},
		{"ends too early", start + ask + "= end", ":3: came out differently:\n  - = end\n  + the dialogue goes on"},
		{"no option", start + ask + "@ tap 好", ":3: there is no option \"好\" to tap"},
		{"unexpected call", start + ask + "> 没解决\n< 哪里不好？\n> 跳过\n< 我们再去办。", ":6: came out differently:\n  - < 我们再去办。\n  + = survey.record "},
		{"call at the end", start + ask + "> 没解决\n< 哪里不好？\n> 跳过", ":5: called, but neither expected nor answered"},
		{"other argument", start + ask + "> 没解决\n< 哪里不好？\n> 跳过\n= survey.record solved=true", ":6: came out differently:\n  - = survey.record solved=true\n  + = survey.record solved=false"},
		{"other action", start + ask + "> 没解决\n< 哪里不好？\n> 跳过\n= survey.keep", ":6: came out differently"},
		{"effect that never comes", start + ask + "= survey.record", ":3: came out differently"},
		{"no such flow", "@ flow nowhere\n> 你好", ":2: there is no dialogue \"nowhere\""},
		{"bad caps", "@ caps fax\n> 你好", ":1: caps are"},
		{"nothing to tap", "@ tap 是", ":1: there is nothing to tap"},
		{"named", "--- 一次回访\n" + start + "< 您好", "survey.transcript:3 (一次回访): came out differently"},
	}
	defs, lex := definitions(t), lexicon(t)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			tr, err := flowstest.Parse("survey.transcript", []byte(r.script))
			if err != nil {
				t.Fatal(err)
			}
			err = flowstest.Run(defs, lex, tr)
			if err == nil || !strings.Contains(err.Error(), r.want) {
				t.Errorf("want %q, got:\n%v", r.want, err)
			}
		})
	}
}

func TestRunReportsEveryConversation(t *testing.T) {
	tr, err := flowstest.Parse("survey.transcript", []byte("--- a\n@ tap x\n--- b\n@ tap y\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := flowstest.Run(definitions(t), lexicon(t), tr); err == nil || strings.Count(err.Error(), "nothing to tap") != 2 {
		t.Error(err)
	}
}

func TestParseRefuses(t *testing.T) {
	for script, want := range map[string]string{
		"":                    "x.transcript: no conversation",
		"# only a comment":    "no conversation",
		"hello":               "x.transcript:1: a line begins with one of",
		"> a\n@ dance":        "x.transcript:2: @ dance is unknown",
		"@ place here":        "LAT,LON",
		"@ place 1":           "LAT,LON",
		"@ after soon":        "@ after needs a time",
		"@ after -1m":         "@ after needs a time",
		"@ tap":               "@ tap needs a word",
		"= ":                  "the name of an action",
		"= a=b":               "the name of an action",
		"= a.b c":             "name=value is needed",
		"= a.b -> c=1 -> d=2": "two ->",
		"= a.b c=\"d":         "not closed",
		"= a.b c=]":           "not closed",
		"= a.b -> c=1 c.d=2":  "c is a value",
		"@ on":                "@ on is unknown",
		"@ on ":               "@ on is unknown",
		"@ photo p \"\\q\"":   "caption",
		"> \xff":              "UTF-8",
	} {
		_, err := flowstest.Parse("x.transcript", []byte(script))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want %q, got %v", script, want, err)
		}
	}
}

func FuzzTranscript(f *testing.F) {
	for _, name := range []string{"report", "survey", "visit"} {
		f.Add(read(f, "../testdata/"+name+".transcript"))
	}
	f.Add([]byte("@ start a.b=1\n< … [a]\n= x.y a=[1,2] -> b={\"c\":1} !broken\n@ after 1m\n= end"))
	defs, lex := definitions(f), lexicon(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		tr, err := flowstest.Parse("survey.transcript", body)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "survey.transcript") {
				t.Errorf("error without a place: %v", err)
			}
			return
		}
		if err := flowstest.Run(defs, lex, tr); err != nil && !strings.Contains(err.Error(), "survey.transcript:") {
			t.Errorf("error without a place: %v", err)
		}
	})
}
