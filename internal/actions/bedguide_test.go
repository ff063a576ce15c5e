package actions_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// What docs/zh/bed-*.md quote is what is said: each line after « or > fits a text of
// configs, whatever stands in its places.
func TestGuidesOfBedsQuoteTexts(t *testing.T) {
	var said []*regexp.Regexp
	place := regexp.MustCompile(`\\\{\\\{.*?\\\}\\\}`)
	var gather func(any)
	gather = func(v any) {
		switch v := v.(type) {
		case string:
			for line := range strings.SplitSeq(v, "\n") {
				if line = strings.TrimSpace(line); len([]rune(place.ReplaceAllString(regexp.QuoteMeta(line), ""))) > 2 {
					said = append(said, regexp.MustCompile("^"+place.ReplaceAllString(regexp.QuoteMeta(line), ".*")+"$"))
				}
			}
		case []any:
			for _, e := range v {
				gather(e)
			}
		case map[string]any:
			for _, e := range v {
				gather(e)
			}
		}
	}
	for _, pattern := range []string{"flows/staff_care_*.yaml", "flows/visit_confirm.yaml", "texts/care_*.yaml"} {
		for _, name := range names(t, pattern) {
			var all any
			if err := yaml.Unmarshal(read(t, name), &all); err != nil {
				t.Fatal(err)
			}
			gather(all)
		}
	}
	choices := regexp.MustCompile(`( \[[^\]]*\])+$`)
	quoted := 0
	for _, name := range []string{"bed-desk", "bed-nurse", "bed-family"} {
		page, err := os.ReadFile("../../docs/zh/" + name + ".md")
		if err != nil {
			t.Fatal(err)
		}
	lines:
		for line := range strings.SplitSeq(string(page), "\n") {
			line, ok := strings.CutPrefix(line, "« ")
			if !ok {
				if line, ok = strings.CutPrefix(line, "> "); !ok {
					continue
				}
			}
			quoted++
			line = choices.ReplaceAllString(line, "")
			for _, s := range said {
				if s.MatchString(line) {
					continue lines
				}
			}
			t.Errorf("%s quotes what nobody says: %q", name, line)
		}
	}
	if quoted < 9 {
		t.Errorf("only %d lines are quoted", quoted)
	}
}
