package weixin

import "testing"

func TestUnlinked(t *testing.T) {
	for text, want := range map[string]string{
		`点<a href="http://x">这里</a>`: `点[a href="http://x">这里[/a>`,
		"<A\nhref=x>":                "[A\nhref=x>",
		"<b>粗</b> a<b & <abc>":       "<b>粗</b> a<b & <abc>",
	} {
		if got := Unlinked(text); got != want || len(got) != len(text) {
			t.Errorf("%q became %q", text, got)
		}
	}
}
