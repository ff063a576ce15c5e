package gateway

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"shaoying/internal/audit"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/privacy"
)

// Record appends to the trail. The row holds ids, codes and a salted digest
// of words; the words and the salt lie sealed in another table and can be
// erased, after which the chain still verifies.
func Record(ctx context.Context, tx *postgres.Tx, keys *privacy.Keys, actor, kind, subject string, data map[string]any, words string) error {
	if data == nil {
		data = map[string]any{}
	}
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("pack a trail row: %w", err)
	}
	row := db.AddTrailParams{Actor: actor, Kind: kind, Subject: subject, Data: body}
	var salt []byte
	if words != "" {
		salt = make([]byte, 16)
		rand.Read(salt)
		row.Digest = audit.Salted([]byte(words), salt)
	}
	id, err := tx.AddTrail(ctx, row)
	if err != nil {
		return fmt.Errorf("append %s to the trail: %w", kind, err)
	}
	if words == "" {
		return nil
	}
	if err := tx.AddTrailWords(ctx, id, salt, keys.Seal([]byte(words), aadTrail)); err != nil {
		return fmt.Errorf("keep the words of %s: %w", kind, err)
	}
	return nil
}
