package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"shaoying/configs"
	"shaoying/flows"
	"shaoying/flows/flowstest"
	"shaoying/flows/words"
)

// FlowFiles is where dialogues are read from: a folder of a clerk, or the
// embedded ones for an empty dir.
func FlowFiles(dir string) fs.FS {
	if dir == "" {
		return configs.FS()
	}
	return os.DirFS(dir)
}

// CheckFlows parses and checks every dialogue of files, and what of their texts
// can go out by SMS. n is how many dialogues there are.
func CheckFlows(files fs.FS) (problems []flows.Problem, n int, err error) {
	defs, err := parseFlows(files)
	if err != nil {
		return nil, 0, err
	}
	catalogue, err := parseTexts(files)
	if err != nil {
		return nil, 0, err
	}
	bySMS, err := checkPaidTexts(defs, catalogue, nil)
	if err != nil {
		return nil, 0, err
	}
	problems = flows.Check(defs, knownToFlows())
	for _, p := range bySMS {
		problems = append(problems, p.Problem)
	}
	return problems, len(defs), nil
}

// TestFlows plays every transcript of files and returns the failures.
func TestFlows(files fs.FS) (passed int, failed []error, err error) {
	defs, err := parseFlows(files)
	if err != nil {
		return 0, nil, err
	}
	var lexicon *words.Lexicon
	if err := read("words.yaml", words.ParseLexicon, &lexicon); err != nil {
		return 0, nil, err
	}
	names, err := fs.Glob(files, "flows/*.transcript")
	if err != nil {
		return 0, nil, fmt.Errorf("list transcripts: %w", err)
	}
	for _, name := range names {
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return 0, nil, fmt.Errorf("read %s: %w", name, err)
		}
		t, err := flowstest.Parse(path.Base(name), body)
		if err == nil {
			err = flowstest.Run(defs, lexicon, t)
		}
		if err != nil {
			failed = append(failed, err)
		} else {
			passed++
		}
	}
	return passed, failed, nil
}

// parseFlows reads flows/*.yaml with the engine's own words from
// texts/common.yaml, or the embedded ones where files has none.
func parseFlows(files fs.FS) ([]*flows.Definition, error) {
	body, err := fs.ReadFile(files, "texts/common.yaml")
	if errors.Is(err, fs.ErrNotExist) {
		body, err = configs.Read("texts/common.yaml")
	}
	if err != nil {
		return nil, fmt.Errorf("read the common texts: %w", err)
	}
	common, err := flows.ParseTexts("texts/common.yaml", body)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "flows/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list dialogues: %w", err)
	}
	var defs []*flows.Definition
	var bad []error
	for _, name := range names {
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		def, err := flows.Parse(name, body)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		def.Common = common
		defs = append(defs, def)
	}
	return defs, errors.Join(bad...)
}
