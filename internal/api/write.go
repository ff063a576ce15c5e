package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// sealAnswer seals api_request.answer.
const sealAnswer = "api_request.answer"

// Keyed is the part of every write that makes it happen once.
type Keyed struct {
	Key     string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"200" doc:"The same key with the same request is done once and answered again"`
	RawBody []byte
}

func (k *Keyed) keyed() *Keyed { return k }

// keyed is an input with a Keyed in it.
type keyed[I any] interface {
	*I
	keyed() *Keyed
}

// written is the answer of a write.
type written[O any] struct {
	Replayed string `header:"Idempotency-Replayed" doc:"true where the answer is that of an earlier request with the same key"`
	Body     *O
}

// write registers an operation that changes something. path names the place in
// the request's address, because the same key elsewhere is another request.
func write[I, O any, P keyed[I]](a *API, op huma.Operation, may people.StaffCommand, path func(*I) string,
	f func(ctx context.Context, v *visit, in *I) (*O, error),
) {
	a.describe(&op)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*written[O], error) {
		return once(ctx, a, op, path(in), P(in).keyed(), func(ctx context.Context, v *visit) (*O, error) {
			if may != "" && !v.holds(a, may) {
				return nil, errForbidden
			}
			return f(ctx, v, in)
		})
	})
}

// once does a write in a turn, or answers it as it was answered before.
func once[O any](ctx context.Context, a *API, op huma.Operation, path string, k *Keyed, f func(context.Context, *visit) (*O, error)) (*written[O], error) {
	fingerprint := sha256.Sum256(append([]byte(op.OperationID+"\n"+path+"\n"), k.RawBody...))
	var out written[O]
	err := a.turn(ctx, func(ctx context.Context, v *visit) error {
		out = written[O]{}
		before, err := a.before(ctx, v, k.Key, fingerprint[:])
		if err != nil {
			return err
		}
		if before != nil {
			out.Replayed = "true"
			return wrap("read an answer", json.Unmarshal(before, &out.Body))
		}
		if out.Body, err = f(ctx, v); err != nil {
			return err
		}
		return a.keep(ctx, v, k.Key, fingerprint[:], op.DefaultStatus, out.Body)
	})
	return &out, err
}

// before takes the key for this request and returns what an earlier one with the
// same key was answered, nil when there was none.
func (a *API) before(ctx context.Context, v *visit, key string, fingerprint []byte) ([]byte, error) {
	held, err := v.TryAPIKey(ctx, strconv.FormatInt(v.Token, 10)+"/"+key)
	if err != nil {
		return nil, fmt.Errorf("take a key: %w", err)
	}
	if !held {
		return nil, newProblem(http.StatusConflict, codeInFlight, "a request with this key is being done: ask again for its answer")
	}
	row, err := v.APIAnswer(ctx, v.Token, key)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look a key up: %w", err)
	}
	if subtle.ConstantTimeCompare(row.Request, fingerprint) != 1 {
		return nil, newProblem(http.StatusUnprocessableEntity, codeKeyReused, "this key was used for another request: each request has a key of its own")
	}
	answer, err := v.Open(sealAnswer, row.Answer)
	return []byte(answer), err
}

// keep keeps the answer in the transaction that it speaks of.
func (a *API) keep(ctx context.Context, v *visit, key string, fingerprint []byte, status int, answer any) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("pack an answer: %w", err)
	}
	err = v.KeepAPIAnswer(ctx, db.KeepAPIAnswerParams{
		TokenID: v.Token, Key: key, Request: fingerprint, Status: int32(status), Answer: v.Seal(sealAnswer, string(body)),
	})
	return wrap("keep an answer", err)
}
