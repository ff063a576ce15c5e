package app

import (
	"testing"

	"shaoying/configs"
)

// What may go out by SMS: the embedded texts with the longest values (issue 5,
// section 2).
func TestTextsThatGoOutBySMS(t *testing.T) {
	problems, n, err := CheckFlows(configs.FS())
	if err != nil || n < 80 {
		t.Fatalf("%d dialogues, %v", n, err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}
