package world

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// BedStory is what a family, its clinic and its nurse live through: from the wish
// for a family bed to its end. Its parts are told in this order, from the first
// morning of the demo on. The desk and the doctor work at the desk page, the nurse
// in chat, the daughter on the web page, the son on a telephone that knows SMS and no more.
type BedStory struct {
	World    *World
	Server   *Server
	Daughter *Chat
	Son      *Phone
	// Answer writes to the number, extension included, that the son's last text
	// came from. Number is his, as a clerk types it.
	Answer func(text string)
	Number string

	desk  *Desk
	nurse *Chat
	bed   string // path of its page
}

// The demo's clinic, and what the story calls people and things.
const (
	clinicDesk = "clinic-desk-changsheng"
	doctor     = "doctor-changsheng"
	nurse      = "nurse-changsheng-1"
	daughter   = "甘小雨"
	son        = "甘立夏"
	bedNumber  = "CS-2026-77"
)

var (
	wishPath = regexp.MustCompile(`/desk/care/application/(\d+)`)
	bedPath  = regexp.MustCompile(`/desk/bed/(\d+)/do/`)
	doorCode = regexp.MustCompile(`核验码(\d{4})`)
)

// reach moves the demo's clock to a time of its city, such as 03-05 20:01.
func (s *BedStory) reach(t testing.TB, when string) {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	Must(t, err)
	to, err := time.ParseInLocation("2006-01-02 15:04", "2026-"+when, zone)
	Must(t, err)
	for range 40 {
		now, err := time.Parse(time.RFC3339, s.Server.Advance(t, "1s").Now)
		Must(t, err)
		left := to.Sub(now).Round(time.Second)
		if left <= 0 {
			return
		}
		s.Server.Advance(t, left.String())
	}
	t.Fatalf("the clock does not reach %s", when)
}

// look reads one value beside the running program.
func look[V any](t testing.TB, w *World, query string, args ...any) (v V) {
	t.Helper()
	ctx := context.Background()
	d, err := w.Look(ctx)
	Must(t, err)
	defer func() { Must(t, d.Close(ctx)) }()
	Must(t, d.Scan(ctx, query, args, &v))
	return v
}

func (s *BedStory) nameOf(t testing.TB, slug string) string {
	return look[string](t, s.World, `select name from staff where slug = $1`, slug)
}

// Tell tells the whole story.
func (s *BedStory) Tell(t *testing.T) {
	s.desk = s.Server.Desk(t, clinicDesk)
	s.nurse = s.Server.Staff(t, nurse)
	for _, part := range []struct {
		name string
		tell func(*testing.T)
	}{
		{"the wish", s.wish},
		{"looked at and registered", s.register},
		{"signed, opened, ordered", s.open},
		{"confirmed by SMS and done", s.confirmed},
		{"moved on the web page", s.moved},
		{"nobody at home and made good", s.madeGood},
		{"renewed and closed", s.ends},
	} {
		if !t.Run(part.name, func(t *testing.T) {
			s.desk.t, s.nurse.t, s.Daughter.t = t, t, t
			part.tell(t)
		}) {
			return
		}
	}
}

// register goes from the application to the bed: every step is told at once.
func (s *BedStory) register(t *testing.T) {
	s.desk.Open("/desk/care?tab=wishes")
	last := 0
	for _, m := range wishPath.FindAllStringSubmatch(s.desk.Page, -1) {
		n, err := strconv.Atoi(m[1])
		Must(t, err)
		last = max(last, n)
	}
	s.desk.Open(fmt.Sprintf("/desk/care/application/%d", last))
	s.desk.Submit("/do/screen", "q_stable", "是", "q_housebound", "是", "q_served", "是", "q_adult", "是")
	s.Daughter.Expect("上门看一看")
	s.desk.Submit("/do/assess", "condition", "是", "home_fit", "是")
	s.Daughter.Expect("告知书和协议书")
	// The son is asked first, the daughter after him.
	s.desk.Submit("/do/register", "type", "康复", "number", bedNumber, "hospital", "云岭医院", "dependent", "1",
		"order_1", "3", "relation_1", "女儿", "name_new1", son, "phone_new1", s.Number, "relation_new1", "儿子")
	s.Daughter.Expect("登记好了")
	m := bedPath.FindStringSubmatch(s.desk.Page)
	if m == nil {
		t.Fatalf("registering leads to no bed:\n%s", s.desk.Text())
	}
	s.bed = "/desk/bed/" + m[1]
	s.desk.Has(bedNumber, "待签字")
}

// open signs on the clinic's screen, opens the bed and orders a nurse for every
// third day from Friday on.
func (s *BedStory) open(t *testing.T) {
	s.desk.Submit("/do/sign", "form_of", "当面", "person", "女儿", "signature", daughter)
	s.desk.Submit("/do/open", "doctor", s.nameOf(t, doctor), "nurse", s.nameOf(t, nurse), "diagnosis", "演示用诊断")
	s.desk.Has("在床", "首访")
	s.desk.Submit("/do/order", "kind", "护理", "every", "3", "staff", s.nameOf(t, nurse), "from", "2026-03-06")
	s.desk.Has("每3天")
	s.Son.Expect(t, "上门服务", "核验码")
}

// confirmed is the doctor's first visit: asked the evening before, answered by SMS,
// made and written down at the desk page, and asked about afterwards.
func (s *BedStory) confirmed(t *testing.T) {
	s.reach(t, "03-03 18:31")
	asked := s.Son.Expect(t, "上门", "回1有人", "核验码")
	code := doorCode.FindStringSubmatch(asked.Text)[1]
	s.Answer("1")
	s.state(t, "first", "confirmed")
	s.reach(t, "03-04 08:50")
	id := s.visit(t, "first")
	visits := s.Server.Desk(t, doctor)
	visits.Open("/desk/visit/" + id)
	visits.Submit("/do/leave")
	s.Son.Expect(t, "出发了", code)
	s.reach(t, "03-04 09:10")
	visits.Open("/desk/visit/" + id)
	visits.Submit("/do/arrive", "adult", "1")
	s.reach(t, "03-04 10:00")
	visits.Open("/desk/visit/" + id)
	visits.Submit("/do/finish", "person", "儿子", "note", "血压平稳，教了翻身")
	visits.Has("已完成")
	s.reach(t, "03-04 12:05")
	s.Son.Expect(t, "满意")
	s.Answer("5")
	s.soon(t, "the answer to the survey", `select count(*) from survey where subject = 'visit:' || $1 and answer = '5'`, id)
}

// moved is the nurse's first visit: the son is silent, so the daughter is asked at
// eight, and chooses another time.
func (s *BedStory) moved(t *testing.T) {
	s.reach(t, "03-05 17:01")
	s.nurse.Expect("上门1次", bedNumber, "护理")
	s.reach(t, "03-05 18:31")
	s.Son.Expect(t, "回1有人")
	s.reach(t, "03-05 20:01")
	asked := s.Daughter.Expect("上门", "届时家中有人吗")
	id := s.visit(t, "nursing")
	before := look[string](t, s.World, `select day || ' ' || starts from visit where id = $1::text::bigint`, id)
	s.Daughter.Tap(asked, "改期")
	offers := s.Daughter.Expect("哪个合适")
	s.Daughter.Tap(offers, offers.Choices[0].Label)
	s.Daughter.Expect("改好了")
	after := look[string](t, s.World, `select day || ' ' || starts from visit where id = $1::text::bigint`, id)
	if after == before {
		t.Errorf("the visit stayed on %s", before)
	}
	s.reach(t, "03-05 20:46")
	s.nurse.Expect("没回的明早打电话问", bedNumber)
	s.nurse.Say("明日上门")
	s.nurse.Expect("#"+id, bedNumber, "有人")
	s.makes(t, id)
}

// madeGood is a visit at which nobody opens: the clinic finds another time inside
// the ordered days, and the nurse comes again.
func (s *BedStory) madeGood(t *testing.T) {
	id := s.visit(t, "nursing")
	day := look[string](t, s.World, `select to_char(day - 1, 'MM-DD') from visit where id = $1::text::bigint`, id)
	s.reach(t, day+" 18:31")
	s.Son.Expect(t, "回1有人")
	s.Answer("有人")
	s.state(t, "nursing", "confirmed")
	s.reach(t, s.start(t, id, -10))
	s.nurse.Say("出发 " + id)
	s.Son.Expect(t, "出发了")
	s.reach(t, s.start(t, id, 10))
	s.nurse.Say("无人 " + id)
	s.nurse.Expect("#"+id, "值班台来补时间")
	s.Son.Expect(t, "没有人应门")
	s.Daughter.Expect("没有人应门")
	s.desk.Open("/desk/visit/" + id)
	s.desk.Has("待补")
	s.desk.Submit("/do/move", "to", "-", "agreed", "1")
	s.makes(t, id)
	if missed := look[int](t, s.World, `select count(*) from visit v join bed b on b.id = v.bed_id where b.number = $1 and v.state = 'missed'`, bedNumber); missed != 0 {
		t.Errorf("%d visits count as missed", missed)
	}
}

// ends renews the period and closes the bed: nothing that waited for the family is
// left.
func (s *BedStory) ends(t *testing.T) {
	s.desk.Open(s.bed)
	s.desk.Submit("/do/renew")
	s.desk.Has("余")
	if n := look[int](t, s.World, `select jsonb_array_length(periods) from bed where number = $1`, bedNumber); n != 2 {
		t.Errorf("the bed has %d periods", n)
	}
	s.desk.Submit("/do/close", "outcome", "好转", "diagnosis", "演示用诊断")
	s.desk.Has("已撤", "好转")
	if left := look[int](t, s.World, `select count(*) from due d join visit v on d.subject = 'visit:' || v.id join bed b on b.id = v.bed_id
		where b.number = $1 and d.state = 'planned'`, bedNumber); left != 0 {
		t.Errorf("%d things are still due around the visits of a closed bed", left)
	}
	for _, line := range s.Son.Lines() {
		for _, word := range []string{"家庭病床", "诊断", "瘫", son, daughter} {
			if Holds(line.Text, word) {
				t.Errorf("a text says %q: %s", word, line.Text)
			}
		}
	}
}

// visit is the next visit of a kind that is not over, as staff name it.
func (s *BedStory) visit(t *testing.T, kind string) string {
	t.Helper()
	return look[string](t, s.World, `select v.id::text from visit v join bed b on b.id = v.bed_id
		where b.number = $1 and v.kind = $2 and v.state not in ('done', 'cancelled', 'released', 'missed') order by v.day, v.id limit 1`, bedNumber, kind)
}

// state waits until the last visit of a kind that anything happened to is in a state.
func (s *BedStory) state(t *testing.T, kind, state string) {
	t.Helper()
	s.soon(t, kind+" is "+state, `select count(*) from visit v join bed b on b.id = v.bed_id where b.number = $1 and v.kind = $2 and v.state = $3`, bedNumber, kind, state)
}

func (s *BedStory) soon(t *testing.T, what, query string, args ...any) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	limit := time.After(Patience)
	for look[int](t, s.World, query, args...) == 0 {
		select {
		case <-again.C:
		case <-limit:
			t.Fatal(what, " did not come about")
		}
	}
}

// start is some minutes after a visit's window begins, for reach.
func (s *BedStory) start(t *testing.T, id string, minutes int) string {
	t.Helper()
	return look[string](t, s.World, `select to_char(day + make_interval(mins => starts + $2), 'MM-DD HH24:MI') from visit where id = $1::text::bigint`, id, minutes)
}

// makes lets the nurse set out, say the code at the door, be let in and finish.
func (s *BedStory) makes(t *testing.T, id string) {
	t.Helper()
	s.reach(t, s.start(t, id, -10))
	s.nurse.Say("出发 " + id)
	s.nurse.Expect("#"+id, "出发了")
	code := doorCode.FindStringSubmatch(s.Son.Expect(t, "出发了", "核验码").Text)[1]
	s.reach(t, s.start(t, id, 10))
	s.nurse.Say("到达 " + id)
	s.nurse.Expect("核验码 " + code)
	s.nurse.Tap(s.nurse.Expect("大人在场吗"), "有")
	s.nurse.Expect("#"+id, "到了")
	s.reach(t, s.start(t, id, 50))
	s.nurse.Say("完成 " + id)
	s.nurse.Tap(s.nurse.Expect("谁在场"), "儿子")
	s.nurse.Expect("记一句")
	s.nurse.Say("换了床单，皮肤完好")
	s.nurse.Expect("#"+id, "记录写好了")
	s.soon(t, "the visit", `select count(*) from visit where id = $1::text::bigint and state = 'done' and noted`, id)
}

// wish is the daughter's message, and what the clinic answers.
func (s *BedStory) wish(t *testing.T) {
	s.Daughter.Say("我妈瘫在床上三年了，想请医生上门看病")
	s.Daughter.Tap(s.Daughter.Expect("给谁申请"), "家里人")
	s.Daughter.Expect("住在哪里")
	s.Daughter.Say("昌盛小区5栋")
	s.Daughter.Expect("打哪个电话找您")
	s.Daughter.Say("跳过")
	s.Daughter.Tap(s.Daughter.Expect("同意保存吗"), "是")
	s.Daughter.Expect("申请收到了", "120")
}
