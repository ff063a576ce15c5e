package words

import (
	"testing"

	"pgregory.net/rapid"
)

var (
	satisfied = []Option{{"satisfied", "满意", nil}, {"fair", "基本满意", nil}, {"dissatisfied", "不满意", nil}}
	solved    = []Option{{"yes", "解决了", nil}, {"partly", "部分解决", nil}, {"no", "没解决", nil}}
	confirm   = []Option{{"ok", "对", nil}, {"edit", "改一改", nil}, {"drop", "不报了", nil}}
	relapse   = []Option{{"fine", "还好", nil}, {"again", "又坏了", nil}}
	five      = []Option{{"5", "非常满意", nil}, {"4", "满意", nil}, {"3", "基本满意", nil}, {"2", "不满意", nil}, {"1", "非常不满意", nil}}
	places    = []Option{{"a", "上栗县桥头村", nil}, {"b", "芦溪县桥头村", nil}}
)

func TestChoose(t *testing.T) {
	l := loadLexicon(t)
	tests := []struct {
		answer string
		opts   []Option
		index  int
		found  Found
	}{
		// By number.
		{"1", satisfied, 0, Exact},
		{"１", satisfied, 0, Exact},
		{"一", satisfied, 0, Exact},
		{"1.", satisfied, 0, Exact},
		{"①", satisfied, 0, Exact},
		{"1 谢谢", satisfied, 0, Exact},
		{"1谢谢", satisfied, 0, Exact},
		{"第一个", satisfied, 0, Exact},
		{"选1", satisfied, 0, Exact},
		{"我选 2", satisfied, 1, Exact},
		{"回复3", satisfied, 2, Exact},
		{"那就2吧", satisfied, 1, Exact},
		{"第二个", satisfied, 1, Exact},
		{"3、", satisfied, 2, Exact},
		{"（3）", satisfied, 2, Exact},
		{"1️⃣", satisfied, 0, Exact},
		{"1满意", satisfied, 0, Exact},
		{"1 满意", satisfied, 0, Exact},
		{"3.不满意", satisfied, 2, Exact},
		{"2号", satisfied, 1, Exact},
		{"2，就是慢了点", satisfied, 1, Inside},
		{"1 态度好", satisfied, 0, Inside},
		{"1 不满意", satisfied, -1, Ambiguous},
		{"3满意", satisfied, -1, Ambiguous},
		{"1、2", satisfied, -1, Ambiguous},
		{"0", satisfied, -1, None},
		{"4", satisfied, -1, None},
		{"12", satisfied, -1, None},
		{"1.5", satisfied, -1, None},
		{"3栋的灯不亮", satisfied, -1, None},
		{"3栋", satisfied, -1, None},
		{"2 个都坏了", satisfied, -1, None},
		{"13号楼", satisfied, -1, None},
		{"不选1", satisfied, -1, None},
		{"-", satisfied, -1, None},
		{"", satisfied, -1, None},
		{"？", satisfied, -1, None},

		// By label, words and synonyms.
		{"满意", satisfied, 0, Exact},
		{"滿意", satisfied, 0, Exact},
		{"satisfied", satisfied, 0, Exact},
		{"满意，谢谢！", satisfied, 0, Exact},
		{"很满意", satisfied, 0, Exact},
		{"不错", satisfied, 0, Exact},
		{"👍", satisfied, 0, Exact},
		{"不错，满意", satisfied, 0, Inside},
		{"特别满意", satisfied, 0, Inside},
		{"都很满意，感谢", satisfied, 0, Inside},
		{"还行", satisfied, 1, Exact},
		{"还行吧", satisfied, 1, Exact},
		{"凑合", satisfied, 1, Exact},
		{"一般", satisfied, 1, Exact},
		{"一般般吧", satisfied, 1, Exact},
		{"马马虎虎", satisfied, 1, Exact},
		{"基本满意", satisfied, 1, Exact},
		{"处理得一般", satisfied, 1, Inside},
		{"满意", five, 1, Exact},
		{"非常满意", five, 0, Exact},
		{"非常不满意", five, 4, Exact},
		{"不满意", five, 3, Exact},
		{"还行", five, 2, Exact},
		{"我对处理结果非常满意", five, 0, Inside},
		{"5", five, 4, Exact}, // the number is the place in the list, best first

		// Negation wins.
		{"不满意", satisfied, 2, Exact},
		{"不太满意", satisfied, 2, Exact},
		{"不是很满意", satisfied, 2, Inside},
		{"我很不满意", satisfied, 2, Inside},
		{"没有人来过，不满意", satisfied, 2, Inside},
		{"谈不上满意", satisfied, 2, Inside},
		{"满意个屁", satisfied, 2, Inside},
		{"满意度不高", satisfied, 2, Inside},
		{"满意才怪", satisfied, 2, Inside},
		{"没什么不满意", satisfied, -1, None},
		{"不好", satisfied, 2, Exact},
		{"不行", satisfied, 2, Exact},
		{"没把我放眼里，满意", satisfied, 0, Inside},
		{"没把我放眼里满意", satisfied, -1, None},
		{"满意吗", satisfied, -1, None},
		{"你说满不满意", satisfied, -1, None},
		{"态度满意，结果不满意", satisfied, -1, Ambiguous},
		{"解决了", solved, 0, Exact},
		{"没解决", solved, 2, Exact},
		{"没有解决", solved, 2, Exact},
		{"没解决！！", solved, 2, Exact},
		{"还没给我解决", solved, 2, Inside},
		{"没人来解决", solved, 2, Inside},
		{"解决不了", solved, 2, Inside},
		{"还没有", solved, 2, Exact},
		{"已经解决了，谢谢", solved, 0, Inside},
		{"解决了一半", solved, 1, Exact},
		{"没完全解决", solved, 1, Exact},
		{"修好了", solved, 0, Exact},
		{"路灯修好了", solved, 0, Inside},
		{"没修好", solved, 2, Exact},
		{"解决了吗", solved, -1, None},
		{"没解决，还是老样子", solved, 2, Inside},
		{"还好", relapse, 0, Exact},
		{"又坏了", relapse, 1, Exact},
		{"又不亮了", relapse, 1, Exact},
		{"没坏", relapse, 0, Exact},
		{"1", relapse, 0, Exact},
		{"前天又坏了", relapse, 1, Inside},

		// A yes to an option that is one.
		{"好的", confirm, 0, Exact},
		{"可以", confirm, 0, Exact},
		{"确认", confirm, 0, Exact},
		{"嗯", confirm, 0, Exact},
		{"没问题", confirm, 0, Exact},
		{"改一改", confirm, 1, Exact},
		{"不报了", confirm, 2, Exact},
		{"算了不报了", confirm, 2, Inside},
		{"不对", confirm, -1, None},
		{"不可以", confirm, -1, None},
		{"不行", confirm, -1, None},

		// Places: what both share names neither.
		{"上栗县桥头村", places, 0, Exact},
		{"是芦溪县桥头村", places, 1, Inside},
		{"桥头村", places, -1, None},
		{"2", places, 1, Exact},

		// A story is not an answer.
		{"上次来的人态度还可以，可是那个水管修了又漏修了又漏，你们派的师傅说满意就签字", satisfied, -1, None},
	}
	for _, tt := range tests {
		index, found := l.Choose(tt.answer, tt.opts)
		if index != tt.index || found != tt.found {
			t.Errorf("Choose(%q, %s…) = %d %v, want %d %v", tt.answer, tt.opts[0].Label, index, found, tt.index, tt.found)
		}
	}
}

// A text may name an option and yet be about something else.
func TestTells(t *testing.T) {
	l := loadLexicon(t)
	fine := []Option{{Value: "fine", Label: "还好"}, {Value: "broken", Label: "又坏了"}}
	content := []Option{{Value: "1", Label: "满意"}, {Value: "2", Label: "基本满意"}, {Value: "3", Label: "不满意"}}
	for _, tt := range []struct {
		in      string
		options []Option
		want    bool
	}{
		{"满意，谢谢你们", content, false},
		{"不满意，灯还是不亮", content, false},
		{"我对物业很不满意，垃圾没人清", content, true},
		{"2栋门口路面不好走", content, true},
		{"灯坏了", fine, false},
		{"又坏了，还是那个灯", fine, false},
		{"昌盛小区5栋路灯坏了", fine, true},
		{"我家门口的路灯不亮了", fine, true},
	} {
		if _, found := l.Choose(tt.in, tt.options); found == None {
			t.Errorf("%s names no option", tt.in)
		}
		if got := l.Tells(tt.in, tt.options); got != tt.want {
			t.Errorf("%s: %v", tt.in, got)
		}
	}
}

func TestYesNo(t *testing.T) {
	l := loadLexicon(t)
	tests := []struct {
		answer  string
		yes, ok bool
	}{
		{"是", true, true},
		{"好的", true, true},
		{"好的呀", true, true},
		{"可以", true, true},
		{"确认", true, true},
		{"行", true, true},
		{"要得", true, true},
		{"OK", true, true},
		{"没问题", true, true},
		{"还行", true, true},
		{"1", true, true},
		{"嗯", true, true},
		{"我确认", true, true},
		{"已经联系了", true, true},
		{"好", true, true},
		{"不", false, true},
		{"否", false, true},
		{"不可以", false, true},
		{"不行", false, true},
		{"不用了", false, true},
		{"没有", false, true},
		{"没解决", false, true},
		{"不太可以", false, true},
		{"不是", false, true},
		{"2", false, true},
		{"冒得", false, true},
		{"没人联系我", false, true},
		{"不用了谢谢", false, true},
		{"不同意", false, true},
		{"我不同意", false, true},
		{"", false, false},
		{"3", false, false},
		{"可以吗", false, false},
		{"楼下路灯不亮", false, false},
		{"随便", false, false},
	}
	for _, tt := range tests {
		yes, ok := l.YesNo(tt.answer)
		if yes != tt.yes || ok != tt.ok {
			t.Errorf("YesNo(%q) = %v, %v, want %v, %v", tt.answer, yes, ok, tt.yes, tt.ok)
		}
	}
}

func TestChooseSameLabelTwice(t *testing.T) {
	l := loadLexicon(t)
	if i, f := l.Choose("桥头村", []Option{{"a", "桥头村", nil}, {"b", "桥头村", nil}}); f != Ambiguous || i != -1 {
		t.Errorf("got %d %v, want ambiguous", i, f)
	}
	if i, f := l.Choose("1", nil); f != None || i != -1 {
		t.Errorf("no options: got %d %v", i, f)
	}
}

// Adding a negator in front of a word for an option never yields that option.
func TestNegatorNeverYieldsThePositive(t *testing.T) {
	l := loadLexicon(t)
	sets := [][]Option{satisfied, solved, relapse, five}
	rapid.Check(t, func(t *rapid.T) {
		opts := rapid.SampledFrom(sets).Draw(t, "options")
		term := rapid.SampledFrom(l.terms(opts)).Draw(t, "term")
		negator := rapid.SampledFrom(l.file.Negators).Draw(t, "negator")
		bridge := rapid.SampledFrom([]string{"", "太", "很", "怎么", "是很", "觉得"}).Draw(t, "bridge")
		lead := rapid.SampledFrom([]string{"", "我觉得", "说实话，", "唉 "}).Draw(t, "lead")
		answer := lead + negator + bridge + term.text
		if term.option == len(opts)-1 {
			return // the last option is the negative one
		}
		index, found := l.Choose(answer, opts)
		if index == term.option && !l.listed(negator+bridge+term.text, index, opts) {
			t.Fatalf("%q gave %d (%s) %v", answer, index, opts[index].Label, found)
		}
	})
}

// listed reports whether the words themselves stand in a list as that option
// (没坏 is a way to say 还好).
func (l *Lexicon) listed(text string, option int, opts []Option) bool {
	i, f := exact(Normalize(text), l.terms(opts))
	return f == Exact && i == option
}

func TestNegatorNeverYieldsYes(t *testing.T) {
	l := loadLexicon(t)
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom(l.file.Yes).Draw(t, "yes")
		negator := rapid.SampledFrom([]string{"不", "没", "没有", "冇", "别", "并不", "还没"}).Draw(t, "negator")
		for _, known := range l.file.Yes {
			if Normalize(negator+word) == known {
				return // 没问题
			}
		}
		if yes, ok := l.YesNo(negator + word); yes && ok {
			t.Fatalf("%s%s is a yes", negator, word)
		}
	})
}

func FuzzChoose(f *testing.F) {
	l := loadLexicon(f)
	for _, s := range []string{"1 谢谢", "不太满意", "第十个", "满意\x00", "一二三四五六七八九十万", "选选选选"} {
		f.Add(s, "满意", "不满意")
	}
	f.Fuzz(func(t *testing.T, answer, a, b string) {
		opts := []Option{{Label: a}, {Label: b}}
		i, found := l.Choose(answer, opts)
		if taken := found == Exact || found == Inside; taken != (i >= 0) || i >= len(opts) {
			t.Errorf("index %d with %v", i, found)
		}
		if j, again := l.Choose(Normalize(answer), opts); i != j || found != again {
			t.Errorf("%q and its normal form differ: %d %v, %d %v", answer, i, found, j, again)
		}
		l.YesNo(answer)
		l.Skip(answer)
		l.Number(answer)
		l.Global(answer)
		l.Intent(answer, map[string][]string{"x": {a}, "y": {b}})
	})
}

func BenchmarkChoose(b *testing.B) {
	l := loadLexicon(b)
	for b.Loop() {
		l.Choose("都很满意，感谢", satisfied)
	}
}
