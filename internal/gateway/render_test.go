package gateway

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"shaoying/bots"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		limit int
		unit  bots.TextUnit
		want  []string
	}{
		{"", 10, bots.Runes, []string{""}},
		{"好", 0, bots.Runes, []string{"好"}},
		{"一二三四五", 5, bots.Runes, []string{"一二三四五"}},
		{"一二三四五六", 5, bots.Runes, []string{"一二三四五", "六"}},
		{"一二。三四五六", 5, bots.Runes, []string{"一二。", "三四五六"}},
		{"一\n二三四五", 5, bots.Runes, []string{"一\n", "二三四五"}},
		{"一二三", 6, bots.Bytes, []string{"一二", "三"}},
		{"a👍b👍", 3, bots.UTF16, []string{"a👍", "b👍"}},
		{"👨‍👩‍👧a", 4, bots.Runes, []string{"👨‍👩‍👧", "a"}}, // longer than the limit by itself
		{"。" + strings.Repeat("a", 26) + "👨‍👩‍👧‍👦", 30, bots.Bytes, []string{"。", strings.Repeat("a", 26), "👨‍👩‍👧‍👦"}}, // two cuts before one grapheme
	} {
		if got := split(c.text, c.limit, c.unit); strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("split(%q, %d) = %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("您好。我们已收到。\n编号 4821 0937 6。", 7, 0)
	f.Add("👨‍👩‍👧‍👦🇨🇳é👍🏽", 9, 1)
	f.Add("。"+strings.Repeat("a", 26)+"👨‍👩‍👧‍👦", 30, 2)
	f.Fuzz(func(t *testing.T, text string, limit, u int) {
		if !utf8.ValidString(text) || limit < 1 || limit > 1<<16 {
			return
		}
		unit := bots.TextUnit(uint(u) % 3)
		parts := split(text, limit, unit)
		if strings.Join(parts, "") != text {
			t.Fatalf("the parts %q do not make %q", parts, text)
		}
		graphemes := uniseg.GraphemeClusterCount(text)
		sum := 0
		for _, p := range parts {
			n := uniseg.GraphemeClusterCount(p)
			sum += n
			if size(p, unit) > limit && n > 1 {
				t.Fatalf("%q is longer than %d", p, limit)
			}
			if p == "" && text != "" {
				t.Fatal("an empty part")
			}
		}
		if sum < graphemes {
			t.Fatalf("%d graphemes became %d", graphemes, sum)
		}
	})
}

func TestChoicesBecomeAListWhereThereAreNoButtons(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.net.caps.Choices = 2
	r.want(r.says("li", "选一选"), "选哪一个？\n1 帮助\n2 红的\n3 蓝的")
	r.want(r.says("li", "3"), "选了蓝的。")
}

func TestATextInTheLanguageOfItsReader(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "您好")
	r.exec(`update person set lang = 'en'`)
	r.want(r.taps("li", "no button"), "That button is out of date.")
	r.exec(`update person set lang = 'fr'`)
	r.want(r.taps("li", "no button"), "这个按钮已经过时了。")
}

func TestPersonalWordsLieSealed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "报修")
	r.says("li", "王秀英家漏水")
	r.acts.on("ticket.file", broken)
	r.says("li", "昌盛小区3栋")
	for _, column := range []string{"conversation.state", "inbox.event", "outbox.params", "message.body"} {
		table, name, _ := strings.Cut(column, ".")
		if n := r.count(`select count(*) from ` + table + ` where position('王秀英'::bytea in ` + name + `) > 0 or position('昌盛'::bytea in ` + name + `) > 0`); n != 0 {
			t.Errorf("%s holds plain words", column)
		}
	}
}
