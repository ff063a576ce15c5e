package console

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/privacy"
)

const (
	// linkValid is how long a link may lie in a chat before it is opened.
	linkValid = 10 * time.Minute
	// idle ends a session in which nothing is done. Source: issue 2, personal
	// views.
	idle = 30 * time.Minute
	// cookieName holds the token of a session.
	cookieName = "desk"
)

// Link makes the path of a link that opens the desk page for the staff member
// who speaks. It is good once, for ten minutes of real time: the demo's clock does not end it.
func Link(ctx context.Context, t *gateway.Turn, keys *privacy.Keys) (path string, err error) {
	if t.Staff == 0 {
		return "", people.ErrWrong
	}
	token := rand.Text()
	if err := t.AddDeskLink(ctx, keys.Index("desk-link", token), t.Staff, int32(linkValid.Seconds())); err != nil {
		return "", fmt.Errorf("keep a link to the desk: %w", err)
	}
	return "/desk/in/" + token, nil
}

// Open starts a session for a member of the staff without a link and returns
// its cookie. It is for the demo, where everybody may be anybody.
func (c *Console) Open(ctx context.Context, q *db.Queries, staff int64) (*http.Cookie, error) {
	token := rand.Text()
	if err := q.AddDeskSession(ctx, c.Gateway.Keys.Index("desk-session", token), staff); err != nil {
		return nil, fmt.Errorf("start a session: %w", err)
	}
	return c.cookie(token, 0), nil
}

func (c *Console) cookie(token string, age int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: token, Path: "/desk", MaxAge: age, HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteLaxMode,
	}
}

// door shows the button that uses a link up.
func (c *Console) door(w http.ResponseWriter, r *http.Request) {
	c.render(w, http.StatusOK, "door", people.Staff{}, r.PathValue("token"))
}

// enter uses a link up and starts the session.
func (c *Console) enter(w http.ResponseWriter, r *http.Request) {
	var cookie *http.Cookie
	hash := c.Gateway.Keys.Index("desk-link", r.PathValue("token"))
	err := c.Gateway.Desk(r.Context(), 0, 0, func(ctx context.Context, t *gateway.Turn) error {
		staff, err := t.TakeDeskLink(ctx, hash)
		if err != nil {
			return err
		}
		if err := errors.Join(t.EndIdleDeskSessions(ctx), t.ForgetDeskForms(ctx)); err != nil {
			return fmt.Errorf("clear old sessions: %w", err)
		}
		if err := gateway.Record(ctx, t.Tx, c.Gateway.Keys, postgres.Subject("staff", staff), "desk.enter", postgres.Subject("staff", staff), nil, ""); err != nil {
			return err
		}
		cookie, err = c.Open(ctx, t.Queries, staff)
		return err
	})
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		c.problem(w, http.StatusForbidden, "console.problem.link")
	case err != nil:
		c.fail(w, r, err)
	default:
		http.SetCookie(w, cookie)
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
	}
}

// leave ends the session.
func (c *Console) leave(w http.ResponseWriter, r *http.Request) {
	if k, err := r.Cookie(cookieName); err == nil {
		if err := c.Gateway.DB.EndDeskSession(r.Context(), c.Gateway.Keys.Index("desk-session", k.Value)); err != nil {
			c.fail(w, r, err)
			return
		}
	}
	http.SetCookie(w, c.cookie("", -1))
	c.problem(w, http.StatusOK, "console.left")
}
