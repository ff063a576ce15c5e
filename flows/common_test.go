package flows_test

import (
	"os"
	"strings"
	"testing"

	"shaoying/flows"
	"shaoying/flows/words"
)

func lexicon(t testing.TB) *words.Lexicon {
	t.Helper()
	l, err := words.ParseLexicon("words.yaml", read(t, "../configs/words.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func common(t testing.TB) *flows.Texts {
	t.Helper()
	texts, err := flows.ParseTexts("common.yaml", read(t, "testdata/common.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func parse(t testing.TB, yaml string) *flows.Definition {
	t.Helper()
	d, err := flows.Parse("test.yaml", []byte(strings.TrimPrefix(yaml, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	d.Common = common(t)
	return d
}

func env(t testing.TB) flows.Env {
	t.Helper()
	return flows.Env{
		Lang: flows.BaseLang, Words: lexicon(t),
		Caps: flows.Caps{Photo: true, Place: true, Confirm: true},
	}
}
