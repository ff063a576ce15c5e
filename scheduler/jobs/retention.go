package jobs

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"shaoying/internal/gateway"
)

// forgetChunk is how many rows one transaction forgets.
const forgetChunk = 2000

// forgetting is one thing that is forgotten: it takes at most forgetChunk rows
// and returns how many it took.
type forgetting struct {
	name string
	run  func(ctx context.Context, t *gateway.Turn) (int64, error)
}

// forgettings lists what is forgotten, in the order in which it is.
func (d Deps) forgettings() []forgetting {
	r := d.Privacy.Retention
	words, inbox, dead := int32(r.WordsDays), int32(r.InboxDays), int32(r.DeadDays)
	type turn = *gateway.Turn
	return []forgetting{
		{"partitions", func(ctx context.Context, t turn) (int64, error) { return 0, t.MakePartitions(ctx) }},
		{"events", func(ctx context.Context, t turn) (int64, error) { return t.ForgetEvents(ctx, dead, forgetChunk) }},
		{"inbox", func(ctx context.Context, t turn) (int64, error) { return t.ForgetInbox(ctx, inbox, forgetChunk) }},
		{"outbox", func(ctx context.Context, t turn) (int64, error) { return t.ForgetOutbox(ctx, inbox, forgetChunk) }},
		{"due", func(ctx context.Context, t turn) (int64, error) { return t.ForgetDue(ctx, inbox, forgetChunk) }},
		{"reports", func(ctx context.Context, t turn) (int64, error) {
			return t.ForgetReports(ctx, int32(d.Reports.ParkedDays), forgetChunk)
		}},
		{"what was spent", func(ctx context.Context, t turn) (int64, error) {
			return t.ForgetSpend(ctx, int32(d.Money.KeepDays), forgetChunk)
		}},
		{"prompts", func(ctx context.Context, t turn) (int64, error) { return t.ForgetPrompts(ctx, inbox, forgetChunk) }},
		{"mailbox", func(ctx context.Context, t turn) (int64, error) { return t.ForgetMailbox(ctx, words, forgetChunk) }},
		{"months of messages", func(ctx context.Context, t turn) (int64, error) {
			_, err := t.DropMessages(ctx, words) // whole months at once, no further chunk
			return 0, err
		}},
		{"messages", func(ctx context.Context, t turn) (int64, error) { return t.ForgetMessages(ctx, words, forgetChunk) }},
		{"files", func(ctx context.Context, t turn) (int64, error) { return t.ForgetBlobs(ctx, words, forgetChunk) }},
		{"words of the trail", func(ctx context.Context, t turn) (int64, error) {
			return t.ForgetTrailWords(ctx, words, forgetChunk)
		}},
		{"answers of the API", func(ctx context.Context, t turn) (int64, error) {
			return t.ForgetAPIAnswers(ctx, int32(d.Answers.Seconds()), forgetChunk)
		}},
		{"tasks about no ticket", func(ctx context.Context, t turn) (int64, error) { return t.ForgetTasks(ctx, words, forgetChunk) }},
		{"texts of topics", func(ctx context.Context, t turn) (int64, error) { return t.ForgetTopics(ctx, words, forgetChunk) }},
		{"words of tickets", func(ctx context.Context, t turn) (int64, error) {
			return t.ForgetTickets(ctx, t.Seal("ticket.words", ""), words, forgetChunk)
		}},
		{"words of applications", func(ctx context.Context, t turn) (int64, error) { return t.ForgetApplications(ctx, words, forgetChunk) }},
		{"words of whistles", func(ctx context.Context, t turn) (int64, error) { return t.ForgetWhistles(ctx, words, forgetChunk) }},
	}
}

// Retention forgets what is older than the policies allow (policies/privacy.yaml;
// api, reports and money for what is theirs)
// and makes the partitions of the months to come. The cursor is "step/chunk".
func Retention(d Deps) gateway.SlotJob {
	steps := d.forgettings()
	return gateway.SlotJob{Name: "retention", Run: func(ctx context.Context, t *gateway.Turn, _ gateway.Slot, cursor string) (string, bool, error) {
		step, chunk, err := place(cursor)
		if err != nil || step >= len(steps) {
			return cursor, err == nil, err
		}
		n, err := steps[step].run(ctx, t)
		if err != nil {
			return cursor, false, fmt.Errorf("forget %s: %w", steps[step].name, err)
		}
		if chunk++; n < forgetChunk {
			step, chunk = step+1, 0
		}
		return strconv.Itoa(step) + "/" + strconv.Itoa(chunk), step == len(steps), nil
	}}
}

// place reads the cursor of Retention.
func place(cursor string) (step, chunk int, err error) {
	if cursor == "" {
		return 0, 0, nil
	}
	a, b, _ := strings.Cut(cursor, "/")
	if step, err = strconv.Atoi(a); err == nil {
		chunk, err = strconv.Atoi(b)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read the cursor %q: %w", cursor, err)
	}
	return step, chunk, nil
}
