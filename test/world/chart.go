package world

import (
	"os"
	"testing"

	"shaoying/configs"
	"shaoying/internal/chart"
)

// Draws reports whether this machine has a font for charts; in CI it must.
func Draws(t testing.TB) bool {
	t.Helper()
	body, err := configs.Read("policies/charts.yaml")
	Must(t, err)
	policy, err := chart.ParsePolicy("charts.yaml", body)
	Must(t, err)
	_, err = chart.Find(policy)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	return err == nil
}
