package flows

import (
	"slices"
	"testing"
)

func TestSayable(t *testing.T) {
	d, err := Parse("a.yaml", []byte(`
flow: a
nudge: {after: 5m, say: 还在吗}
unfinished: {after: 15m, say: 先到这里}
collect:
  rating:
    ask: 满意吗
    paid: 满意吗，回1满意，2不满意
    options: {1: 满意, 2: 不满意}
    readback: {values: ['2'], say: 真的吗}
  photo: {accept: photo, ask: 拍一张}
  why: {accept: text, ask: 为什么, when: "!caps.paid && rating == '2'"}
  place: {accept: text, ask: 在哪里, which: 哪一个, resolve: place.find, when: "caps.paid || rating"}
steps:
  - collect: [rating, photo, why, place]
  - {say: 群里, when: "caps.group && rating"}
  - when: caps.paid
    then:
      - {say: 短信不满意, when: "rating == '2'"}
      - end
    else:
      - say: 不花钱
  - say: 后面
`))
	if err != nil {
		t.Fatal(err)
	}
	keys := func(c Caps) (keys []string) {
		for _, s := range d.Sayable(c) {
			keys = append(keys, s.Text[BaseLang])
		}
		return keys
	}
	if got, want := keys(Caps{Paid: true}), []string{"先到这里", "满意吗，回1满意，2不满意", "在哪里", "哪一个", "短信不满意"}; !slices.Equal(got, want) {
		t.Errorf("on a paid channel: %q, want %q", got, want)
	}
	if got, want := keys(Caps{Photo: true, Group: true}), []string{"还在吗", "先到这里", "满意吗", "真的吗", "拍一张", "为什么", "在哪里", "哪一个", "群里", "不花钱", "后面"}; !slices.Equal(got, want) {
		t.Errorf("on a free channel: %q, want %q", got, want)
	}
	for _, s := range d.Sayable(Caps{}) {
		if s.Key == "collect.rating.ask" && len(s.Labels) != 2 {
			t.Errorf("the options are %v", s.Labels)
		}
		if s.Key == "collect.place.which" && !s.Offers {
			t.Error("what an action offers is not seen")
		}
	}
}

func TestConditionsUnderCaps(t *testing.T) {
	for source, want := range map[string]certainty{
		"caps.paid": always, "!caps.paid": never, "caps.photo": never, "caps.paid && x": maybe, "caps.paid || x": always,
		"caps.photo && x": never, "caps.photo || x": maybe, "not caps.photo and caps.paid": always, "!(caps.paid && x)": maybe,
		"!(caps.photo && x)": always, "x == 1": maybe, "true": always, "caps.paid == x": maybe, "len(x) > 0 && !caps.paid": never,
	} {
		e, err := compileExpr(source, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.under(Caps{Paid: true}); got != want {
			t.Errorf("%s: %d, want %d", source, got, want)
		}
	}
}
