package gateway

import (
	"context"
	"fmt"
	"testing"

	"shaoying/bots"
	"shaoying/internal/postgres"
)

func TestRouting(t *testing.T) {
	t.Parallel()
	const (
		hello    = "您好，有事请直说。"
		what     = "请说说是什么事。"
		where    = "在什么地方？"
		choose   = "选哪一个？"
		person   = "请稍等，工作人员来找您。"
		stopped  = "好的，不再发了。"
		danger   = "请先打119，这里代替不了。"
		unclear  = "不好意思，没看明白。"
		dropped  = "好的，不办了。"
		dangerAt = "在哪里？"
	)
	r := newRig(t)
	for i, c := range []struct {
		name  string
		turns []string
		want  []string // what is said after the last one
		flow  string   // the dialogue that is open then
	}{
		{"nothing known: the default", []string{"唉"}, []string{hello}, ""},
		{"an intent inside the sentence", []string{"我要报修"}, []string{what}, "report"},
		{"a global word alone", []string{"人工"}, []string{person}, ""},
		{"a global word with a full stop", []string{"人工。"}, []string{person}, ""},
		{"a global word inside a place name", []string{"人工湖栏杆坏了"}, []string{hello}, ""},
		{"a global word inside a report", []string{"报修", "人工湖栏杆坏了"}, []string{where}, "report"},
		{"stop inside a sentence", []string{"报修", "健身房退订不了"}, []string{where}, "report"},
		{"stop alone, idle", []string{"退订"}, []string{stopped}, ""},
		{"stop alone, in the middle", []string{"报修", "退订"}, []string{stopped}, ""},
		{"stop comes before an answer that fits", []string{"选一选", "td"}, []string{stopped}, ""},
		{"danger, idle", []string{"三楼着火了"}, []string{danger, dangerAt}, "danger"},
		{"danger in the middle of a report", []string{"报修", "楼下着火了"}, []string{danger, dangerAt}, "danger"},
		{"danger in the middle of a choice", []string{"选一选", "隔壁着火了"}, []string{danger, dangerAt}, "danger"},
		{"danger comes before an intent", []string{"报修，楼下着火了"}, []string{danger, dangerAt}, "danger"},
		{"danger inside danger is an answer", []string{"三楼着火了", "着火的是3栋"}, []string{"记下了。"}, ""},
		{"an expected answer before the global word", []string{"选一选", "帮助"}, []string{"选了帮助。"}, ""},
		{"a global word that is no answer", []string{"选一选", "人工"}, []string{person}, ""},
		{"an answer by number", []string{"选一选", "２"}, []string{"选了红的。"}, ""},
		{"an answer before an intent", []string{"报修", "我要投诉楼道灯"}, []string{where}, "report"},
		{"not understood", []string{"选一选", "随便"}, []string{unclear + choose}, "poll"},
		{"cancel in a dialogue", []string{"报修", "取消"}, []string{dropped}, ""},
		{"cancel, idle", []string{"取消"}, []string{hello}, ""},
		{"cancel inside a sentence", []string{"报修", "取消的公交站牌还立着"}, []string{where}, "report"},
		{"a global word without a dialogue of its own", []string{"帮助"}, []string{hello}, ""},
		{"menu in a dialogue", []string{"报修", "菜单"}, []string{hello}, ""},
		{"a staff command from a resident", []string{"接 3"}, []string{hello}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			user := bots.UserID(fmt.Sprint("user", i))
			var last []said
			for _, s := range c.turns {
				last = r.says(user, s)
			}
			if c.want[0] == unclear+choose { // one message or two is the engine's affair
				if len(last) == 0 || last[len(last)-1].Choices == nil && last[0].Choices == nil {
					t.Fatalf("said %q, want the question again", textsOf(last))
				}
			} else {
				r.want(last, c.want...)
			}
			if f := r.flow(user); f != c.flow {
				t.Fatalf("dialogue %q is open, want %q", f, c.flow)
			}
		})
	}
}

func TestDangerTakesWithItWhatAReportHadCollected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "报修")
	r.says("li", "楼道灯坏了")
	r.says("li", "灯线着火了")
	calls := r.acts.named("ticket.file")
	if len(calls) != 1 || calls[0].args["what"] != "楼道灯坏了\n灯线着火了" || calls[0].args["urgent"] != true {
		t.Fatalf("filed %v", calls)
	}
	if n := len(r.acts.named("ticket.file_incomplete")); n != 0 {
		t.Fatal("one emergency became two tickets")
	}
}

func TestAnotherDialogueNeverDropsWhatWasSaid(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "报修")
	r.says("li", "楼道灯坏了")
	r.says("li", "人工")
	kept := r.acts.named("ticket.file_incomplete")
	if len(kept) != 1 || kept[0].args["what"] != "楼道灯坏了" {
		t.Fatalf("kept %v", kept)
	}
	r.says("wang", "报修")
	r.says("wang", "人工") // nothing was said yet
	if n := len(r.acts.named("ticket.file_incomplete")); n != 1 {
		t.Fatalf("kept %d, want 1", n)
	}
}

func TestAPhotoOrAPlaceAloneIsTheBeginningOfAReport(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	photo := r.event("li", bots.KindPhoto)
	photo.Files = []bots.File{{MIME: "image/jpeg", Data: []byte("a picture")}}
	r.send(photo)
	if f := r.flow("li"); f != "report" {
		t.Fatalf("a photo alone: dialogue %q", f)
	}
	id := one[string](r, `select id from blob`)
	mime, data, err := r.OpenBlob(t.Context(), r.DB.Queries, id)
	if err != nil || mime != "image/jpeg" || string(data) != "a picture" {
		t.Fatalf("kept %q %q, %v", mime, data, err)
	}
	place := r.event("wang", bots.KindPlace)
	place.Place = &bots.Place{Lat: 27.6, Lon: 113.8, Datum: bots.DatumWGS84, Label: "昌盛小区"}
	r.send(place)
	r.heard("wang")
	r.want(r.says("wang", "楼道灯坏了"), "已受理，编号 1001。") // the place is known
}

func TestWhatCannotBeReadIsAnsweredAndChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "报修")
	r.send(r.event("li", bots.KindOther))
	r.want(r.heard("li"), "看不懂，请写字。")
	if f := r.flow("li"); f != "report" {
		t.Fatalf("in the middle of a report: dialogue %q", f)
	}
}

func TestAFileWithoutItsBytesIsFetchedLater(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	photo := r.event("li", bots.KindPhoto)
	photo.Files = []bots.File{{MIME: "image/jpeg", Key: "https://example/1"}}
	r.send(photo)
	id := one[string](r, `select id from blob where body is null and pending is not null`)
	if n := r.count(`select count(*) from due where kind = $1 and subject = $2`, KindMedia, "blob:"+id); n != 1 {
		t.Fatalf("%d fetches are planned, want 1", n)
	}
	if _, _, err := r.OpenBlob(t.Context(), r.DB.Queries, id); err == nil {
		t.Fatal("a file without bytes was opened")
	}
}

func TestVoice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	voice := func(transcript string) {
		ev := r.event("li", bots.KindVoice)
		ev.Text, ev.Files = transcript, []bots.File{{MIME: "audio/amr", Data: []byte("sound")}}
		r.send(ev)
	}
	voice("我要报修")
	r.want(r.heard("li"), "请说说是什么事。")
	voice("")
	calls := r.acts.named(ActionVoice)
	if len(calls) != 1 || len(calls[0].args["voice"].([]string)) != 1 {
		t.Fatalf("the clerk got %v", calls)
	}
	if f := r.flow("li"); f != "report" {
		t.Fatalf("dialogue %q, want it to wait", f)
	}
	voice("三楼着火了")
	if f := r.flow("li"); f != "danger" {
		t.Fatal("danger in a transcript was not heard")
	}
	if n := r.count(`select count(*) from blob where kind = 'voice'`); n != 3 {
		t.Fatalf("%d recordings kept, want 3", n)
	}
}

func TestJoinGreets(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.send(r.event("li", bots.KindJoin))
	r.want(r.heard("li"), "您好，有事请直说。")
}

func TestStaffRouting(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.hire("wang")
	r.want(r.says("wang", "唉"), "接、办结、退回。")
	r.want(r.says("wang", "接 3"), "接下了。")
	if c := r.acts.named("card.take"); c[0].args["text"] != "3" {
		t.Fatalf("the argument is %v, want 3", c[0].args["text"])
	}
	r.want(r.says("wang", "接３"), "接下了。")
	r.want(r.says("wang", "接电话的人不在"), "接、办结、退回。")
	r.want(r.says("wang", "回复居民"), "写给居民什么？")
	r.want(r.says("wang", "接 4"), "接下了。") // a command stands above the open question
	r.says("wang", "回复居民")
	r.want(r.says("wang", "三楼着火了，已经去了"), "发出去了。") // an answer, not an alarm
	r.says("wang", "三楼着火了")
	if f := r.flow("wang"); f != "danger" {
		t.Fatalf("a member of the staff in danger: dialogue %q", f)
	}
}

func TestLongAndOddTexts(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config, _ *Deps) { c.FloodPerMinute = 100 })
	for _, s := range []string{" ", "　", "\n", "\u200b", "👨‍👩‍👧‍👦", "0", "-1", "999999999999999999999", string(make([]byte, 0)) + "。"} {
		if got := r.says("li", s); len(got) == 0 {
			t.Errorf("%q: no answer", s)
		}
	}
	long := make([]rune, 5000)
	for i := range long {
		long[i] = '灯'
	}
	r.says("li", "报修")
	r.want(r.says("li", string(long)), "在什么地方？")
	r.says("li", "昌盛小区")
	if got := r.acts.named("ticket.file")[0].args["what"].(string); len([]rune(got)) != 2000 {
		t.Fatalf("the report holds %d characters, want 2,000", len([]rune(got)))
	}
}

func TestAnActionThatDoesNotExist(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	delete(r.Actions, "desk.call")
	r.want(r.says("li", "人工"))
	if e := one[string](r, `select error from inbox where state = 'waiting'`); e == "" {
		t.Fatal("the reason is not kept")
	}
}

func TestATurnKnowsWhoSpeaks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.hire("wang")
	var got Turn
	r.acts.on("card.take", func(_ context.Context, t *Turn) error { got = *t; return nil })
	r.says("wang", "接 1")
	staff := r.count(`select id from staff`)
	if got.Staff != staff || got.Actor() != postgres.Subject("staff", staff) || got.Channel != web || got.Trust != bots.TrustSession {
		t.Fatalf("the turn knows %+v", got)
	}
	if got.Conversation != r.conversation("wang") || got.Lang != "zh-Hans" || got.Now.IsZero() || got.Wall.IsZero() {
		t.Fatalf("the turn knows %+v", got)
	}
}
