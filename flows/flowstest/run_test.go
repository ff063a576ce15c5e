package flowstest_test

import (
	"os"
	"path/filepath"
	"testing"

	"shaoying/flows"
	"shaoying/flows/flowstest"
	"shaoying/flows/words"
)

func read(t testing.TB, path string) []byte {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func lexicon(t testing.TB) *words.Lexicon {
	t.Helper()
	l, err := words.ParseLexicon("words.yaml", read(t, "../../configs/words.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// definitions reads every dialogue of flows/testdata.
func definitions(t testing.TB) []*flows.Definition {
	t.Helper()
	common, err := flows.ParseTexts("common.yaml", read(t, "../testdata/common.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../testdata/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var defs []*flows.Definition
	for _, f := range files {
		if filepath.Base(f) == "common.yaml" {
			continue
		}
		d, err := flows.Parse(f, read(t, f))
		if err != nil {
			t.Fatal(err)
		}
		d.Common = common
		defs = append(defs, d)
	}
	return defs
}

func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.transcript")
	if err != nil || len(files) == 0 {
		t.Fatalf("transcripts: %v, %v", files, err)
	}
	defs, lex := definitions(t), lexicon(t)
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			tr, err := flowstest.Parse(f, read(t, f))
			if err != nil {
				t.Fatal(err)
			}
			if err := flowstest.Run(defs, lex, tr); err != nil {
				t.Error(err)
			}
		})
	}
}
