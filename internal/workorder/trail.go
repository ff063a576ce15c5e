package workorder

import (
	"time"

	"shaoying/internal/ticket"
)

// TrailData is what the trail keeps of an event: ids, codes, and the clocks that
// run after it (microseconds since 1970). With the clocks the trail alone says
// whether every promise was kept, also after the row of the ticket has
// forgotten a round; package figures reads it.
func TrailData(k ticket.Ticket, e ticket.Event) map[string]any {
	data := map[string]any{"from": e.From, "to": e.To, "version": e.Version, "as": e.Actor.As}
	for key, v := range e.Data {
		if _, taken := data[key]; taken {
			key = string(e.Kind) + "_" + key // where a ticket was referred to
		}
		data[key] = v
	}
	for key, due := range map[string]time.Time{"sign_due": k.SignDue, "contact_due": k.ContactDue, "deadline": k.Deadline} {
		if !due.IsZero() {
			data[key] = due.UnixMicro()
		}
	}
	return data
}
