//go:build !race

package care_test

// sequences is how many random lives are lived.
const sequences = 10_000
