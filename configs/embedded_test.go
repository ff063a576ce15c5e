package configs

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"shaoying/internal/privacy"
)

// Every embedded YAML file is one strict document: no key twice, no second
// document, no alias. What its keys mean is tested by the package it belongs to.
func TestEmbeddedFilesAreStrictYAML(t *testing.T) {
	count := 0
	err := fs.WalkDir(FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".yaml" {
			return err
		}
		count++
		body, err := Read(name)
		if err != nil {
			return err
		}
		var v any
		if err := Decode(name, body, &v); err != nil {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 2 {
		t.Fatalf("%d files are embedded", count)
	}
}

// Rule 7: a policy says where each of its numbers comes from.
func TestPoliciesNameTheirSources(t *testing.T) {
	names, err := Names("policies", ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		body, err := Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(body), "source:") {
			t.Errorf("%s has no source note", name)
		}
	}
	if !slices.Contains(names, "policies/privacy.yaml") {
		t.Errorf("Names gave %v", names)
	}
}

func TestNoGoFileIsEmbedded(t *testing.T) {
	names, err := Names(".", ".go")
	if err != nil || len(names) != 0 {
		t.Fatalf("%v, %v", names, err)
	}
	if names, err := Names("no-such-folder", ".yaml"); err != nil || names != nil {
		t.Fatalf("a folder that is not there: %v, %v", names, err)
	}
	if _, err := Read("none.yaml"); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Fatalf("a file that is not there: %v", err)
	}
}

// internal/privacy cannot read configs, which lies above it, so its policy is
// checked here.
func TestPrivacyPolicy(t *testing.T) {
	body, err := Read("policies/privacy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var p privacy.Policy
	if err := Decode("policies/privacy.yaml", body, &p); err != nil {
		t.Fatal(err)
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
}
