package privacy

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestIndex(t *testing.T) {
	k := testKeys(t, 1)
	if !bytes.Equal(k.Index("phone", "+8613812345678"), k.Index("phone", "+8613812345678")) {
		t.Error("equal values differ")
	}
	different := [][]byte{
		k.Index("phone", "+8613812345678"), k.Index("phone", "+8613812345679"), k.Index("openid", "+8613812345678"),
		k.Index("phon", "e+8613812345678"), testKeys(t, 2).Index("phone", "+8613812345678"), k.SessionHash("+8613812345678"),
	}
	for i := range different {
		for j := range i {
			if bytes.Equal(different[i], different[j]) {
				t.Errorf("%d and %d are equal", i, j)
			}
		}
	}
}

// contains reports whether every gram of a query is a gram of the text, which
// is what the database asks.
func contains(text, query []int32) bool {
	for _, g := range query {
		if _, ok := slices.BinarySearch(text, g); !ok {
			return false
		}
	}
	return true
}

func TestGramsFindEveryPart(t *testing.T) {
	k := testKeys(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		text := []rune(rapid.StringOf(rapid.RuneFrom([]rune("昌盛小区楼道水井盖松动123，。 aB"))).Draw(t, "text"))
		from := rapid.IntRange(0, len(text)).Draw(t, "from")
		to := rapid.IntRange(from, len(text)).Draw(t, "to")
		grams := k.Grams(string(text))
		if !slices.IsSorted(grams) || len(slices.Compact(slices.Clone(grams))) != len(grams) {
			t.Fatalf("grams %v are not ascending and distinct", grams)
		}
		if !contains(grams, k.Grams(string(text[from:to]))) {
			t.Fatalf("%q is not found in %q", string(text[from:to]), string(text))
		}
	})
}

func TestGrams(t *testing.T) {
	k := testKeys(t, 1)
	text := k.Grams("昌盛小区３栋，楼下水井盖有些松动")
	for query, want := range map[string]bool{
		"水井盖": true, "小区3栋": true, "3栋楼下": true, "昌盛 小区": true, "井盖丢失": false, "盛昌": false,
	} {
		if got := contains(text, k.Grams(query)); got != want {
			t.Errorf("%q found: %v, want %v", query, got, want)
		}
	}
	for _, short := range []string{"", "水", "，。", " 水 "} {
		if got := k.Grams(short); got != nil {
			t.Errorf("Grams(%q) = %v, want none", short, got)
		}
	}
	if slices.Equal(text, testKeys(t, 2).Grams("昌盛小区３栋，楼下水井盖有些松动")) {
		t.Error("grams do not depend on the key")
	}
	both := testKeys(t, 2, 1).Search("水井盖")
	if len(both) != 2 || !slices.Equal(both[1], k.Grams("水井盖")) {
		t.Error("Search does not ask for what the older key wrote")
	}
}

func TestSearchText(t *testing.T) {
	for in, want := range map[string]string{
		"ＡＢＣ１２３": "abc123", "昌盛小区 3栋！": "昌盛小区3栋", "": "", "①": "1", "a\x00b": "ab",
	} {
		if got := SearchText(in); got != want {
			t.Errorf("SearchText(%q) = %q, want %q", in, got, want)
		}
	}
}

func BenchmarkGrams(b *testing.B) {
	k := testKeys(b, 1)
	text := strings.Repeat("昌盛小区三栋楼下水井盖有些松动走上去会响", 5)
	for b.Loop() {
		k.Grams(text)
	}
}
