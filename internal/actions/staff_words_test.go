package actions

import (
	"strings"
	"testing"
	"unicode/utf8"

	"shaoying/flows"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

func TestLeadingHandle(t *testing.T) {
	for _, c := range []struct {
		said string
		n    int
		rest string
		ok   bool
	}{
		{"3", 3, "", true},
		{"3 已更换井盖", 3, "已更换井盖", true},
		{"3已更换井盖", 3, "已更换井盖", true},
		{"３：修好了", 3, "修好了", true},
		{"#12，去过了", 12, "去过了", true},
		{"3号 修好了", 3, "修好了", true},
		{"3号楼的灯修好了", 3, "号楼的灯修好了", true},
		{"  7  ", 7, "", true},
		{"", 0, "", false},
		{"已更换", 0, "已更换", false},
		{"0 好了", 0, "0 好了", false},
		{"13800001234", 0, "13800001234", false},
	} {
		n, rest, ok := leadingHandle(c.said)
		if n != c.n || rest != c.rest || ok != c.ok {
			t.Errorf("%q: %d %q %v", c.said, n, rest, ok)
		}
	}
}

func FuzzLeadingHandle(f *testing.F) {
	for _, s := range []string{"3 好", "３号", "99999999999", "#", "第3号：", "3\x00", "\xff3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, said string) {
		n, rest, ok := leadingHandle(said)
		if ok && (n < 1 || n > 999_999) || !ok && rest != said {
			t.Fatalf("%q: %d %q %v", said, n, rest, ok)
		}
		if utf8.ValidString(said) && !utf8.ValidString(rest) {
			t.Fatalf("%q leaves %q", said, rest)
		}
		leadingNumber(said)
		inviteIn(said)
	})
}

func TestDeskValue(t *testing.T) {
	for _, d := range []ticket.Desk{{Kind: ticket.DeskGrid, Code: grid}, {Kind: ticket.DeskNamed, Code: "housing", Staff: 17}} {
		if got, ok := parseDesk(deskValue(d)); !ok || got != d {
			t.Errorf("%v became %v", d, got)
		}
	}
	for _, bad := range []string{"", "grid", "grid|1", "grid|1|x", "a|b|1|2"} {
		if _, ok := parseDesk(bad); ok {
			t.Errorf("%q is a desk", bad)
		}
	}
}

func TestAbbreviates(t *testing.T) {
	for short, want := range map[string]bool{"城管局": true, "住建局": true, "设院": false, "公安": false, "": true} {
		if got := abbreviates(short, "城市管理局住房和城乡建设局"); got != want {
			t.Errorf("%q: %v", short, got)
		}
	}
}

func TestInviteIn(t *testing.T) {
	for said, want := range map[string]string{
		"加入 7KQ2 M9XD": "7KQ2 M9XD", "激活码7kq2-m9xd": "7kq2-m9xd", "加入：７ＫＱ２Ｍ９ＸＤ": "7KQ2M9XD", "加入": "加入",
	} {
		if got := inviteIn(said); got != want {
			t.Errorf("%q: %q", said, got)
		}
	}
}

// Every code that staff or residents can meet has its text, and the text needs
// no value that is not there.
func TestStaffTexts(t *testing.T) {
	read := func(name string) *flows.Texts {
		texts, err := flows.ParseTexts(name, config(t, name))
		if err != nil {
			t.Fatal(err)
		}
		return texts
	}
	staff, notices := read("texts/staff.yaml"), read("texts/notice.yaml")
	set := plainSet(t)
	policy := set.Orders.Rules.Policy()
	params := map[string]string{}
	for _, name := range strings.Fields("state allowed max tries needed within command capacity number words matter mark task month day clock handle lines commands who phone reply") {
		params[name] = name
	}
	check := func(lang, key string) {
		t.Helper()
		texts := staff
		if strings.HasPrefix(key, "notice.") { // residents read it: networks of approved templates are told (Library.Said)
			texts = notices
		}
		tmpl, err := texts.Text(key, lang)
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := flows.Render(tmpl, params); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	zh := flows.BaseLang
	for _, key := range ticket.RefusalKeys() {
		check(zh, key)
	}
	for kind, codes := range map[string][]string{
		"transfer": policy.Reasons.Transfer, "return": policy.Reasons.Return, "reject": policy.Reasons.Reject,
		"object": policy.Reasons.Object, "extend": policy.Reasons.Extend, "suspend": policy.Reasons.Suspend,
		"supervise": policy.Reasons.Supervise, "escalate": policy.Reasons.Escalate, "exclude": policy.Reasons.Exclude,
	} {
		for _, c := range codes {
			check(zh, "reason."+kind+"."+c)
		}
	}
	for _, c := range policy.Reasons.Reject {
		check(zh, "notice.rejected."+c)
		check("en", "notice.rejected."+c)
	}
	for _, why := range policy.Reasons.Escalate {
		check(zh, "wait.raised_"+why)
	}
	for to := range policy.Referrals.To {
		check(zh, "reason.refer."+to)
		check(zh, "notice.referred."+to)
		check("en", "notice.referred."+to)
	}
	for _, m := range set.Orders.Matters.All() {
		if m.Refer != "" && !policy.Referrals.To[m.Refer] {
			t.Errorf("matter %s is referred to %q, where nothing goes at once", m.Code, m.Refer)
		}
	}
	for _, key := range []string{"notice.answered", "notice.merged", "notice.raised", "notice.redo", "notice.explained", "notice.beyond_duty"} {
		check(zh, key)
		check("en", key)
	}
	for _, s := range ticket.States() {
		check(zh, "card.state."+string(s))
	}
	for _, w := range []string{ticket.WaitPlace, ticket.WaitAgainst, ticket.WaitNamed, ticket.WaitDuty, ticket.WaitUnit, "unmerged", "lost", "lost_staff", "lost_capped", "notice", "card"} {
		check(zh, "wait."+w)
	}
	for _, k := range []string{
		workorder.TaskComplete, workorder.TaskVoice, workorder.TaskDispatch, workorder.TaskPhone, workorder.TaskJudge, workorder.TaskCheck,
		workorder.TaskPerson, workorder.TaskLost, workorder.TaskDead, workorder.TaskLogin, workorder.TaskReview, workorder.TaskEscalated, workorder.TaskExclusion,
	} {
		check(zh, "todo."+k)
		if taskRight(k) == "" {
			t.Errorf("a task %s asks for no right", k)
		}
	}
}

// What the actions return is what the check of dialogues is told.
func TestStaffDocs(t *testing.T) {
	set, docs := plainSet(t), staffDocs()
	for name := range set.staff() {
		if _, ok := docs[name]; !ok {
			t.Errorf("%s has no doc", name)
		}
	}
	if len(docs) != len(set.staff()) {
		t.Error("a doc is of no action")
	}
}
