package console

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"shaoying/bots"
	"shaoying/internal/people"
	"shaoying/internal/qrcode"
	"shaoying/internal/workorder"
)

// Accounts of networks into which a person logs in with a phone. Whoever scans
// the code of one has the account, and reads what residents write to it, so only
// those with the right see that there are any, each look at a code stands in the
// trail, and a look ends by itself.

const (
	// lookKind marks the token of a look, lookLife is how long one lasts. A code
	// that nobody scans is replaced by the network within minutes; the page follows.
	lookKind = 'q'
	lookLife = 10 * time.Minute
	// codeScale is pixels for each module of a code.
	codeScale = 6
)

// login is an account as the page shows it.
type login struct {
	ID, State, Why string
	Since          time.Time
	// Codes says that there is something to scan, Look is the look at it.
	Codes bool
	Look  string
}

// mayLogIn asks the right to log accounts in. They are the city's.
func (c *Console) mayLogIn(v *visit) bool {
	return c.Orders.Rights.May(v.staff, people.MayLogIn, people.Subject{Division: workorder.CityCode}, v.Now)
}

// hasLogins reports whether there is an account to log in.
func (c *Console) hasLogins() bool {
	for _, a := range c.Gateway.Channels {
		if _, ok := a.(bots.Login); ok {
			return true
		}
	}
	return false
}

// logins lists the accounts and how they stand.
func (c *Console) logins(ctx context.Context, v *visit) (answer, error) {
	if !c.mayLogIn(v) {
		return answer{}, errNotHere
	}
	var list []login
	for id := range c.Gateway.Channels {
		if l, _, err := c.login(ctx, id); err == nil {
			list = append(list, l)
		}
	}
	slices.SortFunc(list, func(a, b login) int { return cmp.Compare(a.ID, b.ID) })
	return answer{page: "logins", data: list}, nil
}

// login is one account with what its code says.
func (c *Console) login(ctx context.Context, id bots.ChannelID) (l login, code string, err error) {
	account, ok := c.Gateway.Channels[id].(bots.Login)
	if !ok {
		return login{}, "", errNotHere
	}
	s, err := account.Standing(ctx)
	if err != nil {
		c.Gateway.Log.Error("ask how an account stands", "channel", string(id), "error", err)
		s = bots.Standing{State: bots.StandingStarting}
	}
	return login{ID: string(id), State: string(s.State), Why: s.Why, Since: s.Since, Codes: s.QR != ""}, s.QR, nil
}

// lookAtCode begins a look, which the trail keeps.
func (c *Console) lookAtCode(ctx context.Context, v *visit) (answer, error) {
	id := bots.ChannelID(v.r.PathValue("id"))
	if !c.mayLogIn(v) {
		return answer{}, errNotHere
	}
	if _, _, err := c.login(ctx, id); err != nil {
		return answer{}, err
	}
	if err := v.Record(ctx, "look.login", "channel:"+string(id), nil, ""); err != nil {
		return answer{}, err
	}
	look := c.Gateway.Keys.Sign(lookKind, nil, v.Now.Add(lookLife), lookBind(v, id))
	return answer{to: "/desk/channels/" + url.PathEscape(string(id)) + "?look=" + look}, nil
}

// lookBind says whose look at what it is.
func lookBind(v *visit, id bots.ChannelID) string {
	return "desk-look/" + strconv.FormatInt(v.staff.ID, 10) + "/" + string(id)
}

// looks reports whether the request is a part of a look that goes on.
func (c *Console) looks(v *visit, id bots.ChannelID) bool {
	kind, _, err := c.Gateway.Keys.Verify(v.r.FormValue("look"), lookBind(v, id), v.Now)
	return err == nil && kind == lookKind && c.mayLogIn(v)
}

// showCode shows an account with its code and follows it by itself.
func (c *Console) showCode(ctx context.Context, v *visit) (answer, error) {
	id := bots.ChannelID(v.r.PathValue("id"))
	if !c.mayLogIn(v) {
		return answer{}, errNotHere
	}
	if !c.looks(v, id) {
		return answer{to: "/desk/channels"}, nil
	}
	l, _, err := c.login(ctx, id)
	if err != nil {
		return answer{}, err
	}
	l.Look = v.r.FormValue("look")
	return answer{page: "login", data: l, again: followCode}, nil
}

// followCode is after how many seconds the page of a code asks anew.
const followCode = 4

// codePicture draws the code.
func (c *Console) codePicture(ctx context.Context, v *visit) (answer, error) {
	id := bots.ChannelID(v.r.PathValue("id"))
	if !c.looks(v, id) {
		return answer{}, errNotHere
	}
	_, code, err := c.login(ctx, id)
	if err != nil {
		return answer{}, err
	}
	if code == "" {
		return answer{}, errNotHere
	}
	var picture bytes.Buffer
	if err := qrcode.PNG(&picture, code, codeScale); err != nil {
		return answer{}, fmt.Errorf("draw the code of %s: %w", id, err)
	}
	return answer{mime: "image/png", file: picture.Bytes()}, nil
}
