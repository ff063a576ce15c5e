package words

import (
	"testing"
	"unicode/utf8"
)

func TestNormalize(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"  ", ""},
		{"１", "1"},
		{"①", "1"},
		{"1️⃣", "1"},
		{"1.", "1"},
		{"（2）", "2"},
		{"【满意】", "满意"},
		{"　好的　", "好的"},
		{"ＯＫ！", "ok"},
		{"[OK]", "ok"},
		{"td。", "td"},
		{"/start", "start"},
		{"my   Tickets", "my tickets"},
		{"滿意", "满意"},
		{"井蓋壞了，請來看看。", "井盖坏了,请来看看"},
		{"👍", "好"},
		{"👍🏻👍🏻", "好🏻好"},
		{"？？？", ""},
		{"着\u200b火", "着火"},
		{"路灯\n不亮\r\n", "路灯 不亮"},
		{"\xff好", "好"},
		{"H\u0331", "ẖ"},
	}
	for _, tt := range tests {
		if got := Normalize(tt.in); got != tt.want {
			t.Errorf("Normalize(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestSimplifiedIsStable(t *testing.T) {
	for from, to := range simplified {
		if end, more := simplified[to]; more && end != to {
			t.Errorf("%c becomes %c, which becomes %c: Normalize would not be idempotent", from, to, end)
		}
		if got := Normalize(string(to)); got != string(to) {
			t.Errorf("%c is not a normalised character", to)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"１ 谢谢", "①", "H\u0331", "´a", "İ", "\u1e9e", "好👍🏻", "\xff\xfe", "ﷺ", "ʼn"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Normalize(s)
		if twice := Normalize(once); twice != once {
			t.Errorf("not idempotent: %q -> %q -> %q", s, once, twice)
		}
		if !utf8.ValidString(once) {
			t.Errorf("%q is not UTF-8", once)
		}
	})
}
