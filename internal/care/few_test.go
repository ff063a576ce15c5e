//go:build race

package care_test

// sequences of random lives are enough where only races are looked for.
const sequences = 2_000
