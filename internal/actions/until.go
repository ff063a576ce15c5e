package actions

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/scheduler"
)

// How staff write a later day: 5天, 3个工作日, 3月20日, 20号, 周三, 下周三.
var (
	daysForm = regexp.MustCompile(`^(?:再|延期|延|要|挂起|到)?\s*(\d{1,3}|[一二两三四五六七八九十]{1,3})\s*(个工作日|工作日|天)?[后内]?$`)
	dateForm = regexp.MustCompile(`^到?(?:(\d{1,2})\s*[月./-]\s*)?(\d{1,2})\s*([日号]?)前?$`)
	weekForm = regexp.MustCompile(`^到?(本|这|下)?个?(?:周|星期|礼拜)([一二三四五六日天])$`)
)

// weekdays are the days of a week in the order in which weekForm names them.
const weekdays = "一二三四五六日"

// until reads a later day in the words of staff: so many days count from from,
// a date or a day of the week is looked for after now. It is the end of work on
// that day, or on the next workday.
func (s *Set) until(said string, from, now time.Time) (time.Time, bool) {
	said = strings.TrimSpace(norm.NFKC.String(said))
	if m := daysForm.FindStringSubmatch(said); m != nil {
		n, ok := s.Words.Number(m[1])
		if !ok || n < 1 {
			return time.Time{}, false
		}
		unit := scheduler.Days
		if strings.Contains(m[2], "工作日") {
			unit = scheduler.WorkDays
		}
		return scheduler.Limit{N: n, Unit: unit}.Deadline(from, s.Orders.Work), true
	}
	day, ok := laterDay(said, scheduler.DateOf(now.In(s.Orders.Work.Location())))
	if !ok {
		return time.Time{}, false
	}
	before := day.AddDays(-1).At(0, s.Orders.Work.Location())
	return scheduler.Limit{N: 1, Unit: scheduler.Days}.Deadline(before, s.Orders.Work), true
}

// laterDay is the first day after today that was meant.
func laterDay(said string, today scheduler.Date) (scheduler.Date, bool) {
	if m := weekForm.FindStringSubmatch(said); m != nil {
		want := strings.Index(weekdays, strings.ReplaceAll(m[2], "天", "日")) / len("一")
		monday := today.AddDays(-(int(today.Weekday()) + 6) % 7)
		day := monday.AddDays(want)
		if m[1] == "下" {
			day = day.AddDays(7)
		}
		return day, day.Compare(today) > 0
	}
	form := dateForm.FindStringSubmatch(said)
	if form == nil || form[1] == "" && form[3] == "" { // a bare number says how many days
		return scheduler.Date{}, false
	}
	// The expression lets only digits through, or nothing.
	month, _ := strconv.Atoi(form[1])
	day, _ := strconv.Atoi(form[2])
	for n := range 366 {
		ahead := today.AddDays(n + 1)
		if ahead.Day == day && (month == 0 || int(ahead.Month) == month) {
			return ahead, true
		}
	}
	return scheduler.Date{}, false
}

// untilDay resolves which day is meant by who asks for more time; what is
// written behind the day does not count.
func (s *Set) untilDay(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	no := result{"status": flows.StatusReject, "say": "until.unclear"}
	vars := object(args, "vars")
	h, failed, err := s.held(ctx, t, map[string]any{"id": vars["id"]}, people.MayAskTime)
	if err != nil || failed != nil {
		return result{"status": flows.StatusReject, "say": "staff.only"}, err
	}
	from := h.order.Deadline
	if text(vars, "purpose") == string(ticket.CmdAskSuspension) {
		from = t.Now
	}
	said := text(args, "text")
	at, ok := s.until(said, from, t.Now)
	if fields := strings.Fields(said); !ok && len(fields) > 1 {
		at, ok = s.until(fields[0], from, t.Now)
	}
	if !ok {
		return no, nil
	}
	r := result{}
	s.addWhen(r, at)
	r["at"] = at.UTC().Format(time.RFC3339)
	return result{"status": flows.StatusOK, "value": r}, nil
}
