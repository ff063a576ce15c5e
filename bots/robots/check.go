package robots

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"shaoying/bots"
)

// Check asks the robot's address without posting anything, so that nobody in the
// group sees it. A network that refuses that for want of a message has not always
// looked at the key before: only what it complains of is certain.
func (c *Channel) Check(ctx context.Context) []bots.Finding {
	found := []bots.Finding{{What: "messages a minute, on the average: " + strconv.FormatFloat(c.cfg.Limits.PerMinute, 'f', -1, 64) + "; what waits goes out together"}}
	if c.cfg.Unit == "" {
		found = append(found, bots.Finding{What: "unit is not set: no desk's cards go into this group"})
	}
	if c.proto.signed && c.cfg.Secret.Empty() {
		found = append(found, bots.Finding{
			Wrong: true, What: "no secret: whoever learns the key can write into the group. Choose the signature in the robot's settings and name its secret in secret_env",
		})
	}
	err := c.call(ctx, http.MethodGet, c.cfg.Brand.sign(c.cfg.Secret.Reveal(), c.clock.Wall()), nil)
	failed := new(bots.Error)
	switch {
	case err == nil:
		return append(found, bots.Finding{What: "the robot answers"})
	case !errors.As(err, &failed):
		return append(found, bots.Finding{Wrong: true, What: "the network cannot be asked: " + err.Error()})
	}
	switch failed.Class {
	case bots.ClassLoggedOut:
		return append(found, bots.Finding{Wrong: true, What: "the robot is refused: " + failed.Err.Error() +
			". Look in the group's settings whether the robot is still there; copy its key, and its secret, anew; if it has a list of addresses, put the address of this server on it"})
	case bots.ClassTemporary, bots.ClassUnknown:
		return append(found, bots.Finding{Wrong: true, What: "the network cannot be reached at api_url: " + failed.Err.Error()})
	case bots.ClassThrottled:
		return append(found, bots.Finding{What: "the robot is silent for a while, it had too many messages: " + failed.Err.Error()})
	}
	return append(found, bots.Finding{What: "the network answers; whether the group sees it shows with the first message"})
}
