package sms

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"
)

func TestParts(t *testing.T) {
	family := "👨‍👩‍👧" // 8 units
	for _, c := range []struct {
		name, text string
		enc        Encoding
		sizes      []int // in units of the encoding
	}{
		{"nothing", "", GSM7, nil},
		{"160 plain", strings.Repeat("a", 160), GSM7, []int{160}},
		{"161 plain", strings.Repeat("a", 161), GSM7, []int{153, 8}},
		{"306 plain", strings.Repeat("a", 306), GSM7, []int{153, 153}},
		{"80 braces", strings.Repeat("{", 80), GSM7, []int{160}},
		{"81 braces: an escape pair is whole", strings.Repeat("{", 81), GSM7, []int{152, 10}},
		{"the whole alphabet", gsmDefault, GSM7, []int{127}},
		{"the whole extension", gsmExtension, GSM7, []int{20}},
		{"67", strings.Repeat("路", 67), UCS2, []int{67}},
		{"70", strings.Repeat("路", 70), UCS2, []int{70}},
		{"71", strings.Repeat("路", 71), UCS2, []int{67, 4}},
		{"184 characters", strings.Repeat("灯", 184), UCS2, []int{67, 67, 50}},
		{"35 emoji", strings.Repeat("🙂", 35), UCS2, []int{70}},
		{"36 emoji: a pair is whole", strings.Repeat("🙂", 36), UCS2, []int{66, 6}},
		{"60 emoji", strings.Repeat("🙂", 60), UCS2, []int{66, 54}},
		{"families are whole", strings.Repeat(family, 9), UCS2, []int{64, 8}},
		{"one foreign letter", strings.Repeat("a", 70) + "ç", UCS2, []int{67, 4}},
		{"a grapheme longer than a part", "e" + strings.Repeat("\u0301", 99), UCS2, []int{67, 33}},
		{"line ends are whole", strings.Repeat("a", 152) + "\r\n" + strings.Repeat("a", 8), GSM7, []int{152, 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			enc, parts := Split(c.text)
			if enc != c.enc || len(parts) != len(c.sizes) || Parts(c.text) != len(c.sizes) {
				t.Fatalf("%s in %d parts, want %s in %d", enc, len(parts), c.enc, len(c.sizes))
			}
			for i, part := range parts {
				if n := enc.length(part); n != c.sizes[i] {
					t.Errorf("part %d has %d, want %d", i, n, c.sizes[i])
				}
			}
		})
	}
}

func TestAlphabetSizes(t *testing.T) {
	if n := len([]rune(gsmDefault)); n != 127 { // 128 without the escape
		t.Errorf("the default alphabet has %d characters, want 127", n)
	}
	if n := len(gsm7); n != 127+10 {
		t.Errorf("%d characters in both tables, want 137", n)
	}
}

// anyText draws what people and templates write, with what is hard to cut.
func anyText(t *rapid.T) string {
	pieces := []string{"a", "{", "€", "\n", "\r\n", "路", "灯坏了", "🙂", "👨‍👩‍👧", "🇨🇳", "é", "e\u0301", "𠮷", "1️⃣", "\u200d", "ß"}
	return strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(pieces), rapid.String()), 0, 300).Draw(t, "pieces"), "")
}

func TestSplitKeepsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.ToValidUTF8(anyText(t), "")
		enc, parts := Split(text)
		if got := strings.Join(parts, ""); got != text {
			t.Fatalf("joined is %q, want %q", got, text)
		}
		limit := map[bool]map[Encoding]int{true: {GSM7: gsmAlone, UCS2: ucsAlone}, false: {GSM7: gsmJoined, UCS2: ucsJoined}}[len(parts) == 1][enc]
		ends := boundaries(text)
		at := 0
		for i, part := range parts {
			if n := enc.length(part); n > limit || n == 0 {
				t.Fatalf("part %d has %d of %d", i, n, limit)
			}
			if enc == UCS2 && len(utf16.Encode([]rune(part))) != enc.length(part) {
				t.Fatalf("part %d counts other units than UTF-16 has", i)
			}
			at += len(part)
			if !ends[at] && longestCluster(text, enc) <= limit {
				t.Fatalf("part %d ends inside a grapheme", i)
			}
		}
		if n := enc.length(text); len(parts) > 2*(n/limit)+2 {
			t.Fatalf("%d units in %d parts", n, len(parts))
		}
	})
}

func boundaries(text string) map[int]bool {
	ends := map[int]bool{}
	for g := uniseg.NewGraphemes(text); g.Next(); {
		_, to := g.Positions()
		ends[to] = true
	}
	return ends
}

func longestCluster(text string, enc Encoding) (n int) {
	for g := uniseg.NewGraphemes(text); g.Next(); {
		n = max(n, enc.length(g.Str()))
	}
	return n
}

func TestLongest(t *testing.T) {
	for _, c := range []struct {
		most      int
		signature string
		want      int
	}{
		{1, "", 70}, {2, "", 134}, {4, "", 268}, {1, "萍乡哨应", 64}, {4, "萍乡哨应", 262},
	} {
		n := Longest(c.most, c.signature)
		if n != c.want {
			t.Errorf("%d parts behind %q hold %d, want %d", c.most, c.signature, n, c.want)
		}
		for _, full := range []string{strings.Repeat("路", n), strings.Repeat("{", n), strings.Repeat("a", n)} {
			if got := Parts(Signed(c.signature, full)); got > c.most {
				t.Errorf("the longest text of %d parts takes %d", c.most, got)
			}
		}
	}
}

// A carrier that cuts every 67 units through whatever stands there cuts where
// Split does.
func TestFill(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.ToValidUTF8(anyText(t), "")
		enc, parts := Split(text)
		full := utf16.Encode([]rune(Fill(text)))
		if enc == GSM7 || len(parts) < 2 {
			if Fill(text) != text {
				t.Fatal("a text that needs no filling was filled")
			}
			return
		}
		for i, part := range parts {
			cut := full[:min(ucsJoined, len(full))]
			full = full[len(cut):]
			if got := string(utf16.Decode(cut)); strings.TrimRight(got, filler) != strings.TrimRight(part, filler) {
				t.Fatalf("part %d is cut to %q, want %q", i, got, part)
			}
		}
		if len(full) > 0 {
			t.Fatalf("%d units are left", len(full))
		}
	})
}

func TestCharged(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 1, 70: 1, 71: 2, 134: 2, 135: 3} {
		if got := Charged(strings.Repeat("a", n)); got != want {
			t.Errorf("%d units are charged as %d, want %d", n, got, want)
		}
	}
	if got := Charged(strings.Repeat("🙂", 36)); got != 2 {
		t.Errorf("36 emoji are charged as %d", got)
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"", "a", "灯坏了🙂", "👨‍👩‍👧", strings.Repeat("{", 200), "\xff\xfe", "e\u0301\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, parts := Split(text)
		if strings.Join(parts, "") != text {
			t.Fatalf("%q comes back as %q", text, parts)
		}
	})
}
