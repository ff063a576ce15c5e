package gateway

import (
	"context"
	"fmt"
	"slices"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// Board 看板 is the group of a robot, a network on which nobody can answer, as a
// work group of an area. Nobody can bind it by words, so the configuration does.
// It stands beside the chats in which people work and never in place of them.
type Board struct {
	Channel bots.ChannelID
	Chat    bots.ChatID
	// AreaKind and Area are whose work group it is, as in people.Area.
	AreaKind, Area string
}

// BindBoards makes the boards of the configuration work groups, and lets those go
// that are no longer in it. Doing it twice is doing it once; a group that the
// staff bound is none of its business.
func (g *Gateway) BindBoards(ctx context.Context, boards []Board) error {
	err := g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if err := tx.LockBoards(ctx); err != nil {
			return fmt.Errorf("wait for another process: %w", err)
		}
		bound, err := tx.Boards(ctx)
		if err != nil {
			return fmt.Errorf("list those that are bound: %w", err)
		}
		for _, b := range bound {
			is := Board{bots.ChannelID(b.Channel), bots.ChatID(b.Chat), b.AreaKind, b.Area}
			if slices.Contains(boards, is) {
				continue
			}
			if err := g.bindBoard(ctx, tx, b.ID, is, ""); err != nil {
				return err
			}
		}
		for _, b := range boards {
			t := &Turn{Tx: tx, Channel: b.Channel, Chat: b.Chat, g: g}
			id, err := t.MakeGroup(ctx)
			if err != nil {
				return err
			}
			is := db.BoardsRow{ID: id, Channel: string(b.Channel), Chat: string(b.Chat), AreaKind: b.AreaKind, Area: b.Area}
			if slices.Contains(bound, is) {
				continue
			}
			if err := g.bindBoard(ctx, tx, id, b, flows.GroupWork); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("bind the groups of robots: %w", err)
	}
	g.Bus.Wake(topicDue)
	return nil
}

// bindBoard binds a group to an area, or lets it go where as is empty, and looks
// at what lies in it.
func (g *Gateway) bindBoard(ctx context.Context, tx *postgres.Tx, id int64, b Board, as string) error {
	p, kind := db.BindGroupParams{ID: id}, "group.unbound"
	if as != "" {
		p, kind = db.BindGroupParams{ID: id, BoundAs: as, AreaKind: b.AreaKind, Area: b.Area}, "group.bound"
	}
	if err := tx.BindGroup(ctx, p); err != nil {
		return fmt.Errorf("bind a group: %w", err)
	}
	now, err := tx.ProductNow(ctx)
	if err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	t := &Turn{Tx: tx, Now: now, g: g}
	if err := t.LookAtMembers(ctx, id); err != nil {
		return err
	}
	return t.Record(ctx, kind, postgres.Subject("conversation", id), map[string]any{
		"as": flows.GroupWork, "area_kind": b.AreaKind, "area": b.Area, "by": "configuration",
	}, "")
}

// IsBoard reports whether nobody can answer on a channel, so that its groups are
// boards.
func (t *Turn) IsBoard(channel string) bool { return t.g.capsOf(bots.ChannelID(channel)).SendOnly }

// OnBoard reports whether this turn is one of a board.
func (t *Turn) OnBoard() bool { return t.IsBoard(string(t.Channel)) }

// Boards are the boards of all areas. A channel that is no longer configured has
// none.
func (t *Turn) Boards(ctx context.Context) ([]db.BoardsRow, error) {
	list, err := t.Tx.Boards(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the groups of robots: %w", err)
	}
	return slices.DeleteFunc(list, func(b db.BoardsRow) bool { return !t.IsBoard(b.Channel) }), nil
}
