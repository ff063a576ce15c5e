package actions

import (
	"context"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
)

// wardFeed makes the secret address of the speaker's calendar and takes older ones
// back. It is shown this once: the database keeps its hash.
func (s *Set) wardFeed(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	if !s.Orders.Rights.Anywhere(who, people.MayVisit, t.Now) {
		return fail("staff.may_not"), nil
	}
	path, err := s.Care.IssueFeed(ctx, t, who.ID)
	return result{"path": path}, err
}

func (s *Set) wardUnfeed(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	n, err := s.Care.RevokeFeeds(ctx, t, who.ID)
	return result{"count": n}, err
}
