package wire

import "testing"

func TestTidy(t *testing.T) {
	for _, c := range []struct {
		s     string
		limit int
		want  string
	}{
		{"昌盛小区", 64, "昌盛小区"},
		{"昌盛\n小区\x00\x7f", 64, "昌盛 小区  "},
		{"昌盛小区", 7, "昌盛"},
		{"昌盛小区", 6, "昌盛"},
		{"昌盛", 2, ""},
		{"a\xff昌", 4, "a昌"},
		{"", 0, ""},
	} {
		if got := Tidy(c.s, c.limit); got != c.want {
			t.Errorf("%q in %d bytes is %q, want %q", c.s, c.limit, got, c.want)
		}
	}
}
