package gateway

import (
	"context"
	"fmt"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// What costs money is counted before it is sent. A batch adds all its parts to
// the counters in one statement, which says where they stand then; what does not
// fit under a limit is taken back, and so is what surely was not sent. A process
// that dies in between leaves counters too high, never too low. Days and hours are
// those of product time in the zone of the city.
//
// A message over a limit fails as if its address were shut: its reader may have
// another one, else people hear, once for each reader and day.

// Money is what limits paid channels.
type Money struct {
	Policy MoneyPolicy
	Zone   *time.Location

	mu sync.Mutex
	// told is which alarms of which day this process has handed over.
	told map[Spent]bool
}

// Spent says how much of a day's money is gone.
type Spent struct {
	// Day is the product day, 2026-03-03. Full is true when messages are kept
	// back, false when it is not far from that.
	Day  string
	Full bool
	// Limit is what may be spent in a day, in parts.
	Limit int
}

// counter names one line of table spend.
type counter struct {
	scope, name string
	since       time.Time
}

// charge is what one message was counted at.
type charge struct {
	parts int
	at    []counter
}

// amount is how much a message adds to a counter: strangers are counted by
// message, all else by part.
func (c charge) amount(at counter) int64 {
	if at.scope == scopeStrange {
		return 1
	}
	return int64(c.parts)
}

const (
	scopeAll     = "all"
	scopeChat    = "chat"
	scopeReason  = "reason"
	scopePrefix  = "prefix"
	scopeStrange = "strange"
)

// capReasons say in a row, for staff, which limit stood against it.
var capReasons = map[string]string{
	scopeAll:     "the money of the day is spent",
	scopeChat:    "the number had its messages of the day",
	scopeReason:  "the campaign had its messages of the day",
	scopePrefix:  "too many messages to numbers of this range in an hour",
	scopeStrange: "too many codes for numbers never heard from in an hour",
}

// pay counts what a batch will cost and ends the rows that are over a limit.
func (c *Channel) pay(ctx context.Context, batch []outcome) {
	if !c.adapter.Caps().Paid || c.g.Money == nil {
		return
	}
	counted := map[counter]int64{}
	for i := range batch {
		if o := &batch[i]; o.state == "" {
			o.paid = c.charge(*o)
			for _, at := range o.paid.at {
				counted[at] += o.paid.amount(at)
			}
		}
	}
	if len(counted) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.g.cfg.SendTimeout)
	defer cancel()
	rows, err := c.g.DB.Reserve(ctx, reserving(counted))
	if err != nil {
		for i := range batch {
			if batch[i].state == "" {
				batch[i].paid = charge{}
				batch[i] = batch[i].retry(bots.ClassTemporary, fmt.Errorf("count what it costs: %w", err), backoff(batch[i].row.Tries))
			}
		}
		return
	}
	stand := make(map[counter]int64, len(rows))
	for _, r := range rows {
		at := counter{r.Scope, r.Name, r.Since.UTC()}
		stand[at] = r.Count - counted[at]
	}
	c.allow(batch, stand)
	c.alarm(ctx, batch, stand)
}

// allow lets each row through that fits under all its limits, in their order, and
// moves the counters on.
func (c *Channel) allow(batch []outcome, stand map[counter]int64) {
	for i := range batch {
		o := &batch[i]
		if o.state != "" {
			continue
		}
		over := ""
		for _, at := range o.paid.at {
			if limit := c.g.Money.Policy.limit(at.scope, c.g.Money.Policy.urgent(o.row)); limit > 0 && stand[at]+o.paid.amount(at) > int64(limit) {
				over = at.scope
				break
			}
		}
		if over != "" {
			o.state, o.class, o.err = "failed", bots.ClassClosed.String(), capReasons[over]
			o.capped = c.g.Money.day(o.row.At).Format(time.DateOnly)
			c.g.Metrics.capped(c.id, over)
			continue
		}
		for _, at := range o.paid.at {
			stand[at] += o.paid.amount(at)
		}
	}
}

// charge is what a message costs and where that is counted.
func (c *Channel) charge(o outcome) charge {
	m := c.g.Money
	parts := 0
	for _, message := range o.messages {
		if meter, ok := c.adapter.(bots.Metered); ok {
			parts += meter.Parts(message)
		} else {
			parts++
		}
	}
	day, hour := m.day(o.row.At).UTC(), o.row.At.Truncate(time.Hour).UTC()
	at := []counter{{scopeAll, "", day}, {scopeChat, o.row.Chat, day}}
	if o.row.Class == "push" {
		at = append(at, counter{scopeReason, o.row.Reason, day})
	}
	code := m.Policy.asked(o.row.Reason)
	if code && o.row.LastInboundAt == nil {
		at = append(at, counter{scopeStrange, "", hour})
	}
	// What outsiders can make us send is what pumping lives on; our own campaigns
	// go to whole ranges of numbers.
	if number, err := c.g.Keys.OpenPseudonym("phone", o.row.Chat); err == nil && (code || o.row.Class == "reply") {
		at = append(at, counter{scopePrefix, m.Policy.prefix(number), hour})
	}
	return charge{max(parts, 1), at}
}

// urgent reports whether a message may break the limits of its number and its
// campaign, and use what is kept back of the day's money: an answer to danger, and
// a push of an urgent class. A code is in a hurry, but no more than that.
func (p MoneyPolicy) urgent(row db.ClaimOutboxRow) bool {
	return row.Source == kindFlow+":"+flowDanger || row.Class == "push" && row.Rank == 0 && !p.asked(row.Reason)
}

// day is when the product day of an instant began in the city.
func (m *Money) day(at time.Time) time.Time {
	local := at.In(m.Zone)
	return time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, m.Zone)
}

func reserving(counted map[counter]int64) (p db.ReserveParams) {
	for at, n := range counted {
		p.Scopes, p.Names = append(p.Scopes, at.scope), append(p.Names, at.name)
		p.Sinces, p.Counts = append(p.Sinces, at.since), append(p.Counts, n)
	}
	return p
}

// giveBack takes back what was counted for messages that were surely not sent.
func (c *Channel) giveBack(ctx context.Context, tx *postgres.Tx, batch []outcome) error {
	back := map[counter]int64{}
	for _, o := range batch {
		if !o.billed() {
			for _, at := range o.paid.at {
				back[at] -= o.paid.amount(at)
			}
		}
	}
	if len(back) == 0 {
		return nil
	}
	if _, err := tx.Reserve(ctx, reserving(back)); err != nil {
		return fmt.Errorf("take back what was not spent: %w", err)
	}
	return nil
}

// bill counts what was spent, for the metrics.
func (c *Channel) bill(batch []outcome) {
	if c.g.Money == nil {
		return
	}
	for _, o := range batch {
		if o.billed() && o.paid.parts > 0 {
			c.g.Metrics.spent(c.id, o.paid.parts, c.g.Money.Policy.price(c.id))
		}
	}
}

// alarm tells people that the money of the day is spent, or nearly: each at most
// once a day. The hook sees to that over processes; what could not be told is
// told with the next batch.
func (c *Channel) alarm(ctx context.Context, batch []outcome, stand map[counter]int64) {
	m := c.g.Money
	for at, n := range stand {
		if at.scope != scopeAll {
			continue
		}
		c.g.Metrics.share(float64(n) / float64(m.Policy.All.Parts))
		full := int64(m.Policy.limit(scopeAll, false))
		spent := Spent{Day: at.since.In(m.Zone).Format(time.DateOnly), Full: n >= full, Limit: m.Policy.All.Parts}
		for _, o := range batch {
			spent.Full = spent.Full || o.err == capReasons[scopeAll]
		}
		if c.g.Overspent == nil || !spent.Full && float64(n) < m.Policy.All.Warn*float64(m.Policy.All.Parts) || m.knows(spent) {
			continue
		}
		err := c.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			t := &Turn{Tx: tx, g: c.g}
			var err error
			if t.Now, err = tx.ProductNow(ctx); err != nil {
				return err
			}
			return c.g.Overspent(ctx, t, spent)
		})
		if err != nil {
			c.g.Log.Error("tell that money is spent", "channel", string(c.id), "error", err)
			continue
		}
		m.tell(spent)
		c.g.Bus.Wake(topicDue)
	}
}

func (m *Money) knows(s Spent) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.told[s]
}

func (m *Money) tell(s Spent) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.told == nil || len(m.told) > 7 { // of days gone by
		m.told = map[Spent]bool{}
	}
	m.told[s] = true
}
