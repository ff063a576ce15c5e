package words

import (
	"os"
	"strings"
	"testing"
)

func loadLexicon(tb testing.TB) *Lexicon {
	tb.Helper()
	body, err := os.ReadFile("../../configs/words.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	l, err := ParseLexicon("words.yaml", body)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func TestGlobalMatchesWholeMessagesOnly(t *testing.T) {
	l := loadLexicon(t)
	tests := map[string]string{
		"帮助": Help, "帮助！": Help, "HELP": Help, "/help": Help,
		"取消": Cancel, "取消吧": Cancel, "取消，谢谢": Cancel,
		"人工": Person, "转人工": Person, "人工客服": Person, "請轉人工": Person,
		"我的工单": MyTickets, "查进度": MyTickets,
		"退订": Stop, "TD": Stop, "ＴＤ": Stop, "t": Stop, "R": Stop, "0000": Stop, "退订 谢谢": Stop,
		"恢复": Start, "/start": Start,
		"菜单": Menu, "你好": Menu, "你好！": Menu,

		"": "", "人工湖栏杆坏了": "", "健身房退订不了": "", "我想取消低保": "", "怎么取消预约": "",
		"工单办了吗": "", "取消不了": "", "帮助老人": "", "谢谢": "", "0000000": "", "TDD": "", "人工智能": "",
		"停止供水三天了": "", "首页打不开": "", "恢复供电了吗": "", "查询低保要什么材料": "",
	}
	for in, want := range tests {
		if got, ok := l.Global(in); got != want || ok != (want != "") {
			t.Errorf("Global(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
}

func TestSkip(t *testing.T) {
	l := loadLexicon(t)
	tests := map[string]bool{
		"跳过": true, "跳過。": true, "没有": true, "没有，不方便": true, "没有照片": true, "不用了": true,
		"冒得": true, "算了吧": true, "不会弄，手机老": true, "拍不了": true, "没有了谢谢": true, "Skip": true,
		"": false, "没有路灯": false, "有": false, "没有路灯的那条巷子里面": false, "跳过去的那条沟": false,
		"没有，但是3栋楼下那个也坏了，一起看看": false,
	}
	for in, want := range tests {
		if got := l.Skip(in); got != want {
			t.Errorf("Skip(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestIntent(t *testing.T) {
	l := loadLexicon(t)
	starts := map[string][]string{
		"report":   {"报事", "反映", "投诉", "报修", "随手拍"},
		"status":   {"我的工单", "进度", "办得怎么样"},
		"withdraw": {"撤回", "撤销投诉", "不报修"},
		"rider":    {"骑士报到", "骑手"},
	}
	tests := map[string]string{
		"我要报修楼道灯":       "report",
		"報修":            "report",
		"我要 投诉 物业":      "report",
		"不用报修了":         "",
		"不是报修，我要投诉":     "report",
		"没有路灯要报修":       "report",
		"我想撤销投诉":        "withdraw",
		"我是骑手，想报到":      "rider",
		"上次反映的进度":       "report",
		"查一下办得怎么样":      "status",
		"不反映了，我要查进度":    "status",
		"别再给我看进度":       "",
		"":              "",
		"昌盛小区3栋楼下水井盖松动": "",
	}
	for in, want := range tests {
		if got, ok := l.Intent(in, starts); got != want || ok != (want != "") {
			t.Errorf("Intent(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
}

func TestNumber(t *testing.T) {
	l := loadLexicon(t)
	tests := []struct {
		in   string
		want int
		ok   bool
	}{
		{"3", 3, true},
		{"３", 3, true},
		{"三", 3, true},
		{"③", 3, true},
		{"0", 0, true},
		{"零", 0, true},
		{"两个", 2, true},
		{"大概12天", 12, true},
		{"十二", 12, true},
		{"二十", 20, true},
		{"一百零五", 105, true},
		{"三千五百", 3500, true},
		{"1万", 10000, true},
		{"大概2万块", 20000, true},
		{"99999999万", 0, false},
		{"三万二千", 32000, true},
		{"一二三", 123, true},
		{"第五个", 5, true},
		{"999999999", 999999999, true},
		{"1000000000", 0, false},
		{"99999999999999999999", 0, false},
		{"九千九百九十九万万万万万", 0, false},
		{"3.5", 0, false},
		{"3到5天", 0, false},
		{"没有", 0, false},
		{"", 0, false},
		{"3栋2单元", 0, false},
	}
	for _, tt := range tests {
		if got, ok := l.Number(tt.in); got != tt.want || ok != tt.ok {
			t.Errorf("Number(%q) = %d, %v, want %d, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func TestParseLexiconRefuses(t *testing.T) {
	body, err := os.ReadFile("../../configs/words.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(body)
	tests := []struct{ name, body, want string }{
		{"empty", "", "the list is empty"},
		{"unknown key", good + "\nfoo: 1\n", "unknown field"},
		{"not YAML", "a: [", "words.yaml"},
		{"no limit", strings.Replace(good, "longest_inside: 24", "longest_inside: 0", 1), "longest_inside"},
		{"nothing beside", strings.Replace(good, "beside: {label: 6", "beside: {label: 0", 1), "beside"},
		{"contradiction", strings.Replace(good, "yes: [是,", "yes: [否, 是,", 1), "is in yes and in no"},
		{"unknown global", strings.Replace(good, "  help:", "  halp:", 1), "unknown name"},
		{"global twice", strings.Replace(good, "  cancel: [取消", "  cancel: [帮助, 取消", 1), "is in"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseLexicon("words.yaml", []byte(tt.body))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "words.yaml") {
				t.Errorf("got %v, want an error with %q and the file name", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("yes: [是]\n"))
	f.Add([]byte("span: 3\nrules: [{code: a, raise: [[[b]]]}]\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if l, err := ParseLexicon("fuzz.yaml", body); err == nil {
			l.Choose("1 谢谢", []Option{{Label: "好"}})
		}
		if s, err := ParseSafety("fuzz.yaml", body); err == nil {
			s.Examine("着火了")
		}
	})
}
