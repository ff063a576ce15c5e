package actions

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"shaoying/internal/people"
)

// S3: a sender number proves nothing. Every command of a resident is texted from a
// number that somebody forged, from one that is bound to a person, and by somebody
// who answers the code for that very request; what comes of it is read in the
// database.

// s3State is how a number stands to us.
type s3State string

const (
	s3Spoofed  s3State = "spoofed"
	s3Bound    s3State = "bound"
	s3Verified s3State = "verified" // bound, and the code is answered
)

// s3Case is one command: what is texted, what has to be there before, and what has
// happened when it is done.
type s3Case struct {
	says   string
	before func(r *rig, number int)
	// done is a condition over the number's address a, its person p and its first
	// ticket k.
	done string
}

func prompted(flow string) func(*rig, int) {
	return func(r *rig, number int) { r.asks(number, flow) }
}

func s3Cases() map[people.ResidentCommand]s3Case {
	sql := func(q string) func(*rig, int) {
		return func(r *rig, number int) { r.exec(q, string(phoneUser(number))) }
	}
	const told = `exists (select 1 from outbox o where o.address_id = a.id and o.id > $2 and o.source = 'flow:my_tickets')`
	const asked = `exists (select 1 from task t where t.kind = 'person' and t.subject = 'conversation:' || (select id from conversation where address_id = a.id))`
	handled := sql(`update ticket set state = 'handled', handled_at = product_now(), unit_result = 'resolved' where address_id = (select id from address where user_id = $1)`)
	closed := sql(`update ticket set state = 'closed', closed_at = product_now(), outcome = 'unconfirmed' where address_id = (select id from address where user_id = $1)`)
	surveyed := sql(`insert into survey (kind, person_id, ticket_id) select 'rating', reporter_id, id from ticket where address_id = (select id from address where user_id = $1)`)
	asksVisit := func(r *rig, number int) {
		w := (&ward{rig: r}).known()
		w.asksAbout(phoneUser(number), w.visit(w.opens(phoneUser(number)), 0))
	}
	visit := func(state string) string {
		return `exists (select 1 from visit v join bed_carer c on c.bed_id = v.bed_id where c.address_id = a.id and v.state = '` + state + `')`
	}
	then := func(all ...func(*rig, int)) func(*rig, int) {
		return func(r *rig, number int) {
			for _, f := range all {
				f(r, number)
			}
		}
	}
	return map[people.ResidentCommand]s3Case{
		people.CmdReport:          {"昌盛小区3栋楼下垃圾没人收", nil, `(select count(*) from ticket where address_id = a.id) = 2`},
		people.CmdSpeakToPerson:   {"人工", nil, asked},
		people.CmdStop:            {"退订", nil, `a.state = 'stopped'`},
		people.CmdStart:           {"恢复", sql(`update address set state = 'stopped' where user_id = $1`), `a.state = 'active'`},
		people.CmdReadOwn:         {"我的工单", nil, told},
		people.CmdReadAll:         {"查进度", nil, told},
		people.CmdAddToTicket:     {"补充：昨天又响了一个晚上", nil, `exists (select 1 from trail where kind = 'ticket.words_added' and subject = 'ticket:' || k.id)`},
		people.CmdWithdrawTicket:  {"撤回", nil, `k.state = 'withdrawn'`},
		people.CmdRelapse:         {"又坏了", closed, `k.relapses = 1`},
		people.CmdEnrol:           {"我是骑士", nil, `p.kind = 'rider'`},
		people.CmdExport:          {"请把我的资料发给我", nil, asked},
		people.CmdErase:           {"请删除资料", nil, asked},
		people.CmdChangePhone:     {"我要换手机号", nil, asked},
		people.CmdReadHealth:      {"看我的健康档案", nil, asked},
		people.CmdBindAddress:     {"绑定", nil, `a.trust = 'verified' and exists (select 1 from trail where kind = 'address.bound' and subject = 'address:' || a.id)`},
		people.CmdAnswerCallback:  {"1", then(handled, prompted("callback")), `k.satisfied = 'satisfied'`},
		people.CmdAnswerSurvey:    {"1", then(closed, surveyed, prompted("survey")), `exists (select 1 from survey where ticket_id = k.id and answer = 'satisfied')`},
		people.CmdConfirmVisit:    {"1", asksVisit, visit("confirmed")},
		people.CmdAskVisitChange:  {"改期", asksVisit, visit("move_asked")},
		people.CmdWithdrawConsent: {"撤回同意", func(r *rig, number int) { (&ward{rig: r}).known().opens(phoneUser(number)) }, `exists (select 1 from bed b join bed_carer c on c.bed_id = b.id where c.address_id = a.id and b.reason = 'consent')`},
		people.CmdCancelCare:      {"以后都不用上门了", nil, asked},
		people.CmdLeaveProgramme:  {"我要退出骑士", nil, asked},
		people.CmdStaff:           {"待办", nil, `exists (select 1 from outbox o where o.address_id = a.id and o.source like 'flow:staff%')`},
	}
}

// s3Cell texts a command from a fresh number and says what came of it.
func (r *rig) s3Cell(number int, state s3State, c s3Case) string {
	r.t.Helper()
	user := string(phoneUser(number))
	r.filedBySMS(number)
	if state != s3Spoofed {
		r.exec(`update address set trust = 'verified', proven_at = product_now() where user_id = $1`, user)
	}
	if c.before != nil {
		c.before(r, number)
	}
	since := one[int64](r, `select coalesce(max(id), 0) from outbox`)
	done := func() bool {
		return one[bool](r, `select `+strings.ReplaceAll(c.done, "$2", fmt.Sprint(since))+` from address a join person p on p.id = a.person_id
			join ticket k on k.id = (select min(id) from ticket where address_id = a.id) where a.user_id = $1`, user)
	}
	got := strings.Join(r.texts(number, c.says), "\n")
	said := "done"
	if m := sixDigits.FindStringSubmatch(got); m != nil {
		if done() {
			r.t.Errorf("%q from a %s number was done before its code was answered", c.says, state)
		}
		guess := "000000"
		if state == s3Verified {
			guess = m[1]
		} else if guess == m[1] {
			guess = "000001"
		}
		r.texts(number, guess)
		if !done() {
			return "code"
		}
		said = "code, done"
	}
	if !done() {
		return "refused"
	}
	if strings.Contains(c.done, "from task t") && !strings.Contains(c.says, "人工") {
		return strings.Replace(said, "done", "desk", 1)
	}
	return said
}

// What may be: a row of people.Allowed at the trust that a number has, which is
// none, whether it is bound or not.
func s3Want(c people.ResidentCommand, state s3State, prompt bool) []string {
	switch people.Allowed(c, 0, prompt) {
	case people.Allow, people.AllowOwn:
		switch c {
		case people.CmdEnrol: // told to enrol where photos can be sent
			return []string{"refused"}
		}
		return []string{"done"}
	case people.NeedCode:
		if state == s3Verified {
			return []string{"code, done", "code, desk"}
		}
		return []string{"code"}
	case people.ToDesk:
		return []string{"desk"}
	}
	return []string{"refused"}
}

func TestS3Matrix(t *testing.T) {
	r := newWard(t).rig
	cases := s3Cases()
	var b strings.Builder
	b.WriteString("# what comes of a text, by how its number stands to us. done; code: a code was asked for, and nothing done without it;\n" +
		"# desk: a person finishes it; refused\n")
	number := 1000
	for _, command := range people.ResidentCommands() {
		c, ok := cases[command]
		if !ok {
			t.Errorf("%s has no case", command)
			continue
		}
		row := fmt.Sprintf("%-16s", command)
		for _, state := range []s3State{s3Spoofed, s3Bound, s3Verified} {
			number++
			cell := r.s3Cell(number, state, c)
			row += fmt.Sprintf(" | %-8s %-10s", state, cell)
			prompt := c.before != nil && slices.Contains([]people.ResidentCommand{people.CmdAnswerCallback, people.CmdAnswerSurvey, people.CmdConfirmVisit, people.CmdAskVisitChange}, command)
			if want := s3Want(command, state, prompt); !slices.Contains(want, cell) {
				t.Errorf("%s from a %s number: %s, want one of %q", command, state, cell, want)
			}
		}
		b.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	goldenFile(t, "testdata/s3.golden", b.String())
}

// No command of the staff is understood by SMS, though the number is bound to a
// member of the staff who may give it.
func TestS3StaffCommandsAreDenied(t *testing.T) {
	r := newRig(t)
	r.filedBySMS(1)
	number := 1
	r.exec(`update address set trust = 'verified', proven_at = product_now(), person_id = (select person_id from staff where slug = 'wang') where user_id = $1`, string(phoneUser(number)))
	state := func() string {
		return one[string](r, `select coalesce(string_agg(state || version, ' ' order by id), '') from ticket`) + one[string](r, `select coalesce(string_agg(state, ' ' order by id), '') from task where kind <> 'person'`)
	}
	before := state()
	starts := r.Library.StaffStarts()
	if len(starts) < 40 {
		t.Fatalf("%d commands", len(starts))
	}
	for _, flow := range slices.Sorted(maps.Keys(starts)) {
		for _, word := range starts[flow] {
			r.exec(`update conversation set flow = '', state = null where user_id = $1`, string(phoneUser(number)))
			r.exec(`update ticket set received_at = received_at - interval '2 hours'`) // the limit of reports is another test's
			r.texts(number, word+" 1")
			if n := one[int64](r, `select count(*) from outbox where channel = 'sms' and source like 'flow:staff%'`); n != 0 {
				t.Fatalf("%q began %s from a number that anybody can write", word, flow)
			}
		}
	}
	after := state()
	if !strings.HasPrefix(after, strings.Fields(before)[0]) {
		t.Errorf("the ticket was %s and is %s", before, after)
	}
}

// What only reminds is left as easily as it was joined, but not by a number that
// stands for a person who proved it elsewhere.
func TestLeavingAProgrammeByNumber(t *testing.T) {
	r := newWard(t).rig
	for number, c := range map[int]struct {
		trust string
		stays int64
	}{901: {"none", 0}, 902: {"verified", 1}} {
		r.filedBySMS(number)
		user := string(phoneUser(number))
		r.exec(`update address set trust = $2, proven_at = product_now() where user_id = $1`, user, c.trust)
		r.exec(`insert into care_member (person_id, programme, address_id) select person_id, 'free_clinic', id from address where user_id = $1`, user)
		r.texts(number, "退出义诊")
		got := strings.Join(r.texts(number, "退出"), "\n")
		if n := one[int64](r, `select count(*) from care_member m join address a on a.person_id = m.person_id where a.user_id = $1 and m.left_at is null`, user); n != c.stays {
			t.Errorf("a number of trust %s: %d still in it, want %d; it heard %q", c.trust, n, c.stays, got)
		}
		if c.stays > 0 != strings.Contains(got, "冒用") {
			t.Errorf("a number of trust %s heard %q", c.trust, got)
		}
	}
}
