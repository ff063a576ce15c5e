package flowstest_test

import (
	"testing"

	"shaoying/flows"
	"shaoying/flows/flowstest"
)

// A staff command is taken off the message, in words and in captions; what
// residents write keeps its words.
func TestStaffCommand(t *testing.T) {
	var defs []*flows.Definition
	for name, body := range map[string]string{
		"staff_finish.yaml": "flow: staff_finish\ntitle: 办结\naudience: staff\nstarts: [办, 办结]\nvars: [text, photos]\nsteps:\n  - do: card.finish\n    with: {text: text}\n  - say: 好\n",
		"ask.yaml":          "flow: ask\ntitle: 问\nstarts: [办]\nvars: [text]\nsteps:\n  - do: ticket.ask\n    with: {text: text}\n  - say: 好\n",
	} {
		d, err := flows.Parse(name, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		defs = append(defs, d)
	}
	for file, script := range map[string]string{
		"staff_finish.transcript": "--- 打字\n> 办 3 已修好\n= card.finish text=\"3 已修好\"\n< 好\n--- 长的先认\n> 办结 3\n= card.finish text=3\n< 好\n--- 照片\n@ photo p1 \"办 3\"\n= card.finish text=3\n< 好\n",
		"ask.transcript":          "--- 居民\n> 办 3 号证\n= ticket.ask text=\"办 3 号证\"\n< 好\n",
	} {
		tr, err := flowstest.Parse(file, []byte(script))
		if err != nil {
			t.Fatal(err)
		}
		if err := flowstest.Run(defs, lexicon(t), tr); err != nil {
			t.Error(err)
		}
	}
}
