//go:build acceptance

package acceptance

import (
	"crypto/rand"
	"regexp"
	"strings"
	"testing"

	"shaoying/internal/ticket"
	"shaoying/test/world"
)

var spoken = regexp.MustCompile(`编号 ?(\d{3,4}(?: \d{1,4})+)`)

// numberIn is the ticket number in a line, as it is spoken.
func numberIn(t *testing.T, text string) string {
	t.Helper()
	m := spoken.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no number in %q", text)
	}
	return m[1]
}

// report files something and returns the number.
func report(t *testing.T, r *world.Chat, words string) string {
	t.Helper()
	r.Say(words)
	for {
		item := r.Expect()
		switch {
		case strings.Contains(item.Text, "照片"):
			r.Say("跳过")
		case strings.Contains(item.Text, "这属于哪一类"):
			r.Say("1")
		case strings.Contains(item.Text, "是不是这件事"):
			r.Tap(item, "不是")
		case strings.Contains(item.Text, "对吗"):
			r.Tap(item, "对")
		case strings.Contains(item.Text, "已受理"):
			return numberIn(t, item.Text)
		}
	}
}

func TestReportGetsANumberAndANotice(t *testing.T) {
	r := server.Resident(t)
	number := report(t, r, "昌盛小区3栋楼下水井盖有些松动，走上去会响")
	r.Expect("告诉您一声")
	r.Say("我的工单")
	r.Expect(number)
}

func TestTheNumberStaysHiddenFromOthers(t *testing.T) {
	mine := server.Resident(t)
	number := report(t, mine, "昌盛小区5栋楼下水井盖有些松动，走上去会响")
	other := server.Resident(t)
	other.Say("撤回 " + number)
	foreign := other.Expect()
	never, err := ticket.NewNumber(rand.Reader)
	world.Must(t, err)
	stranger := server.Resident(t)
	stranger.Say("撤回 " + never.Spoken())
	if unknown := stranger.Expect(); unknown.Text != foreign.Text {
		t.Errorf("somebody else's number is answered %q, one that never was %q", foreign.Text, unknown.Text)
	}
}

func TestDangerComesFirst(t *testing.T) {
	r := server.Resident(t)
	r.Say("昌盛小区3栋一楼着火了，有人困在里面")
	r.Expect("119")
	item := r.Expect("编号")
	number := numberIn(t, item.Text)
	if u := one[string](t, `select urgency from ticket where number = $1`, strings.ReplaceAll(number, " ", "")); u != "urgent" {
		t.Errorf("the ticket is %s", u)
	}
}

func TestVoiceIsANumberAtOnce(t *testing.T) {
	r := server.Resident(t)
	r.Say("你好")
	r.Expect()
	r.File("voice", append([]byte("\x1aE\xdf\xa3"), make([]byte, 2000)...))
	numberIn(t, r.Expect("编号").Text)
}

func TestWordsOnlyCountWhole(t *testing.T) {
	r := server.Resident(t)
	r.Say("人工湖栏杆坏了，在昌盛小区3栋旁边")
	for {
		item := r.Expect()
		if strings.Contains(item.Text, "照片") || strings.Contains(item.Text, "哪一类") || strings.Contains(item.Text, "对吗") || strings.Contains(item.Text, "已受理") {
			return
		}
	}
}

func TestReloadLosesNothing(t *testing.T) {
	r := server.Resident(t)
	r.Say("你好")
	r.Expect()
	before := r.Items()
	again := r.Reload(t)
	last := before[len(before)-1].ID
	if !again.Await(world.Patience, func(items []world.Item) bool { return len(items) > 0 && items[len(items)-1].ID >= last }) {
		t.Fatal("the reloaded page did not get its lines")
	}
	for i, item := range again.Items()[:len(before)] {
		if item.ID != before[i].ID || item.Text != before[i].Text {
			t.Errorf("line %d is %q after the reload, %q before", i, item.Text, before[i].Text)
		}
	}
}
