package bots_test

import (
	"testing"

	"shaoying/bots"
)

func TestTemplateNames(t *testing.T) {
	own, free := bots.Template{Source: "texts:jobs", Key: "code.send"}, bots.Template{Source: "flow:survey", Key: "rating.ask"}
	if own.Name() != "code.send" || free.Name() != "flow:survey/rating.ask" || (bots.Template{}).Name() != "" {
		t.Errorf("%q %q", own.Name(), free.Name())
	}
	list := map[string]int{"code.send": 1, "flow:survey/rating.ask": 2}
	for want, said := range map[int]bots.Template{1: own, 2: free} {
		if got, ok := bots.FindTemplate(list, said); !ok || got != want {
			t.Errorf("%+v finds %d", said, got)
		}
	}
	if got, ok := bots.FindTemplate(list, bots.Template{Source: "flow:bind", Key: "code.send"}); !ok || got != 1 {
		t.Error("a text of the catalogue is not found inside a dialogue")
	}
	if _, ok := bots.FindTemplate(list, bots.Template{Source: "flow:survey", Key: "x"}); ok {
		t.Error("what is not there is found")
	}
}
