package actions

import (
	"context"
	"fmt"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// voice keeps a recording that nobody wrote down: a draft with a number that
// is said at once, and a clerk's task. Recordings that follow each other
// belong to one draft; where the speaker has one open ticket, and one alone, it is
// taken to be about that, whatever it was reported by, and they are told. The
// dialogue that is open stays as it is.
func (s *Set) voice(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	ids, kept := voiceIDs(args), "voice.kept"
	o, err := s.openRecording(ctx, t)
	if err != nil {
		return nil, err
	}
	if o == nil && !t.AtWork() {
		if o, err = s.onlyOpen(ctx, t); err != nil {
			return nil, err
		}
		if o != nil {
			kept = "voice.kept_with"
		}
	}
	if o == nil {
		if full, err := s.tooMany(ctx, t); err != nil {
			return nil, err
		} else if full {
			return nil, t.Say("voice.too_many", nil)
		}
		o, err = s.Orders.File(ctx, t, workorder.Filing{
			Incomplete: true, Voices: ids, By: ticket.Actor{As: ticket.AsReporter, Person: t.Person},
		})
	} else {
		err = s.Orders.Attach(ctx, t, o.ID, "voice", ids)
	}
	if err != nil {
		return nil, fmt.Errorf("keep a recording: %w", err)
	}
	if err := s.Orders.AddTask(ctx, t, o, workorder.TaskVoice, people.RoleClerk, nil); err != nil {
		return nil, err
	}
	n := o.Number.Spoken()
	return result{"number": n}, t.Say(kept, map[string]string{"number": n})
}

// onlyOpen is the one ticket that the speaker may add to, nil where there is none
// or more than one.
func (s *Set) onlyOpen(ctx context.Context, t *gateway.Turn) (*workorder.Order, error) {
	all, err := s.mine(ctx, t, people.CmdAddToTicket)
	if err != nil {
		return nil, err
	}
	var only int64
	for i := range all {
		if o := &all[i]; wanted(o.Ticket, "open", false) {
			if only != 0 {
				return nil, nil
			}
			only = o.ID
		}
	}
	if only == 0 {
		return nil, nil
	}
	return s.Orders.Load(ctx, t, only, true)
}

// voiceIDs reads what the gateway hands over, which is no JSON.
func voiceIDs(args map[string]any) []string {
	if ids, ok := args["voice"].([]string); ok {
		return ids
	}
	return list(args, "voice")
}

// openRecording is the draft of a recording just before this one, nil when
// there is none.
func (s *Set) openRecording(ctx context.Context, t *gateway.Turn) (*workorder.Order, error) {
	rows, err := t.TicketsOfAddress(ctx, t.Address, t.Person, 1)
	if err != nil {
		return nil, fmt.Errorf("look for the last ticket of an address: %w", err)
	}
	if len(rows) == 0 || rows[0].State != string(ticket.Draft) || rows[0].ReceivedAt.Before(t.Now.Add(-s.Policy.Voice.Join)) {
		return nil, nil
	}
	files, err := t.TicketFiles(ctx, rows[0].ID)
	if err != nil {
		return nil, fmt.Errorf("list the files of a ticket: %w", err)
	}
	for _, f := range files {
		if f.Use == "voice" && f.AddedAt.After(t.Now.Add(-s.Policy.Voice.Join)) {
			return s.Orders.Load(ctx, t, rows[0].ID, true)
		}
	}
	return nil, nil
}
