package world

import (
	"regexp"
	"strings"
	"testing"
)

var (
	spoken = regexp.MustCompile(`编号 ?(\d{3,4}(?: \d{1,4})+)`)
	handle = regexp.MustCompile(`【(\d+)】`)
	code   = regexp.MustCompile(`加入 (\S+ \S+)`)
)

// Trouble is what is wrong, and whose handlers mend it. Its result is shown by a
// photo.
type Trouble struct{ What, Unit string }

// Troubles are some that go to different units, so that many stories can be
// told at once without every handler getting the card of each.
func Troubles() []Trouble {
	return []Trouble{
		{"楼下水井盖有些松动，走上去会响", "urban_management"},
		{"门口路面坑坑洼洼，不好走", "transport"},
		{"楼下总有人乱停车", "traffic_police"},
		{"楼下排水沟的污水总是不流", "housing"},
	}
}

// Story is what a resident and a member of the staff live through: a report,
// the work on it, the callback. Its parts are told in this order.
type Story struct {
	Resident, Staff *Phone
	Trouble
	// Where the trouble is, such as 昌盛小区3栋.
	Where string
	// Number of the ticket, as it is spoken, once it was told.
	Number string
}

// Join makes the staff's phone one of a handler of the unit that mends it.
func (s *Story) Join(t testing.TB, city *World, name string) {
	t.Helper()
	s.Staff.Join(t, city, name, "handler", "unit:"+s.Unit)
}

// Join makes the phone one of the staff, by an invite.
func (p *Phone) Join(t testing.TB, city *World, name, role, area string) {
	t.Helper()
	out, err := city.Run("staff", "invite", "--name", name, "--role", role, "--area", area)
	m := code.FindStringSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("invite: %v\n%s", err, out)
	}
	p.Say("加入 " + m[1])
	p.Expect(t, name, "加入好了")
}

// Report tells of the trouble: the place is asked for, a photo is not at hand,
// the summary is confirmed.
func (s *Story) Report(t testing.TB) {
	t.Helper()
	s.Ask(t)
	s.Confirm(t)
}

// Ask is Report as far as the question whether all is right.
func (s *Story) Ask(t testing.TB) {
	t.Helper()
	s.Resident.Say(s.What)
	s.Resident.Expect(t, "什么地方")
	s.Resident.Say(s.Where)
	s.Resident.Expect(t, "照片")
	s.Resident.Say("跳过")
}

// Confirm answers that question and waits for the number.
func (s *Story) Confirm(t testing.TB) {
	t.Helper()
	s.Resident.Tap(t, s.Resident.Expect(t, "对吗", s.Where), "对")
	s.Told(t, s.Resident.Expect(t, "已受理", "编号"))
}

// Told takes the number out of a line.
func (s *Story) Told(t testing.TB, line Line) {
	t.Helper()
	m := spoken.FindStringSubmatch(line.Text)
	if m == nil {
		t.Fatalf("no number in %q", line.Text)
	}
	s.Number = m[1]
}

// Work waits for the card, takes it and finishes it with a photo.
func (s *Story) Work(t testing.TB) {
	t.Helper()
	card := s.Staff.Expect(t, s.Number)
	m := handle.FindStringSubmatch(card.Text)
	if m == nil {
		t.Fatalf("no handle in %q", card.Text)
	}
	s.Staff.Say("接 " + m[1])
	s.Staff.Expect(t, "接好了", "【"+m[1]+"】")
	s.Staff.Say("办 " + m[1] + " 修好了，请放心")
	s.Staff.Tap(t, s.Staff.Expect(t, "结果是"), "办好了")
	s.Staff.Expect(t, "照片")
	s.Staff.Photo(Photo(320, 240))
	s.Staff.Expect(t, s.Number, "办结了")
}

// Called reports whether the resident was called back.
func (s *Story) Called() bool {
	for _, line := range s.Resident.Lines() {
		if Holds(line.Text, s.Number, "联系过您吗") {
			return true
		}
	}
	return false
}

// Rate answers the callback.
func (s *Story) Rate(t testing.TB) {
	t.Helper()
	s.Resident.Tap(t, s.Resident.Expect(t, s.Number, "联系过您吗"), "联系了")
	s.Resident.Tap(t, s.Resident.Expect(t, "解决了吗"), "解决了")
	s.Resident.Expect(t, "满意")
	s.Resident.Say("满意")
	s.Resident.Expect(t, "谢谢您")
}

// Plain is a number without its spaces, as the database keeps it.
func Plain(number string) string { return strings.ReplaceAll(number, " ", "") }
