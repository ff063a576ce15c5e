// Package jobs is what comes due: one file per kind of due row or slot job.
//
// # Three shapes
//
// A kind that speaks has a Target: it runs as a turn of that conversation and
// waits while quiet hours or a dialogue stand in the way. A kind that decides
// has none: it moves a ticket on, or plans rows for those who must hear of it.
// A slot job runs on cron, in chunks, and plans rows for each person it finds.
//
// # One message per person
//
// Whatever staff are told in a line (a nudge, a task, an alarm) is a row of
// kind DueLine for that person. The first of them that runs gathers all that
// are due for the same person and says them in one message (line.go).
//
// # Whose clock, and what may have changed
//
// Rows come due by product time. A row says for which version of its subject it
// was planned; Run reads the subject again, and Fresh reads it once more before
// the text really goes out (late binding). What has lost its reason ends as
// dropped or stale, with the reason in the ledger.
//
// # Failure
//
// An error undoes the turn and the row comes again, at most five times. Nobody
// to write to is no error: a person gets a task instead.
package jobs

import (
	"log/slog"
	"time"

	"shaoying/bots"
	"shaoying/internal/chart"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/privacy"
	"shaoying/internal/tally"
	"shaoying/internal/webhook"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// Deps is what the kinds stand on. It is immutable.
type Deps struct {
	Log     *slog.Logger
	Orders  *workorder.Service
	Care    *homecare.Service
	Library *gateway.Library
	Quiet   scheduler.Quiet
	// Channels fetch the files of events that came without their bytes.
	Channels map[bots.ChannelID]bots.Adapter
	// Kinds are the kinds of the channels: some programmes go by a few of them only.
	Kinds   map[bots.ChannelID]string
	Photos  *privacy.PhotoCleaner
	Privacy privacy.Policy
	Tally   *tally.Tally
	// Chart draws the weekly chart; nil where the machine has no font for it.
	Chart *chart.Painter
	// WordsPaid is how many characters of a desk's words are told where a text costs
	// money.
	WordsPaid int
	// Topics are the topics of what is told, by kind: people stop one of them.
	Topics map[string]string
	// WarnDays is how long before its end the calendar is missed.
	WarnDays int
	// Hooks posts events to other programs; Answers is how long the API keeps
	// what it answered to a write.
	Hooks   *webhook.Sender
	Answers time.Duration
	// Reports and Money say how long reports that match nothing are kept, and the
	// counters of what was spent.
	Reports gateway.ReportPolicy
	Money   gateway.MoneyPolicy
}

// All lists every kind of due row that the product runs.
func All(d Deps) []gateway.Kind {
	return append(gateway.QuestionKinds(), gateway.SettleKind(), gateway.MorningKind(),
		Card(d), CardEdit(d), Members(d), Task(d), Line(d), Notice(d), Code(d),
		Nudge(d), Sign(d), Dispatch(d), Contact(d),
		WhistleCall(d), WhistleCard(d), WhistleLate(d), WhistleNudge(d), WhistleTell(d),
		CoNudge(d), CoSilent(d), Resume(d),
		Tell(d), Supervised(d), Lapse(d), Raise(d), Merged(d),
		Callback(d), Rating(d), StillFine(d), Digest(d), Media(d),
		Webhook(d),
		Monday(d), WorryPoll(d),
		BoardLine(d), BoardDigest(d), BoardMonday(d),
		TopicTold(d), TopicCompare(d),
		CareTell(d), CareAsk(d), CareSurvey(d), CareStaff(d), CareTask(d), CareList(d), CareNews(d), CareMonthly(d),
		CareMember(d), CareQuestion(d), CareMark(d), CareEvent(d),
	)
}

// Slots lists what schedules may name in their field do.
func Slots(d Deps) []gateway.SlotJob {
	return []gateway.SlotJob{
		Digests(d), Surveys(d), Retention(d), CalendarCheck(d), Figures(d), Mondays(d), WorryPolls(d), Topics(d), Season(d), CarePlan(d), CareLists(d), CareUpdates(d), CareRounds(d), CareMonthlies(d),
	}
}
