package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
)

// visit is one request of a member of the staff.
type visit struct {
	*gateway.Turn
	staff people.Staff
	r     *http.Request
	// photos are the pictures that came with a form, cleaned.
	photos [][]byte
	// trouble says why the form that was sent was not taken; it is shown again
	// with what was typed.
	trouble string
}

// answer is what a request comes to: a page, a way on, or a file.
type answer struct {
	page string
	data any
	to   string
	mime string
	file []byte
}

// handler does one request in the transaction of its visit.
type handler func(context.Context, *visit) (answer, error)

var (
	errNotHere = errors.New("nothing there for this reader")
	// errAsk undoes a form that was answered with a question.
	errAsk = errors.New("the form asks again")
)

// badForm is a form that cannot be taken as it is; key says in words why.
type badForm struct{ key string }

func (b *badForm) Error() string { return "the form is not complete: " + b.key }

// errForm is a form in which something is missing.
var errForm = &badForm{"console.problem.form"}

// id reads a number of the path.
func (v *visit) id(name string) (int64, error) {
	n, err := strconv.ParseInt(v.r.PathValue(name), 10, 64)
	if err != nil {
		return 0, errNotHere
	}
	return n, nil
}

func (v *visit) form(name string) string { return strings.TrimSpace(v.r.PostFormValue(name)) }

// number is the id in a field of a form, 0 for none.
func (v *visit) number(name string) int64 {
	n, err := strconv.ParseInt(v.form(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// as is who asks, as an actor of the rules.
func (v *visit) as(capacity ticket.Capacity) ticket.Actor {
	return ticket.Actor{As: capacity, Person: v.staff.PersonID, Staff: v.staff.ID}
}

// staff runs a handler as one turn of whose session it is.
func (c *Console) staff(f handler) http.HandlerFunc { return c.form(f, nil) }

// form is staff for a form that changes something. A form that is not taken
// changes nothing: show makes its page again, with the reason and what was
// typed. One that was taken already leads where it led before.
func (c *Console) form(do, show handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := c.whose(r)
		if errors.Is(err, postgres.ErrNoRows) {
			c.problem(w, http.StatusUnauthorized, "console.problem.session")
			return
		}
		if err == nil && r.Method == http.MethodPost {
			err = readForm(r)
		}
		var photos [][]byte
		if err == nil {
			photos, err = c.pictures(r)
		}
		var a answer
		v := &visit{r: r, photos: photos}
		if err == nil {
			a, err = c.turn(r.Context(), id, v, func(ctx context.Context, v *visit) (answer, error) { return once(ctx, v, do, show != nil) })
		}
		status := http.StatusOK
		if why, code := c.why(err); why != "" && show != nil && id != 0 {
			status = code
			v = &visit{r: r, trouble: why}
			a, err = c.turn(r.Context(), id, v, show)
		}
		c.answer(w, r, v, a, status, err)
	}
}

func (c *Console) answer(w http.ResponseWriter, r *http.Request, v *visit, a answer, status int, err error) {
	switch {
	case err != nil && !errors.Is(err, errAsk):
		c.fail(w, r, err)
	case a.to != "":
		http.Redirect(w, r, a.to, http.StatusSeeOther)
	case a.file != nil:
		serveFile(w, r, a)
	default:
		c.renderTyped(w, status, a.page, v, a.data)
	}
}

// whose reads the session; ErrNoRows for none.
func (c *Console) whose(r *http.Request) (int64, error) {
	k, err := r.Cookie(cookieName)
	if err != nil {
		return 0, postgres.ErrNoRows
	}
	id, err := c.Gateway.DB.TouchDeskSession(r.Context(), c.Gateway.Keys.Index("desk-session", k.Value), int32(idle.Seconds()))
	if err != nil {
		return 0, fmt.Errorf("look whose session it is: %w", err)
	}
	return id, nil
}

// turn runs a handler for a member of the staff who is still there.
func (c *Console) turn(ctx context.Context, id int64, v *visit, f handler) (a answer, err error) {
	err = c.Gateway.Desk(ctx, id, 0, func(ctx context.Context, t *gateway.Turn) error {
		who, err := c.Orders.LoadStaff(ctx, t, id)
		if err != nil {
			return err
		}
		if !who.EndedAt.IsZero() && !t.Now.Before(who.EndedAt) {
			return errNotHere
		}
		t.Person = who.PersonID
		v.Turn, v.staff = t, who
		a, err = f(ctx, v)
		return err
	})
	return a, err
}

// once does a form unless its word was sent before; then it leads where that
// one led. What ends in a question rather than on a way on is undone, word and
// all.
func once(ctx context.Context, v *visit, do handler, changes bool) (answer, error) {
	word := v.r.PostFormValue("once")
	if !changes {
		return do(ctx, v)
	}
	if word != "" {
		n, err := v.OnceDeskForm(ctx, word, v.staff.ID)
		if err != nil {
			return answer{}, fmt.Errorf("note a form: %w", err)
		}
		if n == 0 {
			to, err := v.DeskFormLed(ctx, word, v.staff.ID)
			if errors.Is(err, postgres.ErrNoRows) {
				return answer{}, errNotHere
			}
			return answer{to: to}, err
		}
	}
	a, err := do(ctx, v)
	switch {
	case err != nil:
		return a, err
	case a.to == "":
		return a, errAsk
	case word != "":
		if err := v.LedDeskForm(ctx, word, a.to); err != nil {
			return answer{}, fmt.Errorf("note where a form led: %w", err)
		}
	}
	return a, nil
}

// typed is what a form sent, for the page that shows it again.
func (v *visit) typed() url.Values {
	if v == nil || v.r == nil || v.r.Method != http.MethodPost {
		return nil
	}
	return v.r.PostForm
}
