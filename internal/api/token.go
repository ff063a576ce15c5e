package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/privacy"
)

const (
	// tokenMark begins every token, so that a scanner of leaked secrets and a
	// person know what it is.
	tokenMark = "sy_"
	// tokenLength is that of the random part: crypto/rand.Text, 130 bits.
	tokenLength = 26
	// indexToken is the kind of the keyed hash.
	indexToken = "api-token"
	// operator is who makes and ends tokens in the trail: the command line.
	operator = "operator"
)

// CreateToken makes a token for a program with one grant. The token is returned
// and not kept: only its keyed hash is. A zero until means that it does not end
// by itself. The error says what the rights policy does not allow.
func CreateToken(ctx context.Context, d *postgres.DB, keys *privacy.Keys, rights people.Rights, name string, g people.Grant, until time.Time) (string, error) {
	if strings.TrimSpace(name) == "" {
		return "", errors.New("a token needs a name")
	}
	if !rights.Grantable(g) {
		return "", fmt.Errorf("role %s cannot be held in %s %s: see areas in configs/policies/rights.yaml", g.Role, g.Area.Kind, g.Area.Code)
	}
	token := tokenMark + rand.Text()
	err := d.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		person, err := tx.NewPerson(ctx)
		if err != nil {
			return fmt.Errorf("make the entry of a token: %w", err)
		}
		if err := tx.SetPersonKind(ctx, person, string(people.KindStaff)); err != nil {
			return fmt.Errorf("make the entry of a token: %w", err)
		}
		staff, err := tx.AddStaff(ctx, db.AddStaffParams{PersonID: person, Slug: "token-" + strconv.FormatInt(person, 10), Name: name})
		if err != nil {
			return fmt.Errorf("make the entry of a token: %w", err)
		}
		if err := tx.SetDuty(ctx, staff, false); err != nil {
			return fmt.Errorf("make the entry of a token: %w", err)
		}
		p := db.AddAPITokenParams{
			StaffID: staff, Hash: keys.Index(indexToken, token), Role: string(g.Role), AreaKind: string(g.Area.Kind), Area: g.Area.Code,
		}
		if !until.IsZero() {
			p.ExpiresAt = &until
		}
		id, err := tx.AddAPIToken(ctx, p)
		if err != nil {
			return fmt.Errorf("keep a token: %w", err)
		}
		data := map[string]any{"role": g.Role, "area_kind": g.Area.Kind, "area": g.Area.Code}
		return gateway.Record(ctx, tx, keys, operator, "token.created", postgres.Subject("token", id), data, "")
	})
	return token, err
}

// ErrNoToken: there is no such token, or it was revoked before.
var ErrNoToken = errors.New("there is no such token that is not revoked")

// RevokeToken ends a token at once, and with it the webhooks that it made: who is
// not trusted any more hears nothing either.
func RevokeToken(ctx context.Context, d *postgres.DB, keys *privacy.Keys, id int64) error {
	return d.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		staff, err := tx.RevokeAPIToken(ctx, id)
		if errors.Is(err, postgres.ErrNoRows) {
			return ErrNoToken
		}
		if err != nil {
			return fmt.Errorf("revoke a token: %w", err)
		}
		if err := tx.EndStaff(ctx, staff); err != nil {
			return fmt.Errorf("end the entry of a token: %w", err)
		}
		if _, err := tx.EndWebhooksOf(ctx, id); err != nil {
			return fmt.Errorf("end the webhooks of a token: %w", err)
		}
		if err := tx.WakeWebhooks(ctx); err != nil {
			return fmt.Errorf("tell of webhooks that ended: %w", err)
		}
		return gateway.Record(ctx, tx, keys, operator, "token.revoked", postgres.Subject("token", id), nil, "")
	})
}

// token is who asks.
type token db.FindAPITokenRow

// staff is the token as a colleague with one grant.
func (k token) staff() people.Staff {
	return people.Staff{
		ID: k.StaffID, PersonID: k.PersonID, Name: k.Name,
		Grants: []people.Grant{{Role: people.Role(k.Role), Area: people.Area{Kind: people.AreaKind(k.AreaKind), Code: k.Area}}},
	}
}

type tokenKey struct{}

// tokenOf is the token of a request that authenticate let in.
func tokenOf(ctx context.Context) token {
	k, _ := ctx.Value(tokenKey{}).(token)
	return k
}

// authenticate lets a request in that bears a good token, not too often. It
// stands before anything of the request is read.
func (a *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	k, err := a.find(ctx.Context(), ctx.Header("Authorization"))
	if err != nil {
		a.turnAway(ctx, a.problem(ctx.Context(), err))
		return
	}
	if !a.limit(k.ID).AllowN(a.Gateway.Clock.Wall(), 1) {
		p := newProblem(http.StatusTooManyRequests, codeTooMany, "this token asks too often")
		p.headers = http.Header{"Retry-After": {"1"}}
		a.turnAway(ctx, p)
		return
	}
	next(huma.WithValue(ctx, tokenKey{}, k))
}

// find looks a bearer token up and notes the day of its use.
func (a *API) find(ctx context.Context, header string) (token, error) {
	unauthorized := newProblem(http.StatusUnauthorized, codeUnauthorized, "a bearer token is needed that is neither expired nor revoked")
	unauthorized.headers = http.Header{"Www-Authenticate": {`Bearer realm="shaoying", error="invalid_token"`}}
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || !strings.HasPrefix(secret, tokenMark) || len(secret) != len(tokenMark)+tokenLength {
		return token{}, unauthorized
	}
	row, err := a.Gateway.DB.FindAPIToken(ctx, a.Gateway.Keys.Indexes(indexToken, secret))
	if errors.Is(err, postgres.ErrNoRows) {
		return token{}, unauthorized
	}
	if err != nil {
		return token{}, fmt.Errorf("look a token up: %w", err)
	}
	if !row.UsedToday {
		if err := a.Gateway.DB.UseAPIToken(ctx, row.ID); err != nil {
			return token{}, fmt.Errorf("note the use of a token: %w", err)
		}
	}
	return token(row), nil
}

// limit is how often a token may ask, in this process.
func (a *API) limit(id int64) *rate.Limiter {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.limits[id]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(a.Policy.Requests.PerSecond), a.Policy.Requests.Burst)
		a.limits[id] = l
	}
	return l
}

// turnAway answers with a problem before an operation runs.
func (a *API) turnAway(ctx huma.Context, err error) {
	var p *Problem
	if !errors.As(err, &p) {
		p = newProblem(http.StatusServiceUnavailable, codeFailed, "try again")
	}
	for name, values := range p.headers {
		ctx.SetHeader(name, values[0])
	}
	ctx.SetHeader("Content-Type", problemType)
	ctx.SetStatus(p.Status)
	if err := a.huma.Marshal(ctx.BodyWriter(), "application/json", p); err != nil {
		a.Gateway.Log.Debug("a problem was not read to its end", "error", err)
	}
}
