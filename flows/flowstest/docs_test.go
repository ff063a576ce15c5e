package flowstest_test

import (
	"regexp"
	"testing"

	"shaoying/flows"
	"shaoying/flows/flowstest"
)

// The dialogue and transcript of docs/add-a-flow.md are true.
func TestTheGuide(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```(yaml|text)\n(.*?)```").FindAllSubmatch(read(t, "../../docs/add-a-flow.md"), -1)
	if len(blocks) != 2 {
		t.Fatalf("%d examples in the guide", len(blocks))
	}
	d, err := flows.Parse("rider.yaml", blocks[0][2])
	if err != nil {
		t.Fatal(err)
	}
	d.Common = definitions(t)[0].Common
	for _, p := range flows.Check([]*flows.Definition{d}, flows.Known{Actions: map[string]flows.ActionDoc{"rider.enrol": {}}}) {
		t.Error(p)
	}
	tr, err := flowstest.Parse("rider.transcript", blocks[1][2])
	if err != nil {
		t.Fatal(err)
	}
	if err := flowstest.Run([]*flows.Definition{d}, lexicon(t), tr); err != nil {
		t.Error(err)
	}
}
